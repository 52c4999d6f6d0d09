"""Parts of objects: status, scale, binding, eviction, token, log, connections."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
import pytest

from apimachinery.clock import ManualClock
from apiserver.endpoints.api import ClusterApi
from tests.apiserver.endpoints.support import Client, make_api

PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
MERGE = {"content-type": "application/merge-patch+json"}


@pytest.fixture
async def api(clock: ManualClock) -> ClusterApi:
    """Pods alone are what these are about, so nothing of admission stands in their way."""
    return await make_api(clock, bare=True, admission=False)


def pod(name: str = "p", *containers: str, **labels: str) -> dict[str, Any]:
    images = [{"name": one, "image": "nginx"} for one in containers or ("c",)]
    return {"metadata": {"name": name, "labels": labels}, "spec": {"containers": images}}


DEPLOYMENT = {
    "metadata": {"name": "d"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"a": "b"}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "c", "image": "nginx"}]},
        },
    },
}


async def test_status_is_a_part_of_its_own(client: Client):
    made = (await client.post(DEPLOYMENTS, DEPLOYMENT)).json()
    changed = {**made, "status": {"replicas": 7}, "spec": {**made["spec"], "replicas": 9}}
    main = (await client.request("PUT", f"{DEPLOYMENTS}/d", changed)).json()
    assert "replicas" not in main["status"]
    assert (main["spec"]["replicas"], main["metadata"]["generation"]) == (9, 2)
    patch = {"status": {"replicas": 7}, "spec": {"replicas": 1}}
    status = (await client.request("PATCH", f"{DEPLOYMENTS}/d/status", patch, MERGE)).json()
    assert (status["status"]["replicas"], status["spec"]["replicas"]) == (7, 9)
    assert status["metadata"]["generation"] == 2
    entry = next(e for e in status["metadata"]["managedFields"] if e.get("subresource"))
    assert entry["fieldsV1"] == {"f:status": {"f:replicas": {}}}


async def test_scale(client: Client):
    await client.post(DEPLOYMENTS, DEPLOYMENT)
    found = (await client.get(f"{DEPLOYMENTS}/d/scale")).json()
    assert (found["kind"], found["spec"], found["status"]) == (
        "Scale", {"replicas": 2}, {"replicas": 0, "selector": "a=b"},
    )  # fmt: skip
    patch = {"spec": {"replicas": 5}}
    patched = await client.request("PATCH", f"{DEPLOYMENTS}/d/scale", patch, MERGE)
    assert patched.json()["spec"] == {"replicas": 5}
    put = {**patched.json(), "spec": {"replicas": 1}}
    assert (await client.request("PUT", f"{DEPLOYMENTS}/d/scale", put)).status == 200
    stale = await client.request("PUT", f"{DEPLOYMENTS}/d/scale", found)
    assert stale.status == 409
    now = (await client.get(f"{DEPLOYMENTS}/d")).json()
    assert (now["spec"]["replicas"], now["metadata"]["generation"]) == (1, 3)
    less = {"spec": {"replicas": -1}}
    refused = await client.request("PATCH", f"{DEPLOYMENTS}/d/scale", less, MERGE)
    assert refused.status == 422


async def test_a_pod_is_bound_once(client: Client):
    await client.post(PODS, pod())
    binding = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n1"}}
    bound = await client.post(f"{PODS}/p/binding", binding)
    assert (bound.status, bound.json()["status"]) == (201, "Success")
    found = (await client.get(f"{PODS}/p")).json()
    assert found["spec"]["nodeName"] == "n1"
    assert found["metadata"]["generation"] == 1
    (condition,) = found["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("PodScheduled", "True")
    again = await client.post(f"{PODS}/p/binding", binding)
    assert (again.status, again.message) == (
        409,
        ('Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node '
        '"n1"'),
    )  # fmt: skip
    nowhere = await client.post(f"{PODS}/p/binding", {"metadata": {"name": "p"}, "target": {}})
    assert nowhere.status == 422
    await client.post(PODS, pod("q"))
    older = await client.post(
        "/api/v1/namespaces/default/bindings", {**binding, "metadata": {"name": "q"}}
    )
    assert older.status == 201


async def running(client: Client, name: str) -> None:
    await client.post(PODS, pod(name, a="b"))
    phase = {"status": {"phase": "Running"}}
    await client.request("PATCH", f"{PODS}/{name}/status", phase, MERGE)


async def test_evictions_ask_the_budget(client: Client):
    await running(client, "p")
    await running(client, "q")
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}
    await client.post(BUDGETS, {"metadata": {"name": "b"}, "spec": spec})
    unseen = await client.post(f"{PODS}/p/eviction", {"metadata": {"name": "p"}})
    assert (unseen.status, unseen.headers["retry-after"]) == (429, "10")
    cause = unseen.json()["details"]["causes"][0]["message"]
    assert cause == "The disruption budget b is still being processed by the server."
    status = {
        "status": {
            "observedGeneration": 1, "disruptionsAllowed": 1, "currentHealthy": 2,
            "desiredHealthy": 1, "expectedPods": 2,
        }
    }  # fmt: skip
    await client.request("PATCH", f"{BUDGETS}/b/status", status, MERGE)
    first = await client.post(f"{PODS}/p/eviction", {"metadata": {"name": "p"}})
    assert (first.status, first.json()["code"]) == (201, 201)
    second = await client.post(f"{PODS}/q/eviction", {"metadata": {"name": "q"}})
    assert second.json()["details"]["causes"][0]["message"] == (
        "The disruption budget b needs 1 healthy pods and has 2 currently"
    )
    spent = (await client.get(f"{BUDGETS}/b")).json()["status"]
    assert (spent["disruptionsAllowed"], list(spent["disruptedPods"])) == (0, ["p"])


async def test_pods_are_given_time_to_end(client: Client):
    await client.post(PODS, pod())
    binding = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n1"}}
    await client.post(f"{PODS}/p/binding", binding)
    marked = (await client.request("DELETE", f"{PODS}/p")).json()["metadata"]
    assert marked["deletionGracePeriodSeconds"] == 30
    assert marked["deletionTimestamp"] == "2026-01-02T03:04:35Z"
    assert marked["generation"] == 2
    again = (await client.request("DELETE", f"{PODS}/p")).json()["metadata"]
    assert again["resourceVersion"] == marked["resourceVersion"]
    sooner = await client.request("DELETE", f"{PODS}/p", {"gracePeriodSeconds": 5})
    assert sooner.json()["metadata"]["deletionTimestamp"] == "2026-01-02T03:04:10Z"
    await client.request("DELETE", f"{PODS}/p?gracePeriodSeconds=0")
    assert (await client.get(f"{PODS}/p")).status == 404


async def test_tokens_for_service_accounts(client: Client):
    path = "/api/v1/namespaces/default/serviceaccounts"
    await client.post(path, {"metadata": {"name": "a"}})
    made = await client.post(f"{path}/a/token", {"spec": {"audiences": []}})
    assert made.status == 201
    client.token = made.json()["status"]["token"]
    refused = await client.get(PODS)
    assert 'User "system:serviceaccount:default:a"' in refused.message
    assert (await client.post(f"{path}/zz/token", {})).status == 403


class Kubelets:
    """Streams that remember what they were asked for."""

    def __init__(self) -> None:
        self.connected: list[str] = []

    async def logs(
        self, node: str, namespace: str, pod: str, container: str, options: Mapping[str, str]
    ) -> AsyncIterator[bytes]:
        yield f"{node} {namespace}/{pod}/{container} {options.get('tailLines')}\n".encode()

    async def connect(self, request: Any, scope: Any, receive: Any, send: Any) -> None:
        self.connected.append(f"{request.info.subresource} {request.params['command']}")
        await send({"type": "websocket.close"})


async def bound_pod(client: Client, *containers: str) -> None:
    await client.post(PODS, pod("p", *containers))
    binding = {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n1"}}
    await client.post(f"{PODS}/p/binding", binding)


async def test_logs_come_from_the_node(client: Client):
    await client.post(PODS, pod("unbound"))
    assert (await client.get(f"{PODS}/unbound/log")).body == b""
    await bound_pod(client, "c")
    assert (await client.get(f"{PODS}/p/log")).status == 503
    client.api.streams = Kubelets()
    found = await client.get(f"{PODS}/p/log?tailLines=5")
    assert (found.headers["content-type"], found.body) == ("text/plain", b"n1 default/p/c 5\n")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "a container name must be specified for pod p, choose one of: [a b]"),
        ("?container=z", "container z is not valid for pod p"),
    ],
)
async def test_logs_are_of_one_container(client: Client, query, message):
    await bound_pod(client, "a", "b")
    assert (await client.get(f"{PODS}/p/log{query}")).message == message


async def websocket(
    client: Client, path: str, headers: Mapping[str, str] | None = None
) -> list[Any]:
    scope = {**client.scope("GET", path, headers or {}), "type": "websocket"}
    scope["extensions"] = {"websocket.http.response": {}}
    sent: list[Any] = []

    async def receive() -> Any:
        return await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    await client.app(scope, receive, send)
    return sent


async def test_connections_are_authorized_first(client: Client):
    kubelets = client.api.streams = Kubelets()
    await bound_pod(client, "c")
    sent = await websocket(client, f"{PODS}/p/exec?command=ls&container=c")
    assert kubelets.connected == ["exec ls"]
    assert sent == [{"type": "websocket.close"}]
    start, body = await websocket(client, f"{PODS}/absent/exec?command=ls")
    assert (start["status"], orjson.loads(body["body"])["reason"]) == (404, "NotFound")
    client.token = ""
    start, _ = await websocket(client, f"{PODS}/p/exec?command=ls")
    assert start["status"] == 403
    assert len(kubelets.connected) == 1


async def test_who_may_only_read_gets_no_connection(client: Client):
    kubelets = client.api.streams = Kubelets()
    await bound_pod(client, "c")
    group = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
    rules = [{"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get"]}]
    await client.post(f"{group}/roles", {"metadata": {"name": "r"}, "rules": rules})
    subject = {"kind": "User", "name": "ann", "apiGroup": "rbac.authorization.k8s.io"}
    ref = {"kind": "Role", "name": "r", "apiGroup": "rbac.authorization.k8s.io"}
    bound = {"metadata": {"name": "r"}, "subjects": [subject], "roleRef": ref}
    await client.post(f"{group}/rolebindings", bound)

    asked = f"{PODS}/p/exec?command=ls"
    start, body = await websocket(client, asked, {"Impersonate-User": "ann"})
    assert start["status"] == 403
    assert 'User "ann" cannot create resource "pods/exec"' in orjson.loads(body["body"])["message"]

    role = f"{group}/roles/r"
    rules[0]["verbs"].append("create")
    await client.request("PUT", role, {"metadata": {"name": "r"}, "rules": rules})
    await websocket(client, asked, {"Impersonate-User": "ann"})
    assert kubelets.connected == ["exec ls"]


async def test_a_connection_has_to_be_upgraded(client: Client):
    await bound_pod(client, "c")
    found = await client.request("POST", f"{PODS}/p/exec?command=ls&container=c")
    assert (found.status, found.message) == (400, "Upgrade request required")


async def test_reviews_are_answered_and_not_stored(client: Client):
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    spec = {"user": "ann", "resourceAttributes": {"verb": "get", "resource": "pods"}}
    before = client.api.store.revision
    found = await client.post(path, {"spec": spec})
    assert (found.status, found.json()["status"]) == (201, {"allowed": False})
    assert client.api.store.revision == before
    assert (await client.get(path)).status == 405


async def test_component_statuses_are_computed(client: Client):
    found = await client.get("/api/v1/componentstatuses")
    assert {item["metadata"]["name"] for item in found.json()["items"]} == {
        "scheduler", "controller-manager", "etcd-0",
    }  # fmt: skip
    assert found.headers["warning"] == '299 - "v1 ComponentStatus is deprecated in v1.19+"'
    assert (await client.get("/api/v1/componentstatuses/scheduler")).status == 200
    assert (await client.get("/api/v1/componentstatuses/nope")).status == 404


class BrokenKubelets(Kubelets):
    """Streams that end badly."""

    async def logs(
        self, node: str, namespace: str, pod: str, container: str, options: Mapping[str, str]
    ) -> AsyncIterator[bytes]:
        yield b"first\n"
        raise OSError("the node has gone")


async def test_a_stream_that_breaks_off_is_seen_and_logged(
    client: Client, caplog: pytest.LogCaptureFixture
):
    await bound_pod(client, "c")
    client.api.streams = BrokenKubelets()
    with pytest.raises(OSError, match="the node has gone"):
        await client.get(f"{PODS}/p/log")
    assert "a stream broke off" in caplog.text
