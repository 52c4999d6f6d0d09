"""The Kubernetes API of the past: /kubeground/v1/clusters/NAME/at/REVISION/<path of the API>.

The instance's token opens it, and the impersonation headers say whose rights count, as for the
present's API, whose own server answers.
"""

from __future__ import annotations

from typing import Any

from apimachinery.errors import BadRequest
from apiserver.endpoints.asgi import ApiServer
from apiserver.endpoints.scope import PAST

_AT, _LONGEST = "at", 18


def parts_of(path: str) -> list[str] | None:
    """Return name, revision and the API's path where a path is one of the past, else None."""
    parts = path.split("/", 4)
    if len(parts) < 5 or parts[0] != "clusters" or parts[2] != _AT:
        return None
    return [parts[1], *parts[3:]]


async def serve(server: ApiServer, scope: Any, receive: Any, send: Any, parts: list[str]) -> None:
    """Pass a request on to the API server. Raises BadRequest where the revision is no number."""
    name, revision, path = parts
    if not (revision.isascii() and revision.isdigit() and len(revision) <= _LONGEST):
        raise BadRequest(f"{revision[:80]!r} is no revision: that is a whole number")
    path = f"/clusters/{name}/{path}"
    await server({**scope, "path": path, PAST: int(revision)}, receive, send)
