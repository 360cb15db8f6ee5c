"""The OpenAPI description of this API, loaded from ``openapi.json`` and served unchanged."""

import json
from pathlib import Path
from typing import Any

DOCUMENT: dict[str, Any] = json.loads(
    Path(__file__).with_name("openapi.json").read_text(encoding="utf-8")
)
VERSION: str = DOCUMENT["info"]["version"]
