"""What expressions of a ValidatingAdmissionPolicy say of fields that its kinds do not have.

Policies see objects of any type, so that mistakes show only when they run. The kinds that a policy
names outright are known, and its expressions are read once more with each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from apimachinery.cel.admission import Shape, environment
from apimachinery.cel.env import CompileError, Env
from apimachinery.cel.types import DYN, Type
from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj

# The kinds that are looked at, at most, of each rule.
_MOST_KINDS = 10
# The type of a kind, None where it has no schema.
TypeOf = Callable[[GroupVersionKind], Type | None]
# The kinds of a resource: group, version, plural.
KindsOf = Callable[[str, str, str], Iterable[GroupVersionKind]]


def type_warnings(policy: Obj, type_of: TypeOf, kinds_of: KindsOf) -> list[Obj]:
    """Return the ExpressionWarnings of a policy: {"fieldRef", "warning"}."""
    spec = policy.get("spec") or {}
    typed = [(kind, found) for kind in kinds(spec, kinds_of) if (found := type_of(kind))]
    params = _params(spec, type_of)
    envs = [(kind, _environment(spec, found, params)) for kind, found in typed]
    return [
        {"fieldRef": path, "warning": warning}
        for path, text in _expressions(spec)
        if (warning := "\n".join(_problems(text, envs)))
    ]


def _expressions(spec: Obj) -> Iterator[tuple[str, str]]:
    for at, check in enumerate(spec.get("validations") or ()):
        yield f"spec.validations[{at}].expression", check.get("expression") or ""
        if check.get("messageExpression"):
            yield f"spec.validations[{at}].messageExpression", check["messageExpression"]


def _problems(text: str, envs: Sequence[tuple[GroupVersionKind, Env]]) -> Iterator[str]:
    for kind, env in envs:
        try:
            env.check(text)
        except CompileError as error:
            yield f"{kind.group}/{kind.version}, Kind={kind.kind}: {error}\n"


def _environment(spec: Obj, object_type: Type, params: Type | None) -> Env:
    typed = {"object": object_type, "oldObject": object_type}
    if params is not None:
        typed["params"] = params
    shape = Shape(params=params is not None, authorizer=True)
    variables: dict[str, Type] = {}
    env = environment(shape, variables, typed)
    for given in spec.get("variables") or ():
        try:
            kind = env.check(given.get("expression") or "")[1]
        except CompileError:
            kind = DYN
        variables[given.get("name") or ""] = kind
    return env


def _params(spec: Obj, type_of: TypeOf) -> Type | None:
    kind = spec.get("paramKind")
    if kind is None:
        return None
    group, _, version = (kind.get("apiVersion") or "").rpartition("/")
    return type_of(GroupVersionKind(group, version, kind.get("kind") or ""))


def kinds(spec: Obj, kinds_of: KindsOf) -> list[GroupVersionKind]:
    """Return the kinds that a policy names without a wildcard, sorted."""
    found: set[GroupVersionKind] = set()
    for rule in (spec.get("matchConstraints") or {}).get("resourceRules") or ():
        count = 0
        for group, version, resource in _named(rule):
            for kind in kinds_of(group, version, resource):
                found.add(kind)
                count += 1
                if count == _MOST_KINDS:
                    return sorted(found)
    return sorted(found)


def _named(rule: Obj) -> Iterator[tuple[str, str, str]]:
    groups, versions = _plain(rule.get("apiGroups")), _plain(rule.get("apiVersions"))
    resources = [one for one in rule.get("resources") or () if not set(one) & set("*/")]
    for group in groups:
        for version in versions:
            for resource in sorted(resources):
                yield group, version, resource


def _plain(names: Any) -> list[str]:
    """Return names, sorted; none where one of them is a wildcard."""
    return [] if any("*" in name for name in names or ()) else sorted(names or ())
