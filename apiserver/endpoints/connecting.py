"""Connections (exec, attach, portforward, proxy) before admission, which sees their options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from apimachinery.meta import Obj
from apiserver.admission.interfaces import AdmissionRequest, Operation
from apiserver.auth.user import User
from apiserver.endpoints.request import ApiRequest
from apiserver.endpoints.requestinfo import is_true

# The query's parameters that are fields of the options, by the type that they have there.
_FLAGS = ("stdin", "stdout", "stderr", "tty")


async def admit_connect(request: ApiRequest) -> None:
    """Ask admission whether a connection may be made. Raises its refusal."""
    info, resource = request.info, request.resource
    kind = resource.subresources[info.subresource].kind or resource.kind
    asked = AdmissionRequest(
        Operation.CONNECT,
        kind,
        resource.group_resource,
        info.version,
        request.user or User(""),
        info.subresource,
        info.namespace,
        info.name,
        object={"kind": kind.kind, "apiVersion": kind.api_version, **_options(request)},
        warnings=request.warnings,
        annotations=request.trace.notes,
    )
    for run in (request.api.admission.admit, request.api.admission.validate):
        waiting = run(asked)
        if waiting is not None:
            await waiting


def _options(request: ApiRequest) -> Obj:
    """Return the options as an object has them, without what is empty."""
    info = request.info
    if info.subresource == "proxy":
        return {"path": f"/{info.rest}"} if info.rest else {}
    query = parse_qs(request.query, keep_blank_values=True)
    if info.subresource == "portforward":
        ports = [int(text) for text in query.get("ports", ()) if text.isdigit()]
        return {"ports": ports} if ports else {}
    found: dict[str, Any] = {name: True for name in _FLAGS if is_true(_first(query, name))}
    if container := _first(query, "container"):
        found["container"] = container
    if info.subresource == "exec" and "command" in query:
        found["command"] = query["command"]
    return found


def _first(query: Mapping[str, list[str]], name: str) -> str | None:
    return query[name][0] if name in query else None
