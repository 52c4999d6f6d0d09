"""Tags of object pages: the colour of a status, and where a tab is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

GOOD = {"Running", "Ready", "Active", "Bound", "Available", "True"}
WAITING = {"Pending", "ContainerCreating", "PodInitializing", "Terminating", "Waiting"}
DONE = {"Succeeded", "Completed", "Ended"}
BAD_PARTS = ("Error", "BackOff", "Failed", "NotReady", "Evicted", "Invalid", "OOMKilled", "Lost")


@register.simple_tag
def status_state(value: Any) -> SafeString:
    """Return the attribute that gives a status its colour; its word stands beside it always."""
    word = str(value)
    first = word.partition(":")[0].partition(",")[0]
    if any(part in word for part in BAD_PARTS):
        state = "bad"
    elif first in GOOD:
        state = "good"
    elif first in WAITING or first == "Init":
        state = "waiting"
    else:
        state = "done" if first in DONE else "plain"
    return format_html(' data-state="{}"', state)


@register.simple_tag(takes_context=True)
def tab_link(context: Mapping[str, Any], tab: str, *flags: str, **values: str) -> str:
    """Return the address of a tab of the page's object, at the revision that the page shows."""
    rev = context.get("rev")
    given = {"tab": tab, **values, **({} if rev is None else {"rev": str(rev)})}
    return "&".join([f"{context['request'].path}?{urlencode(given)}", *flags])
