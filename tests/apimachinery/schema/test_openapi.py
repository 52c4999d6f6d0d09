"""The documents say what clients look for: schemas of kinds, and what each operation takes."""

import json

import pytest

from apimachinery.gvk import GroupVersionKind
from apimachinery.schema import openapi
from apimachinery.schema.openapi import ServedResource

ALL = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
DEPLOYMENT = GroupVersionKind("apps", "v1", "Deployment")
DEPLOYMENTS = ServedResource(
    DEPLOYMENT, "deployments", "deployment", True, ALL,
    (
        ("scale", GroupVersionKind("autoscaling", "v1", "Scale"), ("get", "patch", "update")),
        ("status", DEPLOYMENT, ("get", "patch", "update")),
    ),
)  # fmt: skip
PODS = ServedResource(
    GroupVersionKind("", "v1", "Pod"), "pods", "pod", True, ALL,
    (
        ("eviction", GroupVersionKind("policy", "v1", "Eviction"), ("create",)),
        ("exec", GroupVersionKind("", "v1", "PodExecOptions"), ("create", "get")),
        ("log", GroupVersionKind("", "v1", "Pod"), ("get",)),
        ("proxy", GroupVersionKind("", "v1", "PodProxyOptions"), ("get",)),
    ),
)  # fmt: skip
WIDGETS = ServedResource(
    GroupVersionKind("example.com", "v1", "Widget"), "widgets", "widget", False, ALL, (),
    json.dumps({
        "description": "A widget.",
        "type": "object",
        "properties": {"spec": {"type": "object", "required": ["size"],
                                "properties": {"size": {"type": "integer"}}}},
    }).encode(),
)  # fmt: skip
SERVED = (DEPLOYMENTS, PODS, WIDGETS)
ITEM = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}"


@pytest.fixture(scope="module")
def apps():
    return json.loads(openapi.document("apis/apps/v1", SERVED))


def test_the_index_lists_each_group_version_with_a_hash_of_what_is_served():
    index = openapi.index(SERVED)["paths"]
    assert sorted(index) == ["api/v1", "apis/apps/v1", "apis/example.com/v1"]
    url = index["apis/apps/v1"]["serverRelativeURL"]
    assert url.startswith("/openapi/v3/apis/apps/v1?hash=")
    assert url.endswith(openapi.document_hash("apis/apps/v1", SERVED))
    assert openapi.index((PODS, WIDGETS, DEPLOYMENTS))["paths"] == index
    fewer = openapi.index((PODS, WIDGETS))["paths"]
    assert fewer["api/v1"] == index["api/v1"]


def test_a_changed_schema_changes_the_hash():
    other = ServedResource(
        WIDGETS.gvk, "widgets", "widget", False, ALL, (), b'{"type":"object"}'
    )  # fmt: skip
    path = "apis/example.com/v1"
    assert openapi.document_hash(path, (WIDGETS,)) != openapi.document_hash(path, (other,))


def test_documents_are_kept():
    assert openapi.document("api/v1", SERVED) is openapi.document("api/v1", (PODS,))
    assert openapi.document("apis/nope/v1", SERVED) is None


def test_every_reference_leads_somewhere(apps):
    schemas = apps["components"]["schemas"]
    text = json.dumps(apps)
    used = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert used == set(schemas)
    assert "io.k8s.api.core.v1.PodSpec" in schemas


def test_schemas_have_the_published_form(apps):
    schemas = apps["components"]["schemas"]
    assert apps["openapi"] == "3.0.0"
    assert not [name for name, schema in schemas.items() if isinstance(schema.get("type"), list)]
    deployment = schemas["io.k8s.api.apps.v1.Deployment"]
    assert deployment["x-kubernetes-group-version-kind"] == [
        {"group": "apps", "kind": "Deployment", "version": "v1"}
    ]
    assert "enum" not in deployment["properties"]["kind"]
    spec = schemas["io.k8s.api.apps.v1.DeploymentSpec"]
    assert spec["required"] == ["selector", "template"]
    assert spec["properties"]["strategy"]["allOf"] == [
        {"$ref": "#/components/schemas/io.k8s.api.apps.v1.DeploymentStrategy"}
    ]
    assert spec["properties"]["strategy"]["default"] == {}
    assert spec["properties"]["replicas"]["type"] == "integer"
    assert schemas["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]["oneOf"] == [
        {"type": "integer"}, {"type": "string"},
    ]  # fmt: skip
    containers = schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]
    assert containers["x-kubernetes-list-map-keys"] == ["name"]
    assert containers["items"]["default"] == {}


@pytest.mark.parametrize(
    ("path", "method", "action", "validates"),
    [
        (ITEM, "get", "get", False),
        (ITEM, "put", "put", True),
        (ITEM, "patch", "patch", True),
        (ITEM, "delete", "delete", False),
        (ITEM + "/scale", "patch", "patch", True),
        (ITEM + "/status", "put", "put", True),
        ("/apis/apps/v1/namespaces/{namespace}/deployments", "post", "post", True),
        ("/apis/apps/v1/namespaces/{namespace}/deployments", "delete", "deletecollection", False),
        ("/apis/apps/v1/deployments", "get", "list", False),
        ("/apis/apps/v1/watch/deployments", "get", "watchlist", False),
        ("/apis/apps/v1/watch/namespaces/{namespace}/deployments/{name}", "get", "watch", False),
    ],
)
def test_operations(apps, path, method, action, validates):
    operation = apps["paths"][path][method]
    assert operation["x-kubernetes-action"] == action
    names = {p["name"] for p in operation["parameters"]}
    assert ("fieldValidation" in names) is validates
    wanted = {p for p in ("name", "namespace") if f"{{{p}}}" in path}
    assert {p["name"] for p in apps["paths"][path]["parameters"]} == wanted


def test_an_operation_names_the_kind_that_it_takes(apps):
    scale = apps["paths"][ITEM + "/scale"]["put"]
    assert scale["x-kubernetes-group-version-kind"]["kind"] == "Scale"
    assert scale["operationId"] == "replaceAppsV1NamespacedDeploymentScale"
    body = scale["requestBody"]["content"]["*/*"]["schema"]
    assert body == {"$ref": "#/components/schemas/io.k8s.api.autoscaling.v1.Scale"}


def test_operation_ids_are_unique(apps):
    ids = [
        operation["operationId"]
        for item in apps["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    ]
    assert len(ids) == len(set(ids))


def test_connections_and_logs_answer_text():
    core = json.loads(openapi.document("api/v1", SERVED))
    pod = "/api/v1/namespaces/{namespace}/pods/{name}"
    assert core["paths"][pod + "/exec"]["post"]["x-kubernetes-action"] == "connect"
    assert pod + "/proxy/{path}" in core["paths"]
    log = core["paths"][pod + "/log"]["get"]["responses"]["200"]["content"]
    assert log == {"*/*": {"schema": {"type": "string"}}}
    eviction = core["paths"][pod + "/eviction"]["post"]
    assert eviction["x-kubernetes-group-version-kind"]["group"] == "policy"


def test_custom_kinds_have_their_own_schema_with_metadata():
    document = json.loads(openapi.document("apis/example.com/v1", SERVED))
    widget = document["components"]["schemas"]["com.example.v1.Widget"]
    assert widget["description"] == "A widget."
    assert widget["properties"]["spec"]["properties"]["size"] == {"type": "integer"}
    assert widget["properties"]["metadata"]["allOf"] == [
        {"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
    ]
    assert "com.example.v1.WidgetList" in document["components"]["schemas"]


def test_custom_kinds_have_no_strategic_merge_patch():
    paths = json.loads(openapi.document("apis/example.com/v1", SERVED))["paths"]
    patch = paths["/apis/example.com/v1/widgets/{name}"]["patch"]
    assert list(patch["requestBody"]["content"]) == [
        "application/json-patch+json",
        "application/merge-patch+json",
        "application/apply-patch+yaml",
    ]
    shown = patch["responses"]["200"]["content"]
    assert list(shown) == ["application/json", "application/yaml"]


def test_v2_has_all_definitions_and_paths():
    document = json.loads(openapi.v2(SERVED))
    assert document["swagger"] == "2.0"
    assert "io.k8s.api.core.v1.Pod" in document["definitions"]
    assert document["definitions"]["io.k8s.apimachinery.pkg.api.resource.Quantity"] == {
        "description": "", "type": "string",
    }  # fmt: skip
    body = document["paths"][ITEM]["patch"]["parameters"][0]
    assert body["in"] == "body"
    assert body["required"] is True
