"""What the audit log is told of requests: events as kube-apiserver writes them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from apimachinery.clock import ManualClock
from apiserver.audit.policy import read_policy
from apiserver.auth.user import AUTHENTICATED, User
from apiserver.endpoints.options import ServingOptions
from tests.apiserver.endpoints.support import Call, Client, config_map, local, make_api
from tests.support.eventually import eventually

MAPS = "/api/v1/namespaces/default/configmaps"


class Lab:
    """A client, and what was written down of its requests."""

    def __init__(self, client: Client) -> None:
        self.client = client

    @property
    def events(self) -> list[dict[str, Any]]:
        audit = self.client.api.audit
        assert audit is not None
        return [orjson.loads(event) for event in audit.memory][::-1]

    @property
    def last(self) -> dict[str, Any]:
        return self.events[-1]


async def lab(level: str, more: str = "", rule: str = "") -> Lab:
    policy = read_policy(
        f"apiVersion: audit.k8s.io/v1\nkind: Policy\n{more}\nrules: [{{level: {level}, {rule}}}]"
    )
    serving = ServingOptions(audit=policy)
    return Lab(Client(await make_api(ManualClock(), bare=True, serving=serving)))


async def test_metadata():
    made = await lab("Metadata")
    headers = {"user-agent": "kubectl/v1.36", "x-forwarded-for": "10.0.0.9, 10.0.0.8"}
    await made.client.request("GET", f"{MAPS}/a?timeout=5s", None, headers)
    received, complete = made.events
    assert received["stage"] == "RequestReceived"
    assert "responseStatus" not in received
    times = {complete.pop("requestReceivedTimestamp"), complete.pop("stageTimestamp")}
    assert times == {"2026-01-02T03:04:05.000000Z"}
    assert complete.pop("auditID") == received["auditID"]
    assert complete["user"].pop("uid")
    assert complete == {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "stage": "ResponseComplete",
        "requestURI": f"{MAPS}/a?timeout=5s",
        "verb": "get",
        "user": {"username": "admin", "groups": ["system:masters", "system:authenticated"]},
        "sourceIPs": ["10.0.0.9", "10.0.0.8", "127.0.0.1"],
        "userAgent": "kubectl/v1.36",
        "objectRef": {
            "resource": "configmaps",
            "namespace": "default",
            "name": "a",
            "apiVersion": "v1",
        },
        "responseStatus": {
            "metadata": {},
            "status": "Failure",
            "message": 'configmaps "a" not found',
            "reason": "NotFound",
            "details": {"name": "a", "kind": "configmaps"},
            "code": 404,
        },
        "annotations": {
            "authorization.k8s.io/decision": "allow",
            "authorization.k8s.io/reason": "",
            "kubeground.io/cluster": "test",
        },
    }


async def test_the_trace_of_a_request_has_the_audit_log_s_times():
    made = await lab("Metadata")
    api = made.client.api
    for step in (1.25, 0.5):
        api.clock.advance(step)
        await made.client.request("GET", f"{MAPS}/a")
    for event in made.events:
        trace = api.traces.get(event["auditID"])
        assert trace is not None
        assert format_micro(trace.at) == event["requestReceivedTimestamp"]
        assert trace.record()["auditID"] == event["auditID"]
    assert len({event["requestReceivedTimestamp"] for event in made.events}) == 2


def format_micro(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


async def test_a_creation_is_named_by_its_object():
    made = await lab("Metadata")
    await made.client.post(MAPS, config_map("a"))
    assert made.last["objectRef"]["name"] == "a"
    assert made.last["responseStatus"] == {"metadata": {}, "code": 201}
    assert "requestObject" not in made.last
    await made.client.request("DELETE", f"{MAPS}/a")
    assert made.last["responseStatus"]["status"] == "Success"


async def test_requests_and_responses():
    made = await lab("RequestResponse", "omitManagedFields: true")
    body = config_map("a", key="value") | {"metadata": {"name": "a", "managedFields": []}}
    await made.client.post(MAPS, body)
    received, complete = made.events
    assert "requestObject" not in received
    assert complete["requestObject"]["data"] == {"key": "value"}
    assert complete["requestObject"]["metadata"] == {"name": "a"}
    assert complete["responseObject"]["metadata"]["uid"]
    assert "managedFields" not in complete["responseObject"]["metadata"]
    kind = {"content-type": "application/apply-patch+yaml"}
    patch = b"apiVersion: v1\nkind: ConfigMap\ndata: {b: c}\n"
    await made.client.request("PATCH", f"{MAPS}/a?fieldManager=m", patch, kind)
    assert made.last["requestObject"]["data"] == {"b": "c"}
    await made.client.get(MAPS)
    (item,) = made.last["responseObject"]["items"]
    assert "managedFields" not in item["metadata"]
    await made.client.post(MAPS, b"{nonsense")
    assert "requestObject" not in made.last
    assert made.last["responseObject"]["reason"] == "BadRequest"
    await made.client.get("/version")
    assert made.last["requestURI"] == "/version"
    assert "objectRef" not in made.last
    assert "responseObject" not in made.last


async def test_requests_alone_keep_managed_fields_unless_told():
    made = await lab("Request")
    body = config_map("a") | {"metadata": {"name": "a", "managedFields": []}}
    await made.client.post(MAPS, body)
    assert made.last["requestObject"]["metadata"]["managedFields"] == []
    assert "responseObject" not in made.last


async def test_stages_that_are_left_out():
    made = await lab("Metadata", "omitStages: [RequestReceived]")
    await made.client.get(MAPS)
    assert [event["stage"] for event in made.events] == ["ResponseComplete"]


async def test_what_no_rule_wants_is_not_looked_at():
    made = await lab("Metadata", rule="verbs: [create]")
    await made.client.get(MAPS)
    assert made.events == []
    audit = made.client.api.audit
    assert audit is not None
    assert audit.levels["None"] == 1


async def test_somebody_else():
    made = await lab("Metadata", "omitStages: [RequestReceived]")
    await made.client.request("GET", MAPS, None, {"impersonate-user": "bob"})
    assert made.last["user"]["username"] == "admin"
    assert made.last["impersonatedUser"]["username"] == "bob"
    assert made.last["annotations"]["authorization.k8s.io/decision"] == "forbid"
    made.client.token = ""
    await made.client.request("GET", MAPS, None, {"impersonate-user": "bob"})
    assert made.last["user"]["username"] == "system:anonymous"
    assert "impersonatedUser" not in made.last
    assert made.last["responseStatus"]["code"] == 403


async def test_strangers():
    made = await lab("Metadata")
    made.client.token = "wrong"
    await made.client.get(MAPS)
    (event,) = made.events
    assert event["stage"] == "ResponseStarted"
    assert event["user"] == {}
    assert event["responseStatus"] == {
        "metadata": {},
        "message": "Authentication failed, attempted: bearer",
        "code": 401,
    }


async def test_a_stream_has_a_beginning_and_an_end():
    made = await lab("Metadata")
    gone = asyncio.Event()
    incoming = [{"type": "http.request", "body": b""}]
    sent: list[Any] = []

    async def receive() -> Any:
        if incoming:
            return incoming.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = made.client.scope("GET", f"{MAPS}?watch=1", {})
    watching = asyncio.ensure_future(made.client.app(scope, receive, send))
    await eventually(lambda: sent)
    assert [event["stage"] for event in made.events] == ["RequestReceived", "ResponseStarted"]
    gone.set()
    await watching
    assert made.last["stage"] == "ResponseComplete"
    assert made.last["responseStatus"]["code"] == 200


async def test_faults(caplog: pytest.LogCaptureFixture):
    made = await lab("Metadata")
    made.client.api.catalog = None  # type: ignore[assignment]
    assert (await made.client.post(MAPS, config_map("a"))).status == 500
    assert made.last["stage"] == "Panic"
    assert made.last["responseStatus"]["message"].startswith("APIServer panic'd: ")
    assert caplog.text


async def test_workers_are_written_down_too():
    made = await lab("Request")
    worker = local(
        made.client.api, User("system:kube-scheduler", ("system:masters", AUTHENTICATED))
    )
    body = config_map("a")
    await worker.call(Call("create", "", "v1", "configmaps", "default", body=body))
    assert made.last["user"]["username"] == "system:kube-scheduler"
    assert made.last["requestURI"] == MAPS
    assert made.last["requestObject"] == body
    assert made.last["annotations"]["kubeground.io/cluster"] == "test"


async def test_what_is_deprecated():
    made = await lab("Metadata")
    await made.client.get("/api/v1/componentstatuses")
    assert made.last["annotations"]["k8s.io/deprecated"] == "true"


@pytest.mark.parametrize("value", ["1" * 40, "!!binary aGVsbG8=", "!!set {a, b}", "!!omap [1: 2]"])
async def test_whatever_is_sent_has_its_last_event(value: str):
    made = await lab("RequestResponse")
    text = f"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a}}, data: {{a: {value}}}}}"
    answer = await made.client.request(
        "POST", MAPS, text.encode(), {"content-type": "application/yaml"}
    )
    assert answer.status in (201, 400), answer.body
    assert made.last["stage"] == "ResponseComplete"
    assert made.last["responseStatus"]["code"] == answer.status


async def test_names_of_others_are_utf_8():
    made = await lab("Metadata")
    await made.client.request("GET", MAPS, None, {"impersonate-user": "日本"})
    assert made.last["impersonatedUser"]["username"] == "日本"


async def test_an_event_that_cannot_be_made_harms_no_request(monkeypatch, caplog):
    made = await lab("Metadata")
    audit = made.client.api.audit
    assert audit is not None

    def broken(_event: object) -> None:
        raise TypeError("no JSON")

    begin = audit.begin

    def begun(*given: Any) -> Any:
        trail = begin(*given)
        monkeypatch.setattr(audit, "take", broken)
        return trail

    monkeypatch.setattr(audit, "begin", begun)
    answer = await made.client.request("GET", MAPS, None, {})
    assert answer.status == 200
    assert "is lost" in caplog.text
