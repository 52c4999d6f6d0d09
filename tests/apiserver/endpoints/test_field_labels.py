"""What field selectors call the fields, where kinds and versions have words of their own."""

import pytest

from tests.apiserver.endpoints.support import Client, make_api

EVENT = {
    "apiVersion": "events.k8s.io/v1",
    "kind": "Event",
    "metadata": {"name": "e"},
    "eventTime": "2026-01-01T00:00:00.000000Z",
    "reportingController": "example.com/c",
    "reportingInstance": "i",
    "action": "Do",
    "reason": "Done",
    "type": "Normal",
    "regarding": {"kind": "Pod", "name": "p", "namespace": "default"},
}
CORE = "/api/v1/namespaces/default"
NEW = "/apis/events.k8s.io/v1/namespaces/default/events"


@pytest.fixture
async def client():
    made = Client(await make_api(admission=False))
    assert (await made.post(NEW, EVENT)).status == 201
    pod = {"containers": [{"name": "c", "image": "c"}], "nodeName": "n"}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": pod}
    assert (await made.post(f"{CORE}/pods", body)).status == 201
    return made


@pytest.mark.parametrize(
    ("path", "selector", "found"),
    [
        (NEW, "regarding.name=p,reportingController=example.com/c,type=Normal", 1),
        (NEW, "regarding.name!=p", 0),
        (f"{CORE}/events", "involvedObject.name=p,reportingComponent=example.com/c", 1),
        (f"{CORE}/pods", "spec.host=n", 1),
        (f"{CORE}/pods", "status.podIPs=10.0.0.1", 0),
        ("/api/v1/pods", "metadata.namespace=default", 1),
    ],
)
async def test_selected(client, path, selector, found):
    answer = await client.get(f"{path}?fieldSelector={selector}")
    assert answer.status == 200, answer.body
    assert len(answer.json()["items"]) == found


@pytest.mark.parametrize(
    ("path", "field", "message"),
    [
        (NEW, "involvedObject.name", "field label not supported: involvedObject.name"),
        (f"{CORE}/events", "regarding.name", "field label not supported: regarding.name"),
        ("/api/v1/nodes", "metadata.namespace", "field label not supported: metadata.namespace"),
        ("/apis/resource.k8s.io/v1/resourceslices", "spec.nope",
         "field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: spec.nope"),
        ("/apis/apps/v1/deployments", "status.replicas",
         ('"status.replicas" is not a known field selector: only "metadata.name", '
         '"metadata.namespace"')),
    ],
)  # fmt: skip
async def test_refused(client, path, field, message):
    answer = await client.get(f"{path}?fieldSelector={field}%3Dx")
    assert (answer.status, answer.message) == (400, message)
