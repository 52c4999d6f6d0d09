"""Under which names and versions a request's object is known.

A rule may name another version than the client used, or another group that serves the same
objects; with matchPolicy Equivalent it is about the request all the same, and sees the object in
the version that it names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apimachinery.errors import InternalError
from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apiserver.admission.interfaces import AdmissionRequest
from apiserver.registry.catalog import Catalog, served_versions
from apiserver.registry.converting import Conversion


def _same(obj: Obj) -> Obj:
    return obj


@dataclass(frozen=True, slots=True)
class Place:
    """A resource in one version: how it is named, and how its objects look there."""

    group: str
    version: str
    resource: str
    kind: GroupVersionKind
    shown: Callable[[Obj], Obj] = _same
    stored: Callable[[Obj], Obj] = _same
    # Where a webhook has to be asked for the way there and back (registry/converting.py).
    conversion: Conversion | None = None


async def converted_back(request: AdmissionRequest, place: Place, changed: Obj) -> Obj:
    """Return an object that a webhook has converted for a place in the request's version."""
    if place.conversion is None:
        return changed
    kind = request.view.kind or request.kind
    return (await place.conversion.convert([changed], kind))[0]


def check_type(before: Obj, changed: Obj) -> None:
    """Refuse a change of what an object is. Raises InternalError."""
    for part in ("apiVersion", "kind"):
        if changed.get(part) != before.get(part):
            raise InternalError(f"{part} of an object cannot be changed by admission")


def put_back(request: AdmissionRequest, place: Place, changed: Obj) -> None:
    """Make what came out of a change, as it looks in a place, the request's object."""
    request.put(place.stored(request.decode(changed)))
    if request.object is not None:
        request.default(request.object)


class Places:
    """The places of requests; without a catalog each has its own alone."""

    def __init__(self, catalog: Catalog | None = None) -> None:
        self._catalog = catalog
        self._generation = -1
        self._others: dict[tuple[str, str, str], tuple[Place, ...]] = {}

    def own(self, request: AdmissionRequest) -> Place:
        """Return the place that the client has named."""
        view, resource = request.view, request.resource
        group = view.kind.group if view.kind is not None else resource.group
        if view.kind is None or view.kind.kind != request.kind.kind:
            # A subresource's own kind (a Scale, an Eviction) looks the same in every version.
            return Place(group, request.version, resource.resource, request.kind)
        return Place(group, request.version, resource.resource, view.kind, view.shown, view.stored)

    def others(self, request: AdmissionRequest, own: Place) -> Sequence[Place]:
        """Return the further places of the same object."""
        if self._catalog is None:
            return ()
        if self._generation != self._catalog.generation:
            self._others.clear()
            self._generation = self._catalog.generation
        key = (own.group, own.version, str(request.resource))
        found = self._others.get(key)
        if found is None:
            found = self._others[key] = tuple(self._look_up(str(request.resource), own))
        return tuple(
            place
            if place.kind.kind == request.kind.kind
            else Place(place.group, place.version, place.resource, request.kind)
            for place in found
        )

    def _look_up(self, key: str, own: Place) -> list[Place]:
        resource = self._catalog.get(key) if self._catalog is not None else None
        found = []
        for served in served_versions(resource) if resource is not None else ():
            kind, version = served.kind, served.version
            if (kind.group, kind.version) == (own.group, own.version):
                continue
            shown = version.from_storage if version is not None else _same
            stored = version.to_storage if version is not None else _same
            conversion = served.resource.conversion
            found.append(
                Place(kind.group, kind.version, served.plural, kind, shown, stored, conversion)
            )
        return found
