"""For whom a pod's volumes want tokens of its service account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apimachinery.meta import Obj, name_of, namespace_of
from apiserver.registry.strategy import ObjectReader

DRIVERS = "csidrivers.storage.k8s.io"


def token_audiences(objects: ObjectReader, pod: Obj) -> set[str]:
    """Return the audiences; "" stands for the API server's own."""
    found: set[str] = set()
    for volume in (pod.get("spec") or {}).get("volumes") or ():
        found.update(_projected(volume))
        if driver := _driver(objects, pod, volume):
            csi = (objects.get(DRIVERS, "", driver) or {}).get("spec") or {}
            found.update(each.get("audience") or "" for each in csi.get("tokenRequests") or ())
    return found


def _projected(volume: dict[str, Any]) -> Iterator[str]:
    for source in (volume.get("projected") or {}).get("sources") or ():
        if (token := source.get("serviceAccountToken")) is not None:
            yield token.get("audience") or ""


def _driver(objects: ObjectReader, pod: Obj, volume: dict[str, Any]) -> str:
    """Return the CSI driver of a volume, be it written there or behind a claim."""
    if csi := volume.get("csi"):
        return str(csi.get("driver") or "")
    claim = (volume.get("persistentVolumeClaim") or {}).get("claimName") or ""
    if "ephemeral" in volume:
        claim = f"{name_of(pod)}-{volume.get('name', '')}"
    bound = objects.get("persistentvolumeclaims", namespace_of(pod), claim) if claim else None
    name = ((bound or {}).get("spec") or {}).get("volumeName") or ""
    found = objects.get("persistentvolumes", "", name) if name else None
    spec = (found or {}).get("spec") or {}
    return str((spec.get("csi") or {}).get("driver") or "")
