"""The node's CSINode: which storage drivers run there. A kubelet writes it when it starts.

The simulated driver runs on every node that starts where its CSIDriver is there. What others have
added stays; the Node owns it, so that it goes with it.
"""

from __future__ import annotations

from apimachinery.attachments import SIMULATED_DRIVER
from apimachinery.meta import Obj, annotations_of, name_of, uid_of
from nodes.client.resources import CSIDRIVERS, CSINODES
from nodes.client.rest import Client

# Volumes of the simulated driver that a node can have at a time: more than it has room for pods.
MOST_VOLUMES = 127
_MIGRATED = "storage.alpha.kubernetes.io/migrated-plugins"
# The drivers that were once part of Kubernetes, as csi_plugin.go of v1.36 lists them.
_PLUGINS = ",".join(
    f"kubernetes.io/{name}"
    for name in (
        "aws-ebs",
        "azure-disk",
        "azure-file",
        "cinder",
        "gce-pd",
        "portworx-volume",
        "vsphere-volume",
    )
)


def csi_node(node: Obj, *, simulated: bool) -> Obj:
    """Return the CSINode of a Node, with the simulated driver or without any."""
    name = name_of(node)
    driver = {"name": SIMULATED_DRIVER, "nodeID": name, "allocatable": {"count": MOST_VOLUMES}}
    owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": uid_of(node)}
    return {
        "apiVersion": CSINODES.api_version,
        "kind": CSINODES.kind,
        "metadata": {
            "name": name,
            "annotations": {_MIGRATED: _PLUGINS},
            "ownerReferences": [owner],
        },
        "spec": {"drivers": [driver] if simulated else []},
    }


async def register(client: Client, node: Obj) -> None:
    """See to it that the node's drivers are told of. Raises ApiError."""
    simulated = await client.find(CSIDRIVERS, "", SIMULATED_DRIVER) is not None
    wanted = csi_node(node, simulated=simulated)
    found = await client.find(CSINODES, "", name_of(node))
    if found is None:
        await client.create(wanted, CSINODES)
        return
    drivers = (found["spec"].get("drivers")) or []
    names = {one["name"] for one in drivers}
    missing = [one for one in wanted["spec"]["drivers"] if one["name"] not in names]
    change: Obj = {}
    if missing:
        change["spec"] = {"drivers": [*drivers, *missing]}
    if annotations_of(found).get(_MIGRATED) != _PLUGINS:
        change["metadata"] = {"annotations": {_MIGRATED: _PLUGINS}}
    if change:
        await client.patch(CSINODES, "", name_of(node), change)
