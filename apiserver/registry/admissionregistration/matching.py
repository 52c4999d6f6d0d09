"""Which requests a webhook or a policy is about: rules, selectors, conditions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from apimachinery.cel.admission import NONE, Shape, Variables, compile_expression
from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    duplicate,
    invalid,
    not_supported,
    repeats,
    required,
    too_many,
)
from apimachinery.validation.names import is_path_segment, is_qualified_name
from apiserver.registry.podspec.checks import obey, one_of
from apiserver.registry.podspec.selectors import selector_errors

FAILURE_POLICIES = ("Fail", "Ignore")
MATCH_POLICIES = ("Equivalent", "Exact")
_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SCOPES = ("*", "Cluster", "Namespaced")
_MOST_CONDITIONS = 64
FOR_WEBHOOKS = Shape(authorizer=True)


class Compiles(NamedTuple):
    """What an expression may name, and the types that it may have; none: any."""

    shape: Shape
    variables: Variables = NONE
    wanted: tuple[str, ...] = ()


def default_rules(rules: Iterable[Obj] | None) -> None:
    for rule in rules or ():
        if rule.get("scope") is None:
            rule["scope"] = "*"


def default_match(match: Obj | None) -> None:
    """Fill in a MatchResources."""
    if match is None:
        return
    default_selectors(match)
    default_rules(match.get("resourceRules"))
    default_rules(match.get("excludeResourceRules"))


def default_selectors(match: Obj) -> None:
    for name, value in (
        ("matchPolicy", "Equivalent"),
        ("namespaceSelector", {}),
        ("objectSelector", {}),
    ):
        if match.get(name) is None:
            match[name] = value if isinstance(value, str) else {}


def match_errors(match: Obj | None, path: Path) -> FieldErrors:
    """Yield what is wrong with a MatchResources; None matches all that the policy does."""
    if match is None:
        return
    yield from one_of(match.get("matchPolicy") or "", MATCH_POLICIES, path / "matchPolicy")
    for name in ("namespaceSelector", "objectSelector"):
        if match.get(name) is None:
            yield required(path / name)
        else:
            yield from selector_errors(match[name], path / name)
    for name in ("resourceRules", "excludeResourceRules"):
        for at, rule in enumerate(match.get(name) or ()):
            yield from _named_errors(rule, (path / name)[at])


def _named_errors(rule: Obj, path: Path) -> FieldErrors:
    names = rule.get("resourceNames") or ()
    again = repeats(names)
    for at, name in enumerate(names):
        where = (path / "resourceNames")[at]
        yield from obey(is_path_segment, name, where)
        if at in again:
            yield duplicate(where, name)
    yield from rule_errors(rule, path)


def rule_errors(rule: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with a RuleWithOperations."""
    operations = rule.get("operations") or ()
    yield from _wildcard_errors(operations, path / "operations", "operations")
    for at, operation in enumerate(operations):
        if operation not in _OPERATIONS:
            yield not_supported((path / "operations")[at], operation, _OPERATIONS)
    yield from _wildcard_errors(rule.get("apiGroups") or (), path / "apiGroups", "API groups")
    versions = rule.get("apiVersions") or ()
    yield from _wildcard_errors(versions, path / "apiVersions", "API versions")
    for at, version in enumerate(versions):
        if not version:
            yield required((path / "apiVersions")[at])
    yield from _resource_errors(rule.get("resources") or (), path / "resources")
    if rule.get("scope") is not None:
        yield from one_of(rule["scope"], _SCOPES, path / "scope")


def _wildcard_errors(values: Sequence[str], path: Path, what: str) -> FieldErrors:
    if not values:
        yield required(path)
    if len(values) > 1 and "*" in values:
        yield invalid(path, list(values), f"if '*' is present, must not specify other {what}")


def _resource_errors(resources: Sequence[str], path: Path) -> FieldErrors:
    if not resources:
        yield required(path)
    yield from _overlap_errors(resources, path)
    if len(resources) > 1 and "*/*" in resources:
        why = "if '*/*' is present, must not specify other resources"
        yield invalid(path, list(resources), why)
    plain = [text for text in resources if text and "/" not in text]
    if "*" in plain and plain[-1] != "*":
        why = "if '*' is present, must not specify other resources without subresources"
        yield invalid(path, list(resources), why)


def _overlap_errors(resources: Sequence[str], path: Path) -> FieldErrors:
    """Yield which subresources are in a wildcard before them."""
    all_of: set[str] = set()  # x of x/*
    of_all: set[str] = set()  # x of */x
    for at, text in enumerate(resources):
        if not text:
            yield required(path[at])
        resource, slash, part = text.partition("/")
        if not slash:
            continue
        if resource in all_of:
            yield invalid(path[at], text, f"if '{resource}/*' is present, must not specify {text}")
        if part in of_all:
            yield invalid(path[at], text, f"if '*/{part}' is present, must not specify {text}")
        if part == "*":
            all_of.add(resource)
        if resource == "*":
            of_all.add(part)


def condition_errors(
    conditions: Sequence[Obj], path: Path, shape: Shape = FOR_WEBHOOKS
) -> FieldErrors:
    """Yield what is wrong with match conditions."""
    compiles = Compiles(shape, wanted=("bool",))
    if len(conditions) > _MOST_CONDITIONS:
        yield too_many(path, len(conditions), _MOST_CONDITIONS)
    seen: set[str] = set()
    for at, condition in enumerate(conditions):
        name, where = condition.get("name") or "", path[at]
        text = condition.get("expression")
        yield from expression_errors(text, where / "expression", "", compiles)
        if not name:
            yield required(where / "name")
            continue
        yield from obey(is_qualified_name, name, where / "name")
        if name in seen:
            yield duplicate(where / "name", name)
        seen.add(name)


def expression_errors(text: Any, path: Path, missing: str, compiles: Compiles) -> FieldErrors:
    """Yield that an expression is missing, or cannot be compiled."""
    if not (text or "").strip():
        yield required(path, missing)
        return
    found = compile_expression(text, compiles.shape, compiles.variables)
    if compiles.wanted:
        found = found.returns(*compiles.wanted)
    if found.problem:
        yield invalid(path, text, found.problem)
