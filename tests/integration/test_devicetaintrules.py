"""DeviceTaintRules in a whole cluster whose operator has switched them on."""

from __future__ import annotations

import pytest

from apimachinery.features import TAINT_RULES
from apiserver.registry import gates
from nodes.client.resources import DEVICETAINTRULES
from nodes.client.rest import MERGE_PATCH
from tests.nodes.scheduler.test_devices import device, device_class, slices
from tests.support.builders import obj
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

RULES = "devicetaintrules.resource.k8s.io"
API = "resource.k8s.io/v1"


@pytest.fixture(autouse=True)
def rules():
    gates.switch({TAINT_RULES: True})
    yield
    gates.switch({})


def user(name):
    claims = [{"name": "gpu", "resourceClaimName": "c"}]
    containers = [{"name": "c", "image": "nginx"}]
    return dict(obj("Pod", name, spec={"containers": containers, "resourceClaims": claims}))


async def test_a_rule_keeps_pods_off_devices_then_drives_them_away(lab):
    await lab.ready()
    node = lab.all("nodes")[0]["metadata"]["name"]
    asked = {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": "gpu"}}]}}
    taint = {"key": "example.com/broken", "effect": "NoSchedule"}
    spec = {"deviceSelector": {"driver": "gpu.example.com"}, "taint": taint}
    rule = dict(obj("DeviceTaintRule", "r", "", "resource.k8s.io/v1beta2", spec=spec))
    made = await lab.client.create(rule)
    assert made["metadata"]["generation"] == 1
    assert made["spec"]["taint"]["timeAdded"]
    claim = dict(obj("ResourceClaim", "c", "default", API, spec=asked))
    for one in (device_class(), slices(device("a"), on=node), claim, user("p")):
        await lab.client.create(dict(one))

    def where():
        return lab.get("pods", "p")["spec"].get("nodeName")

    def told():
        return (
            (lab.get(RULES, "r", "").get("status") or {}).get("conditions", [{}])[0].get("message")
        )

    await eventually(lambda: any(e["reason"] == "FailedScheduling" for e in lab.all("events")))
    assert not where()
    await eventually(lambda: told() == "Eviction only happens for the NoExecute effect.")
    # Other devices; the pod is tried again for that.
    change = {"spec": {"deviceSelector": {"device": "b"}}}
    await lab.client.patch(DEVICETAINTRULES, "", "r", change, MERGE_PATCH)
    await eventually(lambda: where() == node, within=60)
    change = {"spec": {"deviceSelector": None, "taint": {"effect": "NoExecute"}}}
    await lab.client.patch(DEVICETAINTRULES, "", "r", change, MERGE_PATCH)
    await eventually(lambda: told() == "", within=60)
    # Without a selector no device is meant, with an empty one each is.
    change = {"spec": {"deviceSelector": {}}}
    await lab.client.patch(DEVICETAINTRULES, "", "r", change, MERGE_PATCH)
    await eventually(lambda: lab.get("pods", "p") is None, within=60)
    words = "1 pod evicted since starting the controller."
    await eventually(lambda: told() == words, within=60)
