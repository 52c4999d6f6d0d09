"""What a path and a method ask for, in the terms of the API.

Follows k8s.io/apiserver endpoints/request/requestinfo.go: the same paths are requests for
resources, with the same verbs, and all others are requests for a path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apimachinery.fields import FieldRequirement
from apimachinery.gvk import GroupResource
from apiserver.auth.attributes import Attributes
from apiserver.auth.user import User

_VERBS = {
    "GET": "get",
    "HEAD": "get",
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
# Parts of a namespace, where any other word after its name would be a resource in it.
_OF_NAMESPACES = frozenset({"status", "finalize"})
_NAME = "metadata.name="


@dataclass(slots=True)
class RequestInfo:
    """A request, taken apart. `rest` is what follows a subresource, its last slash with it."""

    path: str
    verb: str
    is_resource: bool = False
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    rest: str = ""

    @property
    def group_resource(self) -> GroupResource:
        return GroupResource(self.group, self.resource)

    def asked_by(
        self, user: User, verb: str = "", fields: tuple[FieldRequirement, ...] = ()
    ) -> Attributes:
        """Return the request as authorization sees it; with `verb`, as if that were asked for."""
        return Attributes(
            user,
            verb or self.verb,
            self.group,
            self.version,
            self.resource,
            self.subresource,
            self.namespace,
            self.name,
            self.path,
            self.is_resource,
            fields,
        )


def parse(method: str, path: str, params: Mapping[str, str]) -> RequestInfo:
    """Take a request apart; what is not about a resource keeps its path and method."""
    info = RequestInfo(path, method.lower())
    parts = [part for part in path.split("/") if part]
    if len(parts) < 3 or parts[0] not in ("api", "apis"):
        return info
    if parts[0] == "api":
        version, parts = parts[1], parts[2:]
        group = ""
    elif len(parts) < 4:
        return info
    else:
        group, version, parts = parts[1], parts[2], parts[3:]
    info.is_resource = True
    info.group, info.version = group, version
    info.verb = _VERBS.get(method, "")
    legacy_watch = parts[0] == "watch" and len(parts) > 1
    if legacy_watch:
        parts = parts[1:]
        info.verb = "watch"
    _place(info, parts)
    if info.rest and path.endswith("/"):
        info.rest += "/"
    if info.verb == "get" and not info.name:
        info.verb = "watch" if is_true(params.get("watch")) else "list"
    elif info.verb == "delete" and not info.name:
        info.verb = "deletecollection"
    if info.verb in ("list", "watch", "deletecollection") and not info.name and params:
        info.name = selected_name(params.get("fieldSelector", ""))
    return info


def _place(info: RequestInfo, parts: list[str]) -> None:
    if parts[0] == "namespaces" and len(parts) > 1:
        info.namespace = parts[1]
        if len(parts) > 2 and parts[2] not in _OF_NAMESPACES:
            parts = parts[2:]
    info.resource = parts[0]
    if len(parts) > 1:
        info.name = parts[1]
    if len(parts) > 2:
        info.subresource = parts[2]
        info.rest = "/".join(parts[3:])


def selected_name(selector: str) -> str:
    """Return the name that a field selector asks for, so that rules about names hold for lists."""
    for term in selector.split(","):
        if term.startswith(_NAME):
            return term.removeprefix(_NAME).removeprefix("=")
    return ""


def is_true(value: str | None) -> bool:
    """Read a boolean query parameter as Go's API machinery does: `?watch` alone is true."""
    return value is not None and value.lower() not in ("0", "false")
