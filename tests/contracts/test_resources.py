"""What every kind in the catalog promises to every client, asked through the API."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from apimachinery.meta import Obj, replace_in
from apiserver.endpoints.api import ClusterApi
from apiserver.registry.catalog import RESOURCES
from apiserver.registry.resource import Resource
from tests.apiserver.endpoints.support import Client, Response, Stream, make_api
from tests.contracts.samples import CSR, NAMES, SAMPLES
from tests.support.certificaterequests import certificate_request

MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
JSON, APPLY = "application/json-patch+json", "application/apply-patch+yaml"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
# Without dependents: those of some kinds are orphaned unless a client says otherwise.
AT_ONCE = {"gracePeriodSeconds": 0, "propagationPolicy": "Background"}
NOTE = ("metadata", "annotations", "note")
HOLD = "example.com/hold"
# Names of these are a segment of a path, and no more is asked of them.
FREE_NAMES = {
    "certificatesigningrequests.certificates.k8s.io",
    "clusterrolebindings.rbac.authorization.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "events",
    "poddisruptionbudgets.policy",
    "rolebindings.rbac.authorization.k8s.io",
    "roles.rbac.authorization.k8s.io",
}

STORED = [one for one in RESOURCES if one.key in SAMPLES]


def test_every_kind_that_is_stored_has_a_sample():
    kept = {one.key for one in RESOURCES if "update" in one.verbs}
    assert kept == SAMPLES.keys()


class Kind:
    """One kind in a cluster of its own."""

    def __init__(self, api: ClusterApi, resource: Resource) -> None:
        self.api, self.resource, self.client = api, resource, Client(api)
        group = resource.kind.group
        root = f"/apis/{group}/{resource.kind.version}" if group else "/api/v1"
        where = "/namespaces/default" if resource.namespaced else ""
        self.path = f"{root}{where}/{resource.plural}"
        self.name, self.other = NAMES.get(resource.key, ("one", "two"))
        self.one = f"{self.path}/{self.name}"

    def body(self, **metadata: Any) -> Obj:
        about = {"name": self.name, "labels": {"who": "me"}, **metadata}
        kind = self.resource.kind
        sample = copy.deepcopy(SAMPLES[self.resource.key])
        if (sample.get("spec") or {}).get("request") == CSR:
            sample["spec"]["request"] = certificate_request("ann")
        return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": about, **sample}

    async def make(self, **metadata: Any) -> Obj:
        made = await self.client.post(self.path, self.body(**metadata))
        assert made.status == 201, made.body
        return dict(made.json())

    async def get(self, **headers: str) -> Response:
        return await self.client.get(self.one, **headers)

    async def patch(self, type_: str, body: Any, query: str = "") -> Response:
        return await self.client.request("PATCH", self.one + query, body, {"content-type": type_})

    async def put(self, body: Obj, query: str = "") -> Response:
        return await self.client.request("PUT", self.one + query, body)

    async def delete(self, body: Any = None, query: str = "") -> Response:
        return await self.client.request("DELETE", self.one + query, body)


@pytest.fixture(params=STORED, ids=lambda resource: resource.key)
async def kind(request) -> Kind:
    api = await make_api()
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    await Client(api).post("/api/v1/namespaces/default/serviceaccounts", account)
    return Kind(api, request.param)


async def test_created_read_and_listed(kind: Kind):
    made = await kind.make()
    found = (await kind.get()).json()
    # The status that a new object is shown with need not be stored yet.
    assert {k: v for k, v in found.items() if k != "status"} == {
        k: v for k, v in made.items() if k != "status"
    }
    listed = (await kind.client.get(f"{kind.path}?labelSelector=who%3Dme")).json()
    assert [item["metadata"]["name"] for item in listed["items"]] == [kind.name]
    assert listed["kind"] == f"{kind.resource.kind.kind}List"
    again = await kind.client.post(kind.path, kind.body())
    assert (again.status, again.json()["reason"]) == (409, "AlreadyExists")
    assert again.message == f'{kind.resource.group_resource} "{kind.name}" already exists'


async def test_shown_as_a_table_and_as_metadata(kind: Kind):
    await kind.make()
    table = (await kind.get(accept=TABLE)).json()
    assert table["kind"] == "Table"
    (row,) = table["rows"]
    assert len(row["cells"]) == len(table["columnDefinitions"])
    assert row["object"]["kind"] == "PartialObjectMetadata"
    assert row["object"]["metadata"]["name"] == kind.name
    partial = (await kind.get(accept=PARTIAL)).json()
    assert partial["metadata"]["labels"]["who"] == "me"
    assert partial.keys() == {"kind", "apiVersion", "metadata"}


async def test_updates_know_what_they_change(kind: Kind):
    await kind.make()
    read = (await kind.get()).json()
    changed = await kind.put(replace_in(read, NOTE, "1"))
    assert changed.status == 200, changed.body
    assert changed.json()["metadata"]["annotations"]["note"] == "1"
    stale = await kind.put(replace_in(read, NOTE, "2"))
    assert (stale.status, stale.json()["reason"]) == (409, "Conflict")
    uid = "00000000-0000-0000-0000-000000000000"
    other = await kind.put(replace_in(changed.json(), ("metadata", "uid"), uid))
    assert other.status == 409
    assert "Precondition failed: UID in precondition" in other.message
    renamed = await kind.put(replace_in(read, ("metadata", "name"), kind.other))
    assert renamed.status == 400
    loose = await kind.put(replace_in(read, ("metadata", "resourceVersion"), ""))
    assert loose.status == (200 if kind.resource.strategy.allow_unconditional_update else 422)


async def test_an_update_of_what_is_not_there(kind: Kind):
    answer = await kind.put(kind.body())
    assert answer.status == (201 if kind.resource.strategy.allow_create_on_update else 404)


async def test_patches(kind: Kind):
    made = await kind.make()
    note = {"metadata": {"annotations": {"k": "v"}}}
    for type_, body in (
        (MERGE, note),
        (STRATEGIC, {"metadata": {"annotations": {"k": "w"}}}),
        (JSON, [{"op": "replace", "path": "/metadata/annotations/k", "value": "x"}]),
    ):
        answer = await kind.patch(type_, body)
        assert answer.status == 200, answer.body
    found = (await kind.get()).json()
    assert found["metadata"]["annotations"]["k"] == "x"
    assert found["metadata"]["uid"] == made["metadata"]["uid"]
    assert (await kind.patch("text/plain", note)).status == 415
    assert (await kind.patch(MERGE, {"metadata": {"name": kind.other}})).status == 400
    stale = {"metadata": {"resourceVersion": "1", "annotations": {"k": "y"}}}
    assert (await kind.patch(MERGE, stale)).status == 409
    assert (await kind.patch(JSON, [{"op": "remove", "path": "/nope"}])).status == 422


async def test_apply(kind: Kind):
    body = kind.body()
    first = await kind.patch(APPLY, body, "?fieldManager=one")
    assert first.status == 201, first.body
    again = await kind.patch(APPLY, body, "?fieldManager=one")
    assert again.status == 200
    assert again.json()["metadata"] == first.json()["metadata"]
    theirs = {key: body[key] for key in ("apiVersion", "kind")}
    theirs["metadata"] = {"name": kind.name, "labels": {"who": "you"}}
    refused = await kind.patch(APPLY, theirs, "?fieldManager=two")
    assert refused.status == 409
    assert refused.message.endswith('conflict with "one": .metadata.labels.who')
    forced = await kind.patch(APPLY, theirs, "?fieldManager=two&force=true")
    assert forced.json()["metadata"]["labels"]["who"] == "you"


async def test_dry_runs_leave_no_trace(kind: Kind):
    store = kind.api.store
    before = store.revision
    assert (await kind.client.post(f"{kind.path}?dryRun=All", kind.body())).status == 201
    assert (await kind.patch(APPLY, kind.body(), "?fieldManager=a&dryRun=All")).status == 201
    assert store.revision == before
    await kind.make()
    before, stored = store.revision, (await kind.get()).body
    note = {"metadata": {"annotations": {"k": "v"}}}
    patched = await kind.patch(MERGE, note, "?dryRun=All")
    assert patched.json()["metadata"]["annotations"]["k"] == "v"
    assert (await kind.delete(query="?dryRun=All")).status in (200, 202)
    if "deletecollection" in kind.resource.verbs:
        await kind.client.request("DELETE", f"{kind.path}?labelSelector=who%3Dme&dryRun=All")
    assert (await kind.get()).body == stored
    assert store.revision == before


async def test_deletion(kind: Kind):
    made = await kind.make()
    wrong = {"preconditions": {"uid": "00000000-0000-0000-0000-000000000000"}}
    assert (await kind.delete(wrong)).status == 409
    wrong = {"preconditions": {"resourceVersion": "1"}}
    assert (await kind.delete(wrong)).status == 409
    right = {**AT_ONCE, "preconditions": {"uid": made["metadata"]["uid"]}}
    assert (await kind.delete(right)).status == 200
    await finalized(kind)
    gone = await kind.get()
    assert (gone.status, gone.json()["reason"]) == (404, "NotFound")
    assert gone.message == f'{kind.resource.group_resource} "{kind.name}" not found'


async def finalized(kind: Kind) -> None:
    """Do what controllers do for kinds that do not go at once."""
    if kind.resource.key == "namespaces":
        found = (await kind.get()).json()
        if found.get("metadata", {}).get("deletionTimestamp"):
            found["spec"] = {}
            await kind.client.request("PUT", f"{kind.one}/finalize", found)
    elif kind.resource.key.startswith(("persistentvolume", "customresourcedefinitions")):
        await kind.patch(MERGE, {"metadata": {"finalizers": None}})


async def test_finalizers_keep_an_object(kind: Kind):
    await kind.make(finalizers=[HOLD])
    assert (await kind.delete(query="?gracePeriodSeconds=0")).status in (200, 202)
    found = (await kind.get()).json()
    assert found["metadata"]["deletionTimestamp"]
    more = await kind.patch(JSON, [{"op": "add", "path": "/metadata/finalizers/-", "value": "b/c"}])
    assert more.status == 422
    assert "no new finalizers can be added if the object is being deleted" in more.message
    assert (await kind.patch(MERGE, {"metadata": {"finalizers": None}})).status == 200
    await finalized(kind)
    assert (await kind.get()).status == 404


@pytest.mark.parametrize("policy", ["Foreground", "Background", "Orphan"])
async def test_what_becomes_of_dependents(kind: Kind, policy: str):
    await kind.make()
    await kind.delete({"propagationPolicy": policy, "gracePeriodSeconds": 0})
    found = await kind.get()
    marks = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}
    if policy in marks:
        assert marks[policy] in found.json()["metadata"]["finalizers"]
    else:
        await finalized(kind)
        assert (await kind.get()).status == 404


async def test_deleting_a_collection(kind: Kind):
    if "deletecollection" not in kind.resource.verbs:
        assert (await kind.client.request("DELETE", kind.path)).status == 405
        return
    await kind.make()
    await kind.client.request("DELETE", f"{kind.path}?labelSelector=who%3Dnobody")
    assert (await kind.get()).status == 200
    answer = await kind.client.request("DELETE", f"{kind.path}?labelSelector=who%3Dme", AT_ONCE)
    assert answer.status == 200
    assert answer.json()["kind"] == f"{kind.resource.kind.kind}List"
    await finalized(kind)
    assert (await kind.get()).status == 404


async def test_watches_tell_each_change(kind: Kind):
    start = kind.api.store.revision
    await kind.make()
    await kind.patch(MERGE, {"metadata": {"annotations": {"k": "v"}}})
    await kind.delete(AT_ONCE)
    await finalized(kind)
    query = f"?watch=1&resourceVersion={start}&labelSelector=who%3Dme"
    told = await watched(kind, query)
    assert [event["type"] for event in told][:2] == ["ADDED", "MODIFIED"]
    assert told[-1]["type"] == "DELETED"
    revisions = [int(event["object"]["metadata"]["resourceVersion"]) for event in told]
    assert revisions == sorted(set(revisions))
    assert all(event["object"]["kind"] == kind.resource.kind.kind for event in told)


async def watched(kind: Kind, query: str) -> list[Obj]:
    """Return what a watch tells of the past."""
    stream = Stream(kind.client, kind.path + query)
    told: list[Obj] = await stream.events()
    await stream.leave()
    return told


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": "x" * 254}, "metadata.name"),
    ({"name": "Bad_Name!"}, "metadata.name"),
    ({"name": ""}, "metadata.name"),
    ({"labels": {"a b": "c"}}, "metadata.labels"),
    ({"labels": {"a": "-"}}, "metadata.labels"),
    ({"annotations": {"/": "c"}}, "metadata.annotations"),
    ({"finalizers": ["nodomain!"]}, "metadata.finalizers"),
    (
        {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "", "uid": ""}]},
        "metadata.ownerReferences.name",
    ),
]


async def test_metadata_is_checked(kind: Kind):
    for metadata, field in WRONG:
        answer = await kind.client.post(kind.path, kind.body(**metadata))
        if metadata.get("name") and kind.resource.key in FREE_NAMES:
            assert answer.status == 201
            continue
        assert (answer.status, answer.json()["reason"]) == (422, "Invalid")
        fields = [cause["field"] for cause in answer.json()["details"]["causes"]]
        assert any(one.startswith(field) for one in fields), fields


async def test_names_are_made_up(kind: Kind):
    body = kind.body(generateName="made-")
    del body["metadata"]["name"]
    answer = await kind.client.post(kind.path, body)
    if kind.resource.key in NAMES:  # a name says what the object is
        assert answer.status == 422
        return
    assert answer.status == 201, answer.body
    name = answer.json()["metadata"]["name"]
    assert (name[:5], len(name)) == ("made-", 10)


async def test_bodies_have_to_fit_the_request(kind: Kind):
    strict = await kind.client.post(f"{kind.path}?fieldValidation=Strict", kind.body() | {"x": 1})
    assert strict.status == 400
    assert 'unknown field "x"' in strict.message
    wrong = await kind.client.post(kind.path, kind.body() | {"kind": "Wrong"})
    assert wrong.status == 400
    assert (await kind.client.post(kind.path, b"{not json")).status == 400
    if kind.resource.namespaced:
        elsewhere = await kind.client.post(kind.path, kind.body(namespace="elsewhere"))
        assert elsewhere.status == 400
        assert elsewhere.message.startswith("the namespace of the provided object does not match")
    unknown = await kind.client.get(f"{kind.path}?fieldSelector=spec.nope%3Dx")
    assert unknown.status == 400
    assert "spec.nope" in unknown.message
