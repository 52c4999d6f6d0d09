"""FlowSchemas: which requests belong to which priority level."""

from __future__ import annotations

from collections.abc import Sequence

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
)
from apimachinery.validation.names import is_dns1123_label, is_dns1123_subdomain
from apiserver.registry.flowcontrol.mandatory import schema_errors
from apiserver.registry.podspec.checks import obey
from apiserver.registry.podspec.workload import keep_status
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import MetadataCheck, StatusStrategy, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, dig, field

_SPEC = Path("spec")
_HIGHEST = 10_000
_DEFAULT = 1000
_METHODS = ("ByNamespace", "ByUser")
_VERBS = (
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "proxy",
    "update",
    "watch",
)
# The kind of a subject, and the field with it.
_SUBJECTS = {"Group": "group", "ServiceAccount": "serviceAccount", "User": "user"}
_NAMESPACE = "each member of this list must be '*' or a DNS-1123 label; "


class FlowSchemaStrategy(Strategy):
    """The schema with the lowest precedence that matches decides."""

    has_generation = True
    metadata_checks = (MetadataCheck.WHOLE,)

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        if not spec.get("matchingPrecedence"):
            spec["matchingPrecedence"] = _DEFAULT

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {}

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec, name = obj.get("spec") or {}, obj["metadata"].get("name")
        yield from _precedence_errors(spec.get("matchingPrecedence") or 0, name)
        method = spec.get("distinguisherMethod")
        if method is not None and method.get("type") not in _METHODS:
            shown = {"Type": method.get("type") or ""}
            yield not_supported(_SPEC / "distinguisherMethod" / "type", shown, _METHODS)
        path = _SPEC / "priorityLevelConfiguration" / "name"
        level = (spec.get("priorityLevelConfiguration") or {}).get("name") or ""
        if level:
            yield from obey(is_dns1123_subdomain, level, path)
        else:
            yield required(path, "must reference a priority level")
        for at, rule in enumerate(spec.get("rules") or ()):
            yield from _rule_errors(rule, (_SPEC / "rules")[at])
        yield from schema_errors(obj)


def _precedence_errors(precedence: int, name: str | None) -> FieldErrors:
    path = _SPEC / "matchingPrecedence"
    if precedence <= 0:
        yield invalid(path, precedence, "must be a positive value")
    if precedence > _HIGHEST:
        yield invalid(path, precedence, f"must not be greater than {_HIGHEST}")
    if precedence == 1 and name != "exempt":
        why = "only the schema named 'exempt' may have matchingPrecedence 1"
        yield invalid(path, precedence, why)


def _rule_errors(rule: Obj, path: Path) -> FieldErrors:
    if not rule.get("subjects"):
        yield required(path / "subjects", "subjects must contain at least one value")
    for at, subject in enumerate(rule.get("subjects") or ()):
        yield from _subject_errors(subject, (path / "subjects")[at])
    if not rule.get("resourceRules") and not rule.get("nonResourceRules"):
        why = "at least one of resourceRules and nonResourceRules has to be non-empty"
        yield required(path, why)
    for at, one in enumerate(rule.get("resourceRules") or ()):
        yield from _resource_errors(one, (path / "resourceRules")[at])
    for at, one in enumerate(rule.get("nonResourceRules") or ()):
        yield from _url_errors(one, (path / "nonResourceRules")[at])


def _subject_errors(subject: Obj, path: Path) -> FieldErrors:
    kind = subject.get("kind") or ""
    own = _SUBJECTS.get(kind)
    if own is None:
        yield not_supported(path / "kind", kind, tuple(_SUBJECTS))
        return
    given = subject.get(own)
    if given is None:
        yield required(path / own, f"{own} is required when subject kind is '{kind}'")
    else:
        yield from _who_errors(given, path / own, account=own == "serviceAccount")
    for other, name in (("ServiceAccount", "serviceAccount"), ("User", "user"), ("Group", "group")):
        if name != own and subject.get(name) is not None:
            yield forbidden(path / name, f"{name} is forbidden when subject kind is not '{other}'")


def _who_errors(who: Obj, path: Path, *, account: bool) -> FieldErrors:
    name, namespace = who.get("name") or "", who.get("namespace") or ""
    if not name:
        yield required(path / "name")
    elif account and name != "*":
        yield from obey(is_dns1123_subdomain, name, path / "name")
    if account and namespace:
        yield from obey(is_dns1123_label, namespace, path / "namespace")
    elif account:
        yield required(path / "namespace", "must specify namespace for service account")


def _verb_errors(verbs: Sequence[str], path: Path) -> FieldErrors:
    if not verbs:
        yield required(path, "verbs must contain at least one value")
    elif "*" in verbs:
        yield from _alone_errors(verbs, path, "verbs")
    elif not set(verbs) <= set(_VERBS):
        yield not_supported(path, list(verbs), _VERBS)


def _alone_errors(values: Sequence[str], path: Path, what: str) -> FieldErrors:
    if len(values) > 1 and "*" in values:
        yield invalid(path, list(values), f"if '*' is present, must not specify other {what}")


def _resource_errors(rule: Obj, path: Path) -> FieldErrors:
    yield from _verb_errors(rule.get("verbs") or (), path / "verbs")
    for name, one, what in (
        ("apiGroups", "api group", "api groups"),
        ("resources", "resource", "resources"),
    ):
        values = rule.get(name) or ()
        if not values:
            yield required(path / name, f"resource rules must supply at least one {one}")
        yield from _alone_errors(values, path / name, what)
    namespaces, where = rule.get("namespaces") or (), path / "namespaces"
    if not namespaces and not rule.get("clusterScope"):
        why = "resource rules that are not cluster scoped must supply at least one namespace"
        yield required(where, why)
    elif "*" in namespaces:
        yield from _alone_errors(namespaces, where, "namespaces")
    else:
        for at, namespace in enumerate(namespaces):
            for message in is_dns1123_label(namespace):
                yield invalid(where[at], namespace, _NAMESPACE + message)


def _url_errors(rule: Obj, path: Path) -> FieldErrors:
    yield from _verb_errors(rule.get("verbs") or (), path / "verbs")
    urls, path = rule.get("nonResourceURLs") or (), path / "nonResourceURLs"
    if not urls:
        yield required(path, "nonResourceURLs must contain at least one value")
    elif "*" in urls:
        yield from _alone_errors(urls, path, "non-resource URLs")
    else:
        for at, url in enumerate(urls):
            yield from _one_url_errors(url, path[at])


def _one_url_errors(url: str, path: Path) -> FieldErrors:
    if not url:
        yield invalid(path, url, "must not be empty")
    elif url == "/":
        return
    elif not url.startswith("/"):
        yield invalid(path, url, "must start with slash")
    elif " " in url:
        yield invalid(path, url, "must not contain white-space")
    elif "//" in url:
        yield invalid(path, url, "must not contain double slash")
    elif "*" in url.removesuffix("/*"):
        yield invalid(path, url, "wildcard can only do suffix matching")


class FlowSchemaStatusStrategy(StatusStrategy):
    """Conditions have types, each once."""

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from condition_errors(dig(new, ("status", "conditions")) or ())


def condition_errors(conditions: Sequence[Obj]) -> FieldErrors:
    """Yield which conditions have no type, or that of another."""
    path = Path("status") / "conditions"
    seen: set[str] = set()
    for at, condition in enumerate(conditions):
        kind = condition.get("type") or ""
        if kind in seen:
            yield duplicate(path[at] / "type", kind)
        seen.add(kind)
        if not kind:
            yield required(path[at] / "type", "must not be empty")


def _dangling(obj: Obj, now: float) -> str:
    for condition in dig(obj, ("status", "conditions")) or ():
        if condition.get("type") == "Dangling":
            return str(condition.get("status") or "")
    return "?"


_STRATEGY = FlowSchemaStrategy()
FLOWSCHEMAS = Resource(
    kind=GroupVersionKind("flowcontrol.apiserver.k8s.io", "v1", "FlowSchema"),
    plural="flowschemas",
    singular="flowschema",
    namespaced=False,
    strategy=_STRATEGY,
    subresources={
        "status": Subresource(strategy=FlowSchemaStatusStrategy(_STRATEGY, resets_metadata=True))
    },
    columns=(
        NAME,
        Column("PriorityLevel", field("spec.priorityLevelConfiguration.name")),
        Column("MatchingPrecedence", field("spec.matchingPrecedence", 0)),
        Column("DistinguisherMethod", field("spec.distinguisherMethod.type", "<none>")),
        AGE,
        Column("MissingPL", _dangling),
    ),
)
