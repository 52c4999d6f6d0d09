"""Writes that the API server makes on its own account: no admission, no warnings, nobody asks."""

from __future__ import annotations

from collections.abc import Callable

from apimachinery.apply import managed
from apimachinery.errors import ApiError, NotFound
from apimachinery.meta import Obj
from apimachinery.schema import types
from apiserver.registry.apiextensions.customresourcedefinitions import (
    CUSTOMRESOURCEDEFINITIONS as DEFINITIONS,
)
from apiserver.registry.deletion import DeleteOptions
from apiserver.registry.resource import Resource
from apiserver.registry.store import Registry, Writing
from apiserver.registry.strategy import Strategy
from apiserver.storage import Key

USER = "system:apiserver"
MANAGER = "kube-apiserver"
_BACKGROUND = DeleteOptions(policy="Background")


class _AsItIs(Strategy):
    """Stores what it is given: the server knows what it does to its own definitions."""

    counts_changes = False


_AS_IT_IS = _AsItIs()


class OwnWrites:
    """Changes definitions and removes custom resources."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def change_definition(self, name: str, change: Callable[[Obj], Obj]) -> None:
        """Store what `change` makes of a definition; the same object means no change."""
        kind = DEFINITIONS.kind

        def make(old: Obj | None) -> Obj:
            if old is None:
                raise AssertionError("a definition is never made here")
            new = change(old)
            if new is old:
                return old
            new = {**new, "metadata": dict(new["metadata"])}
            fields = managed.update_managers(
                old,
                new,
                types().type_of(kind),
                MANAGER,
                now=self._registry.clock.timestamp(),
                api_version=kind.api_version,
                subresource="status",
            )
            if fields:
                new["metadata"]["managedFields"] = fields
            return new

        key = Key(DEFINITIONS.key, "", name)
        await self._registry.update(DEFINITIONS, _AS_IT_IS, key, make, self._how(""), carried=True)

    async def delete_all(self, resource: Resource) -> list[ApiError]:
        """Ask every object of a resource to go; returns what went wrong."""
        refused: list[ApiError] = []
        for entry in self._registry.store.list(resource.key):
            how = self._how(entry.key.namespace)
            try:
                await self._registry.delete(resource, entry.key, _BACKGROUND, how)
            except NotFound:
                continue  # it went by itself
            except ApiError as error:
                refused.append(error)
        return refused

    def _how(self, namespace: str) -> Writing:
        context = self._registry.context(USER, namespace)
        return Writing(context, lambda new, old: None, lambda texts: None, USER)
