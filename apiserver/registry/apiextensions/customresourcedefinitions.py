"""CustomResourceDefinitions: kinds that users add to a cluster."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    forbidden,
    invalid,
    not_supported,
    required,
)
from apimachinery.validation.names import is_dns1123_subdomain, is_path_segment
from apiserver.registry.apiextensions.approval import approval_errors
from apiserver.registry.apiextensions.formats import format_warnings
from apiserver.registry.apiextensions.names import name_errors
from apiserver.registry.apiextensions.versions import (
    common_errors,
    has_defaults,
    storage_versions,
    version_errors,
    view,
)
from apiserver.registry.custom import conditions
from apiserver.registry.podspec.checks import immutable, one_of_required
from apiserver.registry.podspec.workload import keep_status
from apiserver.registry.resource import Resource, Subresource
from apiserver.registry.rules.webhooks import (
    client_config_errors,
    default_client_config,
    review_version_errors,
)
from apiserver.registry.strategy import StatusStrategy, Strategy, StrategyContext
from apiserver.registry.table import dig

_SPEC, _STATUS = Path("spec"), Path("status")
_SCOPES = ("Cluster", "Namespaced")
_STRATEGIES = ("None", "Webhook")
_NOT_A_WEBHOOK = "should not be set when strategy is not set to Webhook"
_NAMES = ("plural", "singular", "kind", "listKind")


def _name_stays(spec: Obj, before: Obj, name: str) -> FieldErrors:
    path = ("names", name)
    yield from immutable(dig(spec, path), dig(before, path), _SPEC / "names" / name)


class CustomResourceDefinitionStrategy(Strategy):
    """Group, plural and stored versions are for good; once served, scope and kind are too."""

    qualifies_finalizers = False
    has_generation = True
    allow_unconditional_update = False
    # Objects of the kinds stay where they are, and are there again with a new definition.
    collection_goes_at_once = True
    name_rule = staticmethod(is_path_segment)

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        names = spec.setdefault("names", {})
        kind = names.get("kind") or ""
        if not names.get("singular"):
            names["singular"] = kind.lower()
        if not names.get("listKind") and kind:
            names["listKind"] = f"{kind}List"
        if spec.get("conversion") is None:
            spec["conversion"] = {"strategy": "None"}
        default_client_config(dig(spec, ("conversion", "webhook", "clientConfig")))

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {
            "conditions": None,
            "acceptedNames": {"plural": "", "kind": ""},
            "storedVersions": storage_versions(obj["spec"]) or None,
        }

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)
        stored = list(dig(new, ("status", "storedVersions")) or ())
        added = [name for name in storage_versions(new["spec"]) if name not in stored]
        if added:
            new["status"] = {**(new.get("status") or {}), "storedVersions": [*stored, *added]}

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec, name = obj["spec"], obj["metadata"].get("name") or ""
        names = spec.get("names") or {}
        if name and name != f"{names.get('plural') or ''}.{spec.get('group') or ''}":
            why = 'must be spec.names.plural+"."+spec.group'
            yield invalid(Path("metadata") / "name", name, why)
        yield from _spec_errors(spec)
        yield from _status_errors(obj)
        yield from approval_errors(obj)
        yield from _preserving_errors(spec, {})

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        spec, before = new["spec"], old["spec"]
        yield from _spec_errors(spec, before)
        if is_established(old):
            yield from immutable(spec.get("scope"), before.get("scope"), _SPEC / "scope")
            yield from _name_stays(spec, before, "kind")
        yield from immutable(spec.get("group"), before.get("group"), _SPEC / "group")
        yield from _name_stays(spec, before, "plural")
        yield from _status_errors(new)
        yield from approval_errors(new, old)
        yield from _preserving_errors(spec, before)

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        return format_warnings(obj["spec"])

    def warnings_on_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> list[str]:
        return format_warnings(new["spec"], old["spec"])

    def may_be_removed(self, obj: Obj) -> bool:
        """Objects of a kind go before its definition, so that none goes at once."""
        return bool(obj["metadata"].get("deletionTimestamp"))

    def prepare_for_delete(self, obj: Obj, ctx: StrategyContext) -> None:
        metadata, status = obj["metadata"], obj.get("status") or {}
        metadata.pop("deletionGracePeriodSeconds", None)
        if any(one.get("type") == "Terminating" for one in status.get("conditions") or ()):
            return
        finalizers = metadata.get("finalizers") or []
        if conditions.CLEANUP not in finalizers:
            metadata["finalizers"] = [*finalizers, conditions.CLEANUP]
        now = ctx.clock.timestamp()
        obj["status"] = conditions.with_condition(status, conditions.PENDING, now)


def is_established(crd: Obj) -> bool:
    """Tell whether a definition's kind is served."""
    return any(
        one.get("type") == "Established" and one.get("status") == "True"
        for one in dig(crd, ("status", "conditions")) or ()
    )


def _preserving_errors(spec: Obj, before: Obj) -> FieldErrors:
    if spec.get("preserveUnknownFields") and not before.get("preserveUnknownFields"):
        why = (
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
            "spec.versions[*].schema instead"
        )
        yield invalid(_SPEC / "preserveUnknownFields", True, why)


def _spec_errors(spec: Obj, before: Obj | None = None) -> FieldErrors:
    group = spec.get("group") or ""
    if not group:
        yield required(_SPEC / "group")
    elif wrong := is_dns1123_subdomain(group):
        yield invalid(_SPEC / "group", group, ",".join(wrong))
    elif "." not in group:
        yield invalid(_SPEC / "group", group, "should be a domain with at least one dot")
    yield from one_of_required(spec.get("scope"), _SCOPES, _SPEC / "scope")
    if spec.get("preserveUnknownFields") and has_defaults(spec):
        why = "must be false in order to use defaults in the schema"
        yield invalid(_SPEC / "preserveUnknownFields", True, why)
    seen, stored = view(spec), None if before is None else view(before)
    yield from version_errors(seen, stored)
    names = spec.get("names") or {}
    for name in _NAMES:
        if not names.get(name):
            yield required(_SPEC / "names" / name)
    yield from name_errors(names, _SPEC / "names")
    yield from common_errors(seen, stored)
    strategy = (spec.get("conversion") or {}).get("strategy") or ""
    if spec.get("preserveUnknownFields") and strategy != "None":
        why = "must be None if spec.preserveUnknownFields is true"
        yield invalid(_SPEC / "conversion" / "strategy", strategy, why)
    if spec.get("conversion") is not None:
        yield from _conversion_errors(spec["conversion"], _SPEC / "conversion")


def _conversion_errors(conversion: Obj, path: Path) -> FieldErrors:
    strategy, webhook = conversion.get("strategy") or "", conversion.get("webhook")
    if not strategy:
        yield required(path / "strategy")
    elif strategy not in _STRATEGIES:
        yield not_supported(path / "strategy", strategy, _STRATEGIES)
    where, config = path / "webhookClientConfig", (webhook or {}).get("clientConfig")
    versions = (webhook or {}).get("conversionReviewVersions") or ()
    if strategy == "Webhook":
        if config is None:
            yield required(where, "required when strategy is set to Webhook")
        else:
            yield from client_config_errors(config, where)
        yield from review_version_errors(versions, path / "conversionReviewVersions", named=False)
        return
    if config is not None:
        yield forbidden(where, _NOT_A_WEBHOOK)
    if versions:
        yield forbidden(path / "conversionReviewVersions", _NOT_A_WEBHOOK)


def _status_errors(obj: Obj) -> FieldErrors:
    status = obj.get("status") or {}
    yield from name_errors(status.get("acceptedNames") or {}, _STATUS / "acceptedNames")
    stored, path = status.get("storedVersions"), _STATUS / "storedVersions"
    if not stored:
        yield invalid(path, stored, "must have at least one stored version")
        return
    names = [one.get("name") or "" for one in obj["spec"].get("versions") or ()]
    for name in storage_versions(obj["spec"]):
        if name not in stored:
            yield invalid(path, stored, f"must have the storage version {name}")
    for at, name in enumerate(stored):
        if name not in names:
            why = (
                f"missing from spec.versions; {name} was previously a storage version, and must "
                "remain in spec.versions until a storage migration ensures no data remains "
                f"persisted in {name} and removes {name} from status.storedVersions"
            )
            yield invalid(path[at], name, why)


class CustomResourceDefinitionStatusStrategy(StatusStrategy):
    """Whoever accepts names writes them; they are names still."""

    allow_unconditional_update = False

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        names = dig(new, ("status", "acceptedNames")) or {}
        yield from name_errors(names, _STATUS / "acceptedNames")


_STRATEGY = CustomResourceDefinitionStrategy()
CUSTOMRESOURCEDEFINITIONS = Resource(
    kind=GroupVersionKind("apiextensions.k8s.io", "v1", "CustomResourceDefinition"),
    plural="customresourcedefinitions",
    singular="customresourcedefinition",
    namespaced=False,
    short=(
        "crd",
        "crds",
    ),
    categories=("api-extensions",),
    storage_version="v1beta1",
    strategy=_STRATEGY,
    subresources={
        "status": Subresource(strategy=CustomResourceDefinitionStatusStrategy(_STRATEGY))
    },
)
