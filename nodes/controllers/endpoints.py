"""Endpoints: the older list of a Service's pods, all in one object, at most a thousand."""

from __future__ import annotations

import math
from typing import Any

from apimachinery.errors import AlreadyExists, ApiError, NotFound
from apimachinery.meta import Obj, annotations_of, labels_of, name_of, namespace_of
from apimachinery.pods import is_ready
from apimachinery.services import (
    HEADLESS,
    belongs_in_endpoints,
    endpoint_ports,
    has_cluster_ip,
    hostname_in_endpoints,
    is_headless,
    pod_ips,
)
from nodes.client.controller import DONE, Result
from nodes.client.events import WARNING
from nodes.client.lister import Key, key_of
from nodes.client.resources import ENDPOINTS, PODS, SERVICES
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

MANAGED_BY = "endpoints.kubernetes.io/managed-by"
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
CAPACITY = 1000


class EndpointsController(ManagedController):
    """Keys are Services."""

    name = "endpoints-controller"
    service_account = "endpoint-controller"
    component = "endpoint-controller"
    reconciles = SERVICES
    # One object holds all addresses, and every change rewrites it: do not do so all the time.
    rest = 4.0

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self._times = TriggerTimes()

    def start(self) -> None:
        super().start()
        self.informer(PODS).on_change(self._on_pod)
        self.informer(ENDPOINTS).on_change(self._on_endpoints)

    def _on_pod(self, old: Obj | None, new: Obj | None) -> None:
        for key in concerned_services(old, new, self.informer(SERVICES)):
            self.queue.add(key)

    def _on_endpoints(self, old: Obj | None, new: Obj | None) -> None:
        if new is None and old is not None:
            self.queue.add(key_of(old))

    async def reconcile(self, key: Key) -> Result:
        service = self.informer(SERVICES).get(*key)
        if service is None:
            self._times.forget(key)
            await self._delete(key)
            return DONE
        selector = selector_of(service)
        if selector is None:
            return DONE
        pods = selected_pods(service, selector, self.informer(PODS))
        changed = self._times.last_change(key, service, pods)
        subsets = subsets_of(service, pods)
        present = self.informer(ENDPOINTS).get(*key)
        labels = _labels(service)
        if (
            present is not None
            and (present.get("subsets") or []) == subsets
            and labels_of(present) == labels
        ):
            return DONE
        await self._write(service, present, _endpoints(service, present, subsets, labels, changed))
        return DONE

    async def _delete(self, key: Key) -> None:
        if self.informer(ENDPOINTS).get(*key) is not None:
            try:
                await self.client.delete(ENDPOINTS, key.namespace, key.name)
            except NotFound:
                return

    async def _write(self, service: Obj, present: Obj | None, wanted: Obj) -> None:
        try:
            if present is None:
                await self.client.create(wanted, ENDPOINTS)
            else:
                await self.client.update(wanted, resource=ENDPOINTS)
        except AlreadyExists:
            return  # the cache is about to show it, and wakes us if it is not as it should be
        except ApiError as error:
            if is_terminating(error):
                return
            name = f"{namespace_of(service)}/{name_of(service)}"
            reason, words = (
                ("FailedToCreateEndpoint", f"create endpoint for service {name}")
                if present is None
                else ("FailedToUpdateEndpoint", f"update endpoint {name}")
            )
            message = f"Failed to {words}: {error.message}"
            self.recorder.event(wanted, WARNING, reason, message)
            raise


def _labels(service: Obj) -> dict[str, str]:
    labels = {**labels_of(service), MANAGED_BY: "endpoint-controller"}
    labels.pop(HEADLESS, None)
    return labels if has_cluster_ip(service) else labels | {HEADLESS: ""}


def _endpoints(
    service: Obj, present: Obj | None, subsets: list[Obj], labels: dict[str, str], changed: str
) -> Obj:
    base: Obj = present if present is not None else {"apiVersion": "v1", "kind": "Endpoints"}
    metadata = dict(base.get("metadata") or {})
    metadata |= {"name": name_of(service), "namespace": namespace_of(service), "labels": labels}
    annotations = dict(annotations_of(base))
    for name in (LAST_CHANGE, OVER_CAPACITY):
        annotations.pop(name, None)
    if changed:
        annotations[LAST_CHANGE] = changed
    if sum(len(addresses) for s in subsets for addresses in _both(s)) > CAPACITY:
        annotations[OVER_CAPACITY] = "truncated"
        subsets = truncated(subsets)
    metadata.pop("annotations", None)
    if annotations:
        metadata["annotations"] = annotations
    return {**base, "metadata": metadata, "subsets": subsets}


def subsets_of(service: Obj, pods: list[Obj]) -> list[Obj]:
    """Group the pods' addresses by the ports that they have, ready and not ready apart."""
    publish = bool(service["spec"].get("publishNotReadyAddresses"))
    groups: dict[tuple[Any, ...], Obj] = {}
    for pod in pods:
        if not belongs_in_endpoints(pod, include_terminating=publish):
            continue
        address = _address(service, pod)
        ports = endpoint_ports(pod, service)
        if address is None or (not ports and not _portless(service)):
            continue
        key = tuple(tuple(sorted(port.items())) for port in ports)
        group = groups.setdefault(key, {"ready": [], "not": [], "ports": ports})
        group["ready" if publish or is_ready(pod) else "not"].append(address)
    return [_subset(group) for _, group in sorted(groups.items())]


def _portless(service: Obj) -> bool:
    return is_headless(service) and not service["spec"].get("ports")


def _subset(group: Obj) -> Obj:
    subset: Obj = {}
    for field, name in (("ready", "addresses"), ("not", "notReadyAddresses")):
        if group[field]:
            subset[name] = sorted(group[field], key=lambda one: _by_address(one["ip"]))
    if group["ports"]:
        subset["ports"] = [
            {name: value for name, value in port.items() if value != ""}
            for port in sorted(group["ports"], key=lambda port: (port["port"], port["name"]))
        ]
    return subset


def _by_address(ip: str) -> tuple[int, ...] | tuple[int, str]:
    parts = ip.split(".")
    return tuple(int(part) for part in parts) if len(parts) == 4 else (999, ip)


def _address(service: Obj, pod: Obj) -> Obj | None:
    wants_v6 = (service["spec"].get("ipFamilies") or ["IPv4"])[0] == "IPv6"
    found = next((ip for ip in pod_ips(pod) if is_ipv6(ip) == wants_v6), None)
    if found is None:
        return None
    address: Obj = {"ip": found}
    if hostname := hostname_in_endpoints(pod, service):
        address["hostname"] = hostname
    if node := pod["spec"].get("nodeName"):
        address["nodeName"] = node
    address["targetRef"] = pod_reference(pod)
    return address


def _both(subset: Obj) -> tuple[list[Obj], list[Obj]]:
    return subset.get("addresses") or [], subset.get("notReadyAddresses") or []


def truncated(subsets: list[Obj]) -> list[Obj]:
    """Leave a thousand addresses, ready ones first, each subset giving up its share."""
    ready = sum(len(_both(subset)[0]) for subset in subsets)
    cut, room = ("addresses", CAPACITY)
    total = ready
    if ready <= CAPACITY:
        cut, room = "notReadyAddresses", CAPACITY - ready
        total = sum(len(_both(subset)[1]) for subset in subsets)
    result, left = [], room
    for subset in subsets:
        present = subset.get(cut) or []
        share = min(math.ceil(len(present) / total * room), left)
        left -= min(share, len(present))
        smaller = {**subset, cut: present[:share]}
        if cut == "addresses":
            smaller.pop("notReadyAddresses", None)
        result.append({name: value for name, value in smaller.items() if value})
    return result
