"""An extension API server behind an APIService, as Kubernetes' conformance test asks for it."""

import asyncio

import orjson
import pytest

from tests.integration.serving import NAMESPACE, Served, definition
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

IMAGE = "registry.k8s.io/e2e-test-images/sample-apiserver:1.33.8"
APISERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
NAME = "v1alpha1.wardle.example.com"
GROUP = "/apis/wardle.example.com"
FLUNDERS = f"{GROUP}/v1alpha1/namespaces/default/flunders"
MERGE = {"content-type": "application/merge-patch+json"}


@pytest.fixture
async def sample(lab):
    served = Served(lab, "sample-api")
    await served.start("--secure-port=8444", image=IMAGE)
    return served


def apiservice(served, version="v1alpha1", **more):
    about = {"name": f"{version}.wardle.example.com", "labels": {"e2e": "sample"}}
    service = {"namespace": NAMESPACE, "name": "sample-api", "port": 8443}
    spec = {
        "service": service,
        "group": "wardle.example.com",
        "version": version,
        "caBundle": served.bundle,
        "groupPriorityMinimum": 2000,
        "versionPriority": 200,
        **more,
    }
    return {"metadata": about, "spec": {k: v for k, v in spec.items() if v is not None}}


def condition(served, name=NAME):
    found = served.lab.get("apiservices.apiregistration.k8s.io", name, "") or {}
    return ((found.get("status") or {}).get("conditions") or [{}])[0]


async def register(served, version="v1alpha1", **more):
    await served.ok("POST", APISERVICES, apiservice(served, version, **more))
    name = f"{version}.wardle.example.com"
    await eventually(lambda: condition(served, name).get("status") == "True", within=60)


def flunder(name, **more):
    about = {"name": name, "namespace": "default", "labels": {"sample-label": "true"}}
    kind = {"apiVersion": "wardle.example.com/v1alpha1", "kind": "Flunder"}
    return {**kind, "metadata": about, **more}


async def names(served, path=FLUNDERS):
    found = await served.ok("GET", path)
    return [one["metadata"]["name"] for one in found["items"]]


@pytest.mark.conformance(
    "[sig-api-machinery] Aggregator Should be able to support the 1.17 Sample API Server using "
    "the current Aggregator [LinuxOnly]"
)
async def test_should_be_able_to_support_the_sample_api_server_using_the_current_aggregator(sample):
    await register(sample)
    assert condition(sample)["reason"] == "Passed"
    answer = await sample.http.post(FLUNDERS, flunder("rest-flunder"))
    assert answer.status == 201
    assert await names(sample) == ["rest-flunder"]
    await sample.ok("DELETE", f"{FLUNDERS}/rest-flunder")
    assert await names(sample) == []
    # Clients that learn of kinds by discovery find it, too.
    groups = (await sample.ok("GET", "/apis"))["groups"]
    (group,) = [one for one in groups if one["name"] == "wardle.example.com"]
    assert group["preferredVersion"]["version"] == "v1alpha1"
    listed = await sample.ok("GET", f"{GROUP}/v1alpha1")
    assert "flunders" in [one["name"] for one in listed["resources"]]
    await sample.ok("POST", FLUNDERS, flunder("dynamic-flunder"))
    assert await names(sample) == ["dynamic-flunder"]
    patch = {"spec": {"referenceType": "Fischer", "reference": "f"}}
    patched = await sample.ok("PATCH", f"{FLUNDERS}/dynamic-flunder", patch, **MERGE)
    assert patched["spec"] == {"referenceType": "Fischer", "reference": "f"}
    await sample.ok("DELETE", FLUNDERS)
    assert await names(sample) == []
    # The APIService itself: its status, its labels, its end.
    path = f"{APISERVICES}/{NAME}"
    made = await sample.ok("GET", f"{path}/status")
    made["metadata"]["labels"]["updated"] = "yes"
    await sample.ok("PUT", path, made)
    found = await sample.ok("GET", f"{APISERVICES}?labelSelector=e2e=sample")
    assert [one["metadata"]["name"] for one in found["items"]] == [NAME]
    await sample.ok("DELETE", f"{APISERVICES}?labelSelector=e2e=sample")
    await eventually(lambda: sample.lab.get("apiservices.apiregistration.k8s.io", NAME, "") is None)
    assert (await sample.http.get(FLUNDERS)).status == 404


async def test_discovery_merges_what_an_extension_serves(sample):
    wanted = definition("a.example.com", "widgets", "Widget", [("v1", True, None)])
    await sample.ok("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", wanted)
    await register(sample)
    await register(sample, "v1beta1", versionPriority=300)
    form = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    found = await sample.ok("GET", "/apis", accept=form)
    order = [one["metadata"]["name"] for one in found["items"]]
    # By their priorities: built in, then the extension (2000), then custom groups (1000).
    assert order[-2:] == ["wardle.example.com", "a.example.com"]
    group = found["items"][-2]
    assert [one["version"] for one in group["versions"]] == ["v1beta1", "v1alpha1"]
    assert {one["freshness"] for one in group["versions"]} == {"Current"}
    rows = {one["resource"]: one for one in group["versions"][1]["resources"]}
    assert rows["flunders"]["scope"] == "Namespaced"
    assert rows["flunders"]["subresources"][0]["subresource"] == "status"
    group = await sample.ok("GET", GROUP)
    assert [one["version"] for one in group["versions"]] == ["v1beta1", "v1alpha1"]
    index = await sample.ok("GET", "/openapi/v3")
    url = index["paths"]["apis/wardle.example.com/v1alpha1"]["serverRelativeURL"]
    document = await sample.ok("GET", url)
    assert "com.example.wardle.v1alpha1.Flunder" in document["components"]["schemas"]


async def test_openapi_v2_has_what_an_extension_serves(sample):
    before = await sample.http.get("/openapi/v2")
    assert b"wardle" not in before.body
    await register(sample)
    await register(sample, "v1beta1", versionPriority=300)

    async def document(accept="application/json"):
        answer = await sample.http.request("GET", "/openapi/v2", headers={"accept": accept})
        assert answer.status == 200
        return answer

    protobuf = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    assert b"com.example.wardle.v1beta1.Flunder" in (await document(protobuf)).body
    found = await document()
    assert found.headers["etag"] != before.headers["etag"]
    definitions = found.json()["definitions"]
    assert "io.k8s.api.core.v1.Pod" in definitions
    spec = definitions["com.example.wardle.v1alpha1.Flunder"]["properties"]["spec"]
    assert sorted(spec["properties"]) == ["reference", "referenceType"]
    # The server's metadata is not quite ours: it keeps its own, under another name.
    meta = definitions["com.example.wardle.v1beta1.Flunder"]["properties"]["metadata"]
    assert meta == {"$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta_v2"}
    paths = [path for path in found.json()["paths"] if path.startswith("/apis/wardle")]
    one = "/namespaces/{namespace}/flunders"
    assert f"{GROUP}/v1alpha1{one}/{{name}}" in paths
    assert f"{GROUP}/v1beta1{one}" in paths
    # A server that is away is taken to serve what it did; one that is not registered is not.
    deployment = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/sample-api"
    await sample.ok("PATCH", deployment, {"spec": {"replicas": 0}}, **MERGE)
    await eventually(lambda: condition(sample)["status"] == "False", within=120)
    assert (await document()).headers["etag"] == found.headers["etag"]
    for version in ("v1alpha1", "v1beta1"):
        await sample.ok("DELETE", f"{APISERVICES}/{version}.wardle.example.com")
    await asyncio.sleep(0)
    assert (await document()).headers["etag"] == before.headers["etag"]


async def test_tables_and_further_versions(sample):
    await register(sample)
    await register(sample, "v1beta1")
    await sample.ok("POST", FLUNDERS, flunder("a", spec={"reference": "b"}))
    found = await sample.ok("GET", f"{GROUP}/v1beta1/namespaces/default/flunders/a")
    assert found["spec"] == {"referenceType": "Flunder", "flunderReference": "b"}
    shown = await sample.ok(
        "GET", FLUNDERS, accept="application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    )
    assert shown["kind"] == "Table"
    assert shown["rows"][0]["cells"][0] == "a"


async def test_errors_and_admission_of_an_extension_reach_the_client(sample):
    await register(sample)
    code, said = await sample.refused("GET", f"{FLUNDERS}/nobody")
    assert (code, said) == (404, 'flunders.wardle.example.com "nobody" not found')
    fischer = {"apiVersion": "wardle.example.com/v1alpha1", "kind": "Fischer"}
    about = {"metadata": {"name": "f"}, "disallowedFlunders": ["bad"]}
    await sample.ok("POST", f"{GROUP}/v1alpha1/fischers", {**fischer, **about})
    code, said = await sample.refused("POST", FLUNDERS, flunder("bad"))
    assert code == 403
    assert said.startswith('flunders.wardle.example.com "bad" is forbidden: this name may not')


async def test_rights_are_asked_before_anything_is_handed_on(sample):
    await register(sample)
    nobody = {"impersonate-user": "jane"}
    code, said = await sample.refused("GET", FLUNDERS, **nobody)
    assert (code, said) == (
        403,
        (
            'flunders.wardle.example.com is forbidden: User "jane" cannot list resource "flunders" '
            'in API group "wardle.example.com" in the namespace "default"'
        ),
    )


async def test_watches_are_streamed(sample):
    await register(sample)
    await sample.ok("POST", FLUNDERS, flunder("a"))
    events, sent = [], [{"type": "http.request", "body": b""}]
    leave = asyncio.Event()

    async def receive():
        if sent:
            return sent.pop()
        await leave.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        events.extend(orjson.loads(line) for line in message.get("body", b"").splitlines())

    scope = sample.http.scope("GET", f"{FLUNDERS}?watch=true", {})
    stream = asyncio.ensure_future(sample.http.app(scope, receive, send))
    await eventually(lambda: len(events) == 1)
    await sample.ok("POST", FLUNDERS, flunder("b"))
    await sample.ok("DELETE", f"{FLUNDERS}/a")
    await eventually(lambda: len(events) == 3)
    leave.set()
    await asyncio.wait([stream])
    seen = [(one["type"], one["object"]["metadata"]["name"]) for one in events]
    assert seen == [("ADDED", "a"), ("ADDED", "b"), ("DELETED", "a")]


async def test_an_upgrade_is_refused(sample):
    await register(sample)
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    scope = {**sample.http.scope("GET", f"{FLUNDERS}/a/exec", {}), "type": "websocket"}
    await sample.http.app(scope, receive, send)
    assert [(m["type"], m["reason"]) for m in sent] == [
        ("websocket.close", "Upgrade request not expected")
    ]


async def test_an_extension_that_goes_and_comes_back(sample):
    await register(sample)
    deployment = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/sample-api"
    await sample.ok("PATCH", deployment, {"spec": {"replicas": 0}}, **MERGE)
    await eventually(lambda: condition(sample)["status"] == "False", within=120)
    assert condition(sample)["reason"] == "MissingEndpoints"
    answer = await sample.http.get(FLUNDERS)
    assert (answer.status, answer.body) == (503, b"service unavailable\n")
    form = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    found = await sample.ok("GET", "/apis", accept=form)
    (group,) = [one for one in found["items"] if one["metadata"]["name"] == "wardle.example.com"]
    assert group["versions"][0]["freshness"] == "Stale"
    await sample.ok("PATCH", deployment, {"spec": {"replicas": 1}}, **MERGE)
    await eventually(lambda: condition(sample)["status"] == "True", within=120)
    assert await names(sample) == []


async def test_an_extension_that_nobody_vouches_for(sample):
    await register(sample, caBundle=None)
    answer = await sample.http.get(FLUNDERS)
    assert (answer.status, answer.body) == (
        503,
        (
            b"error trying to reach service: tls: failed to verify certificate: "
            b"x509: certificate signed by unknown authority\n"
        ),
    )
    made = await sample.ok("GET", f"{APISERVICES}/{NAME}")
    made["spec"]["insecureSkipTLSVerify"] = True
    await sample.ok("PUT", f"{APISERVICES}/{NAME}", made)
    assert await names(sample) == []


async def test_nobody_else_gets_at_an_extension(sample):
    """Who comes past the API server is nobody in particular."""
    await register(sample)
    await sample.ok("POST", FLUNDERS, flunder("a"))
    pod = next(p for p in sample.lab.all("pods", NAMESPACE))["metadata"]["name"]
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/https:{pod}:8444/proxy{FLUNDERS}"
    code, said = await sample.refused("GET", path, **{"x-remote-user": "system:admin"})
    assert code == 403
    assert 'User "system:anonymous" cannot list resource "flunders"' in said


async def test_a_namespace_takes_the_objects_of_an_extension_along(sample):
    await register(sample)
    await sample.ok("POST", "/api/v1/namespaces", {"metadata": {"name": "going"}})
    path = f"{GROUP}/v1alpha1/namespaces/going/flunders"
    body = flunder("a")
    body["metadata"]["namespace"] = "going"
    await sample.ok("POST", path, body)
    await sample.ok("DELETE", "/api/v1/namespaces/going")
    await eventually(lambda: sample.lab.get("namespaces", "going", "") is None, within=60)
    assert await names(sample, path) == []


async def test_a_namespace_waits_for_an_extension_that_cannot_be_asked(sample):
    await register(sample)
    deployment = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/sample-api"
    await sample.ok("PATCH", deployment, {"spec": {"replicas": 0}}, **MERGE)
    await eventually(lambda: condition(sample)["status"] == "False", within=120)
    await sample.ok("POST", "/api/v1/namespaces", {"metadata": {"name": "stuck"}})
    path = "/api/v1/namespaces/stuck/configmaps"
    await sample.ok("POST", path, {"metadata": {"name": "a"}})
    await sample.ok("DELETE", "/api/v1/namespaces/stuck")

    def said():
        found = (sample.lab.get("namespaces", "stuck", "") or {}).get("status") or {}
        kind = "NamespaceDeletionDiscoveryFailure"
        return [c["message"] for c in found.get("conditions") or () if c["type"] == kind]

    version = "wardle.example.com/v1alpha1"
    wanted = (
        "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of "
        f"server APIs: {version}: stale GroupVersion discovery: {version}"
    )
    await eventually(lambda: said() == [wanted], within=60)
    assert sample.lab.get("configmaps", "a", "stuck") is None
    await sample.ok("DELETE", f"{APISERVICES}/{NAME}")
    await eventually(lambda: sample.lab.get("namespaces", "stuck", "") is None, within=60)


async def test_the_garbage_collector_follows_owners_into_an_extension(sample):
    await register(sample)
    owner = await sample.ok(
        "POST", "/api/v1/namespaces/default/configmaps", {"metadata": {"name": "owner"}}
    )
    body = flunder("owned")
    body["metadata"]["ownerReferences"] = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": "owner",
            "uid": owner["metadata"]["uid"],
        }
    ]
    await sample.ok("POST", FLUNDERS, body)
    await asyncio.sleep(60)
    await sample.ok("DELETE", "/api/v1/namespaces/default/configmaps/owner")
    for _ in range(60):
        if not await names(sample):
            return
        await asyncio.sleep(1)
    raise AssertionError("it is still there")


async def test_custom_groups_have_an_apiservice_of_their_own(lab):
    served = Served(lab, "none")
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    versions = [("v1", True, None), ("v1beta1", False, None)]
    made = await served.ok("POST", path, definition("b.example.com", "widgets", "Widget", versions))
    names = ("v1.b.example.com", "v1beta1.b.example.com")
    key = "apiservices.apiregistration.k8s.io"
    await eventually(lambda: all(lab.get(key, name, "") for name in names))
    found = lab.get(key, names[0], "")
    assert found["metadata"]["labels"] == {"kube-aggregator.kubernetes.io/automanaged": "true"}
    assert found["spec"] == {
        "group": "b.example.com",
        "version": "v1",
        "groupPriorityMinimum": 1000,
        "versionPriority": 100,
    }
    assert found["status"]["conditions"][0]["reason"] == "Local"
    uid = found["metadata"]["uid"]
    await served.ok("DELETE", f"{APISERVICES}/{names[0]}")
    await eventually(
        lambda: (lab.get(key, names[0], "") or {"metadata": {"uid": uid}})["metadata"]["uid"] != uid
    )
    made["spec"]["versions"][1]["served"] = False
    made = await served.ok("GET", f"{path}/widgets.b.example.com")
    made["spec"]["versions"][1]["served"] = False
    await served.ok("PUT", f"{path}/widgets.b.example.com", made)
    await eventually(lambda: lab.get(key, names[1], "") is None)
    await served.ok("DELETE", f"{path}/widgets.b.example.com")
    await eventually(lambda: lab.get(key, names[0], "") is None)


async def test_what_extension_servers_are_told_of_the_front_proxy(lab):
    found = lab.get("configmaps", "extension-apiserver-authentication", "kube-system")["data"]
    assert found["requestheader-allowed-names"] == '["front-proxy-client"]'
    assert found["requestheader-client-ca-file"].startswith("-----BEGIN CERTIFICATE-----")
    assert found["client-ca-file"] == lab.cluster.authority.pem
