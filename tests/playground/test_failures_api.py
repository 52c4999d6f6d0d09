"""Failures and clocks over REST: who may break a cluster, and how refusals arrive."""

from __future__ import annotations

import pytest

from playground.accounts.models import Role

pytestmark = pytest.mark.django_db
PATH = "/api/clusters/demo/failures"
CLOCK = "/api/clusters/demo/clock"


def post(client, body, path=PATH):
    return client.post(path, body, content_type="application/json")


def test_a_failure_is_made_listed_and_undone(worker, as_operator):
    made = post(
        as_operator,
        {"kind": "stop-node", "target": {"node": "n1"}, "prediction": "its pods move"},
    )
    assert made.status_code == 201
    assert made.json()["by"] == "operator"
    assert made.json()["prediction"] == "its pods move"
    assert [one["id"] for one in as_operator.get(PATH).json()["items"]] == [made.json()["id"]]
    assert as_operator.delete(f"{PATH}/{made.json()['id']}").status_code == 200
    assert as_operator.get(PATH).json()["items"] == []


def test_everything_is_undone_at_once(worker, as_operator):
    for node in ("n1", "n2"):
        post(as_operator, {"kind": "stop-node", "target": {"node": node}})
    assert len(as_operator.delete(PATH).json()["items"]) == 2
    assert as_operator.get(PATH).json()["items"] == []


def test_the_workers_refusal_arrives_field_by_field(worker, as_operator):
    answer = post(as_operator, {"kind": "stop-node", "target": {"node": "n9"}})
    assert answer.status_code == 422
    assert answer.json()["error"]["fields"]["target.node"] == ['Not found: "n9"']


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "kind"),
        ({"kind": "stop-node", "target": "n1"}, "target"),
        ({"kind": "stop-node", "prediction": "x" * 501}, "prediction"),
    ],
)
def test_what_is_no_failure_is_refused_here(worker, as_operator, body, field):
    answer = post(as_operator, body)
    assert answer.status_code == 422
    assert field in answer.json()["error"]["fields"]


def test_somebody_elses_cluster_is_missing(worker, as_learner):
    assert as_learner.get(PATH).status_code == 404
    assert post(as_learner, {"kind": "registry-down"}).status_code == 404


def test_an_instructor_looks_and_breaks_nothing(worker, client, django_user_model, learner):
    teacher = django_user_model.objects.create_user(
        "tea", password="a long enough password", role=Role.INSTRUCTOR
    )
    worker.fake.clusters["demo"].owner = learner.get_username()
    client.force_login(teacher)
    assert client.get(PATH).status_code == 200
    assert post(client, {"kind": "registry-down"}).status_code == 403
    assert client.delete(PATH).status_code == 403


def test_who_looks_as_somebody_else_breaks_nothing(worker, as_operator):
    as_operator.post("/clusters/demo/access/view-as", {"user": "ann", "group": ""})
    refusals = [
        post(as_operator, {"kind": "registry-down"}),
        post(as_operator, {"action": "pause"}, CLOCK),
        as_operator.delete(PATH),
    ]
    assert [one.status_code for one in refusals] == [403, 403, 403]
    words = "You look at demo as ann. Be yourself again to break it or change its time."
    assert {one.json()["error"]["message"] for one in refusals} == {words}
    page = as_operator.get("/clusters/demo/topology").content.decode()
    assert 'viewing="ann"' in page
    assert as_operator.get(PATH).status_code == 200


def test_the_schema_has_them(client):
    text = client.get("/api/schema").content.decode()
    assert "/api/clusters/{name}/failures:" in text
    assert "/api/clusters/{name}/failures/{failure}:" in text
    assert "/api/clusters/{name}/clock:" in text


def test_a_clock_is_read_stopped_and_sped_up(worker, as_operator):
    assert as_operator.get(CLOCK).json()["paused"] is False
    assert post(as_operator, {"action": "pause", "rate": 10}, CLOCK).json()["rate"] == 10
    assert as_operator.get(CLOCK).json()["paused"] is True
    assert post(as_operator, {"action": "step"}, CLOCK).json()["moved"] == 60


def test_what_is_no_action_is_refused(worker, as_operator):
    answer = post(as_operator, {"action": "rewind"}, CLOCK)
    assert answer.status_code == 422
    assert "action" in answer.json()["error"]["fields"]


def test_somebody_elses_clock_is_missing(worker, as_learner):
    assert as_learner.get(CLOCK).status_code == 404
    assert post(as_learner, {"action": "pause"}, CLOCK).status_code == 404
