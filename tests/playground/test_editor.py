"""The editor's page and REST API: what a text is about, how it is written, what is said to it."""

from __future__ import annotations

import json

import pytest

from playground.editor import documents, schemas, texts, writers
from playground.editor.api import warnings
from playground.editor.documents import NotAnObject, Reference, Served
from tests.playground.fakeanswers import status

API = "/api/clusters/demo/editor"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  a: '1'\n"
WEB = Reference("apps/v1", "Deployment", "shop", "web")


def write(client, text=CONFIG, **more):
    body = {"text": text, **more}
    return client.post(f"{API}/document", body, content_type="application/json")


# --- pure ---------------------------------------------------------------------------------------


def test_a_document_says_what_it_is_about():
    text = "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: web, namespace: shop}\n"
    assert documents.reference(text) == WEB
    assert documents.reference("kind: Pod\nmetadata:\n").name == ""
    assert documents.reference("kind: null\n") == Reference("", "", "", "")


@pytest.mark.parametrize(
    ("text", "line"),
    [("- a\n", 1), ("", 1), ("a: [\n", 2), ("a: b\n  c: d\n", 2), ("a: 1\n---\nb: 2\n", 2)],
)
def test_what_is_no_object_is_told_with_its_line(text, line):
    with pytest.raises(NotAnObject) as caught:
        documents.reference(text)
    assert caught.value.line == line


def test_a_text_of_aliases_is_not_expanded():
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
    assert documents.reference(f"a0: &a0 [x]\n{levels}kind: Pod\n").kind == "Pod"


@pytest.mark.parametrize(
    ("action", "method", "path", "content_type"),
    [
        ("apply", "PATCH", "deployments/web", "application/apply-patch+yaml"),
        ("create", "POST", "deployments", "application/yaml"),
        ("replace", "PUT", "deployments/web", "application/yaml"),
    ],
)
def test_each_way_is_one_request_with_the_text_as_it_is(action, method, path, content_type):
    served = Served("deployments", namespaced=True)
    call = documents.request_of(action, "a: 1 # why\n", WEB, served, dry=True, force=False)
    assert (call.method, call.content_type) == (method, content_type)
    assert call.path == f"/apis/apps/v1/namespaces/shop/{path}"
    assert call.body == b"a: 1 # why\n"
    assert call.params == {
        "fieldManager": "kubeground-editor",
        "fieldValidation": "Strict",
        "dryRun": "All",
    }


def test_only_an_apply_can_take_what_others_own():
    served = Served("deployments", namespaced=True)
    forced = [
        documents.request_of(one, "", WEB, served, dry=False, force=True).params.get("force")
        for one in documents.ACTIONS
    ]
    assert forced == ["true", None, None]


def test_a_text_to_edit_has_what_one_can_set():
    item = {
        "kind": "Pod",
        "metadata": {
            "name": "a",
            "uid": "u",
            "resourceVersion": "12",
            "managedFields": [
                {"manager": "kubectl-create", "time": "2026-11-23T09:00:00Z"},
                {"manager": "kubectl-edit", "time": "2026-11-23T10:00:00Z"},
                {"manager": "kubelet", "time": "2026-11-23T11:00:00Z", "subresource": "status"},
            ],
        },
        "status": {"phase": "Running"},
    }
    found = texts.described(item, writers.by_fields(item))
    assert found["text"] == "kind: Pod\nmetadata:\n  name: a\n"
    assert (found["revision"], found["uid"], found["manager"]) == ("12", "u", "kubectl-edit")
    assert "phase: Running" in found["live"]


NOON, LATER = "2026-11-23T12:00:00Z", "2026-11-23T12:00:09Z"


def record(data, *managers, kind="MODIFIED", status=None, actor="ann", more=None):
    """A write as the log has it; a manager is (name, time)."""
    fields = [
        {"manager": name, "time": at, "fieldsV1": {"f:data": {f"f:{name}": {}, **(more or {})}}}
        for name, at in managers
    ]
    item = {"kind": "Boat", "metadata": {"managedFields": fields}, "data": data, "status": status}
    return {"type": kind, "actor": actor, "object": item}


@pytest.mark.parametrize(
    ("writes", "manager"),
    [
        ([record(1, ("kubectl-create", NOON), kind="ADDED")], "kubectl-create"),
        # Two within one second: the later is not the one with the greater name.
        (
            [
                record(1, ("zzz", NOON), kind="ADDED"),
                record(2, ("aaa", NOON), ("zzz", NOON)),
            ],
            "aaa",
        ),
        # Who loses a field to another has a changed entry too, at its old time.
        (
            [
                record(1, ("apply", NOON), kind="ADDED", more={"f:rig": {}}),
                record(2, ("apply", NOON), ("patch", LATER)),
            ],
            "patch",
        ),
        # A status is nobody's change of the text.
        (
            [
                record(1, ("helm", NOON), kind="ADDED"),
                record(1, ("helm", NOON), ("kubelet", LATER), status="Ready"),
            ],
            "helm",
        ),
        # Twice within a second, by one manager: it leaves no trace.
        ([record(1, ("edit", NOON), kind="ADDED"), record(2, ("edit", NOON))], "edit"),
        # Twice by one of two: the log knows the user at least.
        (
            [
                record(1, ("a", NOON), ("b", NOON), kind="ADDED"),
                record(2, ("a", NOON), ("b", NOON), actor="system:node:node-1"),
            ],
            "kubelet on node-1",
        ),
        # Further back than the log was read.
        ([record(2, ("a", NOON))], ""),
    ],
)
def test_the_log_knows_who_wrote_last(writes, manager):
    assert writers.by_log(writes[::-1]) == manager


def test_the_part_of_a_kind_has_what_it_refers_to_and_nothing_else():
    gvk = [{"group": "apps", "version": "v1", "kind": "Deployment"}]
    ref = "#/components/schemas/"
    all_ = {
        "D": {"x-kubernetes-group-version-kind": gvk, "properties": {"a": {"$ref": f"{ref}A"}}},
        "A": {"properties": {"again": {"items": {"allOf": [{"$ref": f"{ref}A"}]}}}},
        "B": {},
    }
    part = schemas.cut({"components": {"schemas": all_}}, "apps/v1", "Deployment")
    assert (part["root"], sorted(part["schemas"])) == ("D", ["A", "D"])
    assert schemas.cut({"components": {"schemas": all_}}, "apps/v1", "Pod")["root"] == ""


def test_parts_that_nobody_asks_for_are_forgotten():
    parts = schemas.Parts(most=2)
    parts.put("1", "A", b"a")
    parts.put("2", "B", b"b")
    assert parts.get("1", "A") == b"a"
    parts.put("3", "C", b"c")
    assert [parts.get(*one) for one in (("1", "A"), ("2", "B"), ("3", "C"))] == [b"a", None, b"c"]


def test_warnings_are_read_out_of_their_headers():
    assert warnings(['299 - "unknown field \\"spec.a\\""', '299 - "old, and \\"new\\""']) == [
        'unknown field "spec.a"',
        'old, and "new"',
    ]


# --- through the API ----------------------------------------------------------------------------


def test_a_document_is_applied_and_its_object_found(worker, as_operator):
    found = write(as_operator, namespace="default").json()
    assert found["outcome"] == "created"
    assert (found["resource"], found["namespace"], found["name"]) == (
        "configmaps",
        "default",
        "settings",
    )
    assert found["page"] == "/clusters/demo/objects/core/v1/configmaps/default/settings"
    assert found["text"].endswith("metadata:\n  name: settings\n  namespace: default\n")
    assert write(as_operator).json()["outcome"] == "serverside-applied"
    assert worker.fake.clusters["demo"].objects["configmaps"]["default/settings"]["data"] == {
        "a": "1"
    }


def test_a_dry_run_changes_nothing(worker, as_operator):
    assert write(as_operator, dry_run=True).status_code == 200
    assert not worker.fake.clusters["demo"].objects["configmaps"]


def test_a_conflict_names_each_field_and_its_owner(worker, as_operator):
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "hpa-controller" using autoscaling/v2',
            "field": ".spec.replicas",
        }
    ]
    told = {
        **status(409, "Conflict", "Apply failed with 1 conflict"),
        "details": {"causes": causes},
    }
    worker.fake.clusters["demo"].refusals["PATCH", "configmaps/settings"] = (409, told)
    answer = write(as_operator)
    assert answer.status_code == 409
    assert answer.json()["error"]["message"] == "Apply failed with 1 conflict"
    assert answer.json()["error"]["causes"] == causes


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("a: [\n", "text", "Line 2:"),
        ("kind: Pod\n", "apiVersion", "does not say its apiVersion"),
        ("apiVersion: v1\n", "kind", "does not say its kind"),
        ("apiVersion: v1\nkind: Pod\n", "metadata.name", "only Create can find one"),
    ],
)
def test_what_a_document_lacks_is_named(worker, as_operator, text, field, words):
    answer = write(as_operator, text)
    assert answer.status_code == 422
    assert words in answer.json()["error"]["fields"][field][0]


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ../secrets}\n",
        "apiVersion: v1/../../x\nkind: ConfigMap\nmetadata: {name: a}\n",
        "apiVersion: ..\nkind: ConfigMap\nmetadata: {name: a}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: 'x/y'}\n",
    ],
)
def test_a_text_cannot_choose_another_path(worker, as_operator, text):
    before = len(worker.fake.requests)
    assert write(as_operator, text).status_code == 422
    assert all("editor" not in one["path"] for one in worker.fake.requests[before:])
    assert not worker.fake.clusters["demo"].writes


def test_an_unknown_kind_is_told_as_kubectl_tells_it(worker, as_operator):
    for version in ("v1", "no.such/v1"):
        text = f"apiVersion: {version}\nkind: Castle\nmetadata: {{name: a}}\n"
        error = write(as_operator, text).json()["error"]
        assert error["message"] == f'no matches for kind "Castle" in version "{version}"'
        assert error["code"] == "NoKindMatch"


def test_at_a_past_revision_nothing_is_written(worker, as_operator):
    assert write(as_operator, rev=3).status_code == 422
    assert not worker.fake.clusters["demo"].writes


def test_another_ones_cluster_is_not_there(worker, as_learner):
    assert write(as_learner).status_code == 404
    assert as_learner.get("/clusters/demo/editor").status_code == 404
    assert as_learner.get(f"{API}/schema?apiVersion=v1&kind=ConfigMap").status_code == 404
    assert as_learner.get(f"{API}/object?kind=pods&namespace=default&name=api-0").status_code == 404
    assert as_learner.get(f"{API}/opening").status_code == 404


def test_an_object_is_read_to_be_edited(worker, as_operator):
    found = as_operator.get(f"{API}/object?kind=pods&namespace=default&name=api-0").json()
    assert "name: api-0" in found["text"]
    assert "uid" not in found["text"]
    assert found["uid"] == "pods-default-api-0"
    missing = as_operator.get(f"{API}/object?kind=pods&namespace=default&name=none")
    assert missing.status_code == 404
    assert as_operator.get(f"{API}/object?kind=castles&name=none").status_code == 404


def test_a_panel_asks_for_what_it_begins_with(worker, as_operator):
    new = as_operator.get(f"{API}/opening?ns=shop").json()
    assert (new["object"], new["namespace"], new["rev"]) == (None, "shop", None)
    assert ["apps/v1", "Deployment", "deployments.apps", True] in new["kinds"]
    there = as_operator.get(f"{API}/opening?kind=pods&namespace=default&name=api-0").json()
    assert there["object"]["page"] == "/clusters/demo/objects/core/v1/pods/default/api-0"
    assert "name: api-0" in there["object"]["text"]
    gone = as_operator.get(f"{API}/opening?kind=pods&namespace=default&name=api-9").json()
    assert gone["object"]["refused"]["code"] == 404
    assert "api-0" in gone["object"]["closest"]
    assert as_operator.get(f"{API}/opening?kind=castles&name=none").status_code == 404
    assert as_operator.get(f"{API}/opening?kind=pods&name=a/b").status_code == 422


def test_a_schema_is_kept_under_its_hash(worker, as_operator):
    def ask(**headers):
        return as_operator.get(f"{API}/schema?apiVersion=v1&kind=ConfigMap", headers=headers)

    first = ask()
    assert sorted(first.json()["schemas"]) == ["ConfigMap", "Meta"]
    assert ask(If_None_Match=first["ETag"]).status_code == 304
    worker.fake.clusters["demo"].schema_hash = "DEF"
    assert ask(If_None_Match=first["ETag"]).status_code == 200
    nothing = as_operator.get(f"{API}/schema?apiVersion=no.such/v1&kind=Castle")
    assert nothing.json() == {"root": "", "schemas": {}}


def opened(client, query):
    response = client.get(f"/clusters/demo/editor?{query}")
    return response, json.loads(response.context["config"])


def test_the_page_opens_an_object(worker, as_operator):
    response, config = opened(as_operator, "kind=pods&namespace=default&name=api-0")
    assert response.status_code == 200
    assert config["object"]["path"] == "/api/v1/namespaces/default/pods"
    assert config["object"]["text"].startswith("apiVersion: v1\nkind: Pod\n")
    assert ["apps/v1", "Deployment", "deployments.apps", True] in config["kinds"]


def test_the_page_says_why_there_is_no_object(worker, as_operator):
    _, config = opened(as_operator, "kind=pods&namespace=default&name=api-00")
    assert config["object"]["refused"]["code"] == 404
    assert "api-0" in config["object"]["closest"]
    worker.fake.clusters["demo"].forbidden.add("pods")
    _, config = opened(as_operator, "kind=pods&namespace=default&name=api-0")
    assert config["object"]["refused"]["message"].startswith("pods is forbidden")
    assert 'resources: ["pods"]' in config["object"]["rule"]
    assert as_operator.get("/clusters/demo/editor?kind=castles&name=a").status_code == 404


def test_a_past_text_is_read_and_can_be_a_beginning(worker, as_operator):
    revision = worker.fake.clusters["demo"].revision
    _, config = opened(as_operator, f"kind=pods&namespace=default&name=api-0&rev={revision}")
    assert config["rev"] == revision
    _, config = opened(as_operator, f"kind=pods&namespace=default&name=api-0&from={revision}")
    assert (config["rev"], config["from"]) == (None, revision)
    assert config["start"] == config["object"]["text"]


def test_the_schema_of_the_site_has_it(client):
    text = client.get("/api/schema").content.decode()
    for operation in ("write_document", "read_editable_object", "read_kind_schema"):
        assert f"operationId: {operation}" in text
