"""From which address a request came, seen through the proxies that are trusted."""

from ipaddress import IPv4Address, IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest

type Address = IPv4Address | IPv6Address


def client_address(request: HttpRequest) -> str:
    """The client's address; ``""`` where the web server names none.

    ``X-Forwarded-For`` grows to the right, so the last address that is no trusted proxy's
    is the one that a trusted proxy has seen itself. What stands before it may be made up.
    """
    address = _parsed(request.META.get("REMOTE_ADDR", ""))
    seen = request.headers.get("X-Forwarded-For", "").split(",")
    while address and _is_trusted(address) and seen:
        earlier = _parsed(seen.pop())
        if earlier is None:
            break
        address = earlier
    return str(address or "")


def is_from_trusted_proxy(request: HttpRequest) -> bool:
    address = _parsed(request.META.get("REMOTE_ADDR", ""))
    return address is not None and _is_trusted(address)


def _is_trusted(address: Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)


def _parsed(text: str) -> Address | None:
    """IPv4 addresses that a socket for both kinds shows as IPv6 are IPv4."""
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
