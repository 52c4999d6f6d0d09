"""Objects are read and printed as Kubernetes' typed decoder and encoder do, word for word."""

import copy

import pytest

from apimachinery.errors import BadRequest
from apimachinery.gvk import GroupVersion, GroupVersionKind
from apimachinery.quantity import WRONG_FORMAT
from apimachinery.schema.decode import (
    cannot_be_handled,
    decode,
    no_kind_registered,
    strict_error,
    unrecognized,
)

POD = GroupVersionKind("", "v1", "Pod")
DEPLOYMENT = GroupVersionKind("apps", "v1", "Deployment")
CRD = GroupVersionKind("apiextensions.k8s.io", "v1", "CustomResourceDefinition")


def gvk_of(body):
    return GroupVersion.parse(body["apiVersion"]).kind(body["kind"])


def core(kind, **fields):
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "a"}, **fields}


def pod(**spec):
    return core("Pod", spec={"containers": [{"name": "c", "image": "i"}], **spec})


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # nulls and empty values go where Go says omitempty
        (core("ConfigMap", data=None), core("ConfigMap")),
        (core("ConfigMap", data={}, immutable=None), core("ConfigMap")),
        # a pointer that is set is printed, whatever it points at
        (core("ConfigMap", immutable=False), core("ConfigMap", immutable=False)),
        (core("ConfigMap", data={"a": None}), core("ConfigMap", data={"a": ""})),
        # metadata and status are structs: Go never leaves them out
        ({"apiVersion": "v1", "kind": "Namespace"},
         {"apiVersion": "v1", "kind": "Namespace", "metadata": {}, "spec": {}, "status": {}}),
        # zero values of fields without omitempty
        (core("Service", spec={"ports": [{}]}),
         core("Service", spec={"ports": [{"port": 0, "targetPort": 0}]},
              status={"loadBalancer": {}})),
        ({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "rules": []},
         {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {},
          "rules": None}),
        # canonical quantities, times, bytes
        (core("ResourceQuota", spec={"hard": {"cpu": "1000m", "memory": 1024, "pods": "1e3"}}),
         core("ResourceQuota", spec={"hard": {"cpu": "1", "memory": "1024", "pods": "1e3"}},
              status={})),
        (core("Secret", data={"a": "YW\nJj"}), core("Secret", data={"a": "YWJj"})),
        ({"apiVersion": "v1", "kind": "ConfigMap",
          "metadata": {"creationTimestamp": "2026-01-02T03:04:05.5+01:00"}},
         {"apiVersion": "v1", "kind": "ConfigMap",
          "metadata": {"creationTimestamp": "2026-01-02T02:04:05Z"}}),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"creationTimestamp": None}},
         {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}),
    ],
)  # fmt: skip
def test_what_is_stored(body, expected):
    assert decode(body, gvk_of(body), "Strict").obj == expected


def test_a_pod_is_completed_with_zero_values_and_nothing_else():
    body = pod(volumes=[{"name": "v", "emptyDir": {}}], securityContext={}, hostNetwork=False)
    assert decode(body, POD).obj == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a"},
        "spec": {
            "containers": [{"name": "c", "image": "i", "resources": {}}],
            "volumes": [{"name": "v", "emptyDir": {}}],
            "securityContext": {},
        },
        "status": {},
    }


def test_a_deployment_without_anything():
    assert decode({}, DEPLOYMENT).obj == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {},
        "spec": {
            "selector": None,
            "template": {"metadata": {}, "spec": {"containers": None}},
            "strategy": {},
        },
        "status": {},
    }


def test_zero_values_are_not_shared_between_objects():
    first, second = decode({}, DEPLOYMENT).obj, decode({}, DEPLOYMENT).obj
    first["spec"]["template"]["metadata"]["labels"] = {"a": "b"}
    assert second["spec"]["template"]["metadata"] == {}


def test_the_body_is_not_changed_by_decoding_nor_by_changing_the_outcome():
    body = pod(nodeSelector={"a": "b"}, tolerations=[{"key": "k"}])
    before = copy.deepcopy(body)
    obj = decode(body, POD).obj
    obj["spec"]["nodeSelector"]["c"] = "d"
    obj["spec"]["tolerations"].append({})
    obj["metadata"]["name"] = "b"
    assert body == before


def in_template(spec):
    return {"spec": {"template": {"spec": spec}}}


def refusal(body):
    with pytest.raises(BadRequest) as refused:
        decode(body, DEPLOYMENT)
    start = 'Deployment in version "v1" cannot be handled as a Deployment: '
    assert refused.value.message.startswith(start)
    return refused.value.message.removeprefix(start)


@pytest.mark.parametrize(
    ("body", "given", "field", "go_type"),
    [
        ({"spec": {"replicas": "a"}}, "string", "DeploymentSpec.spec.replicas", "int32"),
        ({"spec": {"replicas": 1.5}}, "number 1.5", "DeploymentSpec.spec.replicas", "int32"),
        ({"spec": {"replicas": 2**31}}, "number 2147483648", "DeploymentSpec.spec.replicas",
         "int32"),
        ({"spec": {"replicas": True}}, "bool", "DeploymentSpec.spec.replicas", "int32"),
        ({"spec": []}, "array", "Deployment.spec", "v1.DeploymentSpec"),
        ({"metadata": {"name": True}}, "bool", "ObjectMeta.metadata.name", "string"),
        ({"metadata": {"labels": {"a": 1}}}, "number", "ObjectMeta.metadata.labels", "string"),
        ({"metadata": {"uid": 1}}, "number", "ObjectMeta.metadata.uid", "types.UID"),
        ({"metadata": {"creationTimestamp": 5}}, "number", "ObjectMeta.metadata.creationTimestamp",
         "string"),
        ({"spec": {"strategy": {"rollingUpdate": {"maxSurge": True}}}}, "bool",
         "RollingUpdateDeployment.spec.strategy.rollingUpdate.maxSurge", "int32"),
        (in_template({"containers": {}}), "object", "PodSpec.spec.template.spec.containers",
         "[]v1.Container"),
        (in_template({"volumes": [{"emptyDir": "x"}]}), "string",
         "Volume.spec.template.spec.volumes.emptyDir", "v1.EmptyDirVolumeSource"),
    ],
)  # fmt: skip
def test_values_of_the_wrong_type(body, given, field, go_type):
    expected = f"json: cannot unmarshal {given} into Go struct field {field} of type {go_type}"
    assert refusal(body) == expected


def test_a_body_that_is_no_object():
    assert refusal([]) == "json: cannot unmarshal array into Go value of type v1.Deployment"


@pytest.mark.parametrize("amount", ["x", {}, True])
def test_what_is_no_quantity(amount):
    body = in_template({"containers": [{"resources": {"limits": {"cpu": amount}}}]})
    assert refusal(body) == WRONG_FORMAT


def test_what_is_no_time():
    assert refusal({"metadata": {"creationTimestamp": "x"}}) == (
        'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'
    )


def test_the_first_wrong_value_is_named_but_a_type_with_its_own_decoder_goes_first():
    early = {"spec": {"replicas": "a", "minReadySeconds": "b"}}
    with pytest.raises(BadRequest, match=r"spec\.replicas"):
        decode(early, DEPLOYMENT)
    late = {"spec": {"replicas": "a"}, "metadata": {"creationTimestamp": "x"}}
    with pytest.raises(BadRequest, match="parsing time"):
        decode(late, DEPLOYMENT)


def test_a_secret_that_is_no_base64():
    with pytest.raises(BadRequest, match="illegal base64 data at input byte 4"):
        decode(core("Secret", data={"a": "abc=d"}), GroupVersionKind("", "v1", "Secret"))


UNKNOWN = {
    "bogus": 1,
    "spec": {
        "repicas": 1,
        "template": {"spec": {"containers": [{}, {"imag": "x", "env": [{"valu": 1}]}]}},
    },
}
UNKNOWN_TEXTS = [
    'unknown field "bogus"',
    'unknown field "spec.repicas"',
    'unknown field "spec.template.spec.containers[1].imag"',
    'unknown field "spec.template.spec.containers[1].env[0].valu"',
]


def test_unknown_fields_refuse_in_strict_mode():
    with pytest.raises(BadRequest) as refused:
        decode(UNKNOWN, DEPLOYMENT, "Strict")
    assert refused.value.message == (
        'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: '
        + ", ".join(UNKNOWN_TEXTS)
    )


def test_unknown_fields_warn_and_are_dropped():
    decoded = decode(UNKNOWN, DEPLOYMENT, "Warn")
    assert decoded.problems == UNKNOWN_TEXTS
    assert "bogus" not in decoded.obj
    assert "imag" not in decoded.obj["spec"]["template"]["spec"]["containers"][1]
    assert decode(UNKNOWN, DEPLOYMENT, "Ignore").problems == []


def test_a_wrong_type_is_told_before_an_unknown_field():
    with pytest.raises(BadRequest, match="cannot unmarshal"):
        decode({"bogus": 1, "spec": 1}, DEPLOYMENT, "Strict")


def test_at_most_a_hundred_unknown_fields_are_listed():
    body = {f"x{n}": 1 for n in range(150)}
    assert len(decode(body, DEPLOYMENT, "Warn").problems) == 100


def crd(schema):
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "a"},
        "spec": {
            "group": "g",
            "names": {"plural": "p", "kind": "K"},
            "scope": "Cluster",
            "versions": [
                {"name": "v1", "served": True, "storage": True,
                 "schema": {"openAPIV3Schema": schema}}
            ],
        },
    }  # fmt: skip


def test_schemas_of_custom_resources_are_read_all_the_way_down():
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "array", "items": {"type": "string", "nullable": False}},
            "b": {"additionalProperties": {"type": "integer", "maximum": 5.0}},
            "c": {"additionalProperties": True, "default": {"x": None}, "enum": [1, "a", None]},
        },
    }
    read = decode(crd(schema), CRD, "Strict").obj["spec"]["versions"][0]["schema"]
    assert read["openAPIV3Schema"]["properties"] == {
        "a": {"type": "array", "items": {"type": "string"}},
        "b": {"additionalProperties": {"type": "integer", "maximum": 5}},
        "c": {"additionalProperties": True, "default": {"x": None}, "enum": [1, "a", None]},
    }


def test_nesting_without_end_is_refused():
    schema = {}
    for _ in range(2000):
        schema = {"not": schema}
    with pytest.raises(BadRequest, match="exceeded max depth"):
        decode(crd(schema), CRD, "Strict")


def test_no_such_kind():
    gvk = GroupVersionKind("storage.k8s.io", "v1", "Wrong")
    with pytest.raises(BadRequest) as refused:
        decode({}, gvk)
    assert refused.value.message == (
        'Wrong in version "v1" cannot be handled as a Wrong: no kind "Wrong" is registered for '
        'version "storage.k8s.io/v1" in scheme "pkg/api/legacyscheme/scheme.go:30"'
    )
    assert "cannot be handled as a Role" in no_kind_registered(gvk, "Role").message


def test_refusals_for_others_to_raise():
    assert cannot_be_handled(POD, "ConfigMap", "why").message == (
        'Pod in version "v1" cannot be handled as a ConfigMap: why'
    )
    assert strict_error(POD, "Pod", ["a", "b"]).message.endswith("strict decoding error: a, b")
    assert unrecognized("Pod", "why", b"").message == (
        "the object provided is unrecognized (must be of type Pod): why (<empty>)"
    )
    assert unrecognized("Pod", "why", b"{not json").message.endswith("why ({not json)")
    assert unrecognized("Pod", "why", b"[]").message.endswith("why (5b5d)")
    assert unrecognized("Pod", "why", b"{" + b"a" * 40).message.endswith("({" + "a" * 29 + " ...)")


CRD = GroupVersionKind("apiextensions.k8s.io", "v1", "CustomResourceDefinition")


def with_schema(**schema):
    version = {"name": "v1", "schema": {"openAPIV3Schema": schema}}
    return {"spec": {"versions": [version]}}


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"additionalProperties": 1}, "boolean or JSON schema expected"),
        ({"not": {"additionalProperties": "x"}}, "boolean or JSON schema expected"),
        ({"items": [1]}, "json: cannot unmarshal number into Go value of type v1.JSONSchemaProps"),
        (
            {"dependencies": {"a": ["x", {}]}},
            "json: cannot unmarshal object into Go value of type string",
        ),
    ],
)
def test_schemas_that_are_none(schema, why):
    with pytest.raises(BadRequest) as caught:
        decode(with_schema(**schema), CRD)
    assert caught.value.message.endswith(f"cannot be handled as a CustomResourceDefinition: {why}")


def test_what_is_neither_a_schema_nor_a_list_counts_as_nothing():
    schema = {"items": 5, "dependencies": {"a": True}, "additionalProperties": False}
    [version] = decode(with_schema(**schema), CRD).obj["spec"]["versions"]
    assert version["schema"]["openAPIV3Schema"] == {
        "items": None, "dependencies": {"a": None}, "additionalProperties": False,
    }  # fmt: skip
