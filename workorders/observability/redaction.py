"""Removes keys and sign-in links from log lines."""

import re

from django.conf import settings

_SIGN_IN_LINK = re.compile(r"(/sign-in/)[\w.=%~-]+")
_NAMED_KEY = re.compile(r"\bruns_[\w-]{40,}")
"""As ``create_api_key`` makes them; their text is not known to this process."""


def without_secrets(text: str) -> str:
    """Logs are read by more people than keys and sign-in links are for."""
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
