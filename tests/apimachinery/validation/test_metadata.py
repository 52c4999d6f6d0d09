"""Metadata on create and on update, selectors, options: every rule refuses something here."""

import pytest

from apimachinery.validation import metadata, names

GOOD = {
    "name": "web-1",
    "generateName": "web-",
    "namespace": "default",
    "resourceVersion": "1",
    "uid": "u",
    "labels": {"app": "web"},
    "annotations": {"Example.com/A": "free text"},
    "finalizers": ["example.com/f"],
    "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "u"}],
    "managedFields": [{"operation": "Update", "fieldsType": "FieldsV1", "manager": "m"}],
}
OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "a", "uid": "u"}


def check(**changes):
    return [str(error) for error in metadata.validate_object_meta(GOOD | changes, namespaced=True)]


def test_good_metadata():
    assert check() == []
    assert check(name="a", generateName="a--") == []


@pytest.mark.parametrize(
    ("changes", "start"),
    [
        ({"name": ""}, "metadata.name: Required value: name or generateName is required"),
        ({"name": "A"}, 'metadata.name: Invalid value: "A": a lowercase RFC 1123 subdomain'),
        ({"generateName": "-"}, 'metadata.generateName: Invalid value: "-": a lowercase'),
        ({"namespace": ""}, "metadata.namespace: Required value"),
        ({"namespace": "a.b"}, 'metadata.namespace: Invalid value: "a.b": must not contain dots'),
        (
            {"generation": -1},
            "metadata.generation: Invalid value: -1: must be greater than or equal to 0",
        ),
        ({"labels": {"a b": "x"}}, 'metadata.labels: Invalid value: "a b": name part must'),
        ({"labels": {"a": "x_"}}, 'metadata.labels: Invalid value: "x_": a valid label must'),
        ({"annotations": {"a b": ""}}, 'metadata.annotations: Invalid value: "a b": name part'),
        (
            {"annotations": {"a": "x" * 262144}},
            "metadata.annotations: Too long: may not be more than 262144 bytes",
        ),
        ({"finalizers": ["a b"]}, 'metadata.finalizers: Invalid value: "a b": name part must'),
        (
            {"finalizers": ["orphan", "foregroundDeletion"]},
            (
                'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer '
                "orphan and foregroundDeletion cannot be both set"
            ),
        ),
        (
            {"ownerReferences": [OWNER | {"uid": ""}]},
            'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
        ),
        (
            {"ownerReferences": [OWNER | {"apiVersion": ""}]},
            'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
        ),
        (
            {"managedFields": [{"operation": "Delete"}]},
            'metadata.managedFields[0].operation: Invalid value: "Delete": must be `Apply` or',
        ),
        (
            {"managedFields": [{"operation": "Apply", "fieldsType": "V2"}]},
            'metadata.managedFields[0].fieldsType: Invalid value: "V2": must be `FieldsV1`',
        ),
        (
            {"managedFields": [{"operation": "Apply", "manager": "a\n"}]},
            (
                'metadata.managedFields[0].manager: Invalid value: "a\\n": invalid character '
                "U+000A (at position 1)"
            ),
        ),
        (
            {"managedFields": [{"operation": "Apply", "manager": "a" * 129}]},
            "metadata.managedFields[0].manager: Too long: may not be more than 128 bytes",
        ),
    ],
)
def test_each_rule_refuses(changes, start):
    errors = check(**changes)
    assert len(errors) == 1
    assert errors[0].startswith(start)


def test_two_controllers_and_events_as_owners():
    errors = check(ownerReferences=[OWNER | {"controller": True}] * 2)
    assert errors[0].endswith('Found "true" in references for ReplicaSet/a and ReplicaSet/a')
    event = {"apiVersion": "v1", "kind": "Event", "name": "e", "uid": "u"}
    assert check(ownerReferences=[event])[0].endswith(
        "/v1, Kind=Event is disallowed from being an owner"
    )


def test_a_cluster_scoped_object_has_no_namespace():
    errors = metadata.validate_object_meta(GOOD, namespaced=False)
    assert [str(e) for e in errors] == ["metadata.namespace: Forbidden: not allowed on this type"]


def test_kinds_bring_their_own_name_rule():
    rule = names.is_dns1123_label
    meta = {"name": "a.b", "namespace": "x"}
    errors = list(metadata.validate_object_meta(meta, namespaced=True, name_rule=rule))
    assert [e.detail for e in errors] == ["must not contain dots"]


def update(old=None, **changes):
    before = GOOD | (old or {})
    errors = metadata.validate_object_meta_update(before | changes, before)
    return [str(error) for error in errors]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"labels": {"other": "x"}}, []),
        ({"uid": "v"}, ['metadata.uid: Invalid value: "v": field is immutable']),
        ({"name": "b"}, ['metadata.name: Invalid value: "b": field is immutable']),
        (
            {"deletionGracePeriodSeconds": 0},
            ["metadata.deletionGracePeriodSeconds: Invalid value: 0: field is immutable"],
        ),
        (
            {"resourceVersion": ""},
            ['metadata.resourceVersion: Invalid value: "": must be specified for an update'],
        ),
    ],
)
def test_updates(changes, expected):
    assert update(**changes) == expected


def test_updates_of_a_dying_object():
    dying = {"deletionTimestamp": "2026-01-01T00:00:00Z", "generation": 2}
    assert update(dying, finalizers=[]) == []
    assert update(dying, finalizers=["example.com/f", "b/x", "a/x"]) == [
        (
            "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being "
            'deleted, found new finalizers []string{"a/x", "b/x"}'
        )
    ]
    assert update(dying, generation=1) == [
        "metadata.generation: Invalid value: 1: must not be decremented"
    ]


@pytest.mark.parametrize(
    ("options", "patch", "expected"),
    [
        ({"dryRun": ["All"], "fieldValidation": "Strict"}, "", []),
        (
            {},
            "application/apply-patch+yaml",
            ["fieldManager: Required value: is required for apply patch"],
        ),
        (
            {"force": True},
            "application/merge-patch+json",
            ["force: Forbidden: may not be specified for non-apply patch"],
        ),
        (
            {"fieldValidation": "Nope"},
            "",
            [
                (
                    'fieldValidation: Unsupported value: "Nope": '
                    'supported values: "", "Ignore", "Strict", "Warn"'
                )
            ],
        ),
        (
            {"dryRun": ["Some"]},
            "",
            ['dryRun: Unsupported value: ["Some"]: supported values: "All"'],
        ),
    ],
)
def test_write_options(options, patch, expected):
    errors = metadata.validate_write_options(options, patch=patch)
    assert [str(error) for error in errors] == expected
