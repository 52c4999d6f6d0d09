"""What a request may take of the server: its time, and its place among the others.

A request over HTTP has `timeout` seconds, and no more than the server gives; those that are meant
to run long have no such limit. Every request but those takes a seat (see `flowcontrol`), also
those of workers in this process.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol

from apimachinery.duration import parse_duration
from apimachinery.errors import BadRequest
from apiserver.auth.user import MASTERS, User
from apiserver.endpoints.request import ApiRequest
from apiserver.endpoints.requestinfo import RequestInfo, is_true
from apiserver.flowcontrol.digest import Digest
from apiserver.flowcontrol.filter import FlowFilter
from apiserver.flowcontrol.levels import Level
from apiserver.flowcontrol.width import list_width
from apiserver.registry.resource import Resource

LONG_PARTS = frozenset({"attach", "exec", "log", "portforward", "proxy"})
_NOBODY = User("")


class Place(Protocol):
    """What a request holds while it is served."""

    def leave(self) -> None: ...


def runs_long(info: RequestInfo) -> bool:
    """Tell whether a request may go on for as long as its client likes."""
    return info.verb in ("watch", "proxy") or info.subresource in LONG_PARTS


def time_limit(request: ApiRequest) -> float | None:
    """Return the seconds that a request has, None for no end. Raises BadRequest."""
    info, most = request.info, request.api.options.request_timeout
    if not request.method or runs_long(info):
        return None
    if text := request.params.get("timeout", ""):
        try:
            given = parse_duration(text)
        except ValueError as error:
            why = f"invalid timeout specified in the request URL - {error}"
            raise BadRequest(why) from None
        if 0 < given < most:
            return given
    # Reading one object waits for nobody, unless somebody else serves it.
    remotes = request.api.remotes
    waits = info.verb != "get" or not info.is_resource or (remotes and remotes.find(info.path))
    return most if waits else None


def enter(request: ApiRequest) -> Place | Coroutine[Any, Any, Place] | None:
    """Return the request's place, or what to wait for to get one. Raises Overloaded.

    None: the request takes no place.
    """
    info, api = request.info, request.api
    user = request.user or _NOBODY
    long = runs_long(info)
    if isinstance(api.flow, FlowFilter):
        if long and info.verb != "watch":
            return None
        flow = request.flow = api.flow.flow_of(_digest(info, user))
        listing = info.verb == "list" or (info.verb == "watch" and _wants_all(request))
        width = _width(request, flow.level) if listing and not info.name else 1
        return api.flow.enter(flow, width)
    if long:
        return None
    return api.flow.enter(info.verb, exempt=MASTERS in user.groups)


def _digest(info: RequestInfo, user: User) -> Digest:
    if not info.is_resource:
        return Digest(user.name, user.groups, info.verb, False, path=info.path)
    resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    return Digest(user.name, user.groups, info.verb, True, info.group, resource, info.namespace)


def _wants_all(request: ApiRequest) -> bool:
    return is_true(request.params.get("sendInitialEvents"))


def _width(request: ApiRequest, level: Level) -> int:
    info, api = request.info, request.api
    served = api.catalog.find(info.group, info.version, info.resource)
    if served is None or level.exempt:
        return 1
    resource: Resource = served.resource
    limit = request.params.get("limit", "")
    page = int(limit) if limit.isascii() and limit.isdigit() and len(limit) < 10 else 0
    namespace = info.namespace if resource.namespaced and info.namespace else None
    return list_width(api.store.list(resource.key, namespace), page, level.widest)
