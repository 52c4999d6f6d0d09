"""Custom resources themselves: bodies, versions, subresources, patches, columns."""

import pytest

from apimachinery.validation.field import Path, invalid
from apiserver.registry.custom.service import CustomResources
from tests.apiserver.registry.custom.conftest import (
    APPLY,
    MERGE,
    WIDGETS,
    Cluster,
    definition,
    version,
    widget,
)

SCALE = {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.replicas"}
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


async def test_defaults_and_metadata(cluster: Cluster):
    await cluster.define(definition())
    made = (await cluster.post(WIDGETS, widget())).json()
    assert made["spec"] == {"size": 3, "color": "red"}
    assert made["metadata"]["generation"] == 1
    fields = made["metadata"]["managedFields"][0]["fieldsV1"]
    assert fields == {"f:spec": {".": {}, "f:color": {}, "f:size": {}}}


@pytest.mark.parametrize(
    ("mode", "status", "said"),
    [
        ("Strict", 400, ('Widget in version "v1" cannot be handled as a Widget: strict decoding '
         'error: unknown field "metadata.nope", unknown field "spec.x"')),
        ("Warn", 201, ('299 - "unknown field \\"metadata.nope\\"", '
         '299 - "unknown field \\"spec.x\\""')),
        ("Ignore", 201, ""),
    ],
)  # fmt: skip
async def test_unknown_fields(cluster: Cluster, mode: str, status: int, said: str):
    await cluster.define(definition())
    body = widget(x=1)
    body["metadata"]["nope"] = 1
    answer = await cluster.post(f"{WIDGETS}?fieldValidation={mode}", body)
    assert answer.status == status
    if status == 201:
        assert answer.json()["spec"] == {"size": 3, "color": "red"}
        assert answer.headers.get("warning", "") == said
    else:
        assert answer.message == said


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"kind": ""}, 400, "Object 'Kind' is missing in"),
        ({"apiVersion": "example.com/v2"}, 400, ("the API version in the data (example.com/v2) "
         "does not match the expected API version (example.com/v1)")),
        ({"kind": "Gadget"}, 422, ('Gadget.example.com "w" is invalid: kind: Invalid value: '
         '"Gadget": must be Widget')),
        ({"spec": {"size": "x"}}, 422, ('Widget.example.com "w" is invalid: spec.size: Invalid '
         'value: "string": spec.size in body must be of type integer: "string"')),
        ({"spec": {}}, 422, 'Widget.example.com "w" is invalid: spec.size: Required value'),
        ({"metadata": {"name": "A"}}, 422, 'Widget.example.com "A" is invalid: metadata.name'),
    ],
)  # fmt: skip
async def test_refusals(cluster: Cluster, change: dict, status: int, message: str):
    await cluster.define(definition())
    answer = await cluster.post(WIDGETS, widget() | change)
    assert answer.status == status
    assert message in answer.message


async def test_protobuf_is_not_spoken(cluster: Cluster):
    await cluster.define(definition())
    headers = {"content-type": "application/vnd.kubernetes.protobuf"}
    answer = await cluster.request("POST", WIDGETS, b"k8s\x00", headers)
    assert (answer.status, answer.message.rpartition(": ")[2]) == (
        415, "application/json, application/yaml",
    )  # fmt: skip
    only = {"accept": "application/vnd.kubernetes.protobuf"}
    assert (await cluster.request("GET", WIDGETS, headers=only)).status == 406


async def test_without_a_status_subresource_status_is_content(cluster: Cluster):
    await cluster.define(definition())
    made = (await cluster.post(WIDGETS, widget() | {"status": {"replicas": 1}})).json()
    assert made["status"] == {"replicas": 1}
    assert "f:status" in made["metadata"]["managedFields"][0]["fieldsV1"]
    after = (await cluster.patch(f"{WIDGETS}/w", {"status": {"replicas": 2}}, MERGE)).json()
    assert after["metadata"]["generation"] == 2
    assert (await cluster.get(f"{WIDGETS}/w/status")).status == 404


async def test_with_a_status_subresource_each_writes_its_part(cluster: Cluster):
    await cluster.define(definition(version(subresources={"status": {}})))
    made = (await cluster.post(WIDGETS, widget() | {"status": {"replicas": 1}})).json()
    assert "status" not in made
    change = {"status": {"replicas": 2}, "spec": {"size": 9}, "metadata": {"labels": {"a": "b"}}}
    after = (await cluster.patch(f"{WIDGETS}/w/status", change, MERGE)).json()
    assert (after["spec"]["size"], after["status"]) == (3, {"replicas": 2})
    assert "labels" not in after["metadata"]
    assert after["metadata"]["generation"] == 1
    after = (await cluster.patch(f"{WIDGETS}/w", change, MERGE)).json()
    assert (after["spec"]["size"], after["metadata"]["generation"]) == (9, 2)
    wrong = await cluster.patch(f"{WIDGETS}/w/status", {"status": {"replicas": "x"}}, MERGE)
    assert wrong.message.endswith(
        'status.replicas: Invalid value: "string": replicas in body must be of type integer: '
        '"string"'
    )


async def test_scale(cluster: Cluster):
    await cluster.define(definition(version(subresources={"status": {}, "scale": SCALE})))
    await cluster.post(WIDGETS, widget())
    scale = (await cluster.get(f"{WIDGETS}/w/scale")).json()
    assert (scale["kind"], scale["spec"], scale["status"]) == (
        "Scale", {"replicas": 3}, {"replicas": 0},
    )  # fmt: skip
    await cluster.patch(f"{WIDGETS}/w/scale", {"spec": {"replicas": 5}}, MERGE)
    after = (await cluster.get(f"{WIDGETS}/w")).json()
    assert (after["spec"]["size"], after["metadata"]["generation"]) == (5, 2)


async def test_a_scale_needs_replicas(cluster: Cluster):
    paths = SCALE | {"specReplicasPath": ".spec.count"}
    await cluster.define(definition(version(subresources={"scale": paths})))
    await cluster.post(WIDGETS, widget())
    answer = await cluster.get(f"{WIDGETS}/w/scale")
    assert answer.status == 500
    assert 'the spec replicas field ".spec.count" does not exist' in answer.message
    labels = {"metadata": {"labels": {"a": "b"}}}
    answer = await cluster.patch(f"{WIDGETS}/w/scale", labels, MERGE)
    assert (answer.status, answer.message) == (
        400, 'the spec replicas field ".spec.count" cannot be empty',
    )  # fmt: skip
    answer = await cluster.patch(f"{WIDGETS}/w/scale", {"spec": {"replicas": -1}}, MERGE)
    assert answer.message.endswith(
        ".spec.count: Invalid value: -1: should be a non-negative integer"
    )


async def test_an_update_names_its_revision(cluster: Cluster):
    await cluster.define(definition())
    made = (await cluster.post(WIDGETS, widget())).json()
    blind = await cluster.put(f"{WIDGETS}/w", widget(size=4))
    assert (blind.status, "must be specified for an update" in blind.message) == (422, True)
    made["spec"]["size"] = 4
    assert (await cluster.put(f"{WIDGETS}/w", made)).json()["metadata"]["generation"] == 2


async def test_strategic_patches_are_refused(cluster: Cluster):
    await cluster.define(definition())
    await cluster.post(WIDGETS, widget())
    kind = {"content-type": "application/strategic-merge-patch+json"}
    assert (await cluster.patch(f"{WIDGETS}/w", {}, kind)).status == 415


async def test_apply_merges_lists_by_their_keys(cluster: Cluster):
    await cluster.define(definition())
    first = widget(parts=[{"name": "a", "value": "1"}])
    second = widget(parts=[{"name": "b", "value": "2"}])
    await cluster.patch(f"{WIDGETS}/w?fieldManager=one", first, APPLY)
    after = (await cluster.patch(f"{WIDGETS}/w?fieldManager=two", second, APPLY)).json()
    assert [part["name"] for part in after["spec"]["parts"]] == ["a", "b"]
    owned = after["metadata"]["managedFields"][1]["fieldsV1"]["f:spec"]["f:parts"]
    # The key that was left out has its default.
    assert list(owned) == ['k:{"name":"b","protocol":"UDP"}']
    taken = widget(parts=[{"name": "a", "value": "9"}])
    conflict = await cluster.patch(f"{WIDGETS}/w?fieldManager=two", taken, APPLY)
    assert conflict.status == 409
    unknown = await cluster.patch(f"{WIDGETS}/w?fieldManager=two", widget(nope=1), APPLY)
    assert ".spec.nope: field not declared in schema" in unknown.message


async def test_columns(cluster: Cluster):
    columns = [
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
        {"name": "Parts", "type": "string", "jsonPath": ".spec.parts", "priority": 1},
        {"name": "None", "type": "string", "jsonPath": ".spec.none"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
    plain = version("v2", storage=False)
    await cluster.define(definition(version(additionalPrinterColumns=columns), plain))
    await cluster.post(WIDGETS, widget(parts=[]))
    table = (await cluster.get(WIDGETS, accept=TABLE)).json()
    assert [one["name"] for one in table["columnDefinitions"]] == [
        "Name", "Size", "Parts", "None", "Age",
    ]  # fmt: skip
    assert table["columnDefinitions"][1]["description"] == (
        "Custom resource definition column (in JSONPath format): .spec.size"
    )
    assert table["rows"][0]["cells"] == ["w", 3, "[]", None, "0s"]
    other = (await cluster.get(WIDGETS.replace("v1", "v2"), accept=TABLE)).json()
    assert [one["name"] for one in other["columnDefinitions"]] == ["Name", "Age"]


async def test_selectable_fields(cluster: Cluster):
    selectable = [{"jsonPath": ".spec.color"}]
    await cluster.define(definition(version(selectableFields=selectable)))
    await cluster.post(WIDGETS, widget("a"))
    await cluster.post(WIDGETS, widget("b", color="blue"))
    found = (await cluster.get(f"{WIDGETS}?fieldSelector=spec.color%3Dblue")).json()["items"]
    assert [one["metadata"]["name"] for one in found] == ["b"]
    wrong = await cluster.get(f"{WIDGETS}?fieldSelector=spec.size%3D3")
    assert "field label not supported: spec.size" in wrong.message


async def test_versions_show_the_same_objects(cluster: Cluster):
    loose = version("v2", storage=False)
    spec = loose["schema"]["openAPIV3Schema"]["properties"]["spec"]
    del spec["required"]
    spec["properties"]["extra"] = {"type": "string"}
    await cluster.define(definition(version(), loose))
    path = WIDGETS.replace("v1", "v2")
    body = widget("w", "v2", extra="x")
    del body["spec"]["size"]
    made = (await cluster.post(path, body)).json()
    assert made["apiVersion"] == "example.com/v2"
    stored = (await cluster.get(f"{WIDGETS}/w")).json()
    # Written by the rules of v2, kept in the shape of v1.
    assert (stored["apiVersion"], stored["spec"]) == ("example.com/v1", {"color": "red"})
    patched = await cluster.patch(f"{path}/w", {"spec": {"color": "blue"}}, MERGE)
    assert (patched.status, patched.json()["apiVersion"]) == (200, "example.com/v2")
    items = (await cluster.get(path)).json()["items"]
    assert [one["apiVersion"] for one in items] == ["example.com/v2"]


async def test_the_version_that_is_stored_may_change(cluster: Cluster):
    await cluster.define(definition(version(), version("v2", storage=False)))
    await cluster.post(WIDGETS, widget())
    old = version("v1", storage=False, served=False)
    await cluster.change(definition(old, version("v2")))
    assert (await cluster.get(f"{WIDGETS}/w")).status == 404
    shown = (await cluster.get(f"{WIDGETS.replace('v1', 'v2')}/w")).json()
    assert shown["apiVersion"] == "example.com/v2"
    crd = await cluster.definition()
    assert crd["status"]["storedVersions"] == ["v1", "v2"]


async def test_the_stored_version_need_not_be_served(cluster: Cluster):
    await cluster.define(definition(version(served=False), version("v2", storage=False)))
    assert (await cluster.get(WIDGETS)).status == 404
    path = WIDGETS.replace("v1", "v2")
    assert (await cluster.post(path, widget("w", "v2"))).status == 201
    assert (await cluster.get(f"{path}/w")).json()["apiVersion"] == "example.com/v2"


async def test_conversion_by_webhook_is_refused(cluster: Cluster):
    service = {"name": "convert", "namespace": "default", "path": "/c"}
    webhook = {"conversionReviewVersions": ["v1"], "clientConfig": {"service": service}}
    conversion = {"strategy": "Webhook", "webhook": webhook}
    crd = definition(version(), version("v2", storage=False), conversion=conversion)
    await cluster.define(crd)
    assert (await cluster.post(WIDGETS, widget())).status == 201
    answer = await cluster.get(f"{WIDGETS.replace('v1', 'v2')}/w")
    assert answer.status == 500
    assert answer.message == (
        "conversion webhook for example.com/v1, Kind=Widget failed: Post "
        '"https://convert.default.svc:443/c?timeout=30s": service "convert" not found'
    )


async def test_finalizers_without_a_domain_warn(cluster: Cluster):
    await cluster.define(definition())
    body = widget()
    body["metadata"]["finalizers"] = ["mine", "example.com/x"]
    warning = (await cluster.post(WIDGETS, body)).headers["warning"]
    assert "prefer a domain-qualified finalizer name" in warning
    assert warning.count("299") == 1


async def test_explain_has_the_schema(cluster: Cluster):
    await cluster.define(definition())
    document = (await cluster.get("/openapi/v3/apis/example.com/v1")).json()
    schema = document["components"]["schemas"]["com.example.v1.Widget"]
    assert schema["properties"]["spec"]["properties"]["size"]["minimum"] == 1


async def test_rules_are_checked_once_the_shape_is_right(cluster: Cluster):
    seen: list[tuple[int, bool]] = []

    def compile_rules(schema):
        assert schema["type"] == "object"

        def check(obj, old, *, forgiven):
            assert forgiven == []
            seen.append((obj["spec"]["size"], old is not None))
            if obj["spec"]["size"] > 8:
                yield invalid(Path("spec"), "object", "too big")

        return check

    cluster.custom.stop()
    api = cluster.api
    ruled = CustomResources(
        api.catalog, api.registry, lambda name, work: work.close(), compile_rules
    )
    ruled.start()
    strict = version()
    spec = strict["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["x-kubernetes-validations"] = [{"rule": "self.size < 9"}]
    assert (await cluster.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
                               definition(strict))).status == 201  # fmt: skip
    big = await cluster.post(WIDGETS, widget(size=9))
    assert big.message.endswith('spec: Invalid value: "object": too big')
    wrong = await cluster.post(WIDGETS, widget(size="x"))
    assert "some validation rules were not checked" in wrong.message
    await cluster.post(WIDGETS, widget())
    await cluster.patch(f"{WIDGETS}/w", {"spec": {"size": 4}}, MERGE)
    assert seen == [(9, False), (3, False), (4, True)]
    ruled.stop()


async def test_metadata_of_embedded_objects_is_read_strictly(cluster: Cluster):
    embedding = version()
    properties = embedding["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    properties["template"] = {
        "type": "object",
        "x-kubernetes-embedded-resource": True,
        "x-kubernetes-preserve-unknown-fields": True,
    }
    await cluster.define(definition(embedding))
    inner = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "nope": 1}, "spec": {}}
    sent = widget(template=inner)
    refused = await cluster.post(f"{WIDGETS}?fieldValidation=Strict", sent)
    assert 'strict decoding error: unknown field "spec.template.metadata.nope"' in refused.message
    made = await cluster.post(WIDGETS, sent)
    assert made.headers["warning"] == '299 - "unknown field \\"spec.template.metadata.nope\\""'
    assert made.json()["spec"]["template"]["metadata"] == {"name": "a"}


async def test_a_rule_that_was_broken_before_is_a_warning(cluster: Cluster):
    await cluster.define(definition())
    await cluster.post(WIDGETS, widget(size=3))
    strict = version()
    schema = strict["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["size"]
    schema["x-kubernetes-validations"] = [{"rule": "self > 5", "message": "too small"}]
    await cluster.change(definition(strict))
    changed = await cluster.patch(f"{WIDGETS}/w", {"spec": {"color": "blue"}}, MERGE)
    assert changed.status == 200
    assert changed.headers["warning"] == (
        '299 - "spec.size: Invalid value: \\"integer\\": too small"'
    )
    assert (await cluster.patch(f"{WIDGETS}/w", {"spec": {"size": 2}}, MERGE)).status == 422
