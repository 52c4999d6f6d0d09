"""Tags of the pages of clusters and of access."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from playground.cluster_templates import TEMPLATES
from playground.rights import asking

register = template.Library()


@register.filter
def template_title(name: str) -> str:
    """Return what a template is called; one that is gone is shown by its name."""
    found = TEMPLATES.get(name)
    return str(found.title) if found is not None else name


@register.filter
def until(moment: str | datetime) -> str:
    """Print how long it is until a moment: 45m, 3h20m, 5d."""
    when = parse_datetime(moment) if isinstance(moment, str) else moment
    if when is None:
        return ""
    minutes = max(0, int((when - timezone.now()).total_seconds())) // 60
    hours, left = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24}d"
    return f"{hours}h{left}m" if hours else f"{minutes}m"


@register.filter
def rule_text(rule: Mapping[str, Any]) -> str:
    """Print a rule of a role in one line."""
    return asking.rule_text(rule)


@register.filter
def pairs(row: Mapping[str, Any], verbs: Sequence[str]) -> list[tuple[str, bool]]:
    """Return the verbs, each with whether a row of the access grid may use it."""
    return list(zip(verbs, row["may"], strict=True))
