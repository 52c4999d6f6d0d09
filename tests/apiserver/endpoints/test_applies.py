"""Server-side apply as an HTTP client sees it: creation, refusals, text, subresources."""

import pytest

from tests.apiserver.endpoints.support import Client
from tests.apiserver.endpoints.test_patches import DEPLOYMENTS, deployment

APPLY = {"content-type": "application/apply-patch+yaml"}
PATH = f"{DEPLOYMENTS}/d"


async def apply(client: Client, body, query="", path=PATH, manager="one"):
    return await client.request("PATCH", f"{path}?fieldManager={manager}{query}", body, APPLY)


def with_spec(**fields):
    made = deployment()
    made["spec"] |= fields
    return made


def with_container(**fields):
    made = deployment()
    made["spec"]["template"]["spec"]["containers"][0] |= fields
    return made


TYPED = "failed to create typed patch object (/d; apps/v1, Kind=Deployment): "
CONVERTED = (
    "failed to convert new object (/d; apps/v1, Kind=Deployment) to proper version: unable to "
    "convert unstructured object to apps/v1, Kind=Deployment: "
)
NO_MAP = "json: cannot unmarshal {} into Go value of type map[string]interface {{}}"
NO_YAML = "error decoding YAML: error unmarshaling JSON: while decoding JSON: " + NO_MAP


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (
            {**deployment(), "apiVersion": "apps/v2"},
            400,
            "invalid object type: apps/v2, Kind=Deployment",
        ),
        ({**deployment(), "kind": "Pod"}, 400, "invalid object type: apps/v1, Kind=Pod"),
        ({**deployment(), "apiVersion": "a/b/c"}, 400, "invalid object type: /, Kind="),
        ({"kind": "Deployment"}, 400, "invalid object type: /, Kind=Deployment"),
        ({"kind": "Deployment", "apiVersion": 1}, 400, "invalid object type: /, Kind=Deployment"),
        (b"", 400, "invalid object type: /, Kind="),
        (b"- a", 400, NO_YAML.format("array")),
        (b"x", 400, NO_YAML.format("string")),
        (
            b"a: 1\nb: c: d\n",
            400,
            (
                "error decoding YAML: error converting YAML to JSON: yaml: line 2: mapping values "
                "are not allowed in this context"
            ),
        ),
        (with_spec(bogus=1), 500, f"{TYPED}.spec.bogus: field not declared in schema"),
        (
            with_spec(replicas="1"),
            500,
            f"{TYPED}.spec.replicas: expected numeric (int or float), got string",
        ),
        (
            with_container(image=1),
            500,
            (
                f'{TYPED}.spec.template.spec.containers[name="c"].image: expected string, got '
                "&value.valueUnstructured{Value:1}"
            ),
        ),
        (
            with_container(resources={"limits": {"cpu": "x"}}),
            500,
            (
                f"{CONVERTED}quantities must match the regular expression "
                "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            ),
        ),
        (
            {**deployment(), "metadata": {"name": "d", "uid": "u"}},
            409,
            (
                'Operation cannot be fulfilled on deployments.apps "d": uid mismatch: the provided '
                "object specified uid u, and no existing object was found"
            ),
        ),
        (
            {**deployment(), "metadata": {"generateName": "d"}},
            400,
            "the name of the object (d based on URL) was undeterminable: name must be provided",
        ),
    ],
)
async def test_refusals(client: Client, body, status, message):
    before = client.api.store.revision
    answer = await apply(client, body)
    assert (answer.status, answer.message) == (status, message)
    assert client.api.store.revision == before


TWICE = b"""apiVersion: v1
kind: ConfigMap
metadata:
  name: m
data:
  a: x
  a:
    y
data: {b: z}
"""
MAP = "/api/v1/namespaces/default/configmaps/m"


async def test_keys_that_yaml_has_twice(client: Client):
    lines = ['line 8: key "a" already set in map', 'line 9: key "data" already set in map']
    answer = await apply(client, TWICE, "&fieldValidation=Strict", MAP)
    found = "\n".join(f"  {line}" for line in lines)
    assert (answer.status, answer.message) == (
        400,
        (
            "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n"
            + found
        ),
    )
    answer = await apply(client, TWICE, path=MAP)
    assert (answer.status, answer.json()["data"]) == (201, {"b": "z"})
    assert answer.headers["warning"].replace("\\", "") == ", ".join(
        f'299 - "{line}"' for line in lines
    )
    answer = await apply(client, TWICE, "&fieldValidation=Ignore", MAP)
    assert answer.headers.get("warning") is None


async def test_what_held_a_part_up_may_go(client: Client):
    """Labels were all that was applied of the metadata; without them its name stays."""
    await apply(client, {**deployment(), "metadata": {"name": "d", "labels": {"a": "b"}}})
    answer = await apply(client, deployment())
    assert answer.status == 200
    assert "labels" not in answer.json()["metadata"]


def scale(replicas):
    kind = {"apiVersion": "autoscaling/v1", "kind": "Scale"}
    return {**kind, "metadata": {"name": "d"}, "spec": {"replicas": replicas}}


async def test_a_scale_has_the_owners_of_the_replicas(client: Client):
    await apply(client, deployment())
    path = f"{PATH}/scale"
    answer = await apply(client, scale(3), path=path, manager="two")
    assert answer.status == 409
    assert answer.message == ('Apply failed with 1 conflict: conflict with "one": .spec.replicas')
    answer = await apply(client, scale(3), "&force=true", path, "two")
    assert (answer.status, answer.json()["spec"]) == (200, {"replicas": 3})
    assert "managedFields" not in answer.json()["metadata"]
    first, second = (await client.get(PATH)).json()["metadata"]["managedFields"]
    assert "f:replicas" not in first["fieldsV1"]["f:spec"]
    assert second == {
        "manager": "two",
        "operation": "Apply",
        "apiVersion": "apps/v1",
        "time": "2026-01-02T03:04:05Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {"f:replicas": {}}},
        "subresource": "scale",
    }
    answer = await client.request("PUT", path, scale(4), {"user-agent": "kubectl/1"})
    assert answer.status == 200
    entries = (await client.get(PATH)).json()["metadata"]["managedFields"]
    assert [(one["manager"], one["operation"], one.get("subresource")) for one in entries] == [
        ("one", "Apply", None),
        ("kubectl", "Update", "scale"),
    ]
    assert entries[1]["apiVersion"] == "apps/v1"


async def test_a_scale_is_applied_as_what_it_is(client: Client):
    await apply(client, deployment())
    answer = await apply(client, deployment(), path=f"{PATH}/scale")
    assert answer.message == "invalid object type: apps/v1, Kind=Deployment"
    answer = await apply(client, scale(1), path=f"{DEPLOYMENTS}/x/scale")
    assert answer.status == 404


SCALERS = "/apis/autoscaling/{}/namespaces/default/horizontalpodautoscalers/h"


def scaler(version, percentage):
    target = {"type": "Utilization", "averageUtilization": percentage}
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    wanted = {"v1": {"targetCPUUtilizationPercentage": percentage}, "v2": {"metrics": [metric]}}
    ref = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
    spec = {"maxReplicas": 3, "scaleTargetRef": ref}
    return {
        "apiVersion": f"autoscaling/{version}",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "h"},
        "spec": {**spec, **(wanted[version] if percentage else {})},
    }


def owned(answer):
    return {
        (entry["manager"], entry["apiVersion"]): set(entry["fieldsV1"]["f:spec"])
        for entry in answer.json()["metadata"]["managedFields"]
    }


async def test_fields_are_owned_in_the_version_they_were_written_in(client: Client):
    ref = {"f:maxReplicas", "f:scaleTargetRef"}
    first, second = SCALERS.format("v1"), SCALERS.format("v2")
    answer = await apply(client, scaler("v1", 50), path=first)
    assert owned(answer) == {("one", "autoscaling/v1"): ref | {"f:targetCPUUtilizationPercentage"}}
    answer = await apply(client, scaler("v2", 60), path=second, manager="two")
    assert answer.message == (
        'Apply failed with 1 conflict: conflict with "one": .spec.targetCPUUtilizationPercentage'
    )
    answer = await apply(client, scaler("v2", 60), "&force=true", second, "two")
    assert owned(answer) == {
        ("one", "autoscaling/v1"): ref,
        ("two", "autoscaling/v2"): ref | {"f:metrics"},
    }
    answer = await apply(client, scaler("v1", 60), path=first, manager="two")
    assert owned(answer)["two", "autoscaling/v1"] == ref | {"f:targetCPUUtilizationPercentage"}
    answer = await apply(client, scaler("v2", 0), path=second, manager="two")
    assert owned(answer)["two", "autoscaling/v2"] == ref
    [metric] = answer.json()["spec"]["metrics"]
    assert metric["resource"]["target"]["averageUtilization"] == 80


async def test_an_update_takes_fields_from_another_version(client: Client):
    await apply(client, scaler("v2", 60), path=SCALERS.format("v2"))
    patch = {"spec": {"targetCPUUtilizationPercentage": 70}}
    headers = {"content-type": "application/merge-patch+json", "user-agent": "me/1"}
    answer = await client.request("PATCH", SCALERS.format("v1"), patch, headers)
    assert owned(answer) == {
        ("one", "autoscaling/v2"): {"f:maxReplicas", "f:scaleTargetRef"},
        ("me", "autoscaling/v1"): {"f:targetCPUUtilizationPercentage"},
    }


async def test_what_is_taken_from_elsewhere_conflicts_with_nobody(client: Client):
    await apply(client, deployment())
    status = {**deployment(), "spec": {"replicas": 9}, "status": {"replicas": 3}}
    answer = await apply(client, status, path=f"{PATH}/status", manager="two")
    assert (answer.status, answer.json()["spec"]["replicas"]) == (200, 0)
    answer = await apply(client, {**deployment(), "status": {"replicas": 4}})
    assert (answer.status, answer.json()["status"]["replicas"]) == (200, 3)
    entries = answer.json()["metadata"]["managedFields"]
    assert [entry["fieldsV1"] for entry in entries if entry["manager"] == "two"] == [
        {"f:status": {"f:replicas": {}}}
    ]


async def test_metadata_that_a_status_may_not_change_is_not_owned_by_it(client: Client):
    await apply(client, deployment())
    meta = {"name": "d", "labels": {"a": "b"}, "annotations": {"c": "d"}}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta,
        "status": {"replicas": 1},
    }
    answer = await apply(client, body, path=f"{PATH}/status", manager="two")
    assert answer.json()["metadata"].get("labels") is None
    entry = answer.json()["metadata"]["managedFields"][-1]
    assert entry["fieldsV1"] == {
        "f:metadata": {"f:annotations": {"f:c": {}}},
        "f:status": {"f:replicas": {}},
    }


async def test_a_status_that_keeps_all_metadata_owns_none(client: Client):
    path = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas"
    spec = {"priorityLevelConfiguration": {"name": "catch-all"}}
    assert (await client.post(path, {"metadata": {"name": "f"}, "spec": spec})).status == 201
    patch = {"metadata": {"labels": {"a": "b"}}, "status": {"conditions": [{"type": "X"}]}}
    headers = {"content-type": "application/merge-patch+json", "user-agent": "me/1"}
    answer = await client.request("PATCH", f"{path}/f/status", patch, headers)
    meta = answer.json()["metadata"]
    assert "labels" not in meta
    owned = {one["manager"]: one["fieldsV1"].keys() for one in meta["managedFields"]}
    assert owned["me"] == {"f:status"}


RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
MAPS = "/api/v1/namespaces/default/configmaps"
EVE = {"impersonate-user": "eve"}


@pytest.mark.parametrize("may_create", [False, True])
async def test_who_creates_by_an_apply_or_an_update_may_create(client: Client, may_create):
    verbs = ["patch", "update", *(["create"] if may_create else [])]
    rule = {"apiGroups": [""], "resources": ["configmaps", "limitranges"], "verbs": verbs}
    await client.post(f"{RBAC}/roles", {"metadata": {"name": "r"}, "rules": [rule]})
    grant = {
        "metadata": {"name": "r"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "eve"}],
    }
    await client.post(f"{RBAC}/rolebindings", grant)
    await client.post(MAPS, {"metadata": {"name": "there"}})

    async def write(name):
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
        path = f"{MAPS}/{name}?fieldManager=eve"
        return await client.request("PATCH", path, body, APPLY | EVE)

    ranges = MAPS.replace("configmaps", "limitranges/l")
    body = {"metadata": {"name": "l"}, "spec": {"limits": []}}
    answers = [await write("new"), await client.request("PUT", ranges, body, EVE)]
    assert (await write("there")).status == 200
    if may_create:
        assert [one.status for one in answers] == [201, 201]
        return
    assert [(one.status, one.message) for one in answers] == [
        (403, 'configmaps "new" is forbidden: '),
        (403, 'limitranges "l" is forbidden: '),
    ]
    assert (await client.request("GET", f"{MAPS}/new")).status == 404
