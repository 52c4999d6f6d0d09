"""Endpoints that someone writes by hand, for Services without a selector, as EndpointSlices."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import Any

from apimachinery.errors import NotFound
from apimachinery.meta import (
    Obj,
    annotations_of,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    owner_reference,
)
from nodes.client.controller import DONE, Result
from nodes.client.events import WARNING
from nodes.client.lister import Key
from nodes.client.resources import ENDPOINTS, ENDPOINTSLICES, SERVICES
from nodes.controllers.common.backends import LAST_CHANGE, is_ipv6
from nodes.controllers.common.base import ManagedController
from nodes.controllers.endpointslice.controller import MANAGED_BY, SERVICE_NAME
from nodes.controllers.endpointslice.slices import changes, ports_key

CONTROLLER = "endpointslicemirroring-controller.k8s.io"
_SKIP = "endpointslice.kubernetes.io/skip-mirror"
_LEADER = "control-plane.alpha.kubernetes.io/leader"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_MIRRORED = "mirrored"
# Of one subset no more than this many addresses are taken over.
_MOST = 1000


def _by_service(endpointslice: Obj) -> tuple[str, ...]:
    labels = labels_of(endpointslice)
    if labels.get(MANAGED_BY) != CONTROLLER or SERVICE_NAME not in labels:
        return ()
    return (f"{namespace_of(endpointslice)}/{labels[SERVICE_NAME]}",)


class EndpointSliceMirroringController(ManagedController):
    """Keys are Endpoints, which have their Service's name."""

    name = "endpointslice-mirroring-controller"
    service_account = "endpointslicemirroring-controller"
    component = "endpoint-slice-mirroring-controller"
    reconciles = ENDPOINTS

    def start(self) -> None:
        self.informer(ENDPOINTSLICES).add_index(_MIRRORED, _by_service)
        super().start()
        self.informer(SERVICES).on_change(self.on_object)
        self.informer(ENDPOINTSLICES).on_change(self._on_slice)

    def _on_slice(self, old: Obj | None, new: Obj | None) -> None:
        for one in (old, new):
            for value in _by_service(one) if one is not None else ():
                self.queue.add(Key(*value.split("/", 1)))

    async def reconcile(self, key: Key) -> Result:
        service = self.informer(SERVICES).get(*key)
        endpoints = self.informer(ENDPOINTS).get(*key)
        present = self.informer(ENDPOINTSLICES).by_index(_MIRRORED, str(key))
        mine = [one for one in present if not is_deleting(one)]
        if service is None or endpoints is None or not _is_to_be_mirrored(service, endpoints):
            await asyncio.gather(*(self._delete(key, one) for one in mine))
            return DONE
        metadata = _metadata(endpoints)
        if skipped := sum(max(_count(one) - _MOST, 0) for one in endpoints.get("subsets") or ()):
            message = (
                f"A max of {_MOST} addresses can be mirrored to EndpointSlices per Endpoints"
                f" subset. {skipped} addresses were skipped"
            )
            self.recorder.event(endpoints, WARNING, "TooManyAddressesToMirror", message)
        for family in ("IPv4", "IPv6"):
            await self._sync_family(key, family, metadata, endpoints, mine)
        return DONE

    async def _sync_family(
        self, key: Key, family: str, metadata: Obj, endpoints: Obj, present: list[Obj]
    ) -> None:
        mine = [one for one in present if one.get("addressType") == family]
        wanted = _wanted(endpoints, family)
        if not wanted:
            await asyncio.gather(*(self._delete(key, one) for one in mine))
            return
        planned = changes(mine, wanted)
        touched = {name_of(one) for one, _, _ in planned.update}
        touched |= {name_of(one) for one in planned.delete}
        relabelled = [
            (one, one.get("ports") or [], one.get("endpoints") or [])
            for one in mine
            if name_of(one) not in touched and labels_of(one) != metadata["labels"]
        ]
        new: Obj = {
            "apiVersion": ENDPOINTSLICES.api_version,
            "kind": ENDPOINTSLICES.kind,
            "metadata": metadata,
            "addressType": family,
        }
        for ports, found in planned.create:
            wanted_slice = {**new, "endpoints": found, "ports": ports}
            await self.client.create(wanted_slice, ENDPOINTSLICES)
        for one, ports, found in [*planned.update, *relabelled]:
            changed = {**one["metadata"], "labels": metadata["labels"]}
            body = {**one, "metadata": changed, "ports": ports, "endpoints": found}
            await self.client.update(body, resource=ENDPOINTSLICES)
        await asyncio.gather(*(self._delete(key, one) for one in planned.delete))

    async def _delete(self, key: Key, present: Obj) -> None:
        try:
            await self.client.delete(ENDPOINTSLICES, key.namespace, name_of(present))
        except NotFound:
            return


def _is_to_be_mirrored(service: Obj, endpoints: Obj) -> bool:
    if (service.get("spec") or {}).get("selector"):
        return False
    if is_deleting(endpoints) or labels_of(endpoints).get(_SKIP) == "true":
        return False
    return _LEADER not in annotations_of(endpoints)


def _metadata(endpoints: Obj) -> Obj:
    name = name_of(endpoints)
    labels = {k: v for k, v in labels_of(endpoints).items() if k != _SKIP}
    notes = annotations_of(endpoints).items()
    metadata: Obj = {
        "generateName": f"{name}-",
        "namespace": namespace_of(endpoints),
        "labels": labels | {SERVICE_NAME: name, MANAGED_BY: CONTROLLER},
        "ownerReferences": [owner_reference(endpoints)],
    }
    kept = {k: v for k, v in notes if k not in (LAST_CHANGE, _LAST_APPLIED)}
    return metadata | ({"annotations": kept} if kept else {})


def _count(subset: Obj) -> int:
    return sum(len(subset.get(field) or ()) for field in ("addresses", "notReadyAddresses"))


def _wanted(endpoints: Obj, family: str) -> dict[tuple[Any, ...], tuple[list[Obj], list[Obj]]]:
    """Return the endpoints of one address type, by their ports."""
    found: dict[tuple[Any, ...], tuple[list[Obj], list[Obj]]] = {}
    for subset in endpoints.get("subsets") or ():
        ports = subset.get("ports") or []
        every = (
            (address, ready)
            for field, ready in (("addresses", True), ("notReadyAddresses", False))
            for address in subset.get(field) or ()
        )
        of_family = [
            _endpoint(address, ready=ready)
            for address, ready in islice(every, _MOST)
            if is_ipv6(address["ip"]) == (family == "IPv6")
        ]
        if of_family:
            _, listed = found.setdefault(ports_key(ports), (ports, []))
            listed += of_family
    return found


def _endpoint(address: Obj, *, ready: bool) -> Obj:
    endpoint: Obj = {"addresses": [address["ip"]], "conditions": {"ready": ready}}
    for field in ("hostname", "targetRef", "nodeName"):
        if address.get(field):
            endpoint[field] = address[field]
    return endpoint
