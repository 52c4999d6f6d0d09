"""Every kind goes through protobuf and comes back as what JSON would have been read as."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apimachinery.protobuf import decode_request, encode
from apimachinery.schema import types
from apimachinery.schema.decode import decode

_SCALARS = {
    "string": st.text(max_size=3),
    "boolean": st.booleans(),
    "number": st.sampled_from([0, 1, 2.5]),
    "quantity": st.sampled_from(["1", "500m", "2Gi"]),
    "int-or-string": st.sampled_from([1, "http", "25%"]),
    "time": st.just("2026-01-02T03:04:05Z"),
    "micro-time": st.just("2026-01-02T03:04:05.000006Z"),
    "bytes": st.sampled_from(["", "AQID"]),
}
# Types that contain themselves end here.
DEEPEST = 6


def values(schema, depth=0):
    """Return what values of a type may be; less and less of it the deeper it is."""
    if schema.kind in _SCALARS:
        return _SCALARS[schema.kind]
    if schema.kind == "integer":
        return st.integers(0, 3) if schema.int_format else st.integers(0, 1)
    if schema.kind == "any":
        return st.just({"a": 1})
    if schema.kind == "array":
        return st.lists(values(schema.item, depth + 1), max_size=1)
    if schema.kind == "map":
        return st.dictionaries(
            st.text(min_size=1, max_size=2), values(schema.item, depth + 1), max_size=1
        )
    return st.deferred(lambda: _objects(schema, depth))


@st.composite
def _objects(draw, schema, depth):
    if depth > DEEPEST:
        return {}
    names = sorted(schema.fields.keys() - _not_sent(schema))
    chosen = draw(st.lists(st.sampled_from(names), unique=True, max_size=4)) if names else []
    return {
        name: draw(values(schema.fields[name].schema, depth + 1))
        for name in chosen
        if "JSONSchemaPropsOr" not in schema.fields[name].schema.name
    }


def _not_sent(schema):
    """Return the fields of options that are sent in an object: messages do not tell their kind."""
    return {"apiVersion", "kind"} if schema.name.endswith("Options") else set()


KINDS = sorted(
    gvk
    for gvk in types().kinds()
    if gvk.group != "meta.k8s.io" and not gvk.kind.endswith(("List", "Options"))
)


@pytest.mark.parametrize("gvk", KINDS, ids=str)
def test_a_message_says_what_json_says(gvk):
    schema = types().type_of(gvk)

    @settings(
        max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(values(schema))
    def check(body):
        body = {**body, "apiVersion": gvk.api_version, "kind": gvk.kind}
        read = decode(body, gvk).obj
        raw = encode(read, gvk)
        assert decode(decode_request(raw, gvk), gvk).obj == read

    check()
