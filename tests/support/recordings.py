"""Exchanges with a real runs API, as they were recorded."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

EXCHANGES: Mapping[str, dict[str, Any]] = {
    exchange["name"]: exchange
    for exchange in json.loads(
        (Path(__file__).parents[1] / "data" / "exchanges.json").read_text(encoding="utf-8")
    )
}
"""By name, in the order of recording: each has ``request`` (``method``, ``path``, ``body``) and
``response`` (``status``, ``headers``, ``body``); a ``body`` is parsed JSON or ``None``."""
