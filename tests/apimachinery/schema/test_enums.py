"""The values of string fields: each names a field that exists, and v3 publishes it."""

import orjson

from apimachinery.gvk import CORE_V1
from apimachinery.schema import openapi, types
from apimachinery.schema.enums import ENUMS


def test_every_entry_names_a_string_field():
    for definition, fields in ENUMS.items():
        known = types().definition(definition).fields
        for name, values in fields.items():
            assert known[name].schema.kind == "string", (definition, name)
            assert list(values) == sorted(set(values)), (definition, name)


def test_openapi_v3_publishes_them():
    pods = openapi.ServedResource(CORE_V1.kind("Pod"), "pods", "pod", True, ("create", "get"))
    document = orjson.loads(openapi.document("api/v1", [pods]) or b"")
    container = document["components"]["schemas"]["io.k8s.api.core.v1.Container"]
    assert container["properties"]["imagePullPolicy"]["enum"] == ["Always", "IfNotPresent", "Never"]
