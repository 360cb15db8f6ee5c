"""The client's IP address of a request, also behind trusted proxies."""

from ipaddress import IPv4Address, IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest

type Address = IPv4Address | IPv6Address


def client_address(request: HttpRequest) -> str:
    """Return the client's IPv4 or IPv6 address; ``""`` where the web server names none.

    Every proxy appends to ``X-Forwarded-For`` on the right. The last address that does not
    belong to a trusted proxy was therefore seen by a trusted proxy itself. The client can forge
    every address to the left of that one.
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
    """Whether the direct peer of the web server is in ``TRUSTED_PROXIES``."""
    address = _parsed(request.META.get("REMOTE_ADDR", ""))
    return address is not None and _is_trusted(address)


def _is_trusted(address: Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)


def _parsed(text: str) -> Address | None:
    """Parse an address; ``None`` for any other text.

    Some proxies add the client's port: ``192.0.2.1:49152`` or ``[2001:db8::1]:49152``. A
    dual-stack socket shows an IPv4 client as ``::ffff:192.0.2.1``. The result is then the IPv4
    address, so that it matches the IPv4 networks of the settings.
    """
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
