"""What expressions of policies and webhooks may name: the object, the request, rights, variables.

Compiled programs are kept by their text and surroundings, so that clusters that have the same
policy share them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from apimachinery.caching import kept_if_short
from apimachinery.cel.env import CompileError, Env, Program
from apimachinery.cel.functions import OPAQUE, Overload, function
from apimachinery.cel.types import (
    BOOL,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    Type,
    list_of,
    map_of,
    object_type,
)

# What all expressions of one policy may cost together, and all conditions of one webhook.
POLICY_BUDGET = 10_000_000
CONDITIONS_BUDGET = 2_500_000
EXHAUSTED = (
    "validation failed due to running out of cost budget, no further validation rules will be run"
)

_STRINGS = list_of(STRING)
_LABELS = map_of(STRING, STRING)
_GVK = object_type(
    "kubernetes.GroupVersionKind", {"group": STRING, "version": STRING, "kind": STRING}
)
_GVR = object_type(
    "kubernetes.GroupVersionResource", {"group": STRING, "version": STRING, "resource": STRING}
)
USER = object_type(
    "kubernetes.UserInfo",
    {"username": STRING, "uid": STRING, "groups": _STRINGS, "extra": map_of(STRING, _STRINGS)},
)
REQUEST = object_type(
    "kubernetes.AdmissionRequest",
    {
        "kind": _GVK,
        "resource": _GVR,
        "subResource": STRING,
        "requestKind": _GVK,
        "requestResource": _GVR,
        "requestSubResource": STRING,
        "name": STRING,
        "namespace": STRING,
        "operation": STRING,
        "userInfo": USER,
        "dryRun": BOOL,
        "options": DYN,
    },
)
_CONDITION = object_type(
    "kubernetes.NamespaceCondition",
    {
        "status": STRING,
        "type": STRING,
        "lastTransitionTime": TIMESTAMP,
        "message": STRING,
        "reason": STRING,
    },
)
_NAMESPACE_METADATA: Mapping[str, Type] = {
    "name": STRING,
    "generateName": STRING,
    "namespace": STRING,
    "labels": _LABELS,
    "annotations": _LABELS,
    "UID": STRING,
    "creationTimestamp": TIMESTAMP,
    "deletionGracePeriodSeconds": INT,
    "deletionTimestamp": TIMESTAMP,
    "generation": INT,
    "resourceVersion": STRING,
    "finalizers": _STRINGS,
}
NAMESPACE = object_type(
    "kubernetes.Namespace",
    {
        "metadata": object_type("kubernetes.NamespaceMetadata", _NAMESPACE_METADATA),
        "spec": object_type("kubernetes.NamespaceSpec", {"finalizers": _STRINGS}),
        "status": object_type(
            "kubernetes.NamespaceStatus", {"conditions": list_of(_CONDITION), "phase": STRING}
        ),
    },
)
OBJECT = "Object"
JSON_PATCH = "JSONPatch"
_PATCH_TYPE = object_type(JSON_PATCH, {"op": STRING, "path": STRING, "from": STRING, "value": DYN})
_PATCHES: Sequence[Overload] = (
    function(
        "jsonpatch.escapeKey(string) -> string",
        lambda key: key.replace("~", "~0").replace("/", "~1"),
    ),
)


class Shape(NamedTuple):
    """Which of the variables there are."""

    params: bool = False
    authorizer: bool = False
    # Objects and JSON patches may be written out.
    patches: bool = False


class Compiled(NamedTuple):
    """A program, or why there is none."""

    text: str
    program: Program | None
    problem: str = ""

    def returns(self, *wanted: str) -> Compiled:
        """Return this, refused where its type is none of those wanted."""
        if self.program is None:
            return self
        got = "null_type" if self.program.type.kind == "null_type" else str(self.program.type)
        if got in wanted:
            return self
        one_of = wanted[0] if len(wanted) == 1 else f"one of [{' '.join(wanted)}]"
        return Compiled(self.text, None, f"must evaluate to {one_of} but got {got}")


# Types by name.
Variables = Mapping[str, Type]
NONE: Variables = MappingProxyType({})
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@lru_cache(maxsize=64)
def _base(shape: Shape) -> Env:
    variables = {
        "object": DYN,
        "oldObject": DYN,
        "request": REQUEST,
        "namespaceObject": NAMESPACE,
    }
    if shape.params:
        variables["params"] = DYN
    if shape.authorizer:
        variables["authorizer"] = OPAQUE["Authorizer"]
        variables["authorizer.requestResource"] = OPAQUE["ResourceCheck"]
    if not shape.patches:
        return Env(variables)
    structs = {JSON_PATCH: _PATCH_TYPE}
    return Env(variables, (_PATCHES,), structs, open_structs=(OBJECT,))


def environment(
    shape: Shape, variables: Variables = NONE, typed: Mapping[str, Type] | None = None
) -> Env:
    """Return an environment; `typed` says more of the object's type than that it is any.

    Variables that are added later are known, too.
    """
    base = _base(shape)
    more = {"variables": object_type("kubernetes.variables", variables), **(typed or {})}
    return base.extended(more)


def compile_expression(text: str, shape: Shape, variables: Variables = NONE) -> Compiled:
    """Compile an expression; what is wrong is in the result."""
    if not variables:
        return _compile(text, shape)
    # A policy may have thousands of variables, and an expression sees those that it names.
    named = dict.fromkeys(name for name in _WORD.findall(text) if name in variables)
    return _compile(text, shape, tuple((name, variables[name]) for name in named))


@kept_if_short(2048)
def _compile(text: str, shape: Shape, variables: tuple[tuple[str, Type], ...] = ()) -> Compiled:
    try:
        return Compiled(text, environment(shape, dict(variables)).compile(text))
    except CompileError as error:
        return Compiled(text, None, f"compilation failed: {error}")


class Composed(NamedTuple):
    """The variables of a policy: each may use those before it."""

    types: Variables
    programs: Mapping[str, Compiled]


def compose(variables: Sequence[Mapping[str, Any]], shape: Shape) -> Composed:
    """Compile the variables of a policy, in order."""
    types: dict[str, Type] = {}
    programs: dict[str, Compiled] = {}
    for variable in variables:
        name = variable.get("name") or ""
        found = compile_expression(variable.get("expression") or "", shape, types)
        programs[name] = found
        kind = found.program.type if found.program is not None else DYN
        types[name] = kind
    return Composed(types, programs)
