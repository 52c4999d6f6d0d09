"""Parts of objects: status, scale, binding, eviction, token, log, connections."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
import pytest

from apimachinery.clock import ManualClock
from apiserver.endpoints.api import ClusterApi
from tests.apiserver.endpoints.support import Client, Response, make_api

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
    assert (nowhere.status, nowhere.message) == (500, "target.name: Required value")
    other = await client.post(f"{PODS}/p/binding", {**binding, "metadata": {}})
    assert other.message == "name in URL does not match name in Binding object"
    await client.post(PODS, pod("q"))
    older = await client.post(
        "/api/v1/namespaces/default/bindings", {**binding, "metadata": {"name": "q"}}
    )
    assert older.status == 201


async def running(client: Client, name: str, *, ready: str = "True") -> None:
    await client.post(PODS, pod(name, a="b"))
    conditions = [{"type": "Ready", "status": ready}]
    status = {"status": {"phase": "Running", "conditions": conditions}}
    await client.request("PATCH", f"{PODS}/{name}/status", status, MERGE)


def budget(**spec: object) -> dict[str, object]:
    selector = {"matchLabels": {"a": "b"}}
    return {"metadata": {"name": "b"}, "spec": {"minAvailable": 1, "selector": selector, **spec}}


async def allow(client: Client, **status: int) -> None:
    counts = {"observedGeneration": 1, "disruptionsAllowed": 0, "currentHealthy": 0,
              "desiredHealthy": 1, "expectedPods": 2, **status}  # fmt: skip
    await client.request("PATCH", f"{BUDGETS}/b/status", {"status": counts}, MERGE)


async def evict(client: Client, name: str, **options: object) -> Response:
    body: dict[str, object] = {"metadata": {"name": name}}
    if options:
        body["deleteOptions"] = options
    return await client.post(f"{PODS}/{name}/eviction", body)


@pytest.mark.parametrize(
    ("policy", "healthy", "code"),
    [(None, 0, 429), (None, 1, 201), ("AlwaysAllow", 0, 201), ("IfHealthyBudget", 0, 429)],
)
async def test_unready_pods_are_evicted_as_the_budget_says(
    client: Client, policy: str | None, healthy: int, code: int
):
    await running(client, "p", ready="False")
    await client.post(BUDGETS, budget(unhealthyPodEvictionPolicy=policy))
    await allow(client, currentHealthy=healthy)
    assert (await evict(client, "p")).status == code


async def test_an_evicted_pod_says_so_while_it_ends(client: Client):
    await running(client, "p")
    await client.post(
        f"{PODS}/p/binding", {"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n1"}}
    )
    assert (await evict(client, "p", dryRun=["All"])).status == 201
    assert "deletionTimestamp" not in (await client.get(f"{PODS}/p")).json()["metadata"]
    assert (await evict(client, "p")).status == 201
    found = (await client.get(f"{PODS}/p")).json()
    assert found["metadata"]["deletionGracePeriodSeconds"] == 30
    (why,) = [c for c in found["status"]["conditions"] if c["type"] == "DisruptionTarget"]
    assert (why["reason"], why["message"]) == ("EvictionByEvictionAPI", "Eviction API: evicting")


async def test_two_budgets_are_a_failure_in_an_answer_that_is_none(client: Client):
    await running(client, "p")
    await client.post(BUDGETS, budget())
    await client.post(BUDGETS, {**budget(), "metadata": {"name": "c"}})
    refused = await evict(client, "p")
    assert (refused.status, refused.json()["code"], refused.json()["status"]) == (
        201,
        500,
        "Failure",
    )


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("tailLines=-1", 422, "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ("limitBytes=0", 422, "limitBytes: Invalid value: 0: must be greater than 0"),
        ("sinceSeconds=0", 422, "sinceSeconds: Invalid value: 0: must be greater than 0"),
        ("sinceTime=x", 400,
         'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'),
        ("sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z", 422,
         ": Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"),
        ("stream=Stdout", 422, "stream: Forbidden: may not be specified"),
        ("tailLines=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("container=z", 400, "container z is not valid for pod p"),
    ],
)  # fmt: skip
async def test_options_of_logs(client: Client, query: str, code: int, message: str):
    await client.post(PODS, pod())
    refused = await client.get(f"{PODS}/p/log?{query}")
    start = 'PodLogOptions "p" is invalid: ' if code == 422 else ""
    assert (refused.status, refused.message) == (code, start + message)
    if message.startswith(":"):
        assert "field" not in refused.json()["details"]["causes"][0]


async def test_a_container_has_to_be_named_where_there_are_several(client: Client):
    body = pod()
    body["spec"]["containers"].append({"name": "d", "image": "x"})
    body["spec"]["initContainers"] = [{"name": "i", "image": "x"}]
    body["metadata"]["annotations"] = {"kubectl.kubernetes.io/default-container": "d"}
    names = [one["name"] for one in body["spec"]["containers"]]
    await client.post(PODS, body)
    refused = await client.get(f"{PODS}/p/log")
    assert refused.message == (
        f"a container name must be specified for pod p, choose one of: [i {' '.join(names)}]"
    )
    unplaced = await client.post(f"{PODS}/p/exec?container=d&command=ls&stdout=1", {})
    assert unplaced.message == "pod p does not have a host assigned"


async def test_evictions_of_the_first_version_are_read(client: Client):
    await running(client, "p")
    eviction = {"apiVersion": "policy/v1beta1", "kind": "Eviction", "metadata": {"name": "p"}}
    assert (await client.post(f"{PODS}/p/eviction", eviction)).status == 201


async def test_evictions_ask_the_budget(client: Client):
    await running(client, "p")
    await running(client, "q")
    await client.post(BUDGETS, budget())
    unseen = await evict(client, "p")
    assert (unseen.status, unseen.headers["retry-after"]) == (429, "10")
    cause = unseen.json()["details"]["causes"][0]["message"]
    assert cause == "The disruption budget b is still being processed by the server."
    await allow(client, disruptionsAllowed=1, currentHealthy=2)
    first = await evict(client, "p")
    assert (first.status, first.json()["code"]) == (201, 201)
    second = await evict(client, "q")
    assert second.json()["details"]["causes"][0]["message"] == (
        "The disruption budget b needs 1 healthy pods and has 2 currently"
    )
    spent = (await client.get(f"{BUDGETS}/b")).json()["status"]
    assert (spent["disruptionsAllowed"], list(spent["disruptedPods"])) == (0, ["p"])
    (condition,) = spent["conditions"]
    assert (condition["type"], condition["reason"]) == ("DisruptionAllowed", "InsufficientPods")


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
    await client.post("/api/v1/nodes", {"metadata": {"name": "n1"}})
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
    ("method", "path"), [("GET", "log"), ("POST", "exec?command=ls"), ("POST", "portforward")]
)
async def test_a_node_that_is_gone_serves_nothing(client: Client, method: str, path: str):
    await bound_pod(client, "c")
    await client.request("DELETE", "/api/v1/nodes/n1")
    refused = await client.request(method, f"{PODS}/p/{path}")
    assert (refused.status, refused.message) == (404, 'nodes "n1" not found')


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
