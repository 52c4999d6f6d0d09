"""How many pods a budget expects: the sizes of all that controls its pods, each once.

What is sized by another than Kubernetes' own kinds is asked for its scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from apimachinery.errors import NotFound
from apimachinery.gotext import quoted
from apimachinery.meta import Obj, controller_of, name_of, namespace_of
from apimachinery.workloads import desired_replicas
from nodes.client.informer import Informers
from nodes.client.resources import (
    DEPLOYMENTS,
    REPLICASETS,
    REPLICATIONCONTROLLERS,
    STATEFULSETS,
    Res,
)
from nodes.client.rest import Client
from nodes.controllers.common.base import Served

SCALED: tuple[Res, ...] = (DEPLOYMENTS, REPLICASETS, REPLICATIONCONTROLLERS, STATEFULSETS)


class NotExpected(Exception):
    """Why it cannot be told how many pods there should be, in Kubernetes' words."""


class Expected(NamedTuple):
    """How many pods there should be, and whether some of them are nobody's."""

    pods: int
    unmanaged: bool


class Scales:
    """Finds the sizes of what controls pods."""

    def __init__(self, client: Client, informers: Informers, served: Served) -> None:
        self._client, self._informers, self._served = client, informers, served

    async def of(self, pods: Sequence[Obj]) -> Expected:
        """Sum the sizes of what controls the pods. Raises NotExpected, ApiError."""
        sizes: dict[str, int] = {}
        asked: set[str] = set()
        unmanaged = False
        for pod in pods:
            reference = controller_of(pod)
            if reference is None:
                unmanaged = True
                continue
            if reference["uid"] in asked:
                continue
            asked.add(reference["uid"])
            found = self._known(namespace_of(pod), reference)
            if found is None:
                found = await self._asked(namespace_of(pod), reference)
            if found is None:
                raise NotExpected(f"found no controllers for pod {quoted(name_of(pod))}")
            sizes[found["metadata"]["uid"]] = desired_replicas(found)
        return Expected(sum(sizes.values()), unmanaged)

    def _known(self, namespace: str, reference: Obj) -> Obj | None:
        """Return what sizes the set that somebody is in: the Deployment behind a ReplicaSet."""
        for resource in SCALED:
            if (resource.api_version, resource.kind) != (
                reference.get("apiVersion"),
                reference.get("kind"),
            ):
                continue
            found = self._informers.get(resource).get(namespace, reference["name"])
            if found is None or found["metadata"]["uid"] != reference.get("uid"):
                return None
            above = controller_of(found) if resource is REPLICASETS else None
            return (self._known(namespace, above) if above is not None else None) or found
        return None

    async def _asked(self, namespace: str, reference: Obj) -> Obj | None:
        """Return the scale of what Kubernetes does not know the size of itself."""
        resource = self._resource(reference)
        within = namespace if resource.namespaced else ""
        try:
            scale = await self._client.get(resource, within, reference["name"], "scale")
        except NotFound as error:
            if "could not find the requested resource" in error.message:
                what = f"{resource.plural}.{resource.group}".rstrip(".")
                why = f"{what} does not implement the scale subresource"
                raise NotExpected(why) from error
            return None
        return scale if scale["metadata"].get("uid") == reference.get("uid") else None

    def _resource(self, reference: Obj) -> Res:
        version, kind = reference.get("apiVersion"), reference.get("kind")
        for resource in self._served.resources():
            if (resource.api_version, resource.kind) == (version, kind):
                return resource
        raise NotExpected(f'no matches for kind "{kind}" in version "{version}"')
