"""Bodies in protobuf mean what the same bodies in JSON mean, and garbage is a bad request."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apimachinery import wire
from apimachinery.errors import BadRequest
from apimachinery.gvk import GroupVersion, GroupVersionKind
from apimachinery.protobuf import decode_request, encode, reading, specials
from apimachinery.schema import types
from apimachinery.schema.decode import decode, zero_of

POD = GroupVersionKind("", "v1", "Pod")
CONFIG_MAP = GroupVersionKind("", "v1", "ConfigMap")


def envelope(api_version, kind, raw):
    meta = wire.length_delimited(0x0A, api_version.encode())
    meta += wire.length_delimited(0x12, kind.encode())
    return b"k8s\x00" + wire.length_delimited(0x0A, meta) + wire.length_delimited(0x12, raw)


OBJECTS = [
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "web",
            "labels": {"a": "b", "c": ""},
            "creationTimestamp": "2026-01-02T03:04:05Z",
            "ownerReferences": [
                {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u", "controller": True}
            ],
            "managedFields": [{"manager": "m", "fieldsV1": {"f:spec": {".": {}}}}],
        },
        "spec": {
            "containers": [
                {
                    "name": "c",
                    "image": "i",
                    "ports": [{"containerPort": 80, "hostPort": 0}],
                    "resources": {"limits": {"cpu": "500m"}},
                    "livenessProbe": {
                        "httpGet": {"port": "http"}, "initialDelaySeconds": 5,
                    },
                    "readinessProbe": {"tcpSocket": {"port": 80}},
                    "securityContext": {"runAsUser": 0, "privileged": False},
                    "command": ["a", ""],
                    "stdin": True,
                }
            ],
            "volumes": [
                {"name": "v", "emptyDir": {}},
                {"name": "s", "secret": {"secretName": "x"}},
            ],
            "terminationGracePeriodSeconds": 0,
            "priority": -5,
            "nodeSelector": {"a": "b"},
        },
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    },
    {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
     "data": {"a": "AP8=", "b": ""}, "type": "Opaque"},
    {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": {},
     "data": {"spec": {"x": [1, 2.5, None]}}, "revision": 3},
    {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {},
     "spec": {"renewTime": "2026-01-02T03:04:05.678901Z", "leaseDurationSeconds": 40}},
    {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {},
     "spec": {"request": "YQ==", "signerName": "s", "extra": {"k": ["v", ""]}}},
    {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "metadata": {},
     "spec": {"token": "t"}, "status": {"user": {"extra": {"a": ["b"]}}}},
    {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0,
     "propagationPolicy": "Foreground", "preconditions": {"uid": "u"}},
    {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"},
     "deleteOptions": {"dryRun": ["All"]}},
    {"apiVersion": "v1", "kind": "PodList", "metadata": {"resourceVersion": "5"},
     "items": [{"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c"}]}}]},
    {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {},
     "spec": {"podSelector": {}, "ingress": [{}]}},
    {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {},
     "spec": {"group": "g", "names": {"plural": "p", "kind": "K"}, "scope": "Cluster",
              "versions": [{"name": "v1", "served": True, "storage": False,
                            "additionalPrinterColumns": [
                                {"name": "a", "type": "string", "jsonPath": ".x", "priority": 1}],
                            "schema": {"openAPIV3Schema": {
                                "type": "object", "minimum": 0.5, "maximum": 3,
                                "default": {"a": [None]}, "enum": ["x", 1],
                                "items": {"type": "string"},
                                "additionalProperties": False,
                                "properties": {"a": {"items": [{"type": "string"}]},
                                               "b": {"additionalProperties": {"nullable": True}}},
                                "x-kubernetes-validations": [{"rule": "true"}]}}}]}},
]  # fmt: skip


@pytest.mark.parametrize("body", OBJECTS, ids=lambda body: body["kind"])
def test_what_is_written_is_read_back(body):
    gvk = GroupVersion.parse(body["apiVersion"]).kind(body["kind"])
    stored = decode(body, gvk, "Strict").obj
    read = decode_request(encode(stored, gvk))
    assert (read["apiVersion"], read["kind"]) == (body["apiVersion"], body["kind"])
    assert decode(read, gvk, "Strict").obj == stored


def test_zero_values_of_every_kind_survive():
    for gvk, name in types().kinds().items():
        schema = types().definition(name)
        if "kind" not in schema.fields:
            continue  # WatchEvent travels in a stream, never as a body
        stored = decode(zero_of(schema), gvk).obj
        assert decode(decode_request(encode(stored, gvk)), gvk, "Strict").obj == stored


def test_only_what_json_would_print_is_read():
    """Go writes every field that is no pointer; `omitempty` decides which of them show."""
    raw = wire.length_delimited(0x0A, b"c") + b"\x12\x00\x2a\x00\x80\x01\x00\x88\x01\x00"
    assert reading.read_message("io.k8s.api.core.v1.Container", raw) == {"name": "c"}
    assert reading.read_message("io.k8s.api.core.v1.EnvVar", b"\x0a\x00\x12\x00") == {"name": ""}
    false_pointer = b"\x10\x00"
    context = reading.read_message("io.k8s.api.core.v1.SecurityContext", false_pointer)
    assert context == {"privileged": False}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0s"), (1, "1ns"), (1500, "1.5µs"), (2_000_000, "2ms"), (10**9, "1s"),
        (90 * 10**9, "1m30s"), (3600 * 10**9, "1h0m0s"), (-5 * 10**8, "-500ms"),
        (1_500_000_000, "1.5s"),
    ],
)  # fmt: skip
def test_durations_print_as_in_go(value, text):
    assert specials.go_duration(value) == text


def test_repeated_numbers_may_be_packed():
    name = "io.k8s.api.core.v1.PodSecurityContext"
    row = next(r for r in types().record(name)["f"] if r[0] == "supplementalGroups")
    packed = wire.length_delimited(row[1] | 2, b"\x01\xac\x02")
    assert reading.read_message(name, packed) == {"supplementalGroups": [1, 300]}
    single = wire.varint(row[1]) + b"\x07"
    assert reading.read_message(name, packed + single) == {"supplementalGroups": [1, 300, 7]}


def test_a_body_without_a_kind_is_of_the_expected_one():
    body = envelope("", "", wire.length_delimited(0x0A, wire.length_delimited(0x0A, b"a")))
    assert decode_request(body, CONFIG_MAP) == {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"},
    }  # fmt: skip


def test_unknown_fields_of_newer_clients_are_passed_over():
    raw = wire.varint(900 << 3 | 2) + b"\x01x" + wire.varint(901 << 3) + b"\x05"
    raw += wire.varint(902 << 3 | 1) + b"8bytes!!" + wire.varint(903 << 3 | 5) + b"4byt"
    assert decode_request(envelope("v1", "ConfigMap", raw)) == {
        "apiVersion": "v1", "kind": "ConfigMap",
    }  # fmt: skip


NO_MAGIC = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "empty data (<empty>)"),
        (b"{}", f"{NO_MAGIC} ({{}})"),
        (b"k8s\x00", "empty body (6b387300)"),
        (b"k8s\x00\x0a\x7f", "unexpected EOF (6b3873000a7f)"),
    ],
)
def test_a_body_that_does_not_tell_its_kind(body, why):
    with pytest.raises(BadRequest) as refused:
        decode_request(body, POD)
    expected = f"the object provided is unrecognized (must be of type Pod): {why}"
    assert refused.value.message == expected


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"\x0a\x05x", "unexpected EOF"),
        (b"\x08\x01", "proto: wrong wireType = 0 for field Metadata"),
        (b"\x0c", "proto: Pod: wiretype end group for non-group"),
        (b"\x02\x00", "proto: Pod: illegal tag 0 (wire type 2)"),
        (b"\xff" * 11, "proto: integer overflow"),
        (wire.varint(900 << 3 | 6) + b"\x00", "proto: illegal wireType 6"),
    ],
)
def test_garbage_is_refused_in_the_words_of_the_server(raw, why):
    with pytest.raises(BadRequest) as refused:
        decode_request(envelope("v1", "Pod", raw), POD)
    assert refused.value.message == f'Pod in version "v1" cannot be handled as a Pod: {why}'


def test_a_kind_that_does_not_exist():
    with pytest.raises(BadRequest, match='no kind "Nope" is registered for version "v1"'):
        decode_request(envelope("v1", "Nope", b""), POD)


def test_numbers_that_json_cannot_print_are_refused():
    name = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
    row = next(r for r in types().record(name)["f"] if r[0] == "maximum")
    with pytest.raises(wire.WireError):
        reading.read_message(name, wire.varint(row[1]) + struct.pack("<d", float("nan")))


KINDS = [
    POD,
    CONFIG_MAP,
    GroupVersionKind("apiextensions.k8s.io", "v1", "CustomResourceDefinition"),
]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(KINDS), st.binary(max_size=60))
def test_no_bytes_do_anything_worse_than_a_bad_request(gvk, raw):
    try:
        obj = decode_request(envelope(gvk.api_version, gvk.kind, raw))
    except BadRequest:
        return
    assert obj["kind"] == gvk.kind


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_body_does_nothing_worse_either(data):
    body = data.draw(st.sampled_from(OBJECTS))
    gvk = GroupVersion.parse(body["apiVersion"]).kind(body["kind"])
    good = bytearray(encode(decode(body, gvk).obj, gvk))
    at = data.draw(st.integers(4, len(good) - 1))
    good[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(5, len(good)))
    for damaged in (bytes(good), bytes(good[:cut])):
        try:
            read = decode_request(damaged)
            decode(read, GroupVersion.parse(read["apiVersion"]).kind(read["kind"]))
        except BadRequest:
            pass


def test_nesting_without_end_is_refused():
    name = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
    row = next(r for r in types().record(name)["f"] if r[0] == "not")
    raw = b""
    for _ in range(3000):
        raw = wire.length_delimited(row[1], raw)
    schema = wire.length_delimited(0x0A, raw)
    version = wire.length_delimited(0x22, schema)
    spec = wire.length_delimited(0x3A, version)
    body = envelope("apiextensions.k8s.io/v1", "CustomResourceDefinition",
                    wire.length_delimited(0x12, spec))  # fmt: skip
    with pytest.raises(BadRequest):
        decode_request(body)
