"""Why a pod stands where it stands, over REST and on its page."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.django_db
PATH = "/api/clusters/demo/decisions"
WEB = "pods-default-web-7c9-0"
ATTEMPT = {
    "pod": "default/web-7c9-0",
    "uid": WEB,
    "number": 1,
    "at": "2026-11-23T09:00:00.000000Z",
    "node": "n1",
    "message": "",
    "evaluated": 3,
    "fitting": 1,
    "refused": {name: ["NodeResourcesFit", ["Insufficient cpu"]] for name in ("n2", "n3")},
    "scores": {},
    "tied": [],
    "because": {"event": "UnscheduledPod/Add", "obj": "", "plugin": ""},
    "spared": {},
    "lacks": {},
    "seconds": {"filter": 0.0001},
}


@pytest.fixture
def cluster(worker):
    found = worker.fake.clusters["demo"]
    found.attempts[WEB] = [ATTEMPT, ATTEMPT | {"number": 2}]
    return found


def test_the_latest_attempt_comes_first_with_its_sentences(cluster, as_operator):
    found = as_operator.get(f"{PATH}/{WEB}").json()
    assert [one["number"] for one in found["items"]] == [2, 1]
    assert found["items"][0]["sentences"][0] == "3 nodes → 1 after NodeResourcesFit"
    assert found["items"][0]["event"] == "Successfully assigned default/web-7c9-0 to n1"
    assert found["items"][0]["funnel"] == [
        {"plugin": "", "left": 3},
        {"plugin": "NodeResourcesFit", "left": 1},
    ]
    assert found["text"] == ""


def test_of_a_pod_without_an_attempt_it_is_said_why(cluster, as_operator):
    found = as_operator.get(f"{PATH}/pods-default-api-0").json()
    assert found["items"] == []
    assert found["text"].startswith("The scheduler remembers no attempt")


def test_it_is_asked_as_the_user(worker, cluster, as_operator):
    worker.fake.requests.clear()
    as_operator.get(f"{PATH}/{WEB}")
    asked = {one["path"]: one["user"] for one in worker.fake.requests}
    assert asked[f"/kubeground/v1/clusters/demo/decisions/{WEB}"] == "operator"


def test_all_that_is_kept_has_an_address_of_its_own(cluster, as_operator):
    found = as_operator.get(f"/api/clusters/demo/scheduling/pods/{WEB}").json()
    assert found == as_operator.get(f"{PATH}/{WEB}").json()


WHAT_IF = "/api/clusters/demo/scheduling/what-if"


def test_what_would_be_is_told_like_an_attempt(worker, cluster, as_operator):
    worker.fake.requests.clear()
    pod = {"namespace": "default", "name": "web-7c9-0"}
    found = as_operator.post(WHAT_IF, {"pod": pod}, content_type="application/json").json()
    assert found["event"] == "Successfully assigned default/web-7c9-0 to n1"
    assert found["sentences"][0] == "3 nodes → 1 after NodeResourcesFit"
    asked = {one["path"]: one["user"] for one in worker.fake.requests}
    assert asked["/kubeground/v1/clusters/demo/scheduling/what-if"] == "operator"


def test_a_question_that_makes_no_sense_is_refused_in_the_workers_words(cluster, as_operator):
    answer = as_operator.post(WHAT_IF, {}, content_type="application/json")
    assert answer.status_code == 400
    assert "pod: must be an object" in answer.content.decode()


def test_how_a_cluster_schedules_is_told(cluster, as_operator):
    cluster.scheduling = {"schedulers": [{"name": "default-scheduler", "plugins": {}}]}
    path = "/api/clusters/demo/scheduling"
    assert as_operator.get(path, {"limit": "5"}).json() == cluster.scheduling
    refused = as_operator.get(path, {"limit": "x"})
    assert refused.status_code == 422
    assert "This is no whole number." in refused.json()["error"]["message"]


def test_refusals_arrive(cluster, as_operator):
    assert as_operator.get(f"{PATH}/unknown").status_code == 404
    cluster.forbidden.add("pods")
    assert as_operator.get(f"{PATH}/{WEB}").status_code == 403


def test_somebody_elses_cluster_is_missing(cluster, as_learner):
    assert as_learner.get(f"{PATH}/{WEB}").status_code == 404


def test_the_page_of_a_pod_says_it(cluster, as_operator):
    address = "/clusters/demo/objects/core/v1/pods/default/web-7c9-0"
    page = as_operator.get(address).content.decode()
    assert "Why on this node?" in page
    assert "n1 was the only node that fits." in page
    assert "<code>Successfully assigned default/web-7c9-0 to n1</code>" in page


def test_pages_of_objects_lead_to_their_requests(cluster, as_operator):
    for path, object_ in (
        ("core/v1/pods/default/web-7c9-0", "pods/default/web-7c9-0"),
        ("apps/v1/deployments/default/web", "deployments.apps/default/web"),
        ("core/v1/nodes/-/n1", "nodes/-/n1"),
    ):
        page = as_operator.get(f"/clusters/demo/objects/{path}").content.decode()
        assert f'href="/clusters/demo/trace?object={object_}"' in page
