"""Volumes that have to be attached to a node before it can use them: which, and by what names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from apimachinery.meta import Obj, is_deleting, name_of

# The driver of the simulated nodes' storage.
SIMULATED_DRIVER = "simulated.kubeground.io"
_SHARED = {"ReadWriteMany", "ReadOnlyMany"}


def driver_of(volume: Mapping[str, Any]) -> str:
    """Return the CSI driver of a persistent volume, "" if it has none."""
    return str((volume["spec"].get("csi") or {}).get("driver") or "")


def needs_attaching(volume: Mapping[str, Any], driver: Mapping[str, Any] | None) -> bool:
    """Tell whether nodes have to wait for a volume; `driver` is its CSIDriver, if there is one.

    Drivers that say nothing of themselves are waited for, but for the simulated one.
    """
    name = driver_of(volume)
    if driver is None:
        return name not in ("", SIMULATED_DRIVER)
    return bool(name) and driver["spec"].get("attachRequired") is not False


def unique_name(volume: Mapping[str, Any]) -> str:
    """Return the name of a volume in the status of nodes."""
    csi = volume["spec"]["csi"]
    return f"kubernetes.io/csi/{csi['driver']}^{csi['volumeHandle']}"


def attachment_name(volume: Mapping[str, Any], node: str) -> str:
    """Return the name of the VolumeAttachment of a volume to a node."""
    csi = volume["spec"]["csi"]
    text = f"{csi['volumeHandle']}{csi['driver']}{node}"
    return f"csi-{hashlib.sha256(text.encode()).hexdigest()}"


def attachment(volume: Obj, node: str) -> Obj:
    """Build the VolumeAttachment that asks a volume's driver to attach it to a node."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "VolumeAttachment",
        "metadata": {"name": attachment_name(volume, node)},
        "spec": {
            "attacher": driver_of(volume),
            "nodeName": node,
            "source": {"persistentVolumeName": name_of(volume)},
        },
    }


def is_attached(attachment: Mapping[str, Any]) -> bool:
    return bool((attachment.get("status") or {}).get("attached")) and not is_deleting(attachment)


def volume_of(attachment: Mapping[str, Any]) -> str:
    """Return the name of the persistent volume that is attached, "" for an inline one."""
    return str((attachment["spec"].get("source") or {}).get("persistentVolumeName") or "")


def may_be_shared(volume: Mapping[str, Any]) -> bool:
    """Tell whether a volume may be attached to several nodes; one without modes has to find out."""
    modes = set(volume["spec"].get("accessModes") or ())
    return not modes or bool(modes & _SHARED)
