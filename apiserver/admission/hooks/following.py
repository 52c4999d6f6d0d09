"""Configurations of a cluster, followed change by change, and ready for requests.

What a kind of request may meet is worked out once and kept until a configuration changes. A
cluster without any pays for one look at an empty dictionary.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from apimachinery.meta import Obj, name_of
from apiserver.admission.hooks.places import Places
from apiserver.admission.interfaces import AdmissionRequest
from apiserver.registry.strategy import ObjectReader
from apiserver.storage import Event
from apiserver.storage.feed import Hub, Subscription

logger = logging.getLogger(__name__)
Found = Mapping[str, Mapping[str, Obj]]


class Hook(Protocol):
    """A policy or webhook, ready to run."""

    def might(self, request: AdmissionRequest, places: Places) -> bool:
        """Tell whether requests of this kind can concern it at all."""
        ...


H = TypeVar("H", bound=Hook)


class Followed(Generic[H]):
    """Objects of some resources, and the hooks that are made of them."""

    resources: tuple[str, ...] = ()

    def __init__(self, objects: ObjectReader, places: Places) -> None:
        self._objects = objects
        self._places = places
        self._found: dict[str, dict[str, Obj]] = {name: {} for name in self.resources}
        self._hooks: Sequence[H] | None = ()
        self._chosen: dict[tuple[object, ...], Sequence[H]] = {}
        self._subscriptions: list[Subscription] = []

    def build(self, found: Found) -> Sequence[H]:
        """Return the hooks of all objects, in the order in which they run."""
        raise NotImplementedError

    def start(self, hub: Hub, revision: int) -> None:
        """Read what there is at `revision`, and follow it from there."""
        self.load()
        for resource in self.resources:
            subscription = hub.subscribe(
                resource, after=revision, sink=self._take, closed=lambda _reason: None
            )
            self._subscriptions.append(subscription)

    def stop(self) -> None:
        """Follow no more."""
        for subscription in self._subscriptions:
            subscription.cancel()
        self._subscriptions.clear()

    def load(self) -> None:
        """Read what there is."""
        for resource in self.resources:
            for obj in self._objects.list(resource):
                self.put(resource, obj)

    def put(self, resource: str, obj: Obj) -> None:
        """Take in an object as it now is."""
        self._found[resource][name_of(obj)] = obj
        self._changed()

    def remove(self, resource: str, name: str) -> None:
        """Forget an object."""
        self._found[resource].pop(name, None)
        self._changed()

    def _take(self, events: Sequence[Event]) -> None:
        for event in events:
            key = event.entry.key
            if event.type == "DELETED":
                self.remove(key.resource, key.name)
            else:
                self.put(key.resource, event.obj)

    def _changed(self) -> None:
        # An object alone does nothing: hooks are made when the next request comes.
        self._hooks = None if any(self._found.values()) else ()
        self._chosen.clear()

    def hooks(self, request: AdmissionRequest) -> Sequence[H]:
        """Return the hooks that a request of this kind can concern."""
        if self._hooks == ():
            return ()
        kind = request.view.kind
        key = (request.resource, request.subresource, request.operation, request.version, kind)
        found = self._chosen.get(key)
        if found is None:
            if self._hooks is None:
                self._hooks = tuple(self.build(self._found))
            found = tuple(hook for hook in self._hooks if hook.might(request, self._places))
            self._chosen[key] = found
        return found
