"""The parameters that a binding hands to its policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apimachinery.gvk import GroupVersion
from apimachinery.labels import from_label_selector
from apimachinery.meta import Obj, labels_of
from apiserver.registry.catalog import Catalog, Served
from apiserver.registry.strategy import ObjectReader


class ConfigurationError(Exception):
    """A policy or binding that cannot be put to work as it stands."""


class Params:
    """Finds parameters among the objects of a cluster."""

    def __init__(self, objects: ObjectReader, catalog: Catalog | None = None) -> None:
        self._objects = objects
        self._catalog = catalog if catalog is not None else Catalog()

    def collect(
        self, kind: Mapping[str, Any] | None, ref: Mapping[str, Any] | None, namespace: str
    ) -> list[Obj | None]:
        """Return the parameters, each of which is asked for. Raises ConfigurationError.

        Without a kind or a reference there is one: None.
        """
        if kind is None:
            return [None]
        served = self._served(kind)
        if ref is None:
            return [None]
        if served is None:
            shown = f"{kind.get('apiVersion') or ''}, Kind={kind.get('kind') or ''}"
            raise ConfigurationError(f"paramKind kind `{shown}` not known")
        found: list[Obj | None] = list(self._find(served, ref, namespace))
        if not found and ref.get("parameterNotFoundAction") == "Deny":
            raise ConfigurationError(
                "no params found for policy binding with `Deny` parameterNotFoundAction"
            )
        return found

    def problem(self, kind: Mapping[str, Any] | None) -> str:
        """Return what is wrong with the kind of a policy's parameters."""
        if kind is None or self._served(kind) is not None:
            return ""
        version, name = kind.get("apiVersion") or "", kind.get("kind") or ""
        return f"failed to find resource referenced by paramKind: '{version}, Kind={name}'"

    def _served(self, kind: Mapping[str, Any]) -> Served | None:
        group_version = GroupVersion.parse(kind.get("apiVersion") or "")
        return self._catalog.of_kind(group_version.kind(kind.get("kind") or ""))

    def _find(self, served: Served, ref: Mapping[str, Any], namespace: str) -> list[Obj]:
        place = ""
        if served.resource.namespaced:
            place = ref.get("namespace") or namespace
            if not place:
                raise ConfigurationError(
                    "cannot use namespaced paramRef in policy binding that matches "
                    "cluster-scoped resources"
                )
        elif ref.get("namespace"):
            raise ConfigurationError(
                "paramRef.namespace must not be provided for a cluster-scoped `paramKind`"
            )
        key = served.resource.key
        if ref.get("name"):
            one = self._objects.get(key, place, ref["name"])
            found = [] if one is None else [one]
        else:
            selector = from_label_selector(ref.get("selector"))
            listed = self._objects.list(key, place if served.resource.namespaced else None)
            found = [obj for obj in listed if selector.matches(labels_of(obj))]
        version = served.version
        return found if version is None else [version.from_storage(obj) for obj in found]
