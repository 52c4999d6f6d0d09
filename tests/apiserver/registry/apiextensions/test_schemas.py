"""Schemas of custom kinds: what each part may say, and where the message points."""

from __future__ import annotations

import pytest

from apimachinery.validation.field import Path
from apiserver.registry.apiextensions.schemas import schema_errors

TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
CONTRIBUTED = (
    "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
)
BUDGET = (
    "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, "
    "maps, and strings are declared)"
)


def root(**properties):
    return {"type": "object", "properties": properties}


def errors(schema, *, has_status=False, unchanged=False):
    found = schema_errors(schema, Path("S"), has_status=has_status, unchanged=unchanged)
    return [str(error).replace("S.properties[a]", "A") for error in found]


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ({"type": "null"}, [
            ('A.type: Unsupported value: "null": supported values: "array", "boolean", "integer", '
            '"number", "object", "string"'),
            "A.type: Forbidden: type cannot be set to null, use nullable as an alternative",
        ]),
        ({"x-kubernetes-int-or-string": True, "type": "string"}, []),
        ({"x-kubernetes-int-or-string": True, "anyOf": [NUMBER, TEXT]}, []),
        ({"x-kubernetes-int-or-string": True, "allOf": [{"anyOf": [NUMBER, TEXT]}]}, []),
        (
            {"x-kubernetes-int-or-string": True, "anyOf": [TEXT, NUMBER]},
            [
                "A.anyOf[0].type: Forbidden: must be empty to be structural",
                "A.anyOf[1].type: Forbidden: must be empty to be structural",
            ],
        ),
        (
            {
                "x-kubernetes-int-or-string": True,
                "x-kubernetes-preserve-unknown-fields": True,
            },
            [
                ("A.x-kubernetes-preserve-unknown-fields: Invalid value: true: "
                "must be false if x-kubernetes-int-or-string is true")
            ],
        ),
        (
            {**TEXT, "not": {"default": "x", "nullable": True, "x-kubernetes-list-type": "set"}},
            [
                "A.not.default: Forbidden: must be undefined to be structural",
                "A.not.nullable: Forbidden: must be false to be structural",
                "A.not.x-kubernetes-list-type: Forbidden: must be undefined to be structural",
                "A.not.type: Required value: must be array if x-kubernetes-list-type is specified",
            ],
        ),
        (
            {**TEXT, "pattern": "["},
            [
                ('A.pattern: Invalid value: "[": must be a valid regular expression, but isn\'t: '
                "error parsing regexp: missing ]: [")
            ],
        ),
        ({"type": "array", "items": {}}, [
            "A.items.type: Required value: must not be empty for specified array items"
        ]),
        ({"type": "array", "items": [TEXT]}, [
            "A.items: Forbidden: items must be a schema object and not an array"
        ]),
        (
            {"type": "object", "properties": {"b": TEXT}, "additionalProperties": TEXT},
            [
                ("A.additionalProperties: Forbidden: "
                "additionalProperties and properties are mutual exclusive")
            ],
        ),
        ({"type": "object", "properties": {"b": TEXT}, "additionalProperties": True}, []),
        (
            {"type": "object", "x-kubernetes-embedded-resource": True},
            [
                ("A.properties: Required value: must not be empty if "
                "x-kubernetes-embedded-resource is true without "
                "x-kubernetes-preserve-unknown-fields")
            ],
        ),
        (
            {
                "type": "object",
                "x-kubernetes-embedded-resource": True,
                "properties": {"metadata": TEXT, "kind": NUMBER},
            },
            [
                'A.properties[kind].type: Invalid value: "integer": must be string',
                'A.properties[metadata].type: Invalid value: "string": must be object',
            ],
        ),
        (
            {
                "type": "object",
                "x-kubernetes-embedded-resource": True,
                "additionalProperties": TEXT,
            },
            [
                ("A.additionalProperties: Forbidden: "
                "must not be used if x-kubernetes-embedded-resource is set"),
                ("A.properties: Required value: must not be empty if "
                "x-kubernetes-embedded-resource is true without "
                "x-kubernetes-preserve-unknown-fields"),
            ],
        ),
        ({"type": "object", "x-kubernetes-map-type": "set"}, [
            ('A.x-kubernetes-map-type: Unsupported value: "set": '
            'supported values: "atomic", "granular"')
        ]),
        ({**TEXT, "x-kubernetes-list-type": "atomic"}, [
            'A.type: Invalid value: "string": must be array if x-kubernetes-list-type is specified'
        ]),
        (
            {"type": "array", "x-kubernetes-list-type": "set", "items": root(b=TEXT)},
            [
                ("A.items.x-kubernetes-map-type: Invalid value: null: "
                "must be atomic as item of a list with x-kubernetes-list-type=set")
            ],
        ),
        (
            {"type": "array", "items": TEXT, "x-kubernetes-list-map-keys": ["b"]},
            [
                ("A.x-kubernetes-list-type: Required value: "
                "must be map if x-kubernetes-list-map-keys is non-empty")
            ],
        ),
        (
            {
                "type": "array",
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["b", "c", "b"],
                "items": root(b=root()) | {"nullable": True},
            },
            [
                ('A.items.properties[b].type: Invalid value: "object": '
                "must be a scalar type if parent array's x-kubernetes-list-type is map"),
                ('A.x-kubernetes-list-map-keys: Invalid value: ["b","c","b"]: '
                "entries must all be names of item properties"),
                ('A.items.properties[b].type: Invalid value: "object": '
                "must be a scalar type if parent array's x-kubernetes-list-type is map"),
                ('A.x-kubernetes-list-map-keys: Invalid value: ["b","c","b"]: '
                "must not contain duplicate entries"),
                (
                    "A.items.nullable: Forbidden: "
                    "cannot be nullable when x-kubernetes-list-type is map"
                ),
                *[
                    ("A.items.properties[b].default: Required value: this property is in "
                    "x-kubernetes-list-map-keys, so it must have a default or be a required "
                    "property")
                ]
                * 2,
            ],
        ),
        ({**NUMBER, "default": "x"}, [
            'A.default: Invalid value: "string":  in body must be of type integer: "string"'
        ]),
        (root(b=NUMBER) | {"default": {"b": 1, "c": 2}}, [
            'A.default: Invalid value: {"b":1,"c":2}: must not have unknown fields'
        ]),
        (root(b={**NUMBER, "minimum": 3}) | {"default": {"b": 1}}, [
            "A.default.b: Invalid value: 1: b in body should be greater than or equal to 3"
        ]),
        (root(b=NUMBER) | {"required": ["b"], "default": {}}, ["A.default.b: Required value"]),
        (
            {**NUMBER, "default": 1, "x-kubernetes-validations": [{"rule": "self > 1"}]},
            ['A.default: Invalid value: "integer": failed rule: self > 1'],
        ),
    ],
)  # fmt: skip
def test_a_part_of_a_schema(part, found):
    assert errors(root(a=part)) == found


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        (root(metadata=root(name=TEXT)), []),
        (
            root(metadata=root(labels={"type": "object", "additionalProperties": TEXT})),
            [
                ("S.properties[metadata]: Forbidden: must not specify anything other than name and "
                "generateName, but metadata is implicitly specified")
            ],
        ),
        (
            root(kind={**TEXT, "default": "X"}),
            ["S.properties[kind].default: Forbidden: must not be set in top-level kind"],
        ),
        ({"type": "object", "additionalProperties": TEXT}, [
            "S.additionalProperties: Forbidden: must not be used at the root"
        ]),
        ({"type": "string"}, ['S.type: Invalid value: "string": must be object at the root']),
        ({}, ["S.type: Required value: must not be empty at the root"]),
        (
            root(a=TEXT) | {"oneOf": [{"properties": {"a": {}, "metadata": {}}}]},
            [
                ("S.oneOf[0].properties[metadata]: Forbidden: "
                "must not be specified in a nested context"),
                ("S.properties[metadata]: Required value: "
                "because it is defined in S.oneOf[0].properties[metadata]"),
            ],
        ),
    ],
)  # fmt: skip
def test_the_root_of_a_schema(schema, found):
    assert errors(schema) == found


def test_beside_a_status_the_root_may_say_less():
    schema = root(a=TEXT) | {"x-kubernetes-map-type": "granular"}
    assert errors(schema) == []
    (error,) = errors(schema, has_status=True)
    assert error.startswith('S: Invalid value: {"ID":"","Schema":"","Ref":null,"Description":""')
    assert '"Properties":{"a":{"ID":""' in error
    assert "only [Description Type Format Title Maximum" in error
    (error, _) = errors({"type": "array", "items": TEXT}, has_status=True)
    assert error == (
        'S.type: Invalid value: "array": only "object" is allowed as the type at the root of the '
        "schema if the status subresource is enabled"
    )


def ruled(schema, rule, **more):
    return schema | {"x-kubernetes-validations": [{"rule": rule, **more}]}


WHERE = "A.x-kubernetes-validations[0]"


@pytest.mark.parametrize(
    ("part", "found"),
    [
        (ruled(TEXT, " "), [f"{WHERE}.rule: Required value: rule is not specified"]),
        (
            ruled(TEXT, "true", message=" "),
            [f'{WHERE}.message: Invalid value: " ": message must be non-empty if specified'],
        ),
        (
            ruled(TEXT, "true", message="a\nb"),
            [f'{WHERE}.message: Invalid value: "a\\nb": message must not contain line breaks'],
        ),
        (
            ruled(TEXT, "true &&\ntrue"),
            [
                (
                    f"{WHERE}.message: Required value: "
                    "message must be specified if rule contains line breaks"
                )
            ],
        ),
        (
            ruled(TEXT, "true", messageExpression=" "),
            [
                (
                    f"{WHERE}.messageExpression: Required value: "
                    "messageExpression must be non-empty if specified"
                )
            ],
        ),
        (
            ruled(TEXT, "true", reason="Nope"),
            [
                (
                    f'{WHERE}.reason: Unsupported value: "Nope": supported values: '
                    '"FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", '
                    '"FieldValueRequired"'
                )
            ],
        ),
        (ruled(root(b=TEXT), "true", fieldPath=".b"), []),
        (
            ruled(root(b=TEXT), "true", fieldPath=".c"),
            [f'{WHERE}.fieldPath: Invalid value: ".c": fieldPath must be a valid path'],
        ),
        (ruled(TEXT, "self == oldSelf"), []),
        (ruled(TEXT, "oldSelf.hasValue()", optionalOldSelf=True), []),
        (
            ruled(TEXT, "self == ''", optionalOldSelf=True),
            [
                (
                    f"{WHERE}.optionalOldSelf: Invalid value: true: "
                    "may not be set if oldSelf is not used in rule"
                )
            ],
        ),
        (
            ruled({"x-kubernetes-preserve-unknown-fields": True}, "true"),
            [
                (
                    "A.x-kubernetes-validations: Internal error: internal error: failed to "
                    "retrieve type information for x-kubernetes-validations"
                )
            ],
        ),
        (
            {"type": "array", "maxItems": 9, "items": ruled(NUMBER, "self == oldSelf")},
            [
                (
                    'A.items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": '
                    "oldSelf cannot be used on the uncorrelatable portion of the schema within A"
                )
            ],
        ),
        (
            ruled(root(b=TEXT), "self.b == oldSelf.b") | {"x-kubernetes-map-type": "atomic"},
            [],
        ),
    ],
)
def test_rules(part, found):
    assert errors(root(a=part)) == found


def test_a_rule_that_cannot_be_compiled_is_shown_whole():
    (error,) = errors(root(a=ruled(TEXT, "self + 1 == 2")))
    assert error == (
        f'{WHERE}.rule: Invalid value: {{"Rule":"self + 1 == 2","Message":"",'
        '"MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: '
        "compilation failed: ERROR: <input>:1:6: found no matching overload for '_+_' applied to "
        "'(string, int)'\n | self + 1 == 2\n | .....^"
    )
    # What is wrong with a schema comes first, and alone.
    (error,) = errors(root(a=ruled(TEXT, "nope") | {"uniqueItems": True}))
    assert "uniqueItems" in error


@pytest.mark.parametrize(
    ("part", "found"),
    [
        (
            ruled({"type": "array", "items": TEXT}, "self.all(x, self.all(y, x == y))"),
            [
                (f"{WHERE}.rule: Forbidden: estimated rule cost exceeds budget by factor of more "
                f"than 100x {BUDGET}"),
                (f"{WHERE}.rule: Forbidden: {CONTRIBUTED}"),
                ("S: Forbidden: x-kubernetes-validations estimated rule cost total for entire "
                f"OpenAPIv3 schema exceeds budget by factor of more than 100x {BUDGET}"),
            ],
        ),
        (
            ruled(
                {"type": "array", "items": {**TEXT, "maxLength": 10}, "maxItems": 1500},
                "self.all(x, self.all(y, x == y))",
            ),
            [
                (f"{WHERE}.rule: Forbidden: estimated rule cost exceeds budget by factor of 2.0x "
                f"{BUDGET}")
            ],
        ),
        (
            {"type": "array", "items": ruled(TEXT, "self.startsWith('a')"), "maxItems": 5000},
            [],
        ),
        (
            {"type": "array", "items": ruled(TEXT, "self.contains('a')")},
            [
                ("A.items.x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds "
                f"budget by factor of more than 100x {BUDGET}"),
                ("A.items.x-kubernetes-validations[0].rule: Forbidden: contributed to estimated "
                "rule cost total exceeding cost limit for entire OpenAPIv3 schema"),
                ("S: Forbidden: x-kubernetes-validations estimated rule cost total for entire "
                f"OpenAPIv3 schema exceeds budget by factor of more than 100x {BUDGET}"),
            ],
        ),
        (
            ruled(TEXT, "true", messageExpression="self.matches(self) ? self : ''"),
            [
                (f"{WHERE}.messageExpression: Forbidden: estimated messageExpression cost exceeds "
                f"budget by factor of more than 100x {BUDGET}"),
                (f"{WHERE}.messageExpression: Forbidden: contributed to estimated rule cost total "
                "exceeding cost limit for entire OpenAPIv3 schema"),
                ("S: Forbidden: x-kubernetes-validations estimated rule cost total for entire "
                f"OpenAPIv3 schema exceeds budget by factor of more than 100x {BUDGET}"),
            ],
        ),
    ],
)  # fmt: skip
def test_rules_that_may_cost_too_much(part, found):
    assert errors(root(a=part)) == found
    # A schema that is stored already is not refused for one rule, only for all together.
    lone = [error for error in found if "estimated" not in error or "total" in error]
    assert errors(root(a=part), unchanged=True) == lone
