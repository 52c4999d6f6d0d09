"""/metrics: kube-apiserver's names, labels and buckets."""

from __future__ import annotations

import asyncio
import re

import pytest

from apimachinery.clock import ManualClock
from tests.apiserver.endpoints.support import Call, Client, config_map, local, make_api
from tests.support.eventually import eventually

MAPS = "/api/v1/namespaces/default/configmaps"


class Scraped:
    """What a scrape found, by name and labels."""

    def __init__(self, text: str) -> None:
        self.samples: dict[str, float] = {}
        self.kinds: dict[str, str] = {}
        for line in text.splitlines():
            if line.startswith("# TYPE"):
                _, _, name, kind = line.split()
                self.kinds[name] = kind
            elif not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                self.samples[name] = float(value)

    def __call__(self, name: str, /, **labels: str) -> float:
        for sample, value in self.samples.items():
            found = re.fullmatch(rf"{name}(?:{{(.*)}})?", sample)
            if found and all(f'{k}="{v}"' in (found[1] or "") for k, v in labels.items()):
                return value
        raise AssertionError(f"no {name} {labels}")


async def scrape(client: Client) -> Scraped:
    found = await client.get("/metrics")
    assert found.headers["content-type"].startswith("text/plain; version=0.0.4; charset=utf-8")
    return Scraped(found.body.decode())


async def test_requests(client: Client):
    await client.post(MAPS, config_map("a"))
    await client.post(f"{MAPS}?dryRun=All", config_map("b"))
    await client.get(f"{MAPS}/zz")
    await client.get(MAPS)
    await client.get("/livez")
    text = (await client.get("/metrics")).body.decode()
    labels = 'group="",resource="configmaps",scope="resource",subresource="",verb="POST"'
    labels = f'code="201",component="apiserver",dry_run="",{labels},version="v1"'
    assert f"apiserver_request_total{{{labels}}} 1" in text
    found = Scraped(text)
    total = "apiserver_request_total"
    assert found(total, dry_run="All", verb="POST", code="201") == 1
    assert found(total, verb="GET", code="404", resource="configmaps") == 1
    assert found(total, verb="LIST", scope="namespace") == 1
    assert found(total, verb="GET", subresource="/livez") == 1
    buckets = [
        sample
        for sample in found.samples
        if sample.startswith("apiserver_request_duration_seconds_bucket")
        and 'verb="LIST"' in sample
    ]
    assert len(buckets) == 24
    assert found("apiserver_request_duration_seconds_bucket", verb="LIST", le="+Inf") == 1
    assert found("apiserver_response_sizes_count", verb="LIST") == 1
    assert found("apiserver_response_sizes_bucket", verb="LIST", le="1000") == 1
    assert found("apiserver_request_sli_duration_seconds_bucket", verb="LIST", le="60") == 1
    assert found.kinds[total] == "counter"
    assert found.kinds["apiserver_request_duration_seconds"] == "histogram"


async def test_applying_and_watching_are_verbs_of_their_own(client: Client):
    kind = {"content-type": "application/apply-patch+yaml"}
    body = config_map("a")
    await client.request("PATCH", f"{MAPS}/a?fieldManager=m", body, kind)
    gone = asyncio.Event()
    incoming = [{"type": "http.request", "body": b""}]
    sent: list[dict] = []

    async def receive() -> dict:
        if incoming:
            return incoming.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict) -> None:
        sent.append(message)

    scope = client.scope("GET", f"{MAPS}?watch=1", {})
    watching = asyncio.ensure_future(client.app(scope, receive, send))
    await eventually(lambda: sent)
    found = await scrape(client)
    assert found("apiserver_request_total", verb="APPLY", code="201") == 1
    assert found("apiserver_longrunning_requests", verb="WATCH", resource="configmaps") == 1
    gone.set()
    await watching
    found = await scrape(client)
    assert found("apiserver_longrunning_requests", verb="WATCH", resource="configmaps") == 0
    assert found("apiserver_request_total", verb="WATCH", code="200") == 1


async def test_who_asked_and_whether_they_might(client: Client):
    await client.get(MAPS)
    client.token = ""
    await client.get(MAPS)
    client.token = "wrong"
    await client.get(MAPS)
    client.token = Client(client.api).token
    found = await scrape(client)
    assert found("authentication_attempts", result="success") == 2
    assert found("authentication_attempts", result="failure") == 1
    assert found("authorization_attempts_total", result="allowed") == 1
    assert found("authorization_attempts_total", result="denied") == 1
    assert found("authenticated_user_requests", username="admin") == 1
    assert found("authenticated_user_requests", username="other") == 1
    assert found("authentication_duration_seconds_count", result="failure") == 1


async def test_admission():
    api = await make_api(ManualClock())
    client = Client(api)
    await client.post(MAPS, config_map("a"))
    gone = await client.post(MAPS.replace("default", "gone"), config_map("a"))
    assert gone.status == 404
    found = await scrape(client)
    name = "apiserver_admission_controller_admission_duration_seconds_count"
    about = {"name": "NamespaceLifecycle", "operation": "CREATE", "type": "admit"}
    assert found(name, rejected="false", **about) == 1
    assert found(name, rejected="true", **about) == 1
    step = "apiserver_admission_step_admission_duration_seconds_count"
    assert found(step, operation="CREATE", rejected="false", type="validate") == 1
    assert found(step, operation="CREATE", rejected="true", type="admit") == 1


async def test_priority_and_fairness():
    api = await make_api(ManualClock())
    found = await scrape(Client(api))
    assert found("apiserver_flowcontrol_nominal_limit_seats", priority_level="workload-low") == 245
    flow = {"flow_schema": "exempt", "priority_level": "exempt"}
    assert found("apiserver_flowcontrol_dispatched_requests_total", **flow) == 1
    assert found("apiserver_flowcontrol_current_executing_requests", **flow) == 1
    assert found("apiserver_current_inflight_requests", request_kind="readOnly") == 1
    assert found("apiserver_current_inflight_requests", request_kind="mutating") == 0


async def test_what_is_stored_and_what_is_deprecated(client: Client):
    await client.post(MAPS, config_map("a"))
    await client.get("/api/v1/componentstatuses")
    found = await scrape(client)
    assert found("apiserver_storage_objects", resource="configmaps") == 1
    assert found("apiserver_resource_objects", group="", resource="configmaps") == 1
    assert found("apiserver_storage_size_bytes") > 100
    assert found("apiserver_requested_deprecated_apis", resource="componentstatuses") == 1
    assert found("kubernetes_build_info", git_version="v1.36.2") == 1
    assert found("process_cpu_seconds_total") > 0
    assert found("process_open_fds") > 0


async def test_workers_of_this_process_are_counted_too(client: Client):
    with pytest.raises(Exception, match="not found"):
        await local(client.api).call(Call("get", "", "v1", "nodes", name="n"))
    found = await scrape(client)
    assert found("apiserver_request_total", code="404", resource="nodes") == 1
