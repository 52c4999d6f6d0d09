"""The parts of a pod that all other facts about pods are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from apimachinery.meta import Obj

Pod: TypeAlias = Mapping[str, Any]

TERMINAL = frozenset({"Succeeded", "Failed"})


def phase_of(pod: Pod) -> str:
    return str((pod.get("status") or {}).get("phase") or "")


def containers(pod: Pod) -> Sequence[Obj]:
    return (pod.get("spec") or {}).get("containers") or ()


def init_containers(pod: Pod) -> Sequence[Obj]:
    return (pod.get("spec") or {}).get("initContainers") or ()


def all_containers(pod: Pod) -> Iterator[Obj]:
    """Yield init containers, containers and ephemeral containers."""
    yield from init_containers(pod)
    yield from containers(pod)
    yield from (pod.get("spec") or {}).get("ephemeralContainers") or ()


def is_sidecar(container: Mapping[str, Any] | None) -> bool:
    """Tell whether an init container goes on beside the containers."""
    return container is not None and container.get("restartPolicy") == "Always"


def statuses(pod: Pod, field: str = "containerStatuses") -> dict[str, Obj]:
    """Return a field's container statuses by container name."""
    found = (pod.get("status") or {}).get(field) or ()
    return {status.get("name", ""): status for status in found}
