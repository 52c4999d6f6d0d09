"""The memory of requests: bounded, people's before workers', woken up, and told in JSON."""

import re

import orjson
import pytest

from apimachinery.differences import differences
from apimachinery.errors import Conflict, Invalid
from apimachinery.gvk import GroupKind, GroupResource
from apimachinery.validation.field import Path, invalid
from apiserver.endpoints.details import LARGEST, Details
from apiserver.endpoints.trace import KEPT_DETAILS, Trace, Traces
from tests.apiserver.endpoints.support import Client, config_map, make_api

MAPS = "/api/v1/namespaces/default/configmaps"


def trace(number, agent="", verb="create"):
    made = Trace(f"id-{number}", float(number), verb, "/api/v1/namespaces/a/pods/b", "pods")
    made.agent = agent
    return made


def test_workers_do_not_drive_out_what_people_asked():
    traces = Traces(of_people=2, of_workers=3)
    traces.add(trace(0, "kubectl/v1.36"))
    for number in range(1, 100):
        traces.add(trace(number))
    assert traces.count == 100
    assert [one.audit_id for one in traces] == ["id-99", "id-98", "id-97", "id-0"]


def test_what_the_site_reads_for_its_pages_is_nobodys_request():
    assert not trace(0, "kubeground-site", "list").of_people
    assert trace(0, "kubeground-site", "patch").of_people
    asked = trace(0, "kubeground-site")
    asked.resource = "selfsubjectaccessreviews"
    assert not asked.of_people
    asked.agent = "kubectl/v1.36"
    assert asked.of_people


def test_who_waits_is_woken_once():
    traces, woken = Traces(), []
    traces.on_next(lambda: woken.append(traces.count))
    traces.add(trace(0))
    traces.add(trace(1))
    assert woken == [1]


def test_the_end_wakes_everybody():
    traces, woken = Traces(), []
    traces.on_next(lambda: woken.append(True))
    traces.close()
    assert (traces.closed, woken) == (True, [True])


def test_details_are_kept_of_the_last_alone():
    traces = Traces()
    made = [trace(number) for number in range(KEPT_DETAILS + 1)]
    for one in made:
        one.details = Details()
        traces.add(one)
    assert made[0].details is None
    assert made[1].details is not None


def test_nothing_is_noted_while_nobody_looks():
    traces = Traces()
    assert traces.details_for(trace(0)) is None
    traces.record_details(60)
    assert traces.details_for(trace(0)) is not None
    traces.record_details(0)
    assert traces.details_for(trace(0)) is None


def test_a_refusal_keeps_the_words_and_the_fields_and_no_more_than_people_read():
    made = trace(0)
    errors = [invalid(Path("spec") / f"f{n}", "x" * 5000, "is wrong") for n in range(100)]
    made.refused(Invalid(GroupKind("", "Pod"), "b", errors))
    refusal = made.record()["refusal"]
    assert refusal["code"] == 422
    assert refusal["details"]["causes"][0]["field"] == "spec.f0"
    assert len(orjson.dumps(refusal)) < 48 * 1024


def test_a_conflict_tells_both_revisions():
    made, error = trace(0), Conflict(GroupResource("", "pods"), "b", "changed")
    error.sent, error.stored = "1190", "1196"
    made.refused(error)
    assert made.record()["refusal"]["revisions"] == {"sent": "1190", "stored": "1196"}


def test_differences_name_items_by_what_tells_them_apart():
    before = {"spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b"}], "n": 1}}
    after = {"spec": {"containers": [{"name": "b"}, {"name": "a", "image": "y"}]}, "status": {}}
    assert list(differences(before, after)) == [
        ("spec.containers[a].image", "x", "y"),
        ("spec.n", 1, None),
        ("status", None, {}),
    ]
    keys = {"metadata": {"annotations": {"a.b/c": "1"}}}
    found = list(differences({"metadata": {"annotations": {}}}, keys))
    assert found == [("metadata.annotations[a.b/c]", None, "1")]


def test_what_is_kept_of_a_request_is_bounded():
    details = Details()
    details.begin({})
    details.note("decode", {"spec": {f"field{n}": "x" * 500 for n in range(10_000)}})
    assert details.record()["steps"][0]["changes"] != []
    details.begin({"spec": {}})
    details.note("more", {"spec": {f"field{n}": "x" * 500 for n in range(10_000)}})
    assert details.more > 0
    assert len(orjson.dumps(details.record())) < LARGEST * 2


@pytest.fixture
async def client() -> Client:
    return Client(await make_api(bare=True))


def record_of(client, answer):
    return client.api.traces.get(answer.headers["audit-id"]).record()


async def test_credentials_that_are_not_known_stop_at_authentication(client):
    refused = await client.get(MAPS, authorization="Bearer nobody-knows-it")
    record = record_of(client, refused)
    assert (record["refusal"]["code"], record["refusal"]["attempted"]) == (401, "bearer")
    assert [stage["name"] for stage in record["stages"]] == ["refused"]
    assert "nobody-knows-it" not in str(record)


async def test_invalid_objects_keep_their_fields(client):
    refused = await client.post(MAPS, config_map("Not_A_Name"))
    refusal = record_of(client, refused)["refusal"]
    assert refusal["code"] == 422
    assert [cause["field"] for cause in refusal["details"]["causes"]] == ["metadata.name"]


async def test_a_watch_from_before_history_says_so_in_the_trace(client):
    for number in range(3):
        await client.post(MAPS, config_map(f"m{number}"))
    client.api.store.oldest = client.api.store.revision
    opened = await client.get(f"{MAPS}?watch=1&resourceVersion=1&timeoutSeconds=1")
    record = record_of(client, opened)
    assert (record["code"], record["refusal"]["code"]) == (200, 410)
    assert re.search(r"too old resource version: 1 \(\d+\)", record["refusal"]["message"])
