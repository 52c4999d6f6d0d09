"""The EndpointSlice controller: the pods behind each Service with a selector."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from apimachinery.errors import ApiError, NotFound
from apimachinery.meta import (
    Obj,
    annotations_of,
    is_controlled_by,
    is_deleting,
    labels_of,
    name_of,
    namespace_of,
    owner_reference,
    revision_of,
)
from apimachinery.services import (
    HEADLESS,
    belongs_in_endpoints,
    endpoint_conditions,
    endpoint_ports,
    has_cluster_ip,
    hostname_in_endpoints,
    pod_ips,
)
from nodes.client.controller import DONE, Result
from nodes.client.events import WARNING
from nodes.client.lister import Key
from nodes.client.resources import ENDPOINTSLICES, NODES, PODS, SERVICES
from nodes.controllers.common.backends import (
    LAST_CHANGE,
    TriggerTimes,
    concerned_services,
    is_ipv6,
    pod_reference,
    selected_pods,
    selector_of,
)
from nodes.controllers.common.base import ManagedController, ManagerContext
from nodes.controllers.common.refusals import is_terminating
from nodes.controllers.endpointslice.hints import ZONE
from nodes.controllers.endpointslice.slices import ports_key
from nodes.controllers.endpointslice.zoning import Zoning

MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
SERVICE_NAME = "kubernetes.io/service-name"
CONTROLLER = "endpointslice-controller.k8s.io"
BY_SERVICE = "service"
_RESERVED = (MANAGED_BY, SERVICE_NAME, HEADLESS)


def by_service(endpointslice: Obj) -> tuple[str, ...]:
    """Index our slices by the service that they belong to."""
    labels = labels_of(endpointslice)
    if labels.get(MANAGED_BY) != CONTROLLER or SERVICE_NAME not in labels:
        return ()
    return (f"{namespace_of(endpointslice)}/{labels[SERVICE_NAME]}",)


class EndpointSliceController(ManagedController):
    """Keys are Services."""

    name = "endpointslice-controller"
    service_account = "endpointslice-controller"
    component = "endpoint-slice-controller"
    reconciles = SERVICES
    rest = 2.0

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self._times = TriggerTimes()
        # The revisions that we have written and the cache has to show before we act again.
        self._written: dict[Key, dict[str, int]] = {}
        self._zoning = Zoning(self.recorder, self.informer(NODES))

    def start(self) -> None:
        super().start()
        slices = self.informer(ENDPOINTSLICES)
        slices.add_index(BY_SERVICE, by_service)
        slices.on_change(self._on_slice)
        self.informer(PODS).on_change(self._on_pod)
        self.informer(NODES).on_change(self._on_node)

    def _on_pod(self, old: Obj | None, new: Obj | None) -> None:
        for key in concerned_services(old, new, self.informer(SERVICES)):
            self.queue.add(key)

    def _on_slice(self, old: Obj | None, new: Obj | None) -> None:
        for one in (old, new):
            if one is None:
                continue
            for value in by_service(one):
                key = Key(*value.split("/", 1))
                if new is None:
                    self._written.get(key, {}).pop(name_of(one), None)
                self.queue.add(key)

    def _on_node(self, old: Obj | None, new: Obj | None) -> None:
        """A node's zone has changed: its endpoints say so, and zones may have other shares."""
        for key in self._zoning.node_changed(old, new):
            self.queue.add(key)
        zones = [labels_of(one).get(ZONE) if one is not None else None for one in (old, new)]
        node = new if new is not None else old
        if zones[0] == zones[1] or node is None:
            return
        for pod in self.informer(PODS).by_index("node", name_of(node)):
            for key in concerned_services(None, pod, self.informer(SERVICES)):
                self.queue.add(key)

    async def reconcile(self, key: Key) -> Result:
        service = self.informer(SERVICES).get(*key)
        if service is None:
            self._times.forget(key)
            self._written.pop(key, None)
            self._zoning.forget(key)
            return DONE  # the garbage collector takes the slices
        selector = selector_of(service)
        if selector is None or self._lags(key):
            return DONE
        pods = selected_pods(service, selector, self.informer(PODS))
        changed = self._times.last_change(key, service, pods)
        present = self.informer(ENDPOINTSLICES).by_index(BY_SERVICE, str(key))
        found = [one for one in present if not is_deleting(one)]
        # An earlier service of the same name may have left some.
        mine = [one for one in found if is_controlled_by(one, service)]
        work = [
            self._sync_family(key, service, family, pods, mine, changed)
            for family in _families(service)
        ]
        work += [
            self._delete(key, one)
            for one in found
            if one not in mine or one.get("addressType") not in _families(service)
        ]
        results = await asyncio.gather(*work, return_exceptions=True)
        self._report(service, results)
        return DONE

    def _lags(self, key: Key) -> bool:
        """Tell whether the cache is behind our own writes; its next event wakes us again."""
        written = self._written.get(key)
        if not written:
            return False
        for name, revision in list(written.items()):
            shown = self.informer(ENDPOINTSLICES).get(key.namespace, name)
            if shown is None or revision_of(shown) < revision:
                return True
            del written[name]
        return False

    def _report(self, service: Obj, results: Sequence[Any]) -> None:
        for error in results:
            if not isinstance(error, BaseException):
                continue
            if isinstance(error, ApiError):
                name = f"{namespace_of(service)}/{name_of(service)}"
                message = f"Error updating Endpoint Slices for Service {name}: {error.message}"
                self.recorder.event(service, WARNING, "FailedToUpdateEndpointSlices", message)
            raise error

    async def _sync_family(
        self,
        key: Key,
        service: Obj,
        family: str,
        pods: Sequence[Obj],
        present: Sequence[Obj],
        changed: str,
    ) -> None:
        """Bring the slices of one address type to what the pods are."""
        mine = [one for one in present if one.get("addressType") == family]
        metadata = _metadata(service, changed)
        wanted, lost = self._endpoints(service, family, pods)
        planned = self._zoning.planned(key, service, family, mine, wanted)
        touched = {name_of(one) for one, _, _ in planned.update}
        touched |= {name_of(one) for one in planned.delete}
        relabelled = [
            (one, one.get("ports") or [], one.get("endpoints") or [])
            for one in mine
            if name_of(one) not in touched and labels_of(one) != metadata["labels"]
        ]
        await asyncio.gather(
            *(self._create(key, metadata, family, *new) for new in planned.create),
            *(self._update(key, metadata, *old) for old in [*planned.update, *relabelled]),
            *(self._delete(key, one) for one in planned.delete),
        )
        if lost:
            raise ApiError(lost[0] if len(lost) == 1 else f"[{', '.join(lost)}]", code=500)

    def _endpoints(
        self, service: Obj, family: str, pods: Sequence[Obj]
    ) -> tuple[dict[tuple[Any, ...], tuple[list[Obj], list[Obj]]], list[str]]:
        """Return the endpoints that there should be, by their ports; and who is on no node."""
        found: dict[tuple[Any, ...], tuple[list[Obj], list[Obj]]] = {}
        lost: list[str] = []
        for pod in pods:
            if not belongs_in_endpoints(pod):
                continue
            addresses = [ip for ip in pod_ips(pod) if is_ipv6(ip) == (family == "IPv6")]
            if not addresses:
                continue
            node_name = pod["spec"].get("nodeName") or ""
            node = self.informer(NODES).get("", node_name)
            if node is None and not service["spec"].get("publishNotReadyAddresses"):
                lost.append(
                    f"skipping Pod {name_of(pod)} for Service {namespace_of(service)}/"
                    f"{name_of(service)}: Node {node_name} Not Found"
                )
                continue
            ports = endpoint_ports(pod, service)
            _, endpoints = found.setdefault(ports_key(ports), (ports, []))
            endpoints.append(_endpoint(service, pod, addresses, node))
        return found, lost

    # The writes; each notes what the cache has to show.

    async def _create(
        self, key: Key, metadata: Obj, family: str, ports: list[Obj], endpoints: list[Obj]
    ) -> None:
        wanted = {
            "apiVersion": ENDPOINTSLICES.api_version,
            "kind": ENDPOINTSLICES.kind,
            "metadata": metadata,
            "addressType": family,
            "endpoints": endpoints,
            "ports": ports,
        }
        try:
            created = await self.client.create(wanted, ENDPOINTSLICES)
        except ApiError as error:
            if is_terminating(error):
                return
            raise
        self.count("endpoint_slice_controller_changes", "create")
        self._note(key, created)

    async def _update(
        self, key: Key, metadata: Obj, present: Obj, ports: list[Obj], endpoints: list[Obj]
    ) -> None:
        annotations = dict(annotations_of(present))
        annotations.pop(LAST_CHANGE, None)
        annotations |= metadata.get("annotations") or {}
        changed = {**present["metadata"], "labels": metadata["labels"], "annotations": annotations}
        if not annotations:
            del changed["annotations"]
        wanted = {**present, "metadata": changed, "ports": ports, "endpoints": endpoints}
        updated = await self.client.update(wanted, resource=ENDPOINTSLICES)
        self.count("endpoint_slice_controller_changes", "update")
        self._note(key, updated)

    async def _delete(self, key: Key, present: Obj) -> None:
        try:
            await self.client.delete(ENDPOINTSLICES, key.namespace, name_of(present))
        except NotFound:
            return
        self.count("endpoint_slice_controller_changes", "delete")

    def _note(self, key: Key, obj: Obj) -> None:
        shown = self.informer(ENDPOINTSLICES).get(key.namespace, name_of(obj))
        if shown is None or revision_of(shown) < revision_of(obj):
            self._written.setdefault(key, {})[name_of(obj)] = revision_of(obj)


def _families(service: Obj) -> tuple[str, ...]:
    families = service["spec"].get("ipFamilies")
    if families:
        return tuple(families)
    return ("IPv6",) if is_ipv6(service["spec"].get("clusterIP") or "") else ("IPv4",)


def _metadata(service: Obj, changed: str) -> Obj:
    labels = {k: v for k, v in labels_of(service).items() if k not in _RESERVED}
    if not has_cluster_ip(service):
        labels[HEADLESS] = ""
    labels |= {SERVICE_NAME: name_of(service), MANAGED_BY: CONTROLLER}
    metadata: Obj = {
        "generateName": f"{name_of(service)}-",
        "namespace": namespace_of(service),
        "labels": labels,
        "ownerReferences": [owner_reference(service)],
    }
    if changed:
        metadata["annotations"] = {LAST_CHANGE: changed}
    return metadata


def _endpoint(service: Obj, pod: Obj, addresses: list[str], node: Obj | None) -> Obj:
    endpoint: Obj = {
        "addresses": addresses,
        "conditions": endpoint_conditions(pod, service),
    }
    if hostname := hostname_in_endpoints(pod, service):
        endpoint["hostname"] = hostname
    endpoint["targetRef"] = pod_reference(pod)
    if node_name := pod["spec"].get("nodeName"):
        endpoint["nodeName"] = node_name
        if node is not None and (zone := labels_of(node).get(ZONE)):
            endpoint["zone"] = zone
    return endpoint
