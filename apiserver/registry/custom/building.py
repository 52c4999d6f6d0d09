"""From a CustomResourceDefinition to the Resource that the catalog serves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from apimachinery.gvk import GroupResource, GroupVersionKind
from apimachinery.meta import Obj
from apiserver.registry.catalog import version_priority
from apiserver.registry.custom.columns import columns_of, selectable_of
from apiserver.registry.custom.conversion import Converting, WebhookConversion
from apiserver.registry.custom.schemas import RuleCompiler, VersionSchema
from apiserver.registry.custom.strategy import (
    CustomKind,
    CustomResourceStatusStrategy,
    CustomResourceStrategy,
)
from apiserver.registry.resource import Resource, ServedVersion, Subresource
from apiserver.registry.scale import SCALE, ScalePaths
from apiserver.registry.table import dig

# In the order in which Kubernetes lists them for custom kinds.
VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")


class Building:
    """One definition on its way to a Resource; `raw` is the definition as it is stored."""

    def __init__(
        self, crd: Obj, names: Obj, raw: bytes, compile_rules: RuleCompiler, converting: Converting
    ) -> None:
        spec = crd["spec"]
        self._spec, self._names, self._converting = spec, names, converting
        self._group: str = spec["group"]
        self._versions: list[Obj] = spec.get("versions") or []
        self._terminating = bool(crd["metadata"].get("deletionTimestamp"))
        self._schemas = {
            version["name"]: VersionSchema(_loader(raw, at), compile_rules)
            for at, version in enumerate(self._versions)
        }
        self._selectable = {one["name"]: selectable_of(one) for one in self._versions}
        self._conversion: WebhookConversion | None = None

    def resource(self) -> Resource | None:
        """Return what is to be served; None where no version is."""
        served = [one for one in self._versions if one.get("served")]
        storage = next((one for one in self._versions if one.get("storage")), None)
        if storage is None or not served:
            return None
        kind = self._kind(storage)
        conversion = self._spec.get("conversion") or {}
        if conversion.get("strategy") == "Webhook":
            self._conversion = WebhookConversion(
                conversion, kind, self._schemas, self._selectable, self._converting
            )
        others = tuple(self._further(one, kind) for one in served if one is not storage)
        return self._resource(storage, kind, others, serves_storage=bool(storage.get("served")))

    def _kind(self, version: Obj) -> GroupVersionKind:
        return GroupVersionKind(self._group, version["name"], self._names["kind"])

    def _further(self, version: Obj, storage: GroupVersionKind) -> ServedVersion:
        kind, own = self._kind(version), self._resource(version, storage)
        # What a webhook converts is converted before anybody asks for it here.
        shown = _renaming(kind) if self._conversion is None else _stays
        return ServedVersion(kind, _stays, shown, resource=own)

    def _resource(
        self,
        version: Obj,
        storage: GroupVersionKind,
        versions: tuple[ServedVersion, ...] = (),
        *,
        serves_storage: bool = True,
    ) -> Resource:
        names, kind = self._names, self._kind(version)
        strategy = CustomResourceStrategy(self._about(version, kind, storage))
        return Resource(
            kind=kind,
            plural=names["plural"],
            singular=names.get("singular") or "",
            short=tuple(names.get("shortNames") or ()),
            categories=tuple(names.get("categories") or ()),
            namespaced=self._spec.get("scope") == "Namespaced",
            verbs=VERBS,
            strategy=strategy,
            subresources=_subresources(strategy),
            selectable=self._selectable[kind.version],
            indexed={k: v for each in self._selectable.values() for k, v in each.items()},
            conversion=self._conversion,
            columns=columns_of(version),
            versions=versions,
            storage_version=storage.version,
            custom=True,
            serves_storage=serves_storage,
            deprecation=self._deprecation(version),
        )

    def _about(self, version: Obj, kind: GroupVersionKind, storage: GroupVersionKind) -> CustomKind:
        parts = version.get("subresources") or {}
        return CustomKind(
            kind=kind,
            resource=GroupResource(self._group, self._names["plural"]),
            schema=self._schemas[kind.version],
            storage=storage,
            storage_schema=self._schemas[storage.version],
            has_status=parts.get("status") is not None,
            scale=_scale_paths(parts.get("scale")),
            terminating=self._terminating,
            converted=self._conversion is not None,
        )

    def _deprecation(self, version: Obj) -> str:
        if not version.get("deprecated"):
            return ""
        if version.get("deprecationWarning"):
            return str(version["deprecationWarning"])
        kind = self._names["kind"]
        rank = version_priority(version["name"])
        better = [
            one["name"]
            for one in self._versions
            if one.get("served") and not one.get("deprecated")
            if version_priority(one["name"]) > rank
        ]
        text = f"{self._group}/{version['name']} {kind} is deprecated"
        if better:
            text += f"; use {self._group}/{max(better, key=version_priority)} {kind}"
        return text


def _loader(raw: bytes, at: int) -> Callable[[], Obj]:
    def load() -> Obj:
        found: Any = dig(orjson.loads(raw)["spec"]["versions"][at], ("schema", "openAPIV3Schema"))
        return found or {"type": "object", "x-kubernetes-preserve-unknown-fields": True}

    return load


def _subresources(strategy: CustomResourceStrategy) -> dict[str, Subresource]:
    parts: dict[str, Subresource] = {}
    if strategy.about.has_status:
        parts["status"] = Subresource(strategy=CustomResourceStatusStrategy(strategy))
    if strategy.about.scale is not None:
        parts["scale"] = Subresource(kind=SCALE, scale_paths=strategy.about.scale)
    return parts


def _scale_paths(scale: Obj | None) -> ScalePaths | None:
    if scale is None:
        return None
    texts = (scale.get(f"{name}Path") for name in ("specReplicas", "statusReplicas"))
    spec, status = ((text or "").removeprefix(".") for text in texts)
    selector = (scale.get("labelSelectorPath") or "").removeprefix(".")
    return ScalePaths(spec, status, selector, custom=True)


def _stays(obj: Obj) -> Obj:
    """Leave an object as it was sent: the strategy of its version stores it as it is stored."""
    return obj


def _renaming(kind: GroupVersionKind) -> Callable[[Obj], Obj]:
    return lambda obj: obj | {"apiVersion": kind.api_version}
