"""Create, read, update, patch, apply, delete, as an HTTP client sees them."""

import pytest

from apiserver.storage import Key, Write
from tests.apiserver.endpoints.support import Client, config_map

MAPS = "/api/v1/namespaces/default/configmaps"
MERGE = {"content-type": "application/merge-patch+json"}
APPLY = {"content-type": "application/apply-patch+yaml"}


async def test_a_new_object_gets_its_metadata(client: Client):
    made = await client.post(MAPS, config_map("a", k="v"))
    assert made.status == 201
    obj = made.json()
    meta = obj["metadata"]
    assert list(obj)[:3] == ["kind", "apiVersion", "metadata"]
    assert meta["namespace"] == "default"
    assert meta["creationTimestamp"] == "2026-01-02T03:04:05Z"
    assert len(meta["uid"]) == 36
    assert int(meta["resourceVersion"]) == client.api.store.revision
    assert (await client.get(f"{MAPS}/a")).body == made.body
    assert client.api.traces.get(made.headers["audit-id"]).verb == "create"


async def test_names_are_taken_once(client: Client):
    await client.post(MAPS, config_map("a"))
    again = await client.post(MAPS, config_map("a"))
    assert (again.status, again.message) == (409, 'configmaps "a" already exists')


async def test_generated_names(client: Client):
    body = {"metadata": {"generateName": "gen-"}}
    names = {(await client.post(MAPS, body)).json()["metadata"]["name"] for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("gen-") and len(name) == 9 for name in names)


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (
            b"", 400,
            ("the object provided is unrecognized (must be of type ConfigMap): couldn't get "
            "version/kind; json parse error: unexpected end of JSON input (<empty>)"),
        ),
        (
            b"[]", 400,
            ("the object provided is unrecognized (must be of type ConfigMap): couldn't get "
            "version/kind; json parse error: json: cannot unmarshal array into Go value of type "
            'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; '
            'Kind string "json:\\"kind,omitempty\\"" } (5b5d)'),
        ),
        (
            {**config_map("a"), "apiVersion": "v2"}, 400,
            ('ConfigMap in version "v2" cannot be handled as a ConfigMap: no kind "ConfigMap" is '
            'registered for version "v2" in scheme "pkg/api/legacyscheme/scheme.go:30"'),
        ),
        (
            {**config_map("a"), "metadata": {"name": "a", "namespace": "other"}}, 400,
            ("the namespace of the provided object does not match the namespace sent on the "
            "request"),
        ),
        (
            {"metadata": {"name": "a", "resourceVersion": "1"}}, 400,
            "resourceVersion should not be set on objects to be created",
        ),
        (
            {"metadata": {}}, 422,
            ('ConfigMap "" is invalid: metadata.name: Required value: name or generateName is '
            "required"),
        ),
    ],
)  # fmt: skip
async def test_bodies_that_are_refused(client: Client, body, status, message):
    found = await client.post(MAPS, body)
    assert (found.status, found.message) == (status, message)


async def test_unknown_fields_are_dropped_warned_of_or_refused(client: Client):
    body = {**config_map("a"), "bogus": 1}
    strict = await client.post(f"{MAPS}?fieldValidation=Strict", body)
    assert strict.status == 400
    assert strict.message.endswith('strict decoding error: unknown field "bogus"')
    warned = await client.post(MAPS, body)
    assert warned.headers["warning"] == '299 - "unknown field \\"bogus\\""'
    assert "bogus" not in warned.json()
    silent = await client.post(
        f"{MAPS}?fieldValidation=Ignore", {**body, "metadata": {"name": "b"}}
    )
    assert "warning" not in silent.headers


async def test_yaml_and_protobuf_bodies(client: Client):
    text = b"metadata: {name: y1}\ndata: {k: v}\n"
    made = await client.request("POST", MAPS, text, {"content-type": "application/yaml"})
    assert made.json()["data"] == {"k": "v"}
    refused = await client.request("POST", MAPS, b"a: 1", {"content-type": "application/x-nope"})
    assert refused.status == 415
    assert "application/vnd.kubernetes.protobuf" in refused.message


async def test_an_update_replaces_what_it_was_read_from(client: Client):
    first = (await client.post(MAPS, config_map("a", k="1"))).json()
    second = await client.request("PUT", f"{MAPS}/a", {**first, "data": {"k": "2"}})
    assert second.json()["data"] == {"k": "2"}
    stale = await client.request("PUT", f"{MAPS}/a", {**first, "data": {"k": "3"}})
    assert stale.status == 409
    assert stale.message == (
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please '
        "apply your changes to the latest version and try again"
    )
    unnamed = await client.request("PUT", f"{MAPS}/a", config_map("b"))
    assert unnamed.message == ("the name of the object (b) does not match the name on the URL (a)")
    assert (await client.request("PUT", f"{MAPS}/zz", config_map("zz"))).status == 404


async def test_an_update_without_change_writes_nothing(client: Client):
    first = (await client.post(MAPS, config_map("a", k="1"))).json()
    before = client.api.store.revision
    again = await client.request("PUT", f"{MAPS}/a", first)
    assert again.json() == first
    assert client.api.store.revision == before


async def test_a_lost_race_is_run_again_unless_the_client_named_a_revision(client: Client):
    first = (await client.post(MAPS, config_map("a", k="1"))).json()

    def interfere() -> None:
        entry = client.api.store.get(Key("configmaps", "default", "a"))
        obj = {**entry.obj(), "data": {"other": "x"}}
        client.api.store._submit([Write(entry.key, "MODIFIED", obj, entry.uid, expected=-1)])

    client.api.store.writer.before_commit = interfere
    patched = await client.request("PATCH", f"{MAPS}/a", {"data": {"k": "2"}}, MERGE)
    assert patched.status == 200, patched.body
    assert patched.json()["data"] == {"other": "x", "k": "2"}
    client.api.store.writer.before_commit = interfere
    latest = patched.json()
    pinned = await client.request("PUT", f"{MAPS}/a", {**latest, "data": {}})
    assert pinned.status == 409
    assert first["metadata"]["uid"] == latest["metadata"]["uid"]


@pytest.mark.parametrize(
    ("media_type", "patch", "data"),
    [
        ("application/merge-patch+json", {"data": {"a": None, "b": "2"}}, {"b": "2"}),
        ("application/strategic-merge-patch+json", {"data": {"b": "2"}}, {"a": "1", "b": "2"}),
        (
            "application/json-patch+json",
            [{"op": "move", "from": "/data/a", "path": "/data/c"}], {"c": "1"},
        ),
    ],
)  # fmt: skip
async def test_patches(client: Client, media_type, patch, data):
    await client.post(MAPS, config_map("a", a="1"))
    found = await client.request("PATCH", f"{MAPS}/a", patch, {"content-type": media_type})
    assert (found.status, found.json()["data"]) == (200, data)


async def test_patches_that_are_refused(client: Client):
    await client.post(MAPS, config_map("a"))
    conflict = await client.request(
        "PATCH", f"{MAPS}/a", {"metadata": {"resourceVersion": "1"}}, MERGE
    )
    assert conflict.status == 409
    renamed = await client.request("PATCH", f"{MAPS}/a", {"metadata": {"name": "b"}}, MERGE)
    assert renamed.status == 400
    text = await client.request("PATCH", f"{MAPS}/a", {}, {"content-type": "text/plain"})
    assert (text.status, text.message) == (415, "415: Unsupported Media Type")
    broken = await client.request("PATCH", f"{MAPS}/a", {"data": {"x": 1}}, MERGE)
    assert broken.status == 422
    assert broken.message.startswith('"" is invalid: patch: Invalid value: ') or (
        broken.message.startswith(' "" is invalid: patch: Invalid value: ')
    )


async def test_apply_creates_owns_and_conflicts(client: Client):
    made = await client.request(
        "PATCH", f"{MAPS}/a?fieldManager=one", config_map("a", k="1"), APPLY
    )
    assert made.status == 201
    (entry,) = made.json()["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"]) == ("one", "Apply")
    other = config_map("a", k="2")
    refused = await client.request("PATCH", f"{MAPS}/a?fieldManager=two", other, APPLY)
    assert (refused.status, refused.message) == (
        409, 'Apply failed with 1 conflict: conflict with "one": .data.k',
    )  # fmt: skip
    forced = await client.request("PATCH", f"{MAPS}/a?fieldManager=two&force=true", other, APPLY)
    assert forced.json()["data"] == {"k": "2"}
    before = client.api.store.revision
    await client.request("PATCH", f"{MAPS}/a?fieldManager=two", other, APPLY)
    assert client.api.store.revision == before
    nameless = await client.request("PATCH", f"{MAPS}/a", other, APPLY)
    assert nameless.message.endswith("fieldManager: Required value: is required for apply patch")


async def test_dry_runs_leave_nothing_behind(client: Client):
    before = client.api.store.revision
    made = await client.post(f"{MAPS}?dryRun=All", config_map("a"))
    assert made.status == 201
    assert "resourceVersion" not in made.json()["metadata"]
    assert (await client.get(f"{MAPS}/a")).status == 404
    await client.post(MAPS, config_map("b"))
    gone = await client.request("DELETE", f"{MAPS}/b?dryRun=All")
    assert gone.json()["status"] == "Success"
    assert (await client.get(f"{MAPS}/b")).status == 200
    assert client.api.store.revision == before + 1
    wrong = await client.post(f"{MAPS}?dryRun=Some", config_map("c"))
    assert wrong.status == 422


async def test_a_deletion_says_what_went(client: Client):
    made = (await client.post(MAPS, config_map("a"))).json()
    wrong = {"preconditions": {"uid": "0"}}
    refused = await client.request("DELETE", f"{MAPS}/a", wrong)
    assert refused.status == 409
    assert "the UID in the precondition (0) does not match the UID in record" in refused.message
    found = await client.request("DELETE", f"{MAPS}/a")
    uid = made["metadata"]["uid"]
    assert found.json()["details"] == {"name": "a", "kind": "configmaps", "uid": uid}
    assert (await client.request("DELETE", f"{MAPS}/a")).status == 404


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"gracePeriodSeconds": "1"},
            (
                "json: cannot unmarshal string into Go struct field "
                "DeleteOptions.gracePeriodSeconds of type int64"
            ),
        ),
        (
            {"apiVersion": "v1", "kind": "Pod"},
            (
                'no kind "Pod" is registered for version "v1" in scheme '
                '"k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:28"'
            ),
        ),
    ],
)
async def test_options_of_a_deletion_are_read_strictly(client: Client, options, message: str):
    await client.post(MAPS, config_map("a"))
    refused = await client.request("DELETE", f"{MAPS}/a", options)
    assert (refused.status, refused.message) == (400, message)


async def test_finalizers_hold_a_deletion_up(client: Client):
    held = {"metadata": {"name": "a", "finalizers": ["example.com/hold"]}}
    await client.post(MAPS, held)
    marked = (await client.request("DELETE", f"{MAPS}/a")).json()
    assert marked["metadata"]["deletionTimestamp"]
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 0
    patch = {"metadata": {"finalizers": None}}
    last = await client.request("PATCH", f"{MAPS}/a", patch, MERGE)
    assert last.status == 200
    assert (await client.get(f"{MAPS}/a")).status == 404


async def test_a_collection_is_deleted_by_selector(client: Client):
    for name, color in (("a", "red"), ("b", "blue"), ("c", "red")):
        obj = {"metadata": {"name": name, "labels": {"color": color}}}
        await client.post(MAPS, obj)
    found = await client.request("DELETE", f"{MAPS}?labelSelector=color%3Dred")
    assert [item["metadata"]["name"] for item in found.json()["items"]] == ["a", "c"]
    left = (await client.get(MAPS)).json()["items"]
    assert [item["metadata"]["name"] for item in left] == ["b"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", MAPS, 405),
        ("PATCH", MAPS, 405),
        ("POST", f"{MAPS}/a", 405),
        ("DELETE", "/api/v1/namespaces", 405),
        ("GET", "/api/v1/nopes", 404),
        ("GET", "/api/v1/configmaps/a", 404),
        ("GET", "/api/v1/namespaces/default/nodes", 404),
        ("GET", f"{MAPS}/a/nope", 404),
    ],
)
async def test_paths_and_methods_that_are_not(client: Client, method, path, status):
    found = await client.request(method, path, {})
    assert found.status == status
    words = {405: "does not allow this method", 404: "could not find the requested resource"}
    assert words[status] in found.message


async def test_objects_need_their_namespace(client: Client):
    found = await client.post("/api/v1/namespaces/absent/configmaps", config_map("a"))
    assert (found.status, found.message) == (404, 'namespaces "absent" not found')


async def test_forms_of_one_object(client: Client):
    await client.post(MAPS, config_map("a", k="v"))
    form = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    table = (await client.get(f"{MAPS}/a", accept=form)).json()
    assert [c["name"] for c in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    (row,) = table["rows"]
    assert row["cells"] == ["a", 1, "0s"]
    assert row["object"]["kind"] == "PartialObjectMetadata"
    bare = (await client.get(f"{MAPS}/a?includeObject=None", accept=form)).json()
    assert bare["rows"][0]["object"] is None
    whole = (await client.get(f"{MAPS}/a?includeObject=Object", accept=form)).json()
    assert whole["rows"][0]["object"]["data"] == {"k": "v"}
    form = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
    partial = (await client.get(f"{MAPS}/a", accept=form)).json()
    assert sorted(partial) == ["apiVersion", "kind", "metadata"]
    refused = await client.get(MAPS, accept=form)
    assert refused.message == (
        "you requested PartialObjectMetadata, but the requested object is a list "
        "(*core.ConfigMapList)"
    )
    assert (await client.get(MAPS, accept="text/html")).status == 406
    assert b"kind: ConfigMap\n" in (await client.get(f"{MAPS}/a", accept="application/yaml")).body
