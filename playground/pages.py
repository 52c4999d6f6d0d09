"""The pages of a cluster, in the order of the rail: what rail, keys, palette and help read.

A page is listed once its URL exists, so a line may stand here before its view does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a cluster."""

    name: str
    """What a view gives its template as `page`."""
    title: str | Promise
    url: str
    """The name of a URL that takes the cluster's name alone."""
    key: str
    """The key after `g` that leads here, until a user chooses another."""
    icon: str
    """An SVG path in a square of 20, drawn with a line of 1.6."""

    def address(self, cluster: str) -> str:
        """Return where the page of a cluster is."""
        return reverse(self.url, args=[cluster])


PAGES = (
    Page(
        "overview", _("Overview"), "overview", "v", "M3 11 10 4l7 7M5 9.5V16h10V9.5M8.5 16v-4h3v4"
    ),
    Page(
        "topology",
        _("Topology"),
        "topology",
        "t",
        "M2.5 2.5h6v6h-6zM11.5 2.5h6v6h-6zM2.5 11.5h6v6h-6zM11.5 11.5h6v6h-6z",
    ),
    Page("trace", _("Trace"), "trace", "r", "M2.5 10h4m2 0h3m2 0h4M6.5 8v4h2V8zM11.5 8v4h2V8z"),
    Page(
        "timeline",
        _("Timeline"),
        "timeline",
        "l",
        "M2.5 10a7.5 7.5 0 1 0 15 0 7.5 7.5 0 1 0-15 0M10 5.5V10l3 2",
    ),
    Page("objects", _("Objects"), "objects-front", "o", "M3 5h14M3 10h14M3 15h14"),
    Page("scheduler", _("Scheduler"), "scheduler", "s", "M3 3.5h14l-5.5 6.5v6l-3-1.5V10z"),
    Page(
        "traffic",
        _("Traffic"),
        "traffic",
        "n",
        "M3 7h13m-3.5-3.5L16 7l-3.5 3.5M17 13H4m3.5-3.5L4 13l3.5 3.5",
    ),
    Page(
        "terminal",
        _("Terminal"),
        "terminal",
        "x",
        "M2.5 4h15v12h-15zM5.5 7.5 8 10l-2.5 2.5M10 12.5h4",
    ),
    Page(
        "editor",
        _("Editor"),
        "editor",
        "e",
        "M3 4.5h8M3 8.5h5M3 12.5h3M9 15.5l1-3.5 5.5-5.5 2.5 2.5-5.5 5.5z",
    ),
    Page("access", _("Access"), "access", "a", "M4.5 9h11v8h-11zM7 9V6a3 3 0 0 1 6 0v3M10 12v2"),
)


def listed() -> list[Page]:
    """Return the pages that exist."""
    return [page for page in PAGES if _exists(page.url)]


@cache
def _exists(url: str) -> bool:
    try:
        reverse(url, args=["any"])
    except NoReverseMatch:
        return False
    return True
