"""Tags of the pages: built files by their names, ages in Kubernetes' short form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlencode

import orjson
from django import template
from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from apimachinery.duration import human_duration
from playground import pages
from playground.sandboxes.gateway import Cluster

# What a reader keeps when they go from one page of a cluster to another.
CARRIED = ("ns", "rev")

register = template.Library()


def _manifest() -> dict[str, str]:
    """Return the names of built files; another build has others."""
    file = Path(settings.BASE_DIR) / "static" / "dist" / "manifest.json"
    try:
        return _read(file, file.stat().st_mtime_ns)
    except FileNotFoundError:
        return {}


@lru_cache(maxsize=1)
def _read(file: Path, written: int) -> dict[str, str]:
    del written
    return dict(orjson.loads(file.read_bytes()))


@register.simple_tag
def built(name: str) -> str:
    """Return the address of a file that `node build.mjs` makes, whose name holds a hash."""
    return static(f"dist/{_manifest().get(name, name)}")


@register.simple_tag
def dark_media(theme: str) -> str:
    """Return when the dark colours hold; a script of the page says the same (theme.js)."""
    return {"light": "not all", "dark": "all"}.get(theme, "(prefers-color-scheme: dark)")


@dataclass(frozen=True, slots=True)
class RailPage:
    """A page of the rail, and where it is."""

    page: pages.Page
    address: str


@register.simple_tag
def rail_pages(cluster: Cluster, request: HttpRequest) -> list[RailPage]:
    """Return the pages of a cluster; the namespace and the revision that one looks at go along."""
    kept = {name: request.GET[name] for name in CARRIED if request.GET.get(name)}
    query = f"?{urlencode(kept)}" if kept else ""
    return [RailPage(page, page.address(cluster.name) + query) for page in pages.listed()]


@register.simple_tag
def switch_pattern(page: str) -> str:
    """Return the address of this page in another cluster, which a script puts in."""
    for one in pages.listed():
        if one.name == page:
            return one.address("-cluster-")
    return reverse("cluster", args=["-cluster-"])


@register.filter
def language_tag(code: str) -> str:
    """Return Django's name of a language as HTML has it: zh-hans is zh-Hans."""
    main, _, script = code.partition("-")
    return f"{main}-{script.title()}" if script else main


@register.filter
def age(moment: str | datetime | None, now: datetime | None = None) -> str:
    """Print how long ago a moment was, as kubectl does: 45s, 5m30s, 3h20m, 5d.

    `now` is the time of a cluster, whose clock may be another than the machine's.
    """
    when = parse_datetime(moment) if isinstance(moment, str) else moment
    if when is None:
        return ""
    return human_duration(max(0.0, ((now or timezone.now()) - when).total_seconds()))
