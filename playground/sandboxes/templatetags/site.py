"""Tags of the pages: built files by their names, ages in Kubernetes' short form."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path

import orjson
from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils import timezone
from django.utils.dateparse import parse_datetime

register = template.Library()


@cache
def _manifest() -> dict[str, str]:
    file = Path(settings.BASE_DIR) / "static" / "dist" / "manifest.json"
    return dict(orjson.loads(file.read_bytes())) if file.exists() else {}


@register.simple_tag
def built(name: str) -> str:
    """Return the address of a file that `node build.mjs` makes, whose name holds a hash."""
    return static(f"dist/{_manifest().get(name, name)}")


@register.filter
def age(moment: str | datetime | None) -> str:
    """Print how long ago a moment was, in two units at most: 45s, 12m, 3h20m, 5d."""
    when = parse_datetime(moment) if isinstance(moment, str) else moment
    if when is None:
        return ""
    seconds = max(0, int((timezone.now() - when).total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 180:
        return f"{minutes}m"
    return f"{hours}h" if hours < 48 else f"{days}d"
