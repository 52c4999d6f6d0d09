"""An operator with kopf, as its users write them: gardens have beds, and beds are ConfigMaps.

`kopf run` runs it; what it has seen stands in the gardens' status, and in their events.
"""

from __future__ import annotations

import asyncio
from typing import Any

import kopf
import kubernetes

GARDENS = ("gardens.example.com", "v1", "gardens")


@kopf.on.startup()
def begin(settings: kopf.OperatorSettings, **_: Any) -> None:
    settings.posting.level = 20
    settings.watching.server_timeout = 5
    settings.persistence.finalizer = "gardens.example.com/gardener"
    kubernetes.config.load_kube_config()


@kopf.on.create(*GARDENS, backoff=0.1)
def plant(spec: Any, name: str, namespace: str, retry: int, patch: Any, **_: Any) -> dict[str, Any]:
    """Make the bed, at the second try."""
    if retry == 0:
        raise kopf.TemporaryError("it rains", delay=0.1)
    bed = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"{name}-bed"},
        "data": {"size": str(spec["size"])},
    }
    kopf.adopt(bed)
    kubernetes.client.CoreV1Api().create_namespaced_config_map(namespace, bed)
    patch.status["phase"] = "Planted"
    return {"tries": retry + 1}


@kopf.on.update(*GARDENS, field="spec.size")
def resize(old: int, new: int, name: str, namespace: str, patch: Any, body: Any, **_: Any) -> None:
    core = kubernetes.client.CoreV1Api()
    core.patch_namespaced_config_map(f"{name}-bed", namespace, {"data": {"size": str(new)}})
    patch.status["resized"] = f"{old} to {new}"
    kopf.event(body, type="Normal", reason="Resized", message=f"from {old} to {new}")


@kopf.timer(*GARDENS, interval=0.3, labels={"watered": "yes"})
def water(status: Any, patch: Any, **_: Any) -> None:
    patch.status["watered"] = status.get("watered", 0) + 1


@kopf.daemon(*GARDENS, cancellation_timeout=5)
async def guard(stopped: kopf.DaemonStopped, name: str, namespace: str, **_: Any) -> None:
    """Leave a note when it is told to stop: before the garden's finalizer is gone."""
    core = kubernetes.client.CoreV1Api()
    try:
        await stopped.wait()
    finally:
        await asyncio.to_thread(
            core.create_namespaced_config_map,
            namespace,
            {"metadata": {"name": f"{name}-guarded"}},
        )


@kopf.on.delete(*GARDENS)
def dig_over(name: str, namespace: str, **_: Any) -> None:
    """Leave a note, once: kopf calls again where a change comes before the result is stored."""
    core = kubernetes.client.CoreV1Api()
    try:
        core.create_namespaced_config_map(namespace, {"metadata": {"name": f"{name}-dug"}})
    except kubernetes.client.ApiException as error:
        if error.status != 409:
            raise
