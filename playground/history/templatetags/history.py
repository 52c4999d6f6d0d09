"""Numbers and moments as people read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from django import template

register = template.Library()

_THREES = re.compile(r"\B(?=(\d{3})+$)")


@register.filter
def grouped(number: int | str) -> str:
    """Group digits by threes with a narrow space, as the scripts of the pages do."""
    return _THREES.sub("\u202f", str(number))


@register.filter
def moment(seconds: float) -> datetime:
    """Return seconds since the epoch as a moment."""
    return datetime.fromtimestamp(seconds, UTC)
