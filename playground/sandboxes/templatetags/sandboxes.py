"""Tags of the clusters page."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from playground.cluster_templates import TEMPLATES

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
