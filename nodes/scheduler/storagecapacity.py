"""Whether a driver has room for a new volume where a node reaches it, as far as it tells.

A driver that tells has spec.storageCapacity in its CSIDriver, and a CSIStorageCapacity for each
class and part of the cluster.
"""

from __future__ import annotations

from apimachinery import quantity
from apimachinery.labels import from_label_selector
from apimachinery.meta import Obj, name_of
from nodes.scheduler.framework import Change, Readers
from nodes.scheduler.nodeinfo import NodeInfo
from nodes.scheduler.podinfo import PodInfo


def has_room(readers: Readers, claim: Obj, storage_class: Obj, node: NodeInfo) -> bool:
    """Tell whether a volume of the class can be made for a claim that a node is to reach."""
    requests = (claim["spec"].get("resources") or {}).get("requests") or {}
    driver = readers["csidrivers"].get("", storage_class["provisioner"])
    if "storage" not in requests or not _tells(driver):
        return True
    size, name = quantity.parse(requests["storage"]).value(), name_of(storage_class)
    return any(
        one.get("storageClassName") == name
        and _largest(one) >= size
        and from_label_selector(one.get("nodeTopology")).matches(node.labels)
        for one in readers["csistoragecapacities"].list()
    )


def tells_no_more(pod: PodInfo, change: Change, readers: Readers) -> bool:
    """Say whether it may help that a driver has changed."""
    return _tells(change.old) and not _tells(change.new)


def has_grown(pod: PodInfo, change: Change, readers: Readers) -> bool:
    """Say whether it may help that a capacity has changed."""
    return _largest(change.obj) > _largest(change.old or {})


def _tells(driver: Obj | None) -> bool:
    return bool(driver and (driver.get("spec") or {}).get("storageCapacity"))


def _largest(capacity: Obj) -> int:
    """Return how large a volume may be; -1 where that is not known."""
    given = capacity.get("maximumVolumeSize") or capacity.get("capacity")
    return quantity.parse(given).value() if given else -1
