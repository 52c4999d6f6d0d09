"""Each default plugin of the scheduler decides, in a whole cluster, where a pod may go.

What plugins work out is in tests/nodes/scheduler; here each is asked once through the API.
"""

import pytest

from apimachinery.nodes import condition
from nodes.client.resources import CSINODES, NODES, PODS
from nodes.client.rest import STRATEGIC_PATCH
from tests.integration.conftest import Lab
from tests.integration.test_scheduling import claim, placed, pod
from tests.support.builders import obj
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"
ZONES = {"node-1": "a", "node-2": "b", "node-3": "b"}


@pytest.fixture
async def lab(fleet):
    """Three nodes in two zones, with storage whose volumes are attached."""
    made = await fleet.create("lab", nodes=3, template="empty", features=["storage"])
    lab = await Lab(made).ready()
    for name, zone in ZONES.items():
        await lab.client.patch(NODES, "", name, {"metadata": {"labels": {ZONE: zone}}})
    return lab


def labelled(name, app, **spec):
    made = pod(name, **spec)
    made["metadata"]["labels"] = {"app": app}
    return made


def on(node):
    return {"nodeSelector": {HOST: node}}


def term(app, key=HOST):
    return {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": key}


def required(kind, *terms):
    return {"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [*terms]}}}


def in_zone(*zones):
    match = {"key": ZONE, "operator": "In", "values": [*zones]}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [match]}]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}}


async def goes_to(lab, made, *nodes):
    """Make a pod, and see it bound to one of these nodes."""
    await lab.client.create(made)
    name = made["metadata"]["name"]
    await eventually(lambda: placed(lab, name), within=60)
    assert placed(lab, name) in nodes
    return name


async def left_out(lab, made, *words):
    """Make a pod, and see it left out with these words in what its condition says."""
    await lab.client.create(made)
    name = made["metadata"]["name"]
    found = await eventually(lambda: condition(lab.get("pods", name), "PodScheduled"), within=60)
    for one in words:
        assert one in found["message"]
    return name


async def test_where_pods_may_go(lab):
    patch = lab.client.patch
    await goes_to(lab, labelled("db", "db", **on("node-2")), "node-2")
    await goes_to(lab, pod("in-a", **in_zone("a")), "node-1")
    await left_out(lab, pod("in-c", **in_zone("c")), "3 node(s) didn't match Pod's node affinity")
    await goes_to(lab, pod("near", **required("podAffinity", term("db"))), "node-2")
    await goes_to(lab, pod("far", **required("podAntiAffinity", term("db", ZONE))), "node-1")
    await left_out(
        lab,
        pod("nowhere", **required("podAffinity", term("no-such"))),
        "3 node(s) didn't match pod affinity rules",
    )

    constraint = {
        "maxSkew": 1,
        "topologyKey": ZONE,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "even"}},
    }
    spread = {"topologySpreadConstraints": [constraint]}
    for number in range(4):
        await goes_to(lab, labelled(f"even-{number}", "even", **spread), *ZONES)
    zones = [ZONES[placed(lab, f"even-{number}")] for number in range(4)]
    assert sorted(zones) == ["a", "a", "b", "b"]

    gated = await left_out(lab, pod("gated", schedulingGates=[{"name": "x.io/wait"}]))
    assert condition(lab.get("pods", gated), "PodScheduled")["reason"] == "SchedulingGated"
    await patch(PODS, "default", gated, {"spec": {"schedulingGates": None}})
    await eventually(lambda: placed(lab, gated), within=60)

    taint = {"key": "only", "value": "gpu", "effect": "NoSchedule"}
    await patch(NODES, "", "node-1", {"spec": {"taints": [taint]}}, STRATEGIC_PATCH)
    await patch(NODES, "", "node-2", {"spec": {"unschedulable": True}})
    await goes_to(lab, pod("rest"), "node-3")
    refused = await left_out(
        lab,
        pod("stuck", **required("podAntiAffinity", term("even"))),
        "1 node(s) had untolerated taint(s)",
        "1 node(s) were unschedulable",
        "1 node(s) didn't match pod anti-affinity rules",
    )
    await lab.client.delete(PODS, "default", refused)
    tolerates = [{"key": "only", "operator": "Exists"}]
    await goes_to(lab, pod("gpu", tolerations=tolerates, **on("node-1")), "node-1")


async def test_where_their_volumes_may_be(lab):
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "zonal",
        "hostPath": {"path": "/mnt"},
    }
    volume = dict(obj("PersistentVolume", "zonal", "", spec=spec))
    volume["metadata"]["labels"] = {ZONE: "a"}
    for one in (volume, claim("zonal", ["ReadWriteOnce"], "zonal")):
        await lab.client.create(one)
    await eventually(
        lambda: lab.get("persistentvolumeclaims", "zonal")["status"].get("phase") == "Bound",
        within=60,
    )
    await left_out(
        lab,
        pod("elsewhere", "zonal", **on("node-2")),
        "1 node(s) had no available volume zone",
    )
    await goes_to(lab, pod("there", "zonal"), "node-1")

    # A node has room for so many volumes of a driver as its CSINode says.
    (driver,) = lab.get("csinodes.storage.k8s.io", "node-3", "")["spec"]["drivers"]
    assert (driver["name"], driver["nodeID"]) == ("simulated.kubeground.io", "node-3")
    few = {"spec": {"drivers": [driver | {"allocatable": {"count": 1}}]}}
    await lab.client.patch(CSINODES, "", "node-3", few)
    for name in ("first", "second"):
        await lab.client.create(claim(name, ["ReadWriteOnce"], "standard"))
    await goes_to(lab, pod("first", "first", **on("node-3")), "node-3")
    await eventually(lambda: lab.get("pods", "first")["status"].get("phase") == "Running")
    # Its claim has to be bound: what is not made yet is not known to be the driver's.
    await lab.client.create(pod("binds", "second", **on("node-1")))
    await eventually(lambda: placed(lab, "binds"), within=60)
    await lab.client.delete(PODS, "default", "binds")
    await left_out(
        lab, pod("second", "second", **on("node-3")), "1 node(s) exceed max volume count"
    )
    many = {"spec": {"drivers": [driver | {"allocatable": {"count": 2}}]}}
    await lab.client.patch(CSINODES, "", "node-3", many)
    await eventually(lambda: placed(lab, "second") == "node-3", within=60)
