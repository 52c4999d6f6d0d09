"""Pods that name their node have asked no scheduler: the kubelet says what is against them."""

from nodes.client import resources
from nodes.client.rest import STRATEGIC_PATCH
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


def bound(name, node, **spec):
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"nodeName": node, "containers": [{"name": "c", "image": "nginx:1.27"}], **spec},
    }


async def test_a_pod_that_names_its_node_has_to_fit_it(lab):
    node = lab.all("nodes")[0]["metadata"]["name"]

    def told(reason):
        return [
            (event["involvedObject"]["name"], event["message"])
            for event in lab.all("events")
            if event["reason"] == reason
        ]

    await lab.client.create(bound("wrong", node, nodeSelector={"disk": "ssd"}))
    await eventually(lambda: lab.get("pods", "wrong")["status"]["phase"] == "Failed")
    status = lab.get("pods", "wrong")["status"]
    why = "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"
    assert (status["reason"], status["message"]) == ("NodeAffinity", f"Pod was rejected: {why}")
    assert told("NodeAffinity") == [("wrong", why)]

    # As soon as the label is there; no watch need have told of it.
    labels = {"metadata": {"labels": {"disk": "ssd"}}}
    await lab.client.patch(resources.NODES, "", node, labels, STRATEGIC_PATCH)
    await lab.client.create(bound("right", node, nodeSelector={"disk": "ssd"}))
    await eventually(lambda: lab.get("pods", "right")["status"]["phase"] == "Running")

    taint = {"spec": {"taints": [{"key": "gone", "effect": "NoExecute"}]}}
    await lab.client.patch(resources.NODES, "", node, taint, STRATEGIC_PATCH)
    await lab.client.create(bound("driven", node))
    await eventually(lambda: told("TaintToleration"))
    why = "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate"
    assert told("TaintToleration") == [("driven", why)]
