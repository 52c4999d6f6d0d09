"""The REST API of clusters: who sees what, what is refused and in which words."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.playground.fakecluster import ADMIN_TOKEN

pytestmark = pytest.mark.django_db
TOKEN = {"authorization": f"Bearer {ADMIN_TOKEN}"}


def post(client, body, **options):
    return client.post("/api/clusters", body, content_type="application/json", **options)


def names(client, **options):
    return [item["name"] for item in client.get("/api/clusters", **options).json()["items"]]


def test_the_operator_makes_a_cluster_with_the_token(worker, client):
    response = post(client, {"name": "lab"}, headers=TOKEN)
    assert response.status_code == 201
    body = response.json()
    assert body["name"] == "lab"
    assert body["server"].endswith("/clusters/lab")
    assert "kind: Config" in body["kubeconfig"]
    assert worker.fake.clusters["lab"].owner == "operator"
    assert worker.fake.clusters["lab"].wanted_nodes == 3


def test_a_wrong_token_is_refused(worker, client):
    response = client.get("/api/clusters", headers={"authorization": "Bearer wrong"})
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert response.json()["error"]["message"] == "The bearer token is not valid."


def test_without_credentials_nothing_is_told(worker, client):
    assert client.get("/api/clusters").status_code == 401


def test_a_session_needs_a_csrf_token_to_change_anything(worker, learner):
    client = Client(enforce_csrf_checks=True)
    client.force_login(learner)
    assert client.get("/api/clusters").status_code == 200
    assert post(client, {"name": "lab"}).status_code == 403
    assert "lab" not in worker.fake.clusters


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "Upper"}, "name"),
        ({"name": "-dash"}, "name"),
        ({"name": "under_score"}, "name"),
        ({"name": "a" * 64}, "name"),
        ({"name": "ok", "nodes": -1}, "nodes"),
        ({"name": "ok", "nodes": 100_000}, "nodes"),
        ({"name": "ok", "nodes": "many"}, "nodes"),
        ({"name": "ok", "template": "castle"}, "template"),
    ],
)
def test_what_is_wrong_is_named(worker, client, body, field):
    response = post(client, body, headers=TOKEN)
    assert response.status_code == 422
    assert list(response.json()["error"]["fields"]) == [field]
    assert field in response.json()["error"]["message"]


def test_a_taken_name_keeps_the_words_of_the_worker(worker, client):
    response = post(client, {"name": "demo"}, headers=TOKEN)
    assert response.status_code == 409
    assert response.json()["error"] == {
        "code": "AlreadyExists",
        "message": 'clusters "demo" already exists',
    }


def test_what_is_no_json_is_refused(worker, client):
    response = post(client, "{", headers=TOKEN)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "ParseError"


def test_learners_see_their_own_clusters_alone(worker, as_learner):
    worker.fake.add("mine", "lea")
    assert names(as_learner) == ["mine"]
    assert as_learner.get("/api/clusters/mine").json()["owner"] == "lea"
    assert as_learner.get("/api/clusters/demo").status_code == 404
    assert as_learner.delete("/api/clusters/demo").status_code == 404
    assert "demo" in worker.fake.clusters


def test_the_operator_sees_all(worker, as_operator):
    worker.fake.add("mine", "lea")
    assert names(as_operator) == ["demo", "mine"]


def test_a_learner_has_a_limit_and_is_told(worker, as_learner, settings):
    settings.CLUSTERS_PER_LEARNER = 1
    assert post(as_learner, {"name": "one"}).status_code == 201
    response = post(as_learner, {"name": "two"})
    assert response.status_code == 403
    text = "You have 1 of 1 clusters. Delete or pause one to start another."
    assert response.json()["error"]["message"] == text


def test_deleting(worker, as_learner):
    worker.fake.add("mine", "lea")
    assert as_learner.delete("/api/clusters/mine").status_code == 204
    assert as_learner.delete("/api/clusters/mine").status_code == 404


def test_pausing_and_resuming(worker, as_learner):
    worker.fake.add("mine", "lea")
    assert as_learner.post("/api/clusters/mine/pause").json()["state"] == "paused"
    assert as_learner.post("/api/clusters/mine/resume").json()["state"] == "running"
    assert as_learner.post("/api/clusters/demo/pause").status_code == 404


def test_a_small_picture(worker, as_operator):
    found = as_operator.get("/api/clusters/demo/picture?since=x").json()
    assert found["nodes"][0] == ["", ""]


def test_operators_give_clusters_away(worker, as_operator, learner):
    def patch(client, **body):
        return client.patch("/api/clusters/demo", body, content_type="application/json")

    assert patch(as_operator, owner="nobody").status_code == 422
    assert patch(as_operator, owner="lea").json()["owner"] == "lea"
    as_lea = Client()
    as_lea.force_login(learner)
    refused = patch(as_lea, owner="operator")
    assert refused.status_code == 403
    assert refused.json()["error"]["message"] == "Operators give clusters away."


def test_a_worker_that_is_away_is_no_fault_of_the_caller(worker, client, settings):
    worker.fake.down = True
    assert client.get("/api/clusters", headers=TOKEN).status_code == 503


def test_the_schema_names_every_operation(worker, client):
    text = client.get("/api/schema").content.decode()
    for operation in ("list_clusters", "create_cluster", "read_cluster", "delete_cluster"):
        assert f"operationId: {operation}" in text
