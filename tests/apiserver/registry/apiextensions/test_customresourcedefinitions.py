"""CustomResourceDefinitions: names, versions, structural schemas, rules, and who gets a name."""

from __future__ import annotations

from copy import deepcopy

import pytest

from apiserver.registry.apiextensions import CUSTOMRESOURCEDEFINITIONS as CRDS
from apiserver.registry.apiextensions.names import status_after_naming
from tests.apiserver.registry.trying import create_errors, created, update_errors

NAME = "widgets.example.com"
STRING = {"type": "string"}


def schema(**properties):
    return {"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}}


def version(name="v1", storage=True, **more):
    return {
        "name": name,
        "served": True,
        "storage": storage,
        "schema": {"openAPIV3Schema": schema(a=STRING)},
        **more,
    }


def spec(*versions, **more):
    return {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": list(versions) or [version()],
        **more,
    }


def of(root):
    return spec(version(schema={"openAPIV3Schema": root}))


def test_defaults_and_first_status():
    made = created(CRDS, NAME, spec=spec())
    assert made["spec"]["names"]["singular"] == "widget"
    assert made["spec"]["names"]["listKind"] == "WidgetList"
    assert made["spec"]["conversion"] == {"strategy": "None"}
    assert made["status"]["storedVersions"] == ["v1"]


ROOT = "spec.validation.openAPIV3Schema"
FIELD = f"{ROOT}.properties[spec].properties"


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (spec(), []),
        (
            spec(group="example"),
            [
                (
                    'metadata.name: Invalid value: "widgets.example.com": '
                    'must be spec.names.plural+"."+spec.group'
                ),
                'spec.group: Invalid value: "example": should be a domain with at least one dot',
            ],
        ),
        (spec(scope=""), ["spec.scope: Required value"]),
        (
            spec(version(schema=None)),
            ["spec.versions[0].schema.openAPIV3Schema: Required value"],
        ),
        (
            spec(version(), version("v2", storage=False, schema={"openAPIV3Schema": {}})),
            ["spec.versions[1].schema.openAPIV3Schema: Required value"],
        ),
        (
            of(schema(a={"type": "nope"})),
            [
                (
                    f'{FIELD}[a].type: Unsupported value: "nope": supported values: '
                    '"array", "boolean", "integer", "number", "object", "string"'
                )
            ],
        ),
        (
            of(schema(a={})),
            [f"{FIELD}[a].type: Required value: must not be empty for specified object fields"],
        ),
        (
            of(schema(a={"type": "array"})),
            [f"{FIELD}[a].items: Required value: must be specified"],
        ),
        (
            of(schema(a={"type": "string", "default": "x", "enum": ["y"]})),
            [f'{FIELD}[a].default: Unsupported value: "x": supported values: "y"'],
        ),
        (
            of(schema(a={"type": "array", "items": STRING, "x-kubernetes-list-type": "map"})),
            [
                (
                    f"{FIELD}[a].x-kubernetes-list-map-keys: Required value: "
                    "must not be empty if x-kubernetes-list-type is map"
                ),
                (
                    f'{FIELD}[a].items.type: Invalid value: "string": '
                    "must be object if parent array's x-kubernetes-list-type is map"
                ),
            ],
        ),
        (
            of(schema(a=STRING) | {"anyOf": [{"properties": {"b": {"minLength": 1}}}]}),
            [
                (
                    f"{ROOT}.properties[b]: Required value: "
                    f"because it is defined in {ROOT}.anyOf[0].properties[b]"
                )
            ],
        ),
        (
            of(schema(a={"type": "string", "$ref": "x", "nullable": True}) | {"nullable": True}),
            [
                f"{ROOT}.nullable: Forbidden: nullable cannot be true at the root",
                f"{FIELD}[a].$ref: Forbidden: $ref is not supported",
            ],
        ),
        (
            spec(conversion={"strategy": "Webhook"}),
            [
                (
                    "spec.conversion.webhookClientConfig: Required value: "
                    "required when strategy is set to Webhook"
                ),
                "spec.conversion.conversionReviewVersions: Required value",
            ],
        ),
    ],
)
def test_definitions(body, errors):
    assert create_errors(CRDS, NAME, spec=body) == errors


def test_one_version_is_stored():
    two = spec(version(storage=False), version("v2", storage=False))
    found = create_errors(CRDS, NAME, spec=two)
    assert [error.split(":")[0] for error in found] == ["spec.versions", "status.storedVersions"]
    # What all versions share stands above them, and is not shown with them.
    assert '"Schema":null' in found[0]


def test_versions_that_differ_are_named():
    other = version("v2", storage=False, schema={"openAPIV3Schema": schema(a={"type": "nope"})})
    (error,) = create_errors(CRDS, NAME, spec=spec(version(), other))
    assert error.startswith("spec.versions[1].schema.openAPIV3Schema.properties[spec]")


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("self.a == 'x'", None),
        ("oldSelf.a == self.a && self.a.size() < 3", None),
        ("self.nope > 1", "undefined field 'nope'"),
        ("has(self.nope)", "undefined field 'nope'"),
        ("self.a ==", "Syntax error"),
    ],
)
def test_rules(rule, why):
    root = schema(a=STRING)
    root["properties"]["spec"]["x-kubernetes-validations"] = [{"rule": rule}]
    found = create_errors(CRDS, NAME, spec=of(root))
    if why is None:
        assert found == []
    else:
        (error,) = found
        assert error.startswith(f"{ROOT}.properties[spec].x-kubernetes-validations[0].rule: ")
        assert why in error


def test_printer_columns():
    column = {"name": "", "type": "text", "jsonPath": "spec.a"}
    assert create_errors(CRDS, NAME, spec=spec(version(additionalPrinterColumns=[column]))) == [
        "spec.additionalPrinterColumns[0].name: Required value",
        (
            'spec.additionalPrinterColumns[0].type: Invalid value: "text": '
            "must be one of boolean,date,integer,number,string"
        ),
        (
            'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "spec.a": '
            "must be a simple json path starting with ."
        ),
    ]


def test_a_kind_that_is_served_keeps_its_scope():
    old = created(CRDS, NAME, spec=spec())

    def widen(crd):
        crd["spec"]["scope"] = "Cluster"

    assert update_errors(CRDS, old, widen) == []
    old["status"] = status_after_naming(old, [], "2026-01-01T00:00:00Z")
    assert update_errors(CRDS, old, widen) == [
        'spec.scope: Invalid value: "Cluster": field is immutable'
    ]


def test_versions_that_were_stored_stay():
    old = created(CRDS, NAME, spec=spec())
    (error,) = update_errors(CRDS, old, lambda c: c["spec"].update(versions=[version("v2")]))
    assert error.startswith('status.storedVersions[0]: Invalid value: "v1": missing from')


def conditions(status):
    return {one["type"]: (one["status"], one["reason"]) for one in status["conditions"]}


def test_names_are_accepted_and_stay_so():
    crd = created(CRDS, NAME, spec=spec())
    status = status_after_naming(crd, [], "2026-01-01T00:00:00Z")
    assert conditions(status) == {
        "NamesAccepted": ("True", "NoConflicts"),
        "Established": ("True", "InitialNamesAccepted"),
    }
    assert status["acceptedNames"] == crd["spec"]["names"]
    assert status_after_naming(crd | {"status": status}, [], "2027-01-01T00:00:00Z") == status


def test_a_name_that_is_taken_is_not_given_twice():
    first = created(CRDS, NAME, spec=spec())
    first["status"] = status_after_naming(first, [], "2026-01-01T00:00:00Z")
    second = deepcopy(first)
    second["metadata"]["name"] = "gadgets.example.com"
    second["spec"]["names"] |= {"plural": "gadgets", "singular": "gadget"}
    second["status"] = {}
    status = status_after_naming(second, [first], "2026-01-01T00:00:00Z")
    assert conditions(status) == {
        "NamesAccepted": ("False", "KindConflict"),
        "Established": ("False", "NotAccepted"),
    }
    second["spec"]["group"] = "other.example.com"
    assert conditions(status_after_naming(second, [first], ""))["Established"][0] == "True"
