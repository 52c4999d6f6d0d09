"""The overview over REST: who may look, what is passed on, and something to see."""

from __future__ import annotations

import pytest

from tests.playground.overview.sample import FACT

pytestmark = pytest.mark.django_db
PATH = "/api/clusters/demo/overview"


@pytest.fixture
def cluster(worker):
    found = worker.fake.clusters["demo"]
    created = {"code": "created", "resource": "nodes", "kind": "Node", "namespace": "", "name": "n"}
    found.facts = [FACT | created, FACT, FACT | {"namespace": "prod", "name": "other"}]
    return found


def test_what_changed_is_told_in_sentences_the_latest_first(cluster, as_operator):
    found = as_operator.get(PATH).json()
    assert [one["text"] for one in found["changes"]] == [
        "deployment-controller scaled other from 2 to 3",
        "deployment-controller scaled web-7c9 from 2 to 3",
        "deployment-controller created Node n",
    ]
    assert found["kinds"][0]["plural"] == "pods"
    assert found["control"]["watches"]["total"] == 84


def test_a_namespace_leaves_out_the_others(cluster, as_operator):
    found = as_operator.get(f"{PATH}?namespace=default").json()
    assert [one["name"] for one in found["changes"]] == ["web-7c9", "n"]


def test_who_has_seen_it_is_told_no_sentences(cluster, as_operator):
    found = as_operator.get(f"{PATH}?seen={cluster.revision}").json()
    assert set(found) == {"revision", "at", "control"}


def test_the_past_is_asked_for_by_revision(worker, cluster, as_operator):
    found = as_operator.get(f"{PATH}?rev=1").json()
    assert found["revision"] == 1
    assert "control" not in found


@pytest.mark.parametrize("query", ["rev=now", "seen=-1", f"rev={'9' * 40}"])
def test_what_is_no_revision_is_refused(cluster, as_operator, query):
    assert as_operator.get(f"{PATH}?{query}").status_code == 422


def test_it_is_asked_as_the_user(worker, cluster, as_operator):
    worker.fake.requests.clear()
    as_operator.get(PATH)
    asked = {one["path"]: one["user"] for one in worker.fake.requests}
    assert asked["/kubeground/v1/clusters/demo/overview"] == "operator"
    assert asked["/kubeground/v1/clusters/demo/history/facts"] == "operator"


def test_somebody_elses_cluster_is_missing(worker, as_learner):
    assert as_learner.get(PATH).status_code == 404
    assert as_learner.post(f"{PATH}/start").status_code == 404
    assert as_learner.get("/clusters/demo/overview").status_code == 404


def test_something_is_started_as_the_user(worker, cluster, as_operator):
    worker.change(cluster.delete, "deployments", "default/web")
    answer = as_operator.post(f"{PATH}/start")
    assert answer.status_code == 201
    assert (answer.json()["namespace"], answer.json()["name"]) == ("default", "web")
    made = cluster.objects["deployments"]["default/web"]
    assert made["spec"]["replicas"] == 3


def test_what_is_there_already_is_not_started(worker, cluster, as_operator):
    again = as_operator.post(f"{PATH}/start")
    assert again.status_code == 409
    assert "already exists" in again.json()["error"]["message"]


def test_the_page_offers_a_start_to_who_may_change_the_cluster(worker, as_operator):
    page = as_operator.get("/clusters/demo/overview").content.decode()
    assert '<kp-overview class="kp-overview" cluster="demo" start="' in page
    past = as_operator.get("/clusters/demo/overview?rev=1").content.decode()
    assert 'rev="1"' in past
    assert "start=" not in past


def test_the_schema_has_it(client):
    text = client.get("/api/schema").content.decode()
    assert "read_overview" in text
    assert "start_something" in text
