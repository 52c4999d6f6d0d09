"""CustomResourceDefinitions: lives, defaults, documents, and what fields their objects take."""

import pytest

from tests.integration.conformance.conftest import NAMESPACE
from tests.integration.conftest import deployment
from tests.integration.serving import definition
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SIMPLE = (
    "[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple"
    " CustomResourceDefinition "
)
OPENAPI = "[sig-api-machinery] CustomResourcePublishOpenAPI [Privileged:ClusterAdmin] "
FIELDS = "[sig-api-machinery] FieldValidation "
APPLY = "application/apply-patch+yaml"
TEXT = {"type": "string"}
WHOLE = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": TEXT}}}}


def lamps(schema=None, group="example.com", plural="lamps", kind="Lamp", versions=("v1",)):
    wanted = [(version, number == 0, schema or WHOLE) for number, version in enumerate(versions)]
    return definition(group, plural, kind, wanted)


def path(version="v1", plural="lamps", group="example.com"):
    return f"/apis/{group}/{version}/namespaces/{NAMESPACE}/{plural}"


def lamp(name="l", **content):
    kind = {"apiVersion": "example.com/v1", "kind": "Lamp"}
    return {**kind, "metadata": {"name": name}, **content}


@pytest.mark.conformance(SIMPLE + "creating/deleting custom resource definition objects works")
async def test_create_and_delete(world):
    made = await world.create(DEFINITIONS, lamps(), expect=201)
    await world.until(f"{DEFINITIONS}/lamps.example.com", established)
    assert made["spec"]["names"]["listKind"] == "LampList"
    await world.delete(f"{DEFINITIONS}/lamps.example.com")
    await world.gone(f"{DEFINITIONS}/lamps.example.com")


def established(found):
    conditions = found.get("status", {}).get("conditions") or ()
    return {one["type"]: one["status"] for one in conditions}.get("Established") == "True"


@pytest.mark.conformance(SIMPLE + "listing custom resource definition objects works")
async def test_list_and_delete_a_collection(world):
    for number in range(10):
        made = lamps(plural=f"lamp{number}s", kind=f"Lamp{number}")
        if number % 2:
            made["metadata"]["labels"] = {"odd": "yes"}
        await world.create(DEFINITIONS, made)
    selected = f"{DEFINITIONS}?labelSelector=odd%3Dyes"
    assert len((await world.get(selected))["items"]) == 5
    await world.delete(selected)
    await world.until(selected, lambda found: not found["items"])
    assert len((await world.get(DEFINITIONS))["items"]) == 5


@pytest.mark.conformance(
    SIMPLE + "getting/updating/patching custom resource definition status sub-resource works"
)
async def test_status(world):
    await world.create(DEFINITIONS, lamps())
    about = f"{DEFINITIONS}/lamps.example.com"
    await world.until(about, established)
    condition = {"type": "Test", "status": "True", "reason": "E2E", "message": "set"}

    def change(found):
        found["status"]["conditions"].append(condition)

    updated = await world.update(f"{about}/status", change)
    assert "Test" in [one["type"] for one in updated["status"]["conditions"]]
    patched = await world.patch(
        f"{about}/status", {"status": {"conditions": [*updated["status"]["conditions"][:-1]]}}
    )
    assert "Test" not in [one["type"] for one in patched["status"]["conditions"]]
    found = await world.get(f"{about}/status")
    assert found["status"]["conditions"] == patched["status"]["conditions"]


@pytest.mark.conformance(
    "[sig-api-machinery] CustomResourceDefinition Watch [Privileged:ClusterAdmin]"
    " CustomResourceDefinition Watch watch on custom resource definition objects"
)
async def test_watch(world):
    await world.create(DEFINITIONS, lamps())
    watch = world.watch(f"{path()}?watch=true")
    await world.create(path(), lamp())
    await watch.until("ADDED", "l")
    await world.patch(f"{path()}/l", {"spec": {"a": "b"}})
    await watch.until("MODIFIED", "l")
    await world.delete(f"{path()}/l")
    await watch.until("DELETED", "l")


@pytest.mark.conformance(
    "[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] should"
    " include custom resource definition resources in discovery documents"
)
async def test_discovery(world):
    groups = (await world.get("/apis"))["groups"]
    assert "apiextensions.k8s.io" in [one["name"] for one in groups]
    group = await world.get("/apis/apiextensions.k8s.io")
    assert "apiextensions.k8s.io/v1" in [one["groupVersion"] for one in group["versions"]]
    listed = (await world.get("/apis/apiextensions.k8s.io/v1"))["resources"]
    assert "customresourcedefinitions" in [one["name"] for one in listed]


@pytest.mark.conformance(
    "[sig-api-machinery] CustomResourceDefinition resources [Privileged:ClusterAdmin] custom"
    " resource defaulting for requests and from storage works"
)
async def test_defaults(world):
    about = f"{DEFINITIONS}/lamps.example.com"
    await world.create(DEFINITIONS, lamps({"type": "object", "properties": {"a": TEXT, "b": TEXT}}))
    await world.create(path(), lamp("first"))
    assert "a" not in await world.get(f"{path()}/first")

    def default(field, value):
        def change(found):
            fields = found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
            for one in fields.values():
                one.pop("default", None)
            fields[field]["default"] = value

        return change

    await world.update(about, default("a", "A"))
    assert (await world.get(f"{path()}/first"))["a"] == "A"  # from storage
    assert (await world.create(path(), lamp("second")))["a"] == "A"  # from the request
    await world.update(about, default("b", "B"))
    second = await world.get(f"{path()}/second")
    assert (second["a"], second["b"]) == ("A", "B")  # what was stored with a default keeps it


async def definitions(world, group, version):
    """The kinds that a group's OpenAPI v3 document defines, and their schemas."""
    answer = await world.client.get(f"/openapi/v3/apis/{group}/{version}")
    if answer.status == 404:
        return {}
    schemas = answer.json()["components"]["schemas"]
    kinds = {}
    for schema in schemas.values():
        for one in schema.get("x-kubernetes-group-version-kind", ()):
            if (one["group"], one["version"]) == (group, version):
                kinds[one["kind"]] = schema
    return kinds


@pytest.mark.conformance(OPENAPI + "works for multiple CRDs of different groups")
async def test_groups_are_published(world):
    await world.create(DEFINITIONS, lamps(group="one.example.com"))
    await world.create(DEFINITIONS, lamps(group="two.example.com", versions=("v2",)))
    for group, version in (("one.example.com", "v1"), ("two.example.com", "v2")):
        found = await definitions(world, group, version)
        assert found["Lamp"]["properties"]["spec"]["properties"] == {"a": TEXT}


@pytest.mark.conformance(
    OPENAPI + "works for multiple CRDs of same group and version but different kinds"
)
async def test_kinds_are_published(world):
    await world.create(DEFINITIONS, lamps())
    await world.create(DEFINITIONS, lamps(plural="bulbs", kind="Bulb"))
    assert {"Lamp", "Bulb"} <= set(await definitions(world, "example.com", "v1"))


@pytest.mark.conformance(OPENAPI + "works for multiple CRDs of same group but different versions")
async def test_versions_are_published(world):
    await world.create(DEFINITIONS, lamps(versions=("v2", "v3")))
    await world.create(DEFINITIONS, lamps(plural="bulbs", kind="Bulb", versions=("v4",)))
    for version, kind in (("v2", "Lamp"), ("v3", "Lamp"), ("v4", "Bulb")):
        assert kind in await definitions(world, "example.com", version)


@pytest.mark.conformance(OPENAPI + "updates the published spec when one version gets renamed")
async def test_a_version_is_renamed(world):
    await world.create(DEFINITIONS, lamps(versions=("v2", "v3")))
    rename = [{"op": "replace", "path": "/spec/versions/1/name", "value": "v4"}]
    await world.patch(f"{DEFINITIONS}/lamps.example.com", rename, "application/json-patch+json")
    assert "Lamp" in await definitions(world, "example.com", "v4")
    assert "Lamp" in await definitions(world, "example.com", "v2")
    assert await definitions(world, "example.com", "v3") == {}


@pytest.mark.conformance(
    OPENAPI + "removes definition from spec when one version gets changed to not be served"
)
async def test_a_version_is_served_no_more(world):
    await world.create(DEFINITIONS, lamps(versions=("v5", "v6")))
    assert "Lamp" in await definitions(world, "example.com", "v6")
    stop = [{"op": "replace", "path": "/spec/versions/1/served", "value": False}]
    await world.patch(f"{DEFINITIONS}/lamps.example.com", stop, "application/json-patch+json")
    assert await definitions(world, "example.com", "v6") == {}
    assert "Lamp" in await definitions(world, "example.com", "v5")


STRICT = "?fieldValidation=Strict"
ANY = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
NAMED = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "knownField1": TEXT,
                "ports": {"type": "array", "items": {"type": "object", "properties": {"p": TEXT}}},
                "template": {
                    "type": "object",
                    "x-kubernetes-embedded-resource": True,
                    "properties": {"apiVersion": TEXT, "kind": TEXT, "spec": ANY},
                },
            },
        }
    },
}


async def apply(world, name, body, expect):
    options = f"{STRICT}&fieldManager=test"
    return await world.patch(f"{path()}/{name}{options}", body, APPLY, expect=expect)


async def refused(world, body, *words):
    """Neither create nor apply takes a body; both say why."""
    for answer in (
        await world.create(path() + STRICT, body, expect=400),
        await apply(world, "l", body, 400),
    ):
        for word in words:
            assert word in answer["message"], answer["message"]


@pytest.mark.conformance(
    FIELDS + "should create/apply a CR with unknown fields for CRD with no validation schema"
)
async def test_without_a_schema(world):
    await world.create(DEFINITIONS, lamps(ANY))
    body = lamp(spec={"foo": "foo1", "cronSpec": "* * * * */5"})
    await world.create(path() + STRICT, body, expect=201)
    await apply(world, "other", lamp("other", spec=body["spec"]), 201)


@pytest.mark.conformance(FIELDS + "should create/apply a valid CR for CRD with validation schema")
async def test_a_valid_object(world):
    await world.create(DEFINITIONS, lamps(NAMED))
    body = lamp(spec={"knownField1": "val1", "ports": [{"p": "http"}]})
    await world.create(path() + STRICT, body, expect=201)
    await apply(world, "other", lamp("other", spec=body["spec"]), 201)


@pytest.mark.conformance(
    FIELDS
    + "should create/apply an invalid CR with extra properties for CRD with validation schema"
)
async def test_extra_properties(world):
    await world.create(DEFINITIONS, lamps(NAMED))
    body = lamp(spec={"foo": "foo1", "knownField1": "val1", "ports": [{"q": "http"}]})
    created = await world.create(path() + STRICT, body, expect=400)
    assert 'unknown field "spec.foo"' in created["message"]
    assert 'unknown field "spec.ports[0].q"' in created["message"]
    applied = await apply(world, "l", body, 500)
    assert ".spec.foo: field not declared in schema" in applied["message"]


@pytest.mark.conformance(FIELDS + "should detect duplicates in a CR when preserving unknown fields")
async def test_duplicates(world):
    await world.create(DEFINITIONS, lamps(ANY))
    body = (
        b'{"apiVersion":"example.com/v1","kind":"Lamp","metadata":{"name":"l"},'
        b'"spec":{"unknown":"uk1","dup":1,"dup":2}}'
    )
    found = await world.call(
        "POST", path() + STRICT, body, expect=400, content_type="application/json"
    )
    assert 'duplicate field "spec.dup"' in found["message"]
    assert 'unknown field "spec.unknown"' not in found["message"]


@pytest.mark.conformance(
    FIELDS + "should detect unknown metadata fields in both the root and embedded object of a CR"
)
async def test_unknown_metadata(world):
    await world.create(DEFINITIONS, lamps(NAMED))
    embedded = {
        "apiVersion": "foo/v1",
        "kind": "Sub",
        "metadata": {"name": "subobject", "unknownSubMeta": "unknown"},
    }
    body = lamp(spec={"template": embedded})
    body["metadata"]["unknownMeta"] = "unknown"
    created = await world.create(path() + STRICT, body, expect=400)
    assert 'unknown field "metadata.unknownMeta"' in created["message"]
    assert 'unknown field "spec.template.metadata.unknownSubMeta"' in created["message"]


@pytest.mark.conformance(FIELDS + "should detect unknown metadata fields of a typed object")
async def test_unknown_metadata_of_a_deployment(world):
    body = deployment()
    body["metadata"] = {"name": "web", "unknownMeta": "unknown"}
    base = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
    created = await world.create(base + STRICT, body, expect=400)
    assert 'unknown field "metadata.unknownMeta"' in created["message"]


@pytest.mark.conformance(FIELDS + "should detect unknown and duplicate fields of a typed object")
async def test_unknown_and_duplicate_fields_of_a_deployment(world):
    body = (
        b'{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{'
        b'"unknownField":"foo","replicas":1,"replicas":2,"selector":{"matchLabels":{"a":"b"}},'
        b'"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":'
        b'[{"name":"c","image":"nginx","imagePullPolicy":"Always","imagePullPolicy":"Never"}]}}}}'
    )
    base = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
    found = await world.call(
        "POST", base + STRICT, body, expect=400, content_type="application/json"
    )
    for wanted in (
        'unknown field "spec.unknownField"',
        'duplicate field "spec.replicas"',
        'duplicate field "spec.template.spec.containers[0].imagePullPolicy"',
    ):
        assert wanted in found["message"]
