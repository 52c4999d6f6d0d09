"""From which address a request came, and by which browser in words."""

from __future__ import annotations

import ipaddress
import re

from django.conf import settings
from django.http import HttpRequest

_BROWSERS = (
    ("Edge", r"Edg/(\d+)"),
    ("Opera", r"OPR/(\d+)"),
    ("Firefox", r"Firefox/(\d+)"),
    ("Chromium", r"(?:Headless)?Chrom(?:e|ium)/(\d+)"),
    ("Safari", r"Version/(\d+).* Safari/"),
    ("curl", r"curl/(\d+)"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iOS", "iPhone|iPad"),
    ("Windows", "Windows"),
    ("macOS", "Mac OS X|Macintosh"),
    ("Linux", "Linux|X11"),
)


def address_of(request: HttpRequest) -> str | None:
    """Return the client's address: the peer's, or what the proxies before us say of it.

    Every proxy that the operator has counted adds one address to X-Forwarded-For; what stands
    further to the left the client may have written itself.
    """
    found = request.META.get("REMOTE_ADDR", "")
    if settings.PROXIES:
        told = request.headers.get("X-Forwarded-For", "").split(",")
        if len(told) >= settings.PROXIES:
            found = told[-settings.PROXIES].strip()
    try:
        return str(ipaddress.ip_address(found.partition("%")[0]))
    except ValueError:
        return None


def browser_of(agent: str) -> str:
    """Return a browser in words: "Firefox 130 on Linux"; "" for what is not known."""
    parts = [
        f"{name} {found[1]}" for name, pattern in _BROWSERS if (found := re.search(pattern, agent))
    ][:1]
    systems = [name for name, pattern in _SYSTEMS if re.search(pattern, agent)][:1]
    return " on ".join((*parts, *systems))
