"""Tags of lists: addresses of objects and of sorted lists, and the colour of a status."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import template
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from playground.objects.discovery import Resource
from playground.objects.tables import Column, Question, TableRow
from playground.objects.views import CLUSTER_SCOPE
from playground.sandboxes.gateway import Cluster

register = template.Library()

GOOD = {"Running", "Ready", "Active", "Bound", "Available", "True"}
WAITING = {"Pending", "ContainerCreating", "PodInitializing", "Terminating", "Waiting"}
DONE = {"Succeeded", "Completed", "Ended"}
BAD_PARTS = ("Error", "BackOff", "Failed", "NotReady", "Evicted", "Invalid", "OOMKilled", "Lost")


@register.simple_tag
def object_address(cluster: Cluster, resource: Resource, row: TableRow) -> str:
    """Return where an object's page is."""
    scope = row.namespace or CLUSTER_SCOPE
    where = [cluster.name, resource.slug_group, resource.version, resource.plural, scope, row.name]
    return reverse("object", args=where)


@register.simple_tag
def sort_address(request: HttpRequest, column: str) -> str:
    """Return the address of the list sorted by a column; a second time, the other way round."""
    given = request.GET.dict()
    wanted = column.lower()
    given["sort"] = f"-{wanted}" if given.get("sort") == wanted else wanted
    return f"{request.path}?{urlencode(given)}"


@register.simple_tag(name="sorted")
def sorted_by(question: Question, column: str) -> SafeString:
    """Return the attribute that says how a column is sorted."""
    if question.sort.lower() != column.lower():
        return mark_safe("")
    return format_html(' aria-sort="{}"', "descending" if question.descending else "ascending")


@register.simple_tag
def cell_state(columns: list[Column], position: int, cell: Any) -> SafeString:
    """Return the attributes of a cell: numbers to the right, a status in its colour."""
    column = columns[position]
    if column.name.lower() in {"status", "phase"}:
        return status_state(cell)
    return mark_safe(' class="kp-number"') if column.type == "integer" else mark_safe("")


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
