"""Actions on objects: the requests that they are, who may do them, and saved filters."""

from __future__ import annotations

import json

import pytest

from playground.objects.actions import catalog, requests, rollback
from playground.objects.actions.draining import kind_of
from playground.objects.actions.plan import counts_of
from playground.objects.actions.requests import Target
from playground.objects.discovery import Resource
from tests.playground.fakeanswers import status

NOW = "2026-11-23T10:00:00Z"
PODS = Resource("", "v1", "pods", "Pod", True, ("po",), ("delete", "patch"))
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", True, (), ("delete", "patch"))
WEB = Target(DEPLOYMENTS, "default", "web", "uid-1")


def call(action, target=WEB, *, dry=False, **options):
    return requests.request_of(action, target, options, now=NOW, dry=dry)


@pytest.mark.parametrize(
    ("action", "options", "path", "body"),
    [
        ("scale", {"replicas": 3}, "/scale", {"spec": {"replicas": 3}}),
        ("pause", {}, "", {"spec": {"paused": True}}),
        ("resume", {}, "", {"spec": {"paused": None}}),
        ("suspend", {}, "", {"spec": {"suspend": True}}),
        ("cordon", {}, "", {"spec": {"unschedulable": True}}),
        ("uncordon", {}, "", {"spec": {"unschedulable": None}}),
        (
            "label",
            {"changes": {"a": "b", "c": None}},
            "",
            {"metadata": {"labels": {"a": "b", "c": None}}},
        ),
        ("annotate", {"changes": {"a": "b"}}, "", {"metadata": {"annotations": {"a": "b"}}}),
    ],
)
def test_changes_are_merge_patches(action, options, path, body):
    made = call(action, **options)
    assert (made.method, made.body) == ("PATCH", body)
    assert made.path == f"/apis/apps/v1/namespaces/default/deployments/web{path}"
    assert made.content_type == "application/merge-patch+json"


def test_a_restart_is_the_annotation_that_kubectl_writes():
    template = call("restart").body["spec"]["template"]
    assert template == {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": NOW}}}


def test_deleting_is_about_this_very_object():
    made = call("delete", propagation="Foreground", gracePeriodSeconds=5)
    assert made.method == "DELETE"
    assert made.body == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {"uid": "uid-1"},
        "gracePeriodSeconds": 5,
        "propagationPolicy": "Foreground",
    }
    assert call("delete", force=True).body["gracePeriodSeconds"] == 0


def test_an_eviction_asks_the_budgets():
    made = call("evict", Target(PODS, "default", "web-1", "u"))
    assert made.path == "/api/v1/namespaces/default/pods/web-1/eviction"
    assert made.body["kind"] == "Eviction"
    assert made.body["deleteOptions"]["preconditions"] == {"uid": "u"}


def test_a_preview_is_a_dry_run():
    assert call("scale", replicas=1, dry=True).params == {"dryRun": "All"}
    assert call("delete", dry=True).body["dryRun"] == ["All"]


def test_values_that_are_there_stay_unless_one_says_so():
    item = {"metadata": {"labels": {"app": "web", "tier": "a"}}}
    changes = {"app": "api", "tier": "a", "new": "x"}
    assert requests.overwritten("label", item, {"changes": changes}) == ["app"]
    assert requests.overwritten("label", item, {"changes": changes, "overwrite": True}) == []
    assert requests.overwritten("label", item, {"changes": {"app": None}}) == []


def test_a_job_of_a_cronjob_belongs_to_it():
    cronjob = {
        "metadata": {"name": "tidy", "namespace": "default", "uid": "u"},
        "spec": {"jobTemplate": {"metadata": {"labels": {"a": "b"}}, "spec": {"x": 1}}},
    }
    job = requests.job_of(cronjob, "tidy-manual-1")
    assert job["metadata"]["ownerReferences"][0]["name"] == "tidy"
    assert job["metadata"]["annotations"] == {"cronjob.kubernetes.io/instantiate": "manual"}
    assert job["spec"] == {"x": 1}


def owned(kind, **more):
    return {"metadata": {"ownerReferences": [{"kind": kind, "controller": True}], **more}}


@pytest.mark.parametrize(
    ("pod", "kind"),
    [
        (owned("DaemonSet"), "daemon"),
        (owned("ReplicaSet"), "owned"),
        ({"metadata": {}}, "bare"),
        ({"metadata": {}, "status": {"phase": "Succeeded"}}, "ended"),
        (owned("Node", annotations={"kubernetes.io/config.mirror": "x"}), "mirror"),
    ],
)
def test_how_a_drain_sees_a_pod(pod, kind):
    assert kind_of(pod) == kind


class Told:
    """A reader of given objects."""

    def __init__(self, **items):
        self.given = items

    def maybe(self, path):
        return self.given["item"]

    get = maybe

    def items(self, title, namespace):
        return self.given[title.partition(".")[0]]


def revision(number, image, uid="d"):
    return {
        "metadata": {
            "name": f"web-{number}",
            "annotations": {"deployment.kubernetes.io/revision": str(number)},
            "ownerReferences": [{"uid": uid}],
        },
        "spec": {
            "template": {
                "metadata": {"labels": {"app": "web", "pod-template-hash": str(number)}},
                "spec": {"containers": [{"image": image}]},
            }
        },
    }


@pytest.fixture
def history():
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"image": "v3"}]}}
    item = {"metadata": {"name": "web", "uid": "d"}, "spec": {"template": template}}
    sets = [revision(3, "v3"), revision(2, "v2"), revision(10, "v1"), revision(1, "x", uid="other")]
    return Told(item=item, replicasets=sets)


def test_revisions_are_told_with_what_would_change(history):
    found = rollback.revisions(WEB, history)
    assert [(one["revision"], one["current"]) for one in found] == [
        (10, False),
        (3, True),
        (2, False),
    ]
    assert "-  - image: v3\n+  - image: v2" in found[2]["diff"]
    assert "pod-template-hash" not in found[2]["diff"]
    assert found[1]["diff"] == ""


def test_going_back_replaces_the_template(history):
    made = rollback.call(WEB, 2, history)
    template = made.body[1]["value"]
    assert template["spec"] == {"containers": [{"image": "v2"}]}
    assert template["metadata"]["labels"] == {"app": "web"}
    assert rollback.call(WEB, 0, history).body[1]["value"]["spec"]["containers"] == [
        {"image": "v3"}
    ]


def test_a_revision_that_is_not_there(history):
    with pytest.raises(rollback.Refused, match="unable to find specified revision 7"):
        rollback.call(WEB, 7, history)
    history.given["item"]["spec"]["paused"] = True
    with pytest.raises(rollback.Refused, match="cannot rollback a paused deployment"):
        rollback.call(WEB, 2, history)


# --- through the site --------------------------------------------------------------------------

database = pytest.mark.django_db
POD = {"group": "", "version": "v1", "plural": "pods"}


def post(client, path, body):
    return client.post(f"/api/clusters/demo/{path}", json.dumps(body), "application/json")


def act(client, action, name="web-7c9-0", resource=POD, **more):
    target = {"namespace": "default", "name": name}
    return post(
        client, "actions", {"action": action, "resource": resource, "target": target, **more}
    )


@database
def test_an_action_is_done_as_the_user(worker, as_operator):
    answer = act(as_operator, "delete")
    assert answer.status_code == 200, answer.content
    demo = worker.fake.clusters["demo"]
    assert "default/web-7c9-0" not in demo.objects["pods"]
    assert worker.fake.requests[-1]["user"] == "operator"


@database
def test_nothing_is_changed_from_a_page_of_the_past(worker, as_operator):
    answer = act(as_operator, "delete", rev=7)
    assert answer.status_code == 422
    assert "off at a past revision" in answer.content.decode()
    assert "default/web-7c9-0" in worker.fake.clusters["demo"].objects["pods"]


@database
def test_a_preview_changes_nothing(worker, as_operator):
    assert act(as_operator, "delete", dry_run=True).json()["dry_run"] is True
    assert "default/web-7c9-0" in worker.fake.clusters["demo"].objects["pods"]


@database
def test_what_the_api_refuses_keeps_its_words_and_reasons(worker, as_operator):
    text = "Cannot evict pod as it would violate the pod's disruption budget."
    why = "The disruption budget web needs 3 healthy pods and has 3 currently"
    answer = status(429, "TooManyRequests", text)
    answer["details"] = {"causes": [{"reason": "DisruptionBudget", "message": why}]}
    demo = worker.fake.clusters["demo"]
    demo.refusals["POST", "pods/web-7c9-0/eviction"] = (429, answer)
    refused = act(as_operator, "evict")
    assert refused.status_code == 429
    assert refused.json()["error"]["message"] == text
    assert refused.json()["error"]["fields"] == {"": [why]}


@database
def test_a_label_that_is_there_is_kept(worker, as_operator):
    options = {"changes": {"app": "api"}}
    refused = act(as_operator, "label", options=options)
    assert refused.status_code == 409
    assert "'app' already has a value (web)" in refused.json()["error"]["message"]
    assert act(as_operator, "label", options={**options, "overwrite": True}).status_code == 200
    pod = worker.fake.clusters["demo"].objects["pods"]["default/web-7c9-0"]
    assert pod["metadata"]["labels"] == {"app": "api"}


@database
@pytest.mark.parametrize(
    "body",
    [
        {"action": "explode"},
        {"action": "cordon"},
        {"target": {"namespace": "default", "name": "../../x"}},
        {"target": {"namespace": "a/b", "name": "x"}},
        {"options": {"replicas": -1}},
        {"resource": "pods"},
    ],
)
def test_bad_requests_are_refused_before_the_api_is_asked(worker, as_operator, body):
    usual = {"action": "delete", "resource": POD, "target": {"namespace": "default", "name": "a"}}
    answer = post(as_operator, "actions", {**usual, **body})
    assert answer.status_code == 422
    assert worker.fake.clusters["demo"].writes == []


@database
def test_another_one_s_objects_are_not_there(worker, as_learner):
    assert act(as_learner, "delete").status_code == 404
    assert post(as_learner, "actions/plan", {}).status_code in (404, 422)
    query = {"group": "", "version": "v1", "plural": "pods"}
    assert as_learner.get("/api/clusters/demo/permissions", query).status_code == 404


@database
def test_rights_are_asked_of_the_api_and_missing_ones_named(worker, as_operator):
    worker.fake.clusters["demo"].denied = {"create pods/eviction"}
    query = {"group": "", "version": "v1", "plural": "pods", "namespace": "default"}
    answer = as_operator.get("/api/clusters/demo/permissions", query).json()
    found = {one["name"]: one for one in answer["actions"]}
    assert set(found) == {"evict", "label", "annotate", "delete"}
    assert found["delete"]["allowed"] is True
    assert found["evict"]["allowed"] is False
    words = "You may not do this. Ask for: create on pods/eviction in default."
    assert found["evict"]["reason"] == words
    assert answer["shell"] == {"allowed": True, "reason": ""}


@database
def test_a_shell_takes_rights_on_pods_also_that_on_a_node(worker, as_operator):
    worker.fake.clusters["demo"].denied = {"create pods/exec", "create pods"}

    def shell(plural, **place):
        query = {"group": "", "version": "v1", "plural": plural, **place}
        return as_operator.get("/api/clusters/demo/permissions", query).json()["shell"]

    missing = "You may not do this. Ask for: create on {} in default."
    asked = {"pods": {"namespace": "default", "name": "web-0"}, "nodes": {"name": "n1"}}
    for plural, right in (("pods", "pods/exec"), ("nodes", "pods")):
        told = {"allowed": False, "reason": missing.format(right)}
        assert shell(plural, **asked[plural]) == told
    assert shell("services", namespace="default") is None


def plan(client, action, *names, resource=POD):
    targets = [{"namespace": "default", "name": name} for name in names]
    answer = post(
        client, "actions/plan", {"action": action, "resource": resource, "targets": targets}
    )
    assert answer.status_code == 200, answer.content
    return answer.json()


@database
def test_a_plan_tells_which_pods_come_again(worker, as_operator):
    warnings = plan(as_operator, "delete", "web-7c9-0", "api-0")["warnings"]
    assert [(one["level"], one["items"]) for one in warnings] == [
        ("bad", ["api-0"]),
        ("info", ["ReplicaSet rs"]),
    ]


@database
def test_a_plan_says_what_it_could_not_see(worker, as_operator):
    worker.fake.clusters["demo"].forbidden = {"pods"}
    (warning,) = plan(as_operator, "delete", "api-0")["warnings"]
    assert "cannot list resource" in warning["items"][0]


NODES = {"group": "", "version": "v1", "plural": "nodes"}


@database
def test_who_cordons_the_last_node_is_told(worker, as_operator):
    demo = worker.fake.clusters["demo"]
    stays = "Pods that run there stay; new ones go to other nodes."
    nowhere = "No other node takes pods: new ones will be Pending until one does."
    assert [
        one["text"] for one in plan(as_operator, "cordon", "n2", resource=NODES)["warnings"]
    ] == [stays]
    for name in set(demo.objects["nodes"]) - {"n2", "/n2"}:
        demo.objects["nodes"][name]["spec"]["unschedulable"] = True
    told = [one["text"] for one in plan(as_operator, "cordon", "n2", resource=NODES)["warnings"]]
    assert told == [stays, nowhere]
    assert nowhere in [
        one["text"] for one in plan(as_operator, "drain", "n2", resource=NODES)["warnings"]
    ]


NODE = Resource("", "v1", "nodes", "Node", False, (), ("delete", "patch"))
JOB = Resource("batch", "v1", "jobs", "Job", True, (), ("delete", "patch"))
ENDED = {"conditions": [{"type": "Failed", "status": "True"}]}


@pytest.mark.parametrize(
    ("resource", "item", "idle"),
    [
        (NODE, {"kind": "Node", "spec": {}}, ["uncordon"]),
        (NODE, {"kind": "Node", "spec": {"unschedulable": True}}, ["cordon"]),
        (DEPLOYMENTS, {"kind": "Deployment", "spec": {"paused": True}}, ["pause"]),
        (JOB, {"kind": "Job", "spec": {"suspend": False}}, ["unsuspend"]),
        (JOB, {"kind": "Job", "spec": {}, "status": ENDED}, ["suspend", "unsuspend"]),
    ],
)
def test_what_would_change_nothing_is_not_offered(resource, item, idle):
    assert catalog.idle(resource, item) == idle


def test_a_kind_of_its_own_says_its_replicas_where_its_scale_is():
    widgets = Resource("example.com", "v1", "widgets", "Widget", True, (), ("patch",))
    told = Told(item={"spec": {"replicas": 4}})
    one = Target(widgets, "shop", "one")
    assert counts_of([one], [{"spec": {"size": 4}}], told) == {4}
    assert counts_of([WEB, WEB], [{"spec": {"replicas": 2}}, {"spec": {"replicas": 3}}], told) == {
        2,
        3,
    }


@database
def test_a_drain_is_planned_pod_by_pod(worker, as_operator):
    body = {
        "action": "drain",
        "resource": NODES,
        "targets": [{"name": "n2"}],
    }
    found = post(as_operator, "actions/plan", body).json()
    kinds = {pod["name"]: pod["kind"] for pod in found["form"]["pods"]}
    assert kinds == {"api-0": "bare", "web-7c9-1": "owned"}


FILTER = {"kind": "pods", "name": "crashing", "query": "q=status:crash&sort=-Age"}


@database
def test_saved_filters_are_their_user_s_alone(worker, as_operator, django_user_model, client):
    def save(body):
        return as_operator.post("/api/saved-filters", json.dumps(body), "application/json")

    assert save(FILTER).status_code == 201
    assert save({**FILTER, "query": "q=web"}).status_code == 201
    (found,) = as_operator.get("/api/saved-filters?kind=pods").json()["items"]
    assert found["query"] == "q=web"
    assert as_operator.get("/api/saved-filters?kind=nodes").json()["items"] == []
    client.force_login(django_user_model.objects.create_user("lea", password="a long password"))
    assert client.get("/api/saved-filters").json()["items"] == []
    assert client.delete(f"/api/saved-filters/{found['id']}").status_code == 204
    client.force_login(django_user_model.objects.get(username="operator"))
    assert len(client.get("/api/saved-filters").json()["items"]) == 1
    assert client.delete(f"/api/saved-filters/{found['id']}").status_code == 204
    assert client.get("/api/saved-filters").json()["items"] == []


@database
@pytest.mark.parametrize("query", ["", "rev=3", "q=a&next=//evil"])
def test_a_saved_filter_is_one_of_a_list(worker, as_operator, query):
    body = json.dumps({**FILTER, "query": query})
    answer = as_operator.post("/api/saved-filters", body, "application/json")
    assert answer.status_code == 422
