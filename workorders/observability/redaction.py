"""Removes keys and sign-in links from log lines."""

import re

from django.conf import settings

_SIGN_IN_LINK = re.compile(r"(/sign-in/)[\w.=%~-]+")
_NAMED_KEY = re.compile(r"\bruns_[\w-]{40,}")
"""Keys in the form that ``create_api_key`` gives them. This process does not know the keys."""


def without_secrets(text: str) -> str:
    """Return the text with keys and the tokens of sign-in links replaced.

    More people may read logs than may use the keys and links. Secrets of the settings that are
    shorter than ``SHORTEST_SECRET`` are not replaced: their text could be part of other words.
    """
    text = _SIGN_IN_LINK.sub(r"\1[token]", text)
    text = _NAMED_KEY.sub("[secret]", text)
    for secret in (
        settings.SECRET_KEY,
        settings.RUNS_API_KEY,
        settings.METRICS_TOKEN,
        settings.OIDC_CLIENT_SECRET,
    ):
        text = text.replace(secret, "[secret]") if len(secret) >= settings.SHORTEST_SECRET else text
    return text
