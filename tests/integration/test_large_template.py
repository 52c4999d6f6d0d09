"""The large template, with fewer apps: what is stored at first is what workers would have made."""

from __future__ import annotations

from nodes.client import resources
from playground.cluster_templates import large
from tests.integration.conftest import Lab
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME
KINDS = ("pods", "replicasets.apps", "deployments.apps")


async def test_all_run_from_the_first_moment_and_nobody_has_to_write(fleet, monkeypatch):
    monkeypatch.setattr(large, "APPS", 2)
    monkeypatch.setattr(large, "NODES", 10)
    lab = Lab(await fleet.create("large", nodes=10, template="large"))
    first = [lab.all(kind) for kind in KINDS]
    assert [pod["status"]["phase"] for pod in first[0]] == ["Running"] * 200
    await lab.quiet()
    # No pod, no ReplicaSet was made, and no status written: the seeds are complete.
    assert [lab.all(kind) for kind in KINDS] == first
    # Nodes that registered, and who leads: nothing was told of a pod.
    told = {event["involvedObject"]["kind"] for event in lab.all("events")}
    assert told == {"Lease", "Node"}
    pod = first[0][0]
    kubelet = lab.cluster.kubelets[pod["spec"]["nodeName"]]
    assert kubelet.find("default", pod["metadata"]["name"]).pod_ips == (pod["status"]["podIP"],)
    # And they are pods as others are.
    await lab.client.patch(resources.DEPLOYMENTS, "default", "web-1", {"spec": {"replicas": 40}})
    await lab.available("web-1", 40, within=120)
    await lab.client.delete(resources.PODS, "default", lab.pods("api-1")[0]["metadata"]["name"])
    await lab.available("api-1", large.PODS_OF_APP, within=120)
    assert {pod["status"]["phase"] for pod in lab.all("pods")} == {"Running"}
