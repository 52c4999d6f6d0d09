"""Services and the pods behind them: which service a change of a pod concerns, and when."""

from __future__ import annotations

from typing import Any

from apimachinery.labels import from_set
from apimachinery.meta import Obj, labels_of, name_of, namespace_of
from apimachinery.pods import TERMINAL, is_ready, phase_of, ready_time
from apimachinery.services import pod_ips
from nodes.client.lister import Key, Lister

LAST_CHANGE = "endpoints.kubernetes.io/last-change-trigger-time"


def selector_of(service: Obj) -> dict[str, str] | None:
    """Return what the service selects; None if its endpoints are others' business."""
    spec = service.get("spec") or {}
    if spec.get("type") == "ExternalName":
        return None
    return spec.get("selector") or None


def selected_pods(service: Obj, selector: dict[str, str], pods: Lister) -> list[Obj]:
    return pods.list(namespace_of(service), from_set(selector))


def concerned_services(old: Obj | None, new: Obj | None, services: Lister) -> list[Key]:
    """Return the services whose endpoints a change of a pod may change."""
    if old is not None and new is not None and _shown(old) == _shown(new):
        return []
    pod = new if new is not None else old
    if pod is None:
        return []
    either = [labels_of(one).items() for one in (old, new) if one is not None]
    found = []
    for service in services.list(namespace_of(pod)):
        selector = selector_of(service)
        if selector is not None and any(selector.items() <= labels for labels in either):
            found.append(Key(namespace_of(service), name_of(service)))
    return found


def _shown(pod: Obj) -> tuple[Any, ...]:
    """Return all that endpoints show of a pod."""
    spec, metadata = pod.get("spec") or {}, pod["metadata"]
    return (
        metadata.get("labels"),
        metadata.get("deletionTimestamp") is None,
        pod_ips(pod),
        is_ready(pod),
        phase_of(pod) in TERMINAL,
        spec.get("nodeName"),
        spec.get("hostname"),
        spec.get("subdomain"),
    )


def pod_reference(pod: Obj) -> Obj:
    metadata = pod["metadata"]
    return {
        "kind": "Pod",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }


def is_ipv6(address: str) -> bool:
    return ":" in address


class TriggerTimes:
    """When did what has changed since the last look begin to change: for latency measurement."""

    def __init__(self) -> None:
        self._known: dict[Key, tuple[str, dict[str, str]]] = {}

    def last_change(self, key: Key, service: Obj, pods: list[Obj]) -> str:
        """Return the earliest new trigger time, "" if nothing new has a time."""
        created = str(service["metadata"].get("creationTimestamp") or "")
        before, times = self._known.get(key, ("", {}))
        now = {name_of(pod): time for pod in pods if (time := ready_time(pod))}
        changed = [time for name, time in now.items() if time > times.get(name, "")]
        if created > before:
            changed.append(created)
        self._known[key] = (created, now)
        return min(changed, default="")

    def forget(self, key: Key) -> None:
        self._known.pop(key, None)
