"""`?rev=N` in a page's address: the page shows the cluster as it was at revision N.

A view that can do so asks `revision_of` and hands the number on to `Gateway.api(rev=...)`, and its
URL stands in `SHOWN`; the frame shows the banner by itself, since `past` is in every template.
Links within the cluster stay at the revision: scripts see to it (ui/src/carry.js), and templates
add `{{ past.query }}` so that it holds without them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from playground.accounts.models import User
from playground.sandboxes.gateway import Gateway, GatewayError, Refused, gateway

_LONGEST = 18
# Names of URLs whose pages show the past. The others show the present, and say so.
SHOWN = frozenset({"overview", "topology", "objects", "object", "editor"})


@dataclass(frozen=True, slots=True)
class Past:
    """The moment that a page shows. `problem` says why there is none of it."""

    revision: int
    at: float = 0.0
    newest: int = 0
    oldest: int = 0
    problem: str = ""  # "future" or "compacted"
    shown: bool = True  # or the page is of the present, and only its links lead to the past
    # The same page without the revision, with all else that its address says; and at the oldest.
    live: str = ""
    first: str = ""

    @property
    def query(self) -> str:
        """Return what an address without a query needs to stay here."""
        return f"?rev={self.revision}"


def revision_of(request: HttpRequest, name: str = "rev") -> int | None:
    """Return the revision that a page's address names, None for the present."""
    text = request.GET.get(name, "")
    if not (text.isascii() and text.isdigit()) or len(text) > _LONGEST:
        return None
    return int(text)


def context(request: HttpRequest) -> dict[str, Any]:
    """Give templates `past`: None on pages of the present. Asked for only where it is shown."""
    revision = revision_of(request)
    match = request.resolver_match
    name = match.kwargs.get("name") if match is not None else None
    if revision is None or name is None or not isinstance(getattr(request, "user", None), User):
        return {}
    known: list[Past | None] = []

    def past() -> Past | None:
        if not known:
            known.append(_read(request, gateway, str(name), revision))
        return known[0]

    return {"past": past}


def _read(
    request: HttpRequest, source: Callable[[], Gateway], name: str, revision: int
) -> Past | None:
    try:
        found = source().moment(name, revision)
        problem = ""
    except Refused as error:
        problem = {410: "compacted", 504: "future"}.get(error.code, "")
        if not problem:
            return None
        found = source().moment(name)
    except GatewayError:
        return None  # the page itself says what is wrong
    return Past(
        revision=revision,
        at=float(found["at"]),
        newest=int(found["newest"]),
        oldest=int(found["oldest"]),
        problem=problem,
        shown=request.resolver_match is not None and request.resolver_match.url_name in SHOWN,
        live=_address(request, None),
        first=_address(request, int(found["oldest"])),
    )


def _address(request: HttpRequest, revision: int | None) -> str:
    query = request.GET.copy()
    if revision is None:
        del query["rev"]
    else:
        query["rev"] = str(revision)
    return f"{request.path}?{query.urlencode()}" if query else request.path
