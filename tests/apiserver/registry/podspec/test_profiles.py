"""AppArmor and seccomp: annotations beside fields, and what is warned of."""

# Tables of messages read best unwrapped.
# ruff: noqa: E501

from __future__ import annotations

import pytest

from apiserver.registry.core.pods import PODS
from apiserver.registry.podspec.annotations import APPARMOR_PREFIX, SECCOMP_POD, SECCOMP_PREFIX
from tests.apiserver.registry.podspec.support import context, create_errors, made

C = {"name": "c", "image": "nginx:1"}
APPARMOR, SECCOMP = f"{APPARMOR_PREFIX}c", f"{SECCOMP_PREFIX}c"


def pod(annotations, of_pod=None, of_container=None):
    container = C if of_container is None else {**C, "securityContext": of_container}
    spec = {"containers": [container]}
    if of_pod is not None:
        spec["securityContext"] = of_pod
    return {"metadata": {"name": "it", "annotations": annotations}, "spec": spec}


def local(name):
    return {"type": "Localhost", "localhostProfile": name}


@pytest.mark.parametrize(
    ("annotation", "of_pod", "field", "warned"),
    [
        ("unconfined", None, {"type": "Unconfined"}, True),
        ("runtime/default", None, {"type": "RuntimeDefault"}, True),
        ("localhost/a", None, local("a"), True),
        ("localhost/", None, None, True),
        # What the pod says already is not said again.
        ("unconfined", {"appArmorProfile": {"type": "Unconfined"}}, None, False),
    ],
)
def test_an_apparmor_annotation_becomes_a_field(annotation, of_pod, field, warned):
    ctx = context()
    found = made(PODS, pod({APPARMOR: annotation}, of_pod), ctx)
    own = found["spec"]["containers"][0].get("securityContext") or {}
    assert own.get("appArmorProfile") == field
    text = f'metadata.annotations[{APPARMOR}]: deprecated since v1.30; use the "appArmorProfile" field instead'
    assert PODS.strategy.warnings_on_create(found, ctx) == ([text] if warned else [])


TYPE = "Forbidden: {} type in annotation and field must match"
NAME = "Forbidden: {} profile in annotation and field must match"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (pod({APPARMOR: "localhost/a"}, None, {"appArmorProfile": local("a")}), None),
        (pod({SECCOMP: "docker/default"}, None, {"seccompProfile": {"type": "RuntimeDefault"}}), None),
        (pod({APPARMOR: "unconfined"}, None, {"appArmorProfile": local("a")}),
         ("containers[0].securityContext.appArmorProfile.type", TYPE.format("apparmor"))),
        (pod({APPARMOR: "localhost/b"}, None, {"appArmorProfile": local("a")}),
         ("containers[0].securityContext.appArmorProfile.localhostProfile", NAME.format("apparmor"))),
        (pod({SECCOMP: "unconfined"}, None, {"seccompProfile": {"type": "RuntimeDefault"}}),
         ("containers[0].securityContext.seccompProfile.type", TYPE.format("seccomp"))),
        (pod({SECCOMP_POD: "localhost/b"}, {"seccompProfile": local("a")}),
         ("securityContext.seccompProfile.localhostProfile", NAME.format("seccomp"))),
    ],
)  # fmt: skip
def test_annotations_and_fields_say_the_same(body, expected):
    found = create_errors(PODS, body)
    assert found == ([] if expected is None else [(f"spec.{expected[0]}", expected[1])])


def test_seccomp_annotations_do_nothing_any_more():
    text = 'non-functional in v1.27+; use the "seccompProfile" field instead'
    found = made(PODS, pod({SECCOMP: "unconfined", SECCOMP_POD: "unconfined"}))
    assert PODS.strategy.warnings_on_create(found, context()) == [
        f"metadata.annotations[{key}]: {text}" for key in (SECCOMP_POD, SECCOMP)
    ]
