"""Questions to the authorizer: `authorizer.group('apps').resource('pods').check('get').allowed()`.

The authorizer itself is a callable that the variable brings along.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from apimachinery.cel.functions import Overload, function
from apimachinery.cel.values import Opaque


@dataclass(frozen=True, slots=True)
class Question:
    """What a check asks for: a path, or a resource. `user` "" is who makes the request."""

    verb: str = ""
    path: str = ""
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    user: str = ""
    field_selector: str = ""
    label_selector: str = ""


@dataclass(frozen=True, slots=True)
class Decision(Opaque):
    """What the authorizer answered."""

    allowed: bool
    reason: str = ""
    error: str = ""
    type_name = "kubernetes.authorization.Decision"


Ask = Callable[[Question], Decision]


@dataclass(frozen=True, slots=True)
class Authorizer(Opaque):
    """Somebody's rights, to be asked for."""

    ask: Ask
    user: str = ""
    type_name = "kubernetes.authorization.Authorizer"


@dataclass(frozen=True, slots=True)
class PathCheck(Opaque):
    """Rights to a path."""

    ask: Ask
    question: Question
    type_name = "kubernetes.authorization.PathCheck"


@dataclass(frozen=True, slots=True)
class GroupCheck(Opaque):
    """Rights within a group."""

    ask: Ask
    question: Question
    type_name = "kubernetes.authorization.GroupCheck"


@dataclass(frozen=True, slots=True)
class ResourceCheck(Opaque):
    """Rights to a resource."""

    ask: Ask
    question: Question
    type_name = "kubernetes.authorization.ResourceCheck"


def _service_account(authorizer: Authorizer, namespace: str, name: str) -> Authorizer:
    return Authorizer(authorizer.ask, f"system:serviceaccount:{namespace}:{name}")


def _path(authorizer: Authorizer, path: str) -> PathCheck:
    return PathCheck(authorizer.ask, Question(path=path, user=authorizer.user))


def _group(authorizer: Authorizer, group: str) -> GroupCheck:
    return GroupCheck(authorizer.ask, Question(group=group, user=authorizer.user))


def _resource(check: GroupCheck, resource: str) -> ResourceCheck:
    return ResourceCheck(check.ask, replace(check.question, resource=resource))


def _with(part: str) -> Callable[[ResourceCheck, str], ResourceCheck]:
    return lambda check, value: ResourceCheck(check.ask, replace(check.question, **{part: value}))


def _check(check: PathCheck | ResourceCheck, verb: str) -> Decision:
    return check.ask(replace(check.question, verb=verb))


_PARTS = {
    "subresource": "subresource",
    "namespace": "namespace",
    "name": "name",
    "fieldSelector": "field_selector",
    "labelSelector": "label_selector",
}
AUTHORIZERS: list[Overload] = [
    function("Authorizer.path(string) -> PathCheck", _path),
    function("Authorizer.group(string) -> GroupCheck", _group),
    function("Authorizer.serviceAccount(string, string) -> Authorizer", _service_account),
    function("GroupCheck.resource(string) -> ResourceCheck", _resource),
    *[
        function(f"ResourceCheck.{name}(string) -> ResourceCheck", _with(part))
        for name, part in _PARTS.items()
    ],
    function("PathCheck.check(string) -> Decision", _check),
    function("ResourceCheck.check(string) -> Decision", _check),
    function("Decision.allowed() -> bool", lambda decision: decision.allowed),
    function("Decision.reason() -> string", lambda decision: decision.reason),
    function("Decision.errored() -> bool", lambda decision: bool(decision.error)),
    function("Decision.error() -> string", lambda decision: decision.error),
]
