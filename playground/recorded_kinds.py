"""Of which kinds the objects of a recording may be, and whether one of them is sound.

An object is read as its kind has it and checked by the rules that the API has for a new one: what
the API would never have stored is refused. A custom kind is known from its definition on; its
objects are not checked by a schema, since that may be younger than they are, as in any cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apimachinery.clock import ManualClock
from apimachinery.errors import ApiError, BadRequest
from apimachinery.gvk import GroupVersion
from apimachinery.meta import Obj
from apimachinery.schema.decode import decode
from apimachinery.structural.embedded import read_metadata
from apimachinery.validation.field import FieldErrors
from apimachinery.validation.names import is_dns1035_label
from apiserver.registry import metadata
from apiserver.registry.apiextensions.customresourcedefinitions import (
    CUSTOMRESOURCEDEFINITIONS as DEFINITIONS,
)
from apiserver.registry.calling import no_call
from apiserver.registry.catalog import Catalog
from apiserver.registry.custom.building import Building
from apiserver.registry.custom.conversion import Converting
from apiserver.registry.custom.schemas import no_rules
from apiserver.registry.metadatarules import created_metadata_errors
from apiserver.registry.resource import Resource
from apiserver.registry.strategy import StrategyContext
from apiserver.storage import Key

# Writes of definitions that change what they say: checking one may compile rules.
MOST_DEFINITIONS = 1_000
_SHOWN_ERRORS = 3
# The API server writes these itself, with the address that it has.
_OWN = frozenset(
    Key(resource, "default", "kubernetes")
    for resource in ("endpoints", "endpointslices.discovery.k8s.io")
)
# What the rules for a new Pod refuse, and one that runs may have got.
_ADDED_LATER = "ephemeralContainers"


class _NoObjects:
    """Rules that look at other objects find none."""

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        return None

    def list(self, resource: str, namespace: str | None = None) -> list[Obj]:
        return []

    def text(self, resource: str, namespace: str, name: str) -> bytes:
        return b""


class RecordedKinds:
    """The kinds of one recording. Methods raise ApiError."""

    def __init__(self, catalog: Catalog, *, secrets: bool) -> None:
        """`secrets`: the recording has their values, so that they can be checked."""
        self._catalog, self._secrets = catalog, secrets
        self._custom: dict[str, Resource] = {}
        # What each definition says; a status alone does not count as another.
        self._said: dict[str, Any] = {}
        self._definitions = 0

    def get(self, name: str) -> Resource | None:
        """Return a kind as it is named in the log, None where it is not known (yet)."""
        resource = self._catalog.get(name) or self._custom.get(name)
        return resource if resource is not None and "get" in resource.verbs else None

    def read(self, given: Any, resource: Resource) -> Obj:
        """Return an object as its kind has it. Raises BadRequest."""
        if not isinstance(given, dict) or not isinstance(given.get("metadata"), dict):
            raise BadRequest("object must be an object with metadata")
        if resource.custom:
            return _custom(given, resource)
        kind = resource.kind
        if (given.get("apiVersion"), given.get("kind")) != (kind.api_version, kind.kind):
            raise BadRequest(
                f"the object of {resource.key} is not a {kind.api_version} {kind.kind}"
            )
        return metadata.ordered(decode(given, kind).obj)

    def check(self, resource: Resource, key: Key, obj: Obj, at: float) -> None:
        """Refuse what the API would not have stored. Raises BadRequest."""
        if key in _OWN or (resource is DEFINITIONS and self._said.get(key.name) == obj["spec"]):
            return
        ctx = StrategyContext(clock=ManualClock(at), objects=_NoObjects(), namespace=key.namespace)
        try:
            errors = list(self._errors(resource, obj, ctx))
        except ApiError:
            raise
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
            raise BadRequest(f"“{key.name}” is no whole {resource.kind.kind}") from None
        if errors:
            told = "; ".join(str(error)[:300] for error in errors[:_SHOWN_ERRORS])
            raise BadRequest(f"“{key.name}” is no valid {resource.kind.kind}: {told}")

    def _errors(self, resource: Resource, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from created_metadata_errors(resource, resource.strategy, obj["metadata"])
        if resource.custom or (resource.key == "secrets" and not self._secrets):
            return
        if resource.key == "pods" and _ADDED_LATER in obj["spec"]:
            spec = {name: part for name, part in obj["spec"].items() if name != _ADDED_LATER}
            obj = obj | {"spec": spec}
        yield from resource.strategy.validate(obj, ctx)

    def learn(self, type_: str, crd: Obj, raw: bytes) -> None:
        """Follow a definition: its kind is known from now on, or no more. Raises BadRequest."""
        spec, name = crd["spec"], crd["metadata"]["name"]
        if type_ == "DELETED":
            self._custom.pop(name, None)
            self._said.pop(name, None)
            return
        if self._said.get(name) == spec:
            return
        self._definitions += 1
        if self._definitions > MOST_DEFINITIONS:
            raise BadRequest(f"definitions change more than {MOST_DEFINITIONS} times")
        self._said[name] = spec
        building = Building(crd, spec["names"], raw, no_rules, Converting(no_call, str))
        resource = building.resource()
        if resource is not None and self._catalog.get(resource.key) is None:
            self._custom[name] = resource


def _custom(given: Mapping[str, Any], resource: Resource) -> Obj:
    kind, version = resource.kind, given.get("apiVersion")
    wrong = BadRequest(f"the object of {resource.key} is not a {kind.kind} of {kind.group}")
    if not isinstance(version, str) or given.get("kind") != kind.kind:
        raise wrong
    group, _, name = version.partition("/")
    if group != kind.group or is_dns1035_label(name):
        raise wrong
    meta = read_metadata(given["metadata"], GroupVersion(group, name).kind(kind.kind)).obj
    return metadata.ordered({**given, "metadata": meta})
