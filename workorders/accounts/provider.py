"""Sign-in by an OpenID Connect provider: authorization code flow with PKCE, state and nonce.

Authlib implements the protocol: it reads the provider's discovery document and checks the
signature, issuer, audience, times and nonce of the ID token. The caller keeps the ``Flow`` in a
cookie until the browser returns. A visitor who never returns therefore leaves no database row.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
from authlib.integrations.django_client import (  # type: ignore[import-untyped]
    DjangoIntegration,
    DjangoOAuth2App,
)
from django.conf import settings
from joserfc.errors import JoseError

logger = logging.getLogger(__name__)

SCOPES = "openid profile email"
GROUPS_SCOPE = "groups"
"""Requested if the provider supports this scope: some providers send groups only then."""
TIMEOUT_SECONDS = 5
"""Time limit of each request to the provider. A thread waits meanwhile."""

_slots = BoundedSemaphore(max(1, settings.WEB_THREADS // 4))
"""Bulkhead: at most a quarter of a web process's threads wait for the provider, so that a slow
provider cannot occupy all of them."""

type Flow = Mapping[str, str]
"""The values of one sign-in in progress, all strings: ``state``, ``nonce``, ``code_verifier`` (the
secret of PKCE) and ``redirect_uri``."""


class ProviderError(Exception):
    """The provider is unreachable, refused the sign-in, or sent a response that proves nothing."""


@dataclass(frozen=True)
class Person:
    """The person who has signed in at the provider."""

    subject: str
    """The claim ``sub``: the stable ID of the person at this provider."""
    name: str
    """The claim ``preferred_username``, else ``email``, else ``sub``."""
    groups: frozenset[str]
    """The group names in the claim ``OIDC_GROUPS_CLAIM``; empty where the claim is missing."""


def provider_name() -> str:
    """The host name of the provider, such as "login.example.com"; ``""`` where none is set up."""
    return urlsplit(settings.OIDC_ISSUER).hostname or ""


def begin(redirect_uri: str) -> tuple[str, Flow]:
    """Start a sign-in.

    Args:
        redirect_uri: the absolute URL to which the provider sends the browser back.

    Returns:
        The provider's URL for the browser, and the ``Flow`` that ``finish`` needs.

    Raises:
        ProviderError: the provider's discovery document cannot be used.
    """
    with _provider_call():
        client = _client()
        offered = client.load_server_metadata().get("scopes_supported") or ()
        scope = f"{SCOPES} {GROUPS_SCOPE}" if GROUPS_SCOPE in offered else SCOPES
        flow = client.create_authorization_url(redirect_uri, scope=scope)
        return flow.pop("url"), {**flow, "redirect_uri": redirect_uri}


def finish(query: Mapping[str, str], flow: Flow) -> Person:
    """Exchange the authorization code for the person who has signed in.

    Args:
        query: the query parameters with which the provider sent the browser back.
        flow: the second value that ``begin`` returned; empty where the browser has none.

    Raises:
        ProviderError: the provider refused, or its response is not valid for ``flow``.
    """
    if not flow or query.get("state") != flow["state"]:
        raise ProviderError("The answer belongs to no sign-in of this browser")
    if "code" not in query:
        raise ProviderError(f"The provider refused: {query.get('error', 'no code')[:100]}")
    with _provider_call():
        client = _client()
        token = client.fetch_access_token(
            redirect_uri=flow["redirect_uri"],
            code=query["code"],
            code_verifier=flow["code_verifier"],
        )
        required = {
            "iss": {"essential": True, "values": [client.server_metadata["issuer"]]},
            "aud": {"essential": True, "values": [settings.OIDC_CLIENT_ID]},
        }
        claims = client.parse_id_token(token, nonce=flow["nonce"], claims_options=required)
        if claims is None:
            raise ProviderError("The provider sent no ID token")
        return _person(_with_userinfo(client, token, claims))


def _with_userinfo(
    client: Any, token: Mapping[str, Any], claims: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the claims of the ID token, completed from the userinfo endpoint.

    Many providers send names and groups only there, to keep ID tokens short. The endpoint is not
    called when the ID token has both. Claims of the signed ID token take precedence.
    """
    wanted = {"preferred_username", settings.OIDC_GROUPS_CLAIM}
    if wanted <= claims.keys() or not client.server_metadata.get("userinfo_endpoint"):
        return claims
    userinfo = client.userinfo(token=token)
    if userinfo.get("sub") != claims["sub"]:  # OpenID Connect Core 1.0, section 5.3.2
        raise ProviderError("The provider tells of somebody else than it has signed in")
    return {**userinfo, **claims}


def _person(claims: Mapping[str, Any]) -> Person:
    names = (claims.get(claim) for claim in ("preferred_username", "email", "sub"))
    name = next(name for name in names if isinstance(name, str) and name)
    groups = claims.get(settings.OIDC_GROUPS_CLAIM)
    groups = [groups] if isinstance(groups, str) else groups
    known = frozenset(filter(_is_text, groups)) if isinstance(groups, list) else frozenset()
    return Person(str(claims["sub"]), name, known)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


@cache
def _client() -> Any:
    """The client of this process, which keeps the provider's discovery document and keys.

    Authlib reads the keys again when a token is signed with an unknown key.
    """
    return DjangoOAuth2App(
        framework=DjangoIntegration("provider"),
        name="provider",
        client_id=settings.OIDC_CLIENT_ID,
        client_secret=settings.OIDC_CLIENT_SECRET,
        server_metadata_url=f"{settings.OIDC_ISSUER}/.well-known/openid-configuration",
        client_kwargs={
            "scope": SCOPES,
            "code_challenge_method": "S256",
            "default_timeout": TIMEOUT_SECONDS,
        },
    )


@contextmanager
def _provider_call() -> Iterator[None]:
    """Take one slot of the bulkhead, check the issuer, and raise failures as ``ProviderError``."""
    if not _slots.acquire(blocking=False):
        raise ProviderError("Too many sign-ins wait for the provider already")
    try:
        _check_issuer()
        yield
    except (requests.RequestException, AuthlibBaseError, JoseError) as exc:
        raise ProviderError(f"{type(exc).__name__}: {exc}") from exc
    except (LookupError, RuntimeError, TypeError, ValueError) as exc:
        # Authlib raises these for a document, key set or token of an unexpected shape.
        raise ProviderError(f"An answer that cannot be read: {exc!r}") from exc
    finally:
        _slots.release()


def _check_issuer() -> None:
    """Raise ``ProviderError`` unless the discovery document names the configured issuer.

    Otherwise another issuer could sign people in (OpenID Connect Discovery 1.0, section 4.3).
    """
    issuer = _client().load_server_metadata().get("issuer")
    if not isinstance(issuer, str) or issuer.rstrip("/") != settings.OIDC_ISSUER:
        _client.cache_clear()
        raise ProviderError(f"The document of {settings.OIDC_ISSUER} names another: {issuer}")
