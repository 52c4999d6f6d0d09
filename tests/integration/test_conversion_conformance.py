"""Custom resources that a webhook converts, as Kubernetes' conformance tests ask for them."""

import asyncio

import orjson
import pytest

from tests.integration.serving import NAMESPACE, Served, definition
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

TEST = "[sig-api-machinery] CustomResourceConversionWebhook [Privileged:ClusterAdmin] "

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
NAME = "e2e-tests.stable.example.com"
MERGE = {"content-type": "application/merge-patch+json"}
APPLY = {"content-type": "application/apply-patch+yaml"}
TEXT = {"type": "string"}
V1 = {"type": "object", "properties": {"hostPort": TEXT}}
V2 = {"type": "object", "properties": {"host": TEXT, "port": TEXT}}
BOTH = [("v1", True, V1), ("v2", False, V2)]


@pytest.fixture
async def converter(lab):
    served = Served(lab, "e2e-test-crd-conversion-webhook")
    await served.start("crd-conversion-webhook", "--port=8444")
    return served


async def define(served, *, trusted=True, selectable=False, scale=False):
    """Make the definition, whose objects are stored in v1."""
    config = served.client_config("/crdconvert", trusted=trusted)
    webhook = {"clientConfig": config, "conversionReviewVersions": ["v1", "v1beta1"]}
    wanted = definition(
        "stable.example.com",
        "e2e-tests",
        "E2eTest",
        BOTH,
        conversion={"strategy": "Webhook", "webhook": webhook},
    )
    if selectable:
        first, second = wanted["spec"]["versions"]
        first["selectableFields"] = [{"jsonPath": ".hostPort"}]
        second["selectableFields"] = [{"jsonPath": ".host"}, {"jsonPath": ".port"}]
    return await served.ok("POST", DEFINITIONS, wanted)


async def store_in_v2(served):
    made = await served.ok("GET", f"{DEFINITIONS}/{NAME}")
    versions = [{**one, "storage": one["name"] == "v2"} for one in made["spec"]["versions"]]
    await served.ok("PATCH", f"{DEFINITIONS}/{NAME}", {"spec": {"versions": versions}}, **MERGE)


def path(version, name=""):
    base = f"/apis/stable.example.com/{version}/namespaces/{NAMESPACE}/e2e-tests"
    return f"{base}/{name}" if name else base


def custom(version, name, **content):
    about = {"name": name, "annotations": {"kept": "yes"}}
    kind = {"apiVersion": f"stable.example.com/{version}", "kind": "E2eTest"}
    return {**kind, "metadata": about, **content}


def stored(served, name):
    return served.lab.get("e2e-tests.stable.example.com", name, NAMESPACE)


@pytest.mark.conformance(TEST + "should be able to convert from CR v1 to CR v2")
async def test_should_be_able_to_convert_from_cr_v1_to_cr_v2(converter):
    await define(converter)
    made = await converter.ok("POST", path("v1"), custom("v1", "a", hostPort="localhost:8080"))
    shown = await converter.ok("GET", path("v2", "a"))
    assert shown["apiVersion"] == "stable.example.com/v2"
    assert (shown["host"], shown["port"]) == ("localhost", "8080")
    assert "hostPort" not in shown
    assert shown["metadata"] == made["metadata"]
    assert await converter.ok("GET", path("v1", "a")) == made


@pytest.mark.conformance(TEST + "should be able to convert a non homogeneous list of CRs")
async def test_should_be_able_to_convert_a_non_homogeneous_list_of_crs(converter):
    await define(converter)
    await converter.ok("POST", path("v1"), custom("v1", "a", hostPort="localhost:8080"))
    await store_in_v2(converter)
    await converter.ok("POST", path("v2"), custom("v2", "b", host="localhost", port="8081"))
    assert stored(converter, "a")["apiVersion"] == "stable.example.com/v1"
    assert stored(converter, "b")["apiVersion"] == "stable.example.com/v2"
    for version, shown in (
        ("v2", [("localhost", "8080"), ("localhost", "8081")]),
        ("v1", ["localhost:8080", "localhost:8081"]),
    ):
        found = await converter.ok("GET", path(version))
        assert found["apiVersion"] == f"stable.example.com/{version}"
        items = [
            one.get("hostPort") or (one["host"], one["port"])
            for one in found["items"]
            if one["apiVersion"] == f"stable.example.com/{version}"
        ]
        assert items == shown


async def test_writes_through_a_version_that_is_not_stored(converter):
    await define(converter)
    made = await converter.ok("POST", path("v2"), custom("v2", "a", host="x", port="1"))
    assert (made["apiVersion"], made["host"]) == ("stable.example.com/v2", "x")
    assert stored(converter, "a")["hostPort"] == "x:1"
    patched = await converter.ok("PATCH", path("v2", "a"), {"port": "2"}, **MERGE)
    assert (patched["host"], patched["port"]) == ("x", "2")
    assert patched["metadata"]["generation"] == 2
    assert stored(converter, "a")["hostPort"] == "x:2"
    sent = {**patched, "host": "y"}
    assert (await converter.ok("PUT", path("v2", "a"), sent))["host"] == "y"
    assert stored(converter, "a")["hostPort"] == "y:2"
    same = await converter.ok("PATCH", path("v2", "a"), {"host": "y"}, **MERGE)
    assert same["metadata"]["generation"] == 3
    applied = custom("v2", "a", port="3")
    query = "?fieldManager=me&force=true"
    found = await converter.ok("PATCH", f"{path('v2', 'a')}{query}", applied, **APPLY)
    assert (found["host"], found["port"]) == ("y", "3")
    owners = {one["manager"]: one["apiVersion"] for one in found["metadata"]["managedFields"]}
    assert owners["me"] == "stable.example.com/v2"
    assert stored(converter, "a")["hostPort"] == "y:3"
    await converter.ok("DELETE", path("v2", "a"))
    assert stored(converter, "a") is None


async def test_a_write_stores_an_object_in_the_version_for_it(converter):
    await define(converter)
    await converter.ok("POST", path("v1"), custom("v1", "a", hostPort="x:1"))
    await store_in_v2(converter)
    sent = await converter.ok("GET", path("v1", "a"))
    await converter.ok("PUT", path("v1", "a"), sent)
    assert stored(converter, "a")["host"] == "x"


async def test_watches_see_their_own_version(converter):
    await define(converter)
    await converter.ok("POST", path("v1"), custom("v1", "a", hostPort="x:1"))
    events = []
    stream = asyncio.ensure_future(_watch(converter, f"{path('v2')}?watch=true", events))
    await eventually(lambda: len(events) == 1)
    await converter.ok("PATCH", path("v1", "a"), {"hostPort": "x:2"}, **MERGE)
    await converter.ok("DELETE", path("v1", "a"))
    await eventually(lambda: len(events) == 3)
    stream.cancel()
    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", "DELETED"]
    assert [event["object"]["port"] for event in events] == ["1", "2", "2"]
    assert {event["object"]["apiVersion"] for event in events} == {"stable.example.com/v2"}


@pytest.mark.conformance(
    "[sig-api-machinery] CustomResourceFieldSelectors [Privileged:ClusterAdmin]"
    " CustomResourceFieldSelectors MUST list and watch custom resources matching the field selector"
)
async def test_must_list_and_watch_custom_resources_matching_the_field_selector(converter):
    await define(converter, selectable=True)
    for name, content in (("a", "x:80"), ("b", "y:80"), ("c", "x:81")):
        await converter.ok("POST", path("v1"), custom("v1", name, hostPort=content))

    async def names(version, selector):
        found = await converter.ok("GET", f"{path(version)}?fieldSelector={selector}")
        return [one["metadata"]["name"] for one in found["items"]]

    assert await names("v1", "hostPort=x:80") == ["a"]
    assert await names("v2", "host=x") == ["a", "c"]
    assert await names("v2", "host=x,port=80") == ["a"]
    assert await names("v2", "port!=80") == ["c"]
    code, said = await converter.refused("GET", f"{path('v2')}?fieldSelector=hostPort=x:80")
    assert (code, said) == (400, "field label not supported: hostPort")
    events = []
    query = "watch=true&fieldSelector=host=x"
    stream = asyncio.ensure_future(_watch(converter, f"{path('v2')}?{query}", events))
    await eventually(lambda: len(events) == 2)
    await converter.ok("PATCH", path("v2", "a"), {"host": "z"}, **MERGE)
    await converter.ok("PATCH", path("v2", "b"), {"host": "x"}, **MERGE)
    await converter.ok("DELETE", path("v2", "c"))
    await eventually(lambda: len(events) == 5)
    stream.cancel()
    assert [(e["type"], e["object"]["metadata"]["name"]) for e in events[2:]] == [
        ("DELETED", "a"),
        ("ADDED", "b"),
        ("DELETED", "c"),
    ]


async def test_what_cannot_be_converted(converter):
    await define(converter)
    await converter.ok("POST", path("v1"), custom("v1", "a", hostPort="no port"))
    code, said = await converter.refused("GET", path("v2", "a"))
    assert code == 500
    assert said == (
        "conversion webhook for stable.example.com/v1, Kind=E2eTest failed: "
        "invalid hostPort value `no port`"
    )
    assert (await converter.refused("GET", path("v2")))[1] == said
    events = []
    await _watch(converter, f"{path('v2')}?watch=true", events)
    assert [(one["type"], one["object"]["message"]) for one in events] == [("ERROR", said)]


async def test_a_webhook_that_nobody_trusts(converter):
    await define(converter, trusted=False)
    code, said = await converter.refused("POST", path("v2"), custom("v2", "a", host="x", port="1"))
    assert code == 500
    assert said == (
        "conversion webhook for stable.example.com/v2, Kind=E2eTest failed: Post "
        '"https://e2e-test-crd-conversion-webhook.hooks.svc:8443/crdconvert?timeout=30s": '
        "tls: failed to verify certificate: x509: certificate signed by unknown authority"
    )
    assert stored(converter, "a") is None
    await converter.ok("POST", path("v1"), custom("v1", "a", hostPort="x:1"))


async def test_a_webhook_sees_the_version_that_its_rule_names(converter):
    await define(converter)
    hooks = Served(converter.lab, "e2e-test-webhook")
    await hooks.start("webhook", "--port=8444")
    webhook = {
        "name": "labels.example.com",
        "clientConfig": hooks.client_config("/add-label"),
        "rules": [
            {
                "operations": ["CREATE"],
                "apiGroups": ["stable.example.com"],
                "apiVersions": ["v1"],
                "resources": ["e2e-tests"],
            }
        ],
        "matchConditions": [{"name": "v1", "expression": "object.hostPort == 'x:1'"}],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    configurations = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
    body = {"metadata": {"name": "labels"}, "webhooks": [webhook]}
    await hooks.ok("POST", configurations, body)
    made = await hooks.ok("POST", path("v2"), custom("v2", "a", host="x", port="1"))
    assert made["metadata"]["labels"] == {"added-label": "yes"}
    assert (made["apiVersion"], made["host"]) == ("stable.example.com/v2", "x")
    made = await hooks.ok("POST", path("v2"), custom("v2", "b", host="y", port="1"))
    assert "labels" not in made["metadata"]


async def _watch(served, target, events):
    """Read events from a watch into a list, until it ends."""
    http, sent = served.http, []
    started = [{"type": "http.request", "body": b""}]

    async def receive():
        return started.pop() if started else await asyncio.Event().wait()

    async def send(message):
        for line in message.get("body", b"").splitlines():
            events.append(orjson.loads(line))
        sent.append(message)

    await http.app(http.scope("GET", target, {}), receive, send)
