"""What policies and bindings of both kinds share: parameters, constraints, variables."""

from __future__ import annotations

from typing import Any

from apimachinery.cel.admission import Shape, compose
from apimachinery.cel.types import Type
from apimachinery.gvk import GroupVersion
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, forbidden, invalid, required
from apimachinery.validation.names import (
    is_c_identifier,
    is_dns1035_label,
    is_dns1123_subdomain,
    is_path_segment,
)
from apiserver.registry.admissionregistration.matching import (
    FAILURE_POLICIES,
    Compiles,
    condition_errors,
    default_match,
    expression_errors,
    match_errors,
)
from apiserver.registry.podspec.checks import name_or_required, obey, one_of, one_of_required
from apiserver.registry.podspec.selectors import selector_errors
from apiserver.registry.strategy import Strategy
from apiserver.registry.table import dig

SPEC = Path("spec")
_NOT_FOUND_ACTIONS = ("Allow", "Deny")
_EXCLUSIVE = "name and selector are mutually exclusive"


class PolicyStrategy(Strategy):
    """A policy says what to check and of what; bindings put it to work."""

    qualifies_finalizers = False
    has_generation = True
    allow_unconditional_update = False

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        if spec.get("failurePolicy") is None:
            spec["failurePolicy"] = "Fail"
        default_match(spec.get("matchConstraints"))


class BindingStrategy(Strategy):
    """A binding names a policy, and may narrow what it is about."""

    qualifies_finalizers = False
    has_generation = True
    allow_unconditional_update = False

    def default(self, obj: Obj) -> None:
        default_match(dig(obj, ("spec", "matchResources")))


def policy_errors(spec: Obj) -> FieldErrors:
    """Yield what is wrong with a policy, what it checks aside."""
    yield from one_of_required(spec.get("failurePolicy"), FAILURE_POLICIES, SPEC / "failurePolicy")
    if spec.get("paramKind") is not None:
        yield from _param_kind_errors(spec["paramKind"], SPEC / "paramKind")
    match, path = spec.get("matchConstraints"), SPEC / "matchConstraints"
    if match is None:
        yield required(path)
    else:
        yield from match_errors(match, path)
        if not match.get("resourceRules"):
            yield required(path / "resourceRules")
    shape = shape_of(spec)
    conditions = spec.get("matchConditions") or ()
    yield from condition_errors(conditions, SPEC / "matchConditions", shape)
    variables = spec.get("variables") or ()
    shape = shape._replace(patches=bool(spec.get("mutations")))
    types = compose(variables, shape).types
    before: dict[str, Type] = {}
    for at, variable in enumerate(variables):
        yield from _variable_errors(variable, (SPEC / "variables")[at], Compiles(shape, before))
        name = variable.get("name") or ""
        before[name] = types[name]


def shape_of(spec: Obj) -> Shape:
    """Return what the expressions of a policy may name besides the request."""
    return Shape(params=spec.get("paramKind") is not None, authorizer=True)


def _param_kind_errors(kind: Obj, path: Path) -> FieldErrors:
    version, name = kind.get("apiVersion") or "", kind.get("kind") or ""
    if not version:
        yield required(path / "apiVersion")
    elif version.count("/") > 1:
        why = f"unexpected GroupVersion string: {version}"
        yield invalid(path / "apiVersion", version, why)
    else:
        parsed = GroupVersion.parse(version)
        if parsed.group and (wrong := is_dns1123_subdomain(parsed.group)):
            yield invalid(path / "apiVersion", parsed.group, ",".join(wrong))
        if not parsed.version:
            yield invalid(path / "apiVersion", version, "version must be specified")
        elif wrong := is_dns1035_label(parsed.version):
            yield invalid(path / "apiVersion", parsed.version, ",".join(wrong))
    if not name:
        yield required(path / "kind")
    elif wrong := is_dns1035_label(name.lower()):
        why = "may have mixed case, but should otherwise match: " + ",".join(wrong)
        yield invalid(path / "kind", name, why)


def _variable_errors(variable: Obj, path: Path, compiles: Compiles) -> FieldErrors:
    name = variable.get("name") or ""
    if not name.strip():
        yield required(path / "name", "name is not specified")
    elif is_c_identifier(name):
        yield invalid(path / "name", name, "name is not a valid CEL identifier")
    missing = "expression is not specified"
    text = variable.get("expression")
    yield from expression_errors(text, path / "expression", missing, compiles)


def binding_errors(spec: Obj) -> FieldErrors:
    """Yield what is wrong with a binding, its actions aside."""
    name = spec.get("policyName") or ""
    yield from name_or_required(is_dns1123_subdomain, name, SPEC / "policyName")
    if spec.get("paramRef") is not None:
        yield from _param_ref_errors(spec["paramRef"], SPEC / "paramRef")
    yield from match_errors(spec.get("matchResources"), SPEC / "matchResources")


def _param_ref_errors(ref: Obj, path: Path) -> FieldErrors:
    name, selector = ref.get("name") or "", ref.get("selector")
    if name:
        yield from obey(is_path_segment, name, path / "name")
        if selector is not None:
            yield forbidden(path / "name", _EXCLUSIVE)
    if selector is not None:
        yield from selector_errors(selector, path / "selector")
        if name:
            yield forbidden(path / "selector", _EXCLUSIVE)
    if not name and selector is None:
        yield required(path, "one of name or selector must be specified")
    action = ref.get("parameterNotFoundAction")
    if not action:
        yield required(path / "parameterNotFoundAction")
    else:
        yield from one_of(action, _NOT_FOUND_ACTIONS, path / "parameterNotFoundAction")


def param_kind(obj: Obj, now: float) -> str:
    """Return the cell with the kind of a policy's parameters."""
    kind: dict[str, Any] | None = dig(obj, ("spec", "paramKind"))
    if not kind:
        return "<unset>"
    return f"{kind.get('apiVersion') or ''}/{kind.get('kind') or ''}"


def param_ref(obj: Obj, now: float) -> str:
    """Return the cell with the parameters that a binding names."""
    ref: dict[str, Any] | None = dig(obj, ("spec", "paramRef"))
    if not ref:
        return "<unset>"
    if not ref.get("name"):
        return "*"
    namespace = ref.get("namespace")
    return f"{namespace}/{ref['name']}" if namespace else str(ref["name"])
