"""Durations as `sleep` reads them."""

from __future__ import annotations

import math
import re

_DURATION = re.compile(r"^(\d+(?:\.\d+)?|\.\d+)([smhd]?)$")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(text: str) -> float | None:
    """Return seconds; None for what is no duration. `infinity` is a very long one."""
    if text in ("infinity", "inf"):
        return math.inf
    match = _DURATION.match(text)
    return float(match[1]) * _UNITS[match[2]] if match else None
