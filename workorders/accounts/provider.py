"""Signing in by an OpenID Connect provider: the code flow, with PKCE, state and nonce.

Authlib speaks the protocol: it reads the provider's discovery document and checks an ID token's
signature, issuer, audience, time and nonce. What must survive the way to the provider and back is
handed to the caller to be kept in a cookie, so that a visitor costs no row.
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
"""Asked for where the provider offers it: some give groups only then."""
TIMEOUT_SECONDS = 5
"""For each of the provider's answers; meanwhile a thread waits."""

_slots = BoundedSemaphore(max(1, settings.WEB_THREADS // 4))
"""Threads of a web process that may wait for the provider: one that hangs must not take all."""

type Flow = Mapping[str, str]
"""``{"state", "nonce", "code_verifier", "redirect_uri"}`` of one sign-in under way."""


class ProviderError(Exception):
    """The provider cannot be asked, has refused, or its answer proves nothing."""


@dataclass(frozen=True)
class Person:
    """Whom the provider vouches for."""

    subject: str
    name: str
    groups: frozenset[str]


def provider_name() -> str:
    """What people know it by, such as "login.example.com"; ``""``: there is none."""
    return urlsplit(settings.OIDC_ISSUER).hostname or ""


def begin(redirect_uri: str) -> tuple[str, Flow]:
    """The address to send the browser to, and what is needed when it comes back.

    Raises ``ProviderError``.
    """
    with _asking():
        client = _client()
        offered = client.load_server_metadata().get("scopes_supported") or ()
        scope = f"{SCOPES} {GROUPS_SCOPE}" if GROUPS_SCOPE in offered else SCOPES
        flow = client.create_authorization_url(redirect_uri, scope=scope)
        return flow.pop("url"), {**flow, "redirect_uri": redirect_uri}


def finish(query: Mapping[str, str], flow: Flow) -> Person:
    """Who has signed in at the provider. ``query``: of the request that it sent back.

    Raises ``ProviderError``.
    """
    if not flow or query.get("state") != flow["state"]:
        raise ProviderError("The answer belongs to no sign-in of this browser")
    if "code" not in query:
        raise ProviderError(f"The provider refused: {query.get('error', 'no code')[:100]}")
    with _asking():
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
    """Many providers keep an ID token short, and tell names and groups here."""
    wanted = {"preferred_username", settings.OIDC_GROUPS_CLAIM}
    if wanted <= claims.keys() or not client.server_metadata.get("userinfo_endpoint"):
        return claims
    more = client.userinfo(token=token)
    if more.get("sub") != claims["sub"]:  # OpenID Connect Core 1.0, section 5.3.2
        raise ProviderError("The provider tells of somebody else than it has signed in")
    return {**more, **claims}


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
    """Discovery document and keys are read once a process; keys again when one is not known."""
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
def _asking() -> Iterator[None]:
    """One slot of the bulkhead, and every failure as ``ProviderError``."""
    if not _slots.acquire(blocking=False):
        raise ProviderError("Too many sign-ins wait for the provider already")
    try:
        _check_issuer()
        yield
    except (requests.RequestException, AuthlibBaseError, JoseError) as exc:
        raise ProviderError(f"{type(exc).__name__}: {exc}") from exc
    except (LookupError, RuntimeError, TypeError, ValueError) as exc:  # no such document
        raise ProviderError(f"An answer that cannot be read: {exc!r}") from exc
    finally:
        _slots.release()


def _check_issuer() -> None:
    """A document of another issuer would let that one sign people in (OIDC Discovery, 4.3)."""
    named = _client().load_server_metadata().get("issuer")
    if not isinstance(named, str) or named.rstrip("/") != settings.OIDC_ISSUER:
        _client.cache_clear()
        raise ProviderError(f"The document of {settings.OIDC_ISSUER} names another: {named}")
