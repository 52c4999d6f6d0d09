"""IngressClasses: which controller serves an Ingress."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, forbidden, required, too_long
from apimachinery.validation.names import is_dns1123_label
from apiserver.registry.networking.references import local_reference_errors
from apiserver.registry.podspec.checks import immutable, obey, one_of
from apiserver.registry.resource import Column, Resource
from apiserver.registry.rules.names import domain_prefixed_path_errors
from apiserver.registry.strategy import Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, dig, field

_SPEC = Path("spec")
_LONGEST = 250
_SCOPES = ("Cluster", "Namespace")


class IngressClassStrategy(Strategy):
    """The controller is for good."""

    has_generation = True

    def default(self, obj: Obj) -> None:
        parameters = dig(obj, ("spec", "parameters"))
        if parameters is not None and not parameters.get("scope"):
            parameters["scope"] = "Cluster"

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec = obj.get("spec") or {}
        controller = spec.get("controller") or ""
        if len(controller) > _LONGEST:
            yield too_long(_SPEC / "controller", controller, _LONGEST)
        yield from domain_prefixed_path_errors(controller, _SPEC / "controller")
        if spec.get("parameters") is not None:
            yield from _parameter_errors(spec["parameters"], _SPEC / "parameters")

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        path = ("spec", "controller")
        yield from immutable(dig(new, path), dig(old, path), _SPEC / "controller")
        yield from self.validate(new, ctx)


def _parameter_errors(parameters: Obj, path: Path) -> FieldErrors:
    yield from local_reference_errors(parameters, path)
    scope, namespace = parameters.get("scope"), parameters.get("namespace")
    if scope is None:
        yield required(path / "scope")
        return
    yield from one_of(scope, _SCOPES, path / "scope")
    if scope == "Namespace":
        if namespace is None:
            yield required(path / "namespace", "`parameters.scope` is set to 'Namespace'")
        else:
            yield from obey(is_dns1123_label, namespace, path / "namespace")
    elif scope == "Cluster" and namespace is not None:
        yield forbidden(path / "namespace", "`parameters.scope` is set to 'Cluster'")


def _parameters(obj: Obj, now: float) -> str:
    found = dig(obj, ("spec", "parameters"))
    if not found:
        return "<none>"
    kind = (
        found["kind"] if found.get("apiGroup") is None else f"{found['kind']}.{found['apiGroup']}"
    )
    return f"{kind}/{found.get('name') or ''}"


INGRESSCLASSES = Resource(
    kind=GroupVersionKind("networking.k8s.io", "v1", "IngressClass"),
    plural="ingressclasses",
    singular="ingressclass",
    namespaced=False,
    strategy=IngressClassStrategy(),
    columns=(
        NAME,
        Column("Controller", field("spec.controller")),
        Column("Parameters", _parameters),
        AGE,
    ),
)
