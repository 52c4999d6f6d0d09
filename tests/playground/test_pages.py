"""The pages: what stands on them, in their good, empty and broken states."""

from __future__ import annotations

import html
import json
import re
import time

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from playground.cluster_templates.features import ADDONS, ALL
from playground.objects.details import LAST_APPLIED
from playground.sandboxes.forms import NewClusterForm
from playground.sandboxes.gateway import Refused, gateway
from tests.playground.objects import pod

pytestmark = pytest.mark.django_db
PODS = "/clusters/demo/objects/core/v1/pods"
HTMX = {"HX-Request": "true"}


def text(response):
    return response.content.decode()


def test_a_learner_without_clusters_is_invited(worker, as_learner):
    page = text(as_learner.get("/"))
    assert "No clusters yet." in page
    assert "it takes about a second." in page
    assert "Start an empty cluster" in page


def test_the_first_cluster_is_one_button_away(worker, as_learner):
    form = {"name": "lab", "template": "default", "features": ["metrics", "storage", "ingress"]}
    assert as_learner.post("/", form)["Location"] == "/?connect=lab"
    # The next one would be called otherwise.
    worker.fake.clusters["lab"].owner = "max"
    assert 'name="name" value="lab-2"' in text(as_learner.get("/"))


def test_a_card_tells_about_its_cluster(worker, as_operator):
    worker.fake.clusters["demo"].used = "2026-11-23T09:00:00Z"
    page = text(as_operator.get("/"))
    assert '<a href="/clusters/demo/topology">demo</a>' in page
    for fact in ("<dd>3</dd>", "v1.36.2", "Empty", "operator", "ago</time>"):
        assert fact in page
    assert '<kp-thumbnail class="kp-thumbnail" src="/api/clusters/demo/picture">' in page


@pytest.mark.parametrize(
    ("template", "taken"), [("default", ALL), ("two-zones", ADDONS), ("bare", ())]
)
def test_a_template_takes_the_addons_that_it_has(template, taken):
    form = NewClusterForm({"name": "lab", "template": template, "features": ALL})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["features"] == list(taken)


def test_a_form_offers_the_templates_and_what_they_are_for(worker, as_learner):
    page = text(as_learner.get("/new-cluster"))
    for words in (
        "Two zones",
        "100 nodes, 5,000 pods",
        "Broken: scheduling",
        "Find out why, one by one, and repair them.",
        "A default StorageClass",
    ):
        assert words in page


def test_a_paused_cluster_is_resumed(worker, as_operator):
    assert as_operator.post("/clusters/demo/pause")["Location"] == "/"
    page = text(as_operator.get("/"))
    assert "demo is paused. Nothing of it is lost" in page
    assert "kp-thumbnail src" not in page
    assert as_operator.get("/clusters/demo/pause").status_code == 405
    refused = as_operator.get(PODS)
    assert refused.status_code == 503
    assert "The cluster demo is paused" in text(refused)
    assert "/clusters/demo/resume" in text(refused)
    as_operator.post("/clusters/demo/resume")
    assert "demo runs again." in text(as_operator.get("/"))
    assert as_operator.get(PODS).status_code == 200


def test_a_fork_begins_as_the_cluster_is(worker, as_operator, monkeypatch):
    asked = []

    def fork(_self, source, name, owner, **_more):
        if name == "demo":
            raise Refused(409, {"reason": "AlreadyExists", "message": "there is one"})
        asked.append((source, name, owner))

    monkeypatch.setattr(type(gateway()), "fork", fork)
    assert 'value="demo-fork"' in text(as_operator.get("/clusters/demo/fork"))
    taken = as_operator.post("/clusters/demo/fork", {"name": "demo"})
    assert (taken.status_code, "of this name already" in text(taken)) == (409, True)
    wrong = as_operator.post("/clusters/demo/fork", {"name": "No!"})
    assert (wrong.status_code, "RFC 1123" in text(wrong)) == (422, True)
    assert asked == []
    as_operator.post("/clusters/demo/fork", {"name": "copy"})
    assert asked == [("demo", "copy", "operator")]
    assert "copy begins as demo is now." in text(as_operator.get("/"))


def test_a_recording_is_imported(worker, as_operator, monkeypatch):
    asked = []

    def send(_self, name, owner, content, _expires):
        data = b"".join(content)
        if data == b"bad":
            raise Refused(400, {"reason": "BadRequest", "message": "line 7: out of order"})
        asked.append((name, owner, data))
        return {"name": name, "secrets": False, "skipped": {"xs.x.io": 2}, "changes": 9}

    monkeypatch.setattr(type(gateway()), "import_recording", send)

    def form(data=b"good", name="again"):
        file = SimpleUploadedFile("lab.json.gz", data)
        return {"name": name, **({"file": file} if data else {})}

    assert 'href="/import"' in text(as_operator.get("/"))
    assert 'enctype="multipart/form-data"' in text(as_operator.get("/import"))
    wrong = as_operator.post("/import", form(b"bad"))
    assert (wrong.status_code, "line 7: out of order" in text(wrong)) == (400, True)
    assert as_operator.post("/import", form(name="No!")).status_code == 422
    assert as_operator.post("/import", form(b"")).status_code == 422
    large = as_operator.post("/import", form(b"x" * (16 * 1024**2 + 1)))
    assert (large.status_code, "larger than 16 MiB" in text(large)) == (422, True)
    assert asked == []
    assert as_operator.post("/import", form())["Location"] == "/"
    page = text(as_operator.get("/"))
    assert "again goes on where the recording ends." in page
    assert "no values of Secrets" in page
    words = "2 changes of kinds that nothing in the recording defines were left out."
    assert words in page
    made = as_operator.post("/api/recordings", form(name="more"))
    assert (made.status_code, made.json()["skipped"]) == (201, {"xs.x.io": 2})
    refused = as_operator.post("/api/recordings", form(b"bad"))
    assert (refused.status_code, refused.json()["error"]["message"]) == (
        400,
        "line 7: out of order",
    )
    assert asked == [("again", "operator", b"good"), ("more", "operator", b"good")]


def test_the_limit_holds_for_recordings(worker, as_learner, settings):
    settings.CLUSTERS_PER_LEARNER = 1
    worker.fake.add("mine", "lea")
    for path in ("/import", "/api/recordings"):
        file = SimpleUploadedFile("lab.json.gz", b"x")
        refused = as_learner.post(path, {"name": "again", "file": file})
        assert "You have 1 of 1 clusters" in text(refused)
    assert "again" not in worker.fake.clusters


def test_at_the_limit_one_is_told_what_to_do(worker, as_learner, settings):
    settings.CLUSTERS_PER_LEARNER = 1
    worker.fake.add("mine", "lea")
    worker.fake.add("rests", "lea").paused = True
    told = "You have 1 of 1 clusters. Delete or pause one to start another."
    assert told in text(as_learner.get("/"))
    response = as_learner.post("/", {"name": "more", "template": "default"})
    assert (response.status_code, told in text(response)) == (403, True)
    as_learner.post("/clusters/rests/resume")
    assert worker.fake.clusters["rests"].paused
    assert told in text(as_learner.get("/"))
    as_learner.post("/clusters/mine/pause")
    as_learner.post("/clusters/rests/resume")
    assert not worker.fake.clusters["rests"].paused


def test_a_cluster_that_does_not_start_says_why_and_keeps_the_form(worker, as_learner, monkeypatch):
    def refuse(*_args, **_more):
        raise Refused(500, {"reason": "InternalError", "message": "no room left"})

    monkeypatch.setattr(type(gateway()), "create", refuse)
    response = as_learner.post("/", {"name": "lab", "template": "default"})
    page = text(response)
    assert response.status_code == 500
    assert "The cluster did not start: no room left. Nothing was saved." in page
    assert "Try again" in page
    assert "Show log" in page
    assert "500 InternalError: no room left" in page


def test_a_lifetime_is_for_learners(worker, as_learner, settings, monkeypatch):
    settings.CLUSTER_HOURS = 2
    asked = []
    monkeypatch.setattr(type(gateway()), "create", lambda self, **more: asked.append(more))
    as_learner.post("/", {"name": "lab", "template": "default"})
    assert 7100 < asked[0]["expires"] - time.time() < 7300


def test_a_new_cluster_leads_to_how_to_connect(worker, as_learner):
    response = as_learner.post("/", {"name": "lab", "nodes": "2", "template": "bare"})
    assert response["Location"] == "/?connect=lab"
    page = text(as_learner.get(response["Location"]))
    assert "Connect kubectl to lab" in page
    assert "Waiting for your first request" in page


@pytest.mark.parametrize(
    ("name", "said"),
    [("demo", "of this name already"), ("No!", "RFC 1123"), ("", "required")],
)
def test_a_form_says_what_is_wrong_beside_the_field(worker, as_learner, name, said):
    response = as_learner.post("/", {"name": name, "nodes": "2", "template": "bare"})
    assert response.status_code in {409, 422}
    assert said in text(response)
    assert 'aria-invalid="true"' in text(response)


def test_deleting_takes_the_name(worker, as_operator):
    assert "Type <code>demo</code>" in text(as_operator.get("/clusters/demo/delete"))
    wrong = as_operator.post("/clusters/demo/delete", {"confirm": "dem"})
    assert wrong.status_code == 422
    assert "Nothing was deleted" in text(wrong)
    assert as_operator.post("/clusters/demo/delete", {"confirm": "demo"})["Location"] == "/"
    assert "demo" not in worker.fake.clusters


def test_the_first_request_of_a_client_is_told(worker, as_operator):
    assert as_operator.get("/clusters/demo/connections").json() == {"first": None}
    first = {"at": "", "method": "GET", "path": "/version", "userAgent": "kubectl/v1.36.2 (linux)"}
    worker.fake.clusters["demo"].first = first
    assert as_operator.get("/clusters/demo/connections").json() == {"first": first}


def test_the_kubeconfig_is_a_file(worker, as_operator):
    response = as_operator.get("/clusters/demo/kubeconfig")
    assert 'filename="demo.kubeconfig"' in response["Content-Disposition"]
    assert "kind: Config" in text(response)


@pytest.mark.parametrize(
    "path", ["topology", "objects/core/v1/pods", "connect", "kubeconfig", "delete", "connections"]
)
def test_nothing_of_another_ones_cluster_is_shown(worker, as_learner, path):
    response = as_learner.get(f"/clusters/demo/{path}")
    assert response.status_code == 404
    assert "kind: Config" not in text(response)


def test_a_list_page_has_every_kind_and_says_what_it_lists(worker, as_operator):
    page = text(as_operator.get(PODS))
    assert 'href="/clusters/demo/objects/apps/v1/deployments"' in page
    config = json.loads(html.unescape(re.search(r'<kp-list config="([^"]*)"', page)[1]))
    assert config["resource"]["plural"] == "pods"


def test_the_menu_of_kinds_is_a_fragment_of_its_own(worker, as_operator):
    menu = text(as_operator.get(PODS, {"kinds": "", "ns": "default"}, headers=HTMX))
    assert "<html" not in menu
    assert 'href="/clusters/demo/objects/batch/v1/jobs?ns=default"' in menu


def test_namespaces_are_asked_for_as_the_user(worker, as_operator):
    found = as_operator.get("/api/clusters/demo/kinds").json()
    assert found["namespaces"] == ["default", "kube-system"]
    users = {one["user"] for one in worker.fake.requests if one["path"].endswith("/namespaces")}
    assert users == {"operator"}


def test_an_unknown_kind_is_named(worker, as_operator):
    for address in ("castles", "castles/default/one"):
        response = as_operator.get(f"/clusters/demo/objects/example.com/v1/{address}")
        assert response.status_code == 404
        assert "serves no kind “castles.example.com”" in text(response)
    misspelt = text(as_operator.get("/clusters/demo/objects/core/v1/pod"))
    assert "serves no kind “pod”. Closest:" in misspelt.replace("\n", " ")
    assert f'href="{PODS}">pods</a>' in misspelt
    assert "kp-kinds" in misspelt, "the way to others stands beside it"


def test_a_pod_in_words(worker, as_operator):
    page = text(as_operator.get(f"{PODS}/default/api-0"))
    assert "CrashLoopBackOff" in page
    assert "about api-0" in page
    assert "Logs" in page


def test_yaml_without_managed_fields_unless_asked(worker, as_operator):
    pod = worker.fake.clusters["demo"].objects["pods"]["default/api-0"]
    pod["metadata"]["managedFields"] = [{"manager": "kubectl"}]
    page = text(as_operator.get(f"{PODS}/default/api-0?tab=yaml"))
    assert "phase: Running" in page
    assert "manager: kubectl" not in page
    assert "manager: kubectl" in text(as_operator.get(f"{PODS}/default/api-0?tab=yaml&managed"))


def test_events_of_one_object(worker, as_operator):
    assert "Back-off restarting" in text(as_operator.get(f"{PODS}/default/api-0?tab=events"))
    assert "No events" in text(as_operator.get(f"{PODS}/default/web-7c9-0?tab=events"))


def test_a_missing_object_names_the_closest(worker, as_operator):
    response = as_operator.get(f"{PODS}/default/web-7c9-9")
    assert response.status_code == 404
    assert "No pod <code>web-7c9-9</code> in <code>default</code>." in text(response)
    assert "web-7c9-0</a>" in text(response)


def test_a_name_that_stands_in_another_namespace_leads_there(worker, as_operator):
    worker.fake.clusters["demo"].put("pods", pod("lone-1", namespace="shop"))
    page = text(as_operator.get(f"{PODS}/default/lone-1"))
    assert f'There is one of this name in <a href="{PODS}/shop/lone-1">shop</a>.' in page


def test_a_name_of_no_namespace_is_not_looked_for_elsewhere(worker, as_operator):
    page = as_operator.get("/clusters/demo/objects/core/v1/nodes/-/n9")
    assert "There is one of this name" not in text(page)


def test_the_last_applied_text_is_for_the_yaml_alone(worker, as_operator):
    """It may hold the values of a Secret that the page hides."""
    item = worker.fake.clusters["demo"].objects["pods"]["default/api-0"]
    item["metadata"]["annotations"] = {LAST_APPLIED: "{short}", "note": "kept"}
    page = text(as_operator.get(f"{PODS}/default/api-0"))
    assert "note=kept" in page
    assert "{short}" not in page
    assert "{short}" in text(as_operator.get(f"{PODS}/default/api-0?tab=yaml"))


def test_tabs_have_the_language_of_who_asks(worker, as_operator):
    chinese = as_operator.get(f"{PODS}/default/api-0", headers={"accept-language": "zh-hans"})
    assert ">概要</a>" in text(chinese)
    assert ">Summary</a>" in text(as_operator.get(f"{PODS}/default/api-0"))


def test_objects_without_a_namespace_have_a_page(worker, as_operator):
    page = text(as_operator.get("/clusters/demo/objects/core/v1/nodes/-/n1"))
    assert "v1.36.2" in page
    assert "Logs" not in page


def test_names_are_shown_as_text(worker, as_operator):
    pod = worker.fake.clusters["demo"].objects["pods"]["default/api-0"]
    pod["metadata"]["annotations"] = {"note": "<script>alert(1)</script>"}
    page = text(as_operator.get(f"{PODS}/default/api-0"))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_worker_that_does_not_answer_has_a_page(worker, as_operator, settings):
    settings.API_URL = "http://127.0.0.1:9"
    gateway().close()
    gateway.cache_clear()
    response = as_operator.get("/")
    assert response.status_code == 503
    assert "The clusters do not answer" in text(response)
    assert "Nothing is lost" in text(response)


def test_a_deleted_object_says_who_deleted_it_and_what_took_its_place(worker, as_operator):
    demo = worker.fake.clusters["demo"]
    going = demo.objects["pods"]["default/web-7c9-0"]["metadata"]
    going |= {"deletionTimestamp": "2026-12-01T10:00:30Z", "deletionGracePeriodSeconds": 30}
    new = pod("web-7c9-9", "n1", owner="rs-web-7c9")
    new["metadata"]["creationTimestamp"] = "2026-12-01T10:00:00Z"
    worker.change(demo.put, "pods", new)
    worker.change(demo.delete, "pods", "default/web-7c9-0")
    last = demo.revision - 1
    told = text(as_operator.get(f"{PODS}/default/web-7c9-0", {"gone": "pods-default-web-7c9-0"}))
    assert "Pod web-7c9-0 was deleted at" in told
    assert "by replicaset-controller." in told
    assert f"This is its last state (rev {last})." in told
    assert "Find its replacement:" in told
    assert "web-7c9-9</a>" in told
    assert "web-7c9-1</a>" not in told, "it was there before"
    page = as_operator.get(f"{PODS}/default/web-7c9-0")
    assert page.status_code == 404
    assert f'href="{PODS}/default/web-7c9-0?rev={last}">See its last state' in text(page)


def test_what_one_may_not_read_says_what_to_ask_for(worker, as_operator):
    worker.fake.clusters["demo"].forbidden = {"pods"}
    response = as_operator.get(f"{PODS}/default/api-0")
    assert response.status_code == 403
    page = text(response)
    assert "You may not read pods in <code>default</code>." in page
    assert "Ask for: get, list, watch on pods." in page
    assert "Copy the RBAC rule" in page
    assert "resources: [&quot;pods&quot;]" in page


def test_the_history_tells_each_write_and_what_it_changed(worker, as_operator):
    demo = worker.fake.clusters["demo"]
    worker.change(demo.put, "pods", pod("api-0", "n2", app="other"))
    page = text(as_operator.get(f"{PODS}/default/api-0?tab=history"))
    assert "by replicaset-controller" in page
    assert "metadata.labels.app" in page
    assert "<ins>other</ins>" in page


def test_ages_are_told_by_the_cluster_s_clock(worker, as_operator):
    demo = worker.fake.clusters["demo"]
    demo.clock = {**demo.clock, "seconds": demo.clock["seconds"] + 3 * 3600 + 1200}
    page = text(as_operator.get(f"{PODS}/default/api-0"))
    assert ">3h20m</time>" in page


def test_relations_of_a_pod(worker, as_operator):
    page = text(as_operator.get(f"{PODS}/default/web-7c9-0?tab=relations"))
    assert 'href="/clusters/demo/objects/core/v1/nodes/-/n1"' in page
    assert 'href="/clusters/demo/objects/core/v1/services/default/web"' in page


def test_yaml_can_be_downloaded(worker, as_operator):
    response = as_operator.get(f"{PODS}/default/api-0?tab=yaml&download")
    assert 'filename="api-0.yaml"' in response["Content-Disposition"]
    assert "phase: Running" in text(response)


def test_logs_of_a_service_are_those_of_its_pods(worker, as_operator):
    address = "/clusters/demo/objects/core/v1/services/default/web?tab=logs"
    page = text(as_operator.get(address))
    assert 'pods="web-7c9-0,web-7c9-1,web-7c9-2"' in page
