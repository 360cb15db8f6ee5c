"""The names of headers, as the real web server passes them to Django."""

import re
from pathlib import Path

import httpx

from tests.support.product import Product


def test_header_with_underscores_is_ignored(tmp_path: Path) -> None:
    """WSGI gives both spellings one name, so the web server drops headers with underscores."""
    trusted = {"TRUSTED_PROXIES": "127.0.0.1", "TRUSTED_USER_HEADER": "X-Forwarded-User"}
    with Product(tmp_path, RUNS_API_URL="http://127.0.0.1:9", **trusted) as product:

        def named(*headers: tuple[str, str]) -> str:
            response = httpx.get(f"{product.url}/account/", headers=list(headers), trust_env=False)
            shown = re.search(r"<dd[^>]*>(\w+)</dd>", response.text)
            return shown[1] if shown else ""

        real, spoofed = ("X-Forwarded-User", "kim"), ("X_Forwarded_User", "mallory")
        assert named(real, spoofed) == named(spoofed, real) == named(real) == "kim"
        assert named(spoofed) == ""
