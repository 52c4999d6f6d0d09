"""The type table agrees with the published schema, and knows what only Go's types say."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import orjson
import pytest

from apimachinery.gvk import GroupVersionKind
from apimachinery.schema import Schema, builder, gotypes, types
from apimachinery.schema.decode import decode_as

POD_SPEC = "io.k8s.api.core.v1.PodSpec"
ROOT = Path(__file__).resolve().parents[3]
# Published for documentation alone: there is no Go struct of either.
WITHOUT_GO_TYPE = {
    "io.k8s.apimachinery.pkg.apis.meta.v1.Patch",
    "io.k8s.apimachinery.pkg.version.Info",
}


@pytest.fixture(scope="module")
def definitions():
    types()
    return orjson.loads(builder.DEFINITIONS.read_bytes())


def test_every_definition_has_a_go_type_with_the_same_fields(definitions):
    wrong = {}
    for name, definition in definitions.items():
        if name in WITHOUT_GO_TYPE:
            continue
        schema = types().definition(name)
        published = set(definition.get("properties", ()))
        if schema.kind == "object" and published != set(schema.fields):
            wrong[name] = published ^ set(schema.fields)
    assert wrong == {}


def test_every_property_has_the_published_type(definitions):
    kinds = {
        "string": {"string", "time", "micro-time", "bytes"}, "integer": {"integer"},
        "number": {"number"}, "boolean": {"boolean"}, "array": {"array"},
        "object": {"map", "object", "any"},
    }  # fmt: skip
    wrong: list[object] = []
    for name, definition in definitions.items():
        for prop, published in definition.get("properties", {}).items():
            if "type" not in published or name in WITHOUT_GO_TYPE:
                continue
            expected = kinds[
                next(t for t in published["type"] if t != "null")
                if isinstance(published["type"], list)
                else published["type"]
            ]
            found = types().definition(name).fields[prop].schema
            if found.kind not in expected:
                wrong.append((name, prop, found.kind))
            if found.kind == "integer" and published.get("format") != found.int_format:
                wrong.append((name, prop, found.int_format))
    assert wrong == []


def test_protobuf_numbers_are_unique_within_a_type():
    for name in types().names():
        numbers = [row[1] >> 3 for row in types().record(name)["f"] if row[1]]
        assert len(numbers) == len(set(numbers)), name


def test_every_published_kind_is_found_by_its_group_version_and_kind(definitions):
    for name, definition in definitions.items():
        for gvk in definition.get("x-kubernetes-group-version-kind", ()):
            if name in WITHOUT_GO_TYPE:
                continue
            schema = types().type_of(GroupVersionKind(gvk["group"], gvk["version"], gvk["kind"]))
            assert schema is not None
            assert schema.name == name


@pytest.mark.parametrize(
    ("gvk", "name"),
    [
        (("", "v1", "Pod"), "io.k8s.api.core.v1.Pod"),
        (("", "v1", "PodExecOptions"), "io.k8s.api.core.v1.PodExecOptions"),
        (("apps", "v1", "Scale"), None),
        (("autoscaling", "v1", "Scale"), "io.k8s.api.autoscaling.v1.Scale"),
        (("example.com", "v1", "DeleteOptions"),
         "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"),
        (("batch", "v1", "CreateOptions"), "io.k8s.apimachinery.pkg.apis.meta.v1.CreateOptions"),
        (("apiregistration.k8s.io", "v1", "APIService"),
         "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService"),
        (("", "v1", "Deployment"), None),
    ],
)  # fmt: skip
def test_kinds(gvk, name):
    schema = types().type_of(GroupVersionKind(*gvk))
    assert (schema.name if schema else None) == name


def test_fields_know_how_go_prints_them():
    fields = types().definition("io.k8s.api.core.v1.Container").fields
    assert fields["name"].omitempty is False
    assert fields["image"].omitempty is True
    assert fields["livenessProbe"].pointer is True
    assert fields["resources"].pointer is False
    assert (
        types()
        .definition("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")
        .fields["creationTimestamp"]
        .omitzero
    )


def test_a_property_carries_its_own_merge_rules():
    containers = types().definition(POD_SPEC).fields["containers"].schema
    assert containers.list_type == "map"
    assert containers.list_map_keys == ("name",)
    assert (containers.patch_strategy, containers.patch_merge_key) == (("merge",), "name")
    volumes = types().definition(POD_SPEC).fields["volumes"].schema
    assert volumes.patch_strategy == ("merge", "retainKeys")
    deployment = types().definition("io.k8s.api.apps.v1.DeploymentSpec")
    assert deployment.fields["strategy"].schema.patch_strategy == ("retainKeys",)
    # The definition itself, used elsewhere, has none.
    assert types().definition("io.k8s.api.apps.v1.DeploymentStrategy").patch_strategy == ()
    assert types().definition("io.k8s.api.core.v1.SecretKeySelector").map_type == "atomic"


def test_inlined_structs_become_fields_of_the_outer_one():
    volume = types().definition("io.k8s.api.core.v1.Volume").fields
    assert {"name", "emptyDir", "configMap"} <= set(volume)


@pytest.mark.parametrize(
    ("definition", "field", "kind", "go_type"),
    [
        (POD_SPEC, "containers", "array", "[]v1.Container"),
        (POD_SPEC, "nodeSelector", "map", "map[string]string"),
        (POD_SPEC, "restartPolicy", "string", "v1.RestartPolicy"),
        (POD_SPEC, "activeDeadlineSeconds", "integer", "int64"),
        ("io.k8s.api.core.v1.ServicePort", "targetPort", "int-or-string", "intstr.IntOrString"),
        ("io.k8s.api.core.v1.Secret", "data", "map", "map[string][]uint8"),
        ("io.k8s.api.apps.v1.ControllerRevision", "data", "any", "runtime.RawExtension"),
        ("io.k8s.api.coordination.v1.LeaseSpec", "renewTime", "micro-time", "v1.MicroTime"),
        ("io.k8s.api.core.v1.ResourceRequirements", "limits", "map", "v1.ResourceList"),
    ],
)
def test_types(definition, field, kind, go_type):
    schema = types().definition(definition).fields[field].schema
    assert (schema.kind, schema.go_type) == (kind, go_type)


def test_types_that_contain_themselves():
    name = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
    props = types().definition(name)
    assert props.fields["properties"].schema.item is props


def test_a_schema_made_by_hand_decodes_like_any_other():
    schema = Schema("object", fields={})
    gvk = GroupVersionKind("example.com", "v1", "Widget")
    assert decode_as({"a": 1}, schema, gvk, "Warn").problems == ['unknown field "a"']


def test_building_again_does_nothing():
    types()
    before = builder.TYPES.stat().st_mtime_ns
    assert builder.build() is False
    assert builder.TYPES.stat().st_mtime_ns == before


def test_go_types_are_those_of_the_installed_kubectl():
    kubectl = ROOT / ".venv/bin/kubectl"
    script = SimpleNamespace(**runpy.run_path(str(ROOT / "scripts/build_go_types.py")))
    extractor = script.Extractor(script.Binary(kubectl))
    extractor.run()
    committed, _ = gotypes.read(builder.SOURCES[0])
    found = script.only_reached(extractor.structs)
    assert len(found) > 1000
    assert {n: found[n] for n in found} == {n: committed.get(n) for n in found}
