"""A cluster as its user may see it, for finders: each list and object is read once."""

from __future__ import annotations

from typing import Any

import orjson

from playground.objects.discovery import CATALOG, Resource
from playground.sandboxes.gateway import Gateway, Identity, Refused
from playground.why.model import Object


class ClusterWorld:
    """One user's view of one cluster, for the length of a request."""

    def __init__(self, gateway: Gateway, cluster: str, identity: Identity) -> None:
        self._gateway, self.cluster, self._identity = gateway, cluster, identity
        self._kinds = {one.title: one for one in CATALOG.resources(gateway, cluster, identity)}
        self._lists: dict[tuple[str, str], list[Object]] = {}
        self._answers: dict[str, dict[str, Any] | None] = {}
        # What could not be read, in the API's words.
        self.refusals: list[str] = []

    def resource(self, kind: str) -> Resource | None:
        """Return the kind that a word names: its title, plural, kind or a short name."""
        if kind in self._kinds:
            return self._kinds[kind]
        word = kind.lower()
        for one in self._kinds.values():
            if word in (one.plural, one.kind.lower(), *one.short):
                return one
        return None

    def one(self, title: str, namespace: str, name: str) -> Object | None:
        resource = self._kinds.get(title)
        if resource is None or not name:
            return None
        known = self._lists.get((title, namespace))
        if known is not None:
            return next((one for one in known if one["metadata"]["name"] == name), None)
        return self._read(resource.path(namespace, name))

    def items(self, title: str, namespace: str = "") -> list[Object]:
        resource = self._kinds.get(title)
        if resource is None:
            return []
        key = (title, namespace)
        if key not in self._lists:
            found = self._read(resource.path(namespace)) or {}
            self._lists[key] = list(found.get("items") or ())
        return self._lists[key]

    def _read(self, path: str) -> dict[str, Any] | None:
        if path not in self._answers:
            self._answers[path] = self._ask(path)
        return self._answers[path]

    def _ask(self, path: str) -> dict[str, Any] | None:
        try:
            answer = self._gateway.api(self.cluster, self._identity, path)
        except Refused as error:
            if error.code == 403:
                self.refusals.append(error.message)
            elif error.code != 404:
                raise
            return None
        return dict(orjson.loads(answer.content))
