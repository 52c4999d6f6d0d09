"""Whether values keep to a schema: the messages, and what an update forgives."""

import pytest

from apimachinery.structural import formats
from apimachinery.structural.validation import schema_errors


def errors(value, schema, **more):
    return [str(e) for e in schema_errors(value, schema, **more)]


def at_x(schema):
    return {"type": "object", "properties": {"x": schema}}


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"type": "integer"}, "string",
         'Invalid value: "string": x in body must be of type integer: "string"'),
        ({"type": "integer"}, True,
         'Invalid value: "boolean": x in body must be of type integer: "boolean"'),
        ({"type": "integer"}, 1.5,
         'Invalid value: "number": x in body must be of type integer: "number"'),
        ({"type": "integer"}, 2.0, ""),
        ({"type": "number"}, 2, ""),
        ({"type": "string"}, None,
         'Invalid value: "null": x in body must be of type string: "null"'),
        ({"type": "string", "nullable": True}, None, ""),
        ({"x-kubernetes-int-or-string": True}, "1", ""),
        ({"x-kubernetes-int-or-string": True}, [],
         'Invalid value: "array": x in body must be of type integer,string: "array"'),
        ({"type": "integer", "minimum": 1}, 0,
         "Invalid value: 0: x in body should be greater than or equal to 1"),
        ({"type": "integer", "maximum": 3}, 4,
         "Invalid value: 4: x in body should be less than or equal to 3"),
        ({"type": "number", "maximum": 3, "exclusiveMaximum": True}, 3,
         "Invalid value: 3: x in body should be less than 3"),
        ({"type": "number", "minimum": 1.5, "exclusiveMinimum": True}, 1.5,
         "Invalid value: 1.5: x in body should be greater than 1.5"),
        ({"type": "integer", "multipleOf": 5}, 7,
         "Invalid value: 7: x in body should be a multiple of 5"),
        ({"type": "number", "multipleOf": 0.1}, 0.3, ""),
        ({"type": "number", "multipleOf": 0.1}, 0.35,
         "Invalid value: 0.35: x in body should be a multiple of 0.1"),
        ({"type": "number", "multipleOf": 1e-10}, 1e308,
         "Invalid value: 1e+308: x in body should be a multiple of 1e-10"),
        ({"type": "integer", "multipleOf": 3}, 9007199254740993, ""),
        ({"type": "string", "maxLength": 2}, "abc", "Too long: may not be more than 2 bytes"),
        ({"type": "string", "minLength": 2}, "a",
         'Invalid value: "a": x in body should be at least 2 chars long'),
        ({"type": "string", "pattern": "^a+$"}, "b",
         "Invalid value: \"b\": x in body should match '^a+$'"),
        ({"type": "string", "pattern": "a"}, "bab", ""),
        ({"type": "string", "enum": ["a", "b"]}, "c",
         'Unsupported value: "c": supported values: "a", "b"'),
        ({"type": "integer", "enum": [1]}, 1, ""),
        ({"type": "string", "format": "date-time"}, "now",
         'Invalid value: "now": x in body must be of type date-time: "now"'),
        ({"type": "string", "format": "unheard-of"}, "anything", ""),
        ({"type": "array", "maxItems": 1, "items": {}}, [1, 2],
         "Too many: 2: must have at most 1 item"),
        ({"type": "array", "minItems": 1, "items": {}}, [],
         "Invalid value: 0: x in body should have at least 1 items"),
        ({"type": "object", "minProperties": 1}, {},
         "Invalid value: 0: x in body should have at least 1 properties"),
        ({"type": "object", "maxProperties": 1}, {"a": 1, "b": 1},
         "Too many: 2: must have at most 1 item"),
    ],
)  # fmt: skip
def test_messages(schema, value, expected):
    assert errors({"x": value}, at_x(schema)) == ([f"x: {expected}"] if expected else [])


def test_paths():
    schema = at_x({
        "type": "array",
        "items": {"type": "object", "required": ["a"],
                  "additionalProperties": {"type": "string"}},
    })  # fmt: skip
    assert errors({"x": [{"b": 1}]}, schema) == [
        'x[0].b: Invalid value: "integer": x[0].b in body must be of type string: "integer"',
        "x[0].a: Required value",
    ]
    assert errors({}, {"type": "object", "required": ["spec"]}) == ["spec: Required value"]


def test_below_a_base_messages_are_relative():
    schema = {"type": "object", "properties": {"x": {"type": "string"}}}
    assert errors({"x": 1}, schema, base="status") == [
        'status.x: Invalid value: "integer": x in body must be of type string: "integer"'
    ]


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {},
         [('<nil>: Invalid value: "": "x" must validate one and only one schema (oneOf). '
          "Found none valid"), "x.a: Required value"]),
        ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1, "b": 1},
         [('<nil>: Invalid value: "": "x" must validate one and only one schema (oneOf). '
          "Found 2 valid alternatives")]),
        ({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"b": 1}, []),
        ({"anyOf": [{"required": ["a"]}]}, {},
         ['<nil>: Invalid value: "": "x" must validate at least one schema (anyOf)',
          "x.a: Required value"]),
        ({"allOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1},
         ["x.b: Required value",
          '<nil>: Invalid value: "": "x" must validate all the schemas (allOf)']),
        ({"not": {"required": ["a"]}}, {"a": 1},
         ['<nil>: Invalid value: "": "x" must not validate the schema (not)']),
    ],
)  # fmt: skip
def test_conditions(schema, value, expected):
    assert errors({"x": value}, at_x({"type": "object"} | schema)) == expected


STRICT = at_x({"type": "string", "maxLength": 1})["properties"]["x"]
LIST = {"type": "array", "items": {"type": "object", "properties": {"n": {}, "x": STRICT}}}
BY_NAME = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"]}


@pytest.mark.parametrize(
    ("schema", "old", "new", "refused"),
    [
        (STRICT, "long", "long", False),
        (STRICT, "long", "longer", True),
        (STRICT, "a", "longer", True),
        (LIST, [{"x": "long"}], [{"x": "long"}, {"x": "a"}], False),
        (LIST, [{"x": "long"}], [{"x": "a"}, {"x": "long"}], True),
        (LIST | BY_NAME, [{"n": "1", "x": "long"}],
         [{"n": "2", "x": "a"}, {"n": "1", "x": "long"}], False),
        (LIST | {"x-kubernetes-list-type": "atomic"}, [{"x": "long"}],
         [{"x": "long"}, {"x": "a"}], True),
    ],
)  # fmt: skip
def test_what_was_wrong_and_stays_is_forgiven(schema, old, new, refused):
    found = errors({"x": new, "y": 2}, at_x(schema), old={"x": old, "y": 1})
    assert bool(found) is refused


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("ipv6", "::1", "10.0.0.1"),
        ("cidr", "10.0.0.0/8", "10.0.0.0"),
        ("uuid4", "0b6a1d2e-1111-4aaa-9aaa-123456789abc", "0b6a1d2e-1111-1aaa-9aaa-123456789abc"),
        ("date", "2026-02-28", "2026-02-30"),
        ("date-time", "2026-02-28T10:00:00+01:00", "2026-02-28"),
        ("duration", "1h30m", "soon"),
        ("byte", "YQ==", "?"),
        ("email", "a@example.com", "example.com"),
        ("hostname", "a.example.com", "-a"),
        ("isbn10", "0-306-40615-2", "0-306-40615-1"),
        ("isbn13", "978-0-306-40615-7", "978-0-306-40615-8"),
        ("k8s-short-name", "a-b", "a.b"),
        ("mac", "00:11:22:33:44:55", "00:11"),
        ("uri", "https://example.com/", "nothing"),
    ],
)
def test_formats(name, good, bad):
    assert formats.fits(name, good)
    assert not formats.fits(name, bad)


def test_a_pattern_of_a_tenant_takes_linear_time():
    schema = at_x({"type": "string", "pattern": "^(a+)+$"})
    assert errors({"x": "a" * 50_000 + "b"}, schema)
