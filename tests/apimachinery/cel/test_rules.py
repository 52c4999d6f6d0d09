"""Rules of custom resources: when they are asked, what they see, and what they say."""

import pytest

from apimachinery.cel.fieldpaths import FieldPathError, read
from apimachinery.cel.rules import compile_rule, compile_rules

INTEGER = {"type": "integer"}
STRING = {"type": "string"}


def schema(*rules, **properties):
    spec = {"type": "object", "properties": properties, "x-kubernetes-validations": list(rules)}
    return {"type": "object", "properties": {"spec": spec}}


def errors(schema, spec, old=None):
    rules = compile_rules(schema)
    before = None if old is None else {"spec": old}
    return [str(error) for error in rules({"spec": spec}, before)]


def test_a_schema_without_rules_costs_nothing():
    assert compile_rules(schema(size=INTEGER)) is None


def test_the_same_schema_is_compiled_once():
    rule = {"rule": "self.size > 1"}
    assert compile_rules(schema(rule, size=INTEGER)) is compile_rules(schema(rule, size=INTEGER))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"rule": " self.size < 3 "}, 'Invalid value: "object": failed rule: self.size < 3'),
        ({"rule": "self.size < 3", "message": " too big "}, 'Invalid value: "object": too big'),
        (
            {"rule": "self.size < 3", "messageExpression": "'is ' + string(self.size)"},
            'Invalid value: "object": is 5',
        ),
        (
            {"rule": "self.size < 3", "message": "m", "messageExpression": "' '"},
            'Invalid value: "object": m',
        ),
        (
            {"rule": "self.size < 3", "message": "m", "messageExpression": "string(1 / 0)"},
            'Invalid value: "object": m',
        ),
        (
            {"rule": "self.size < 3", "message": "m", "reason": "FieldValueForbidden"},
            "Forbidden: m",
        ),
        (
            {"rule": "self.size < 3", "message": "m", "reason": "FieldValueRequired"},
            "Required value: m",
        ),
        ({"rule": "self.size < 3", "reason": "FieldValueDuplicate"}, 'Duplicate value: "object"'),
        ({"rule": "self.size / 0 == 1"}, ('Invalid value: "object": division by zero evaluating '
         "rule: self.size / 0 == 1")),
        ({"rule": "self.name == 'x'"}, ('Invalid value: "object": no such key: name evaluating '
         "rule: self.name == 'x'")),
        (
            {"rule": "self.any > 'x'", "message": "m"},
            ("Invalid value: \"object\": 'no such overload': call arguments did not match a "
            "supported operator, function or macro signature for rule: m"),
        ),
    ],
)  # fmt: skip
def test_what_is_said(rule, said):
    fields = {"size": INTEGER, "name": STRING, "any": {"x-kubernetes-int-or-string": True}}
    assert errors(schema(rule, **fields), {"size": 5, "any": 5}) == [f"spec: {said}"]


def test_a_field_path_moves_the_error():
    fields = {"size": INTEGER, "labels": {"type": "object", "additionalProperties": STRING}}
    by_name = {"rule": "false", "message": "m", "fieldPath": ".size"}
    by_key = {"rule": "false", "message": "m", "fieldPath": ".labels['a.b']"}
    assert errors(schema(by_name, by_key, **fields), {"size": 1}) == [
        'spec.size: Invalid value: "object": m',
        'spec.labels[a.b]: Invalid value: "object": m',
    ]


def test_the_root_sees_the_names_of_every_object():
    rules = compile_rules(
        {
            "type": "object",
            "x-kubernetes-validations": [
                {"rule": "self.metadata.name == 'a' && self.kind == 'K'", "message": "m"}
            ],
        }
    )
    assert not list(rules({"kind": "K", "metadata": {"name": "a"}}, None))
    wrong = list(rules({"kind": "K", "metadata": {"name": "b"}}, None))
    assert [str(error) for error in wrong] == ['<nil>: Invalid value: "object": m']


def test_values_are_what_their_schema_says():
    fields = {
        "at": {"type": "string", "format": "date-time"},
        "day": {"type": "string", "format": "date"},
        "every": {"type": "string", "format": "duration"},
        "raw": {"type": "string", "format": "byte"},
        "share": {"type": "number"},
        "a-b": STRING,
        "tags": {"type": "array", "items": STRING, "x-kubernetes-list-type": "set"},
        "times": {"type": "array", "items": {"type": "string", "format": "duration"}},
    }
    rule = {
        "rule": "self.at > timestamp('2020-01-01T00:00:00Z') && self.every < duration('2h') && "
        "self.raw == b'abc' && self.share == 1.0 && self.share / 2.0 == 0.5 && "
        "self.a__dash__b == 'x' && self.tags == ['b', 'a'] && (self.tags + ['a']).size() == 2 && "
        "self.times.all(t, t > duration('0s')) && self.day.getFullYear() == 2021"
    }
    value = {
        "at": "2021-01-01T00:00:00Z", "day": "2021-05-05", "every": "1h", "raw": "YWJj",
        "share": 1, "a-b": "x", "tags": ["a", "b"], "times": ["1s"],
    }  # fmt: skip
    assert errors(schema(rule, **fields), value) == []
    assert errors(schema(rule, **fields), value | {"tags": ["a", "c"]}) != []


def test_lists_that_are_maps_are_compared_and_joined_by_key():
    ports = {
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        "items": {"type": "object", "properties": {"name": STRING, "n": INTEGER}},
    }
    rule = {"rule": "(self.a + oldSelf.a).size() == 2 && self.a != oldSelf.a"}
    same = {"rule": "self.a == oldSelf.a"}
    one, two, new = {"name": "x", "n": 1}, {"name": "y", "n": 2}, {"name": "x", "n": 9}
    assert errors(schema(rule, a=ports), {"a": [one, two]}, {"a": [new]}) == []
    assert errors(schema(same, a=ports), {"a": [one, two]}, {"a": [two, one]}) == []


def test_transitions_are_asked_where_there_is_an_old_value():
    rule = {"rule": "self >= oldSelf", "message": "no shrinking"}
    size = INTEGER | {"x-kubernetes-validations": [rule]}
    assert errors(schema(size=size), {"size": 1}) == []
    assert errors(schema(size=size), {"size": 1}, {}) == []
    assert errors(schema(size=size), {"size": 1}, {"size": 2}) == [
        'spec.size: Invalid value: "integer": no shrinking'
    ]


def test_an_optional_old_self_is_asked_from_the_start():
    rule = {
        "rule": "!oldSelf.hasValue() ? self < 5 : self >= oldSelf.value()",
        "optionalOldSelf": True,
        "message": "m",
    }
    size = INTEGER | {"x-kubernetes-validations": [rule]}
    assert len(errors(schema(size=size), {"size": 9})) == 1
    assert errors(schema(size=size), {"size": 9}, {"size": 8}) == []
    assert len(errors(schema(size=size), {"size": 7}, {"size": 8})) == 1


def test_elements_of_lists_are_found_again_by_their_keys_alone():
    rule = {"rule": "self.n >= oldSelf.n", "message": "m"}
    item = {
        "type": "object",
        "properties": {"name": STRING, "n": INTEGER},
        "x-kubernetes-validations": [rule],
    }
    ports = {"type": "array", "items": item}
    keyed = ports | {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    new = {"ports": [{"name": "b", "n": 1}, {"name": "a", "n": 1}]}
    old = {"ports": [{"name": "a", "n": 2}]}
    assert errors(schema(ports=keyed), new, old) == ['spec.ports[1]: Invalid value: "object": m']
    assert errors(schema(ports=ports), new, old) == []


def test_what_has_not_changed_is_forgiven():
    rule = {"rule": "self < 5", "message": "m"}
    size = INTEGER | {"x-kubernetes-validations": [rule]}
    assert errors(schema(size=size, name=STRING), {"size": 9, "name": "new"}, {"size": 9}) == []
    assert len(errors(schema(size=size), {"size": 8}, {"size": 9})) == 1


def test_rules_of_additional_properties():
    labels = {
        "type": "object",
        "additionalProperties": STRING
        | {"x-kubernetes-validations": [{"rule": "self != 'no'", "message": "m"}]},
    }
    assert errors(schema(labels=labels), {"labels": {"a": "no", "b": "yes"}}) == [
        'spec.labels[a]: Invalid value: "string": m'
    ]


def test_an_object_that_is_too_much_work_ends_the_rules():
    fields = {"l": {"type": "array", "items": INTEGER}}
    dear = {"rule": "self.l.all(a, self.l.all(b, self.l.all(c, a + b + c > 0)))", "message": "dear"}
    found = errors(schema(dear, {"rule": "false", "message": "never"}, **fields), {"l": [1] * 200})
    assert found == [
        (
            "spec: Invalid value: \"object\": 'operation cancelled: actual cost limit exceeded': "
            "no further validation rules will be run due to call cost exceeds limit for rule: dear"
        )
    ]


@pytest.mark.parametrize(
    ("rule", "node", "problem"),
    [
        ({"rule": "self.size"}, {}, "cel expression must evaluate to a bool"),
        ({"rule": "self.no"}, {}, ("compilation failed: ERROR: <input>:1:5: undefined field 'no'\n"
         " | self.no\n | ....^")),
        ({"rule": "true"}, {"type": "", "x-kubernetes-preserve-unknown-fields": True},
         ("rule declared on schema that does not support validation rules type: '' "
         "x-kubernetes-preserve-unknown-fields: 'true'")),
    ],
)  # fmt: skip
def test_rules_that_do_not_compile(rule, node, problem):
    base = {"type": "object", "properties": {"size": INTEGER}}
    assert compile_rule(rule, base | node, root=False).problem == problem


def test_message_expressions_that_do_not_compile():
    base = {"type": "object", "properties": {"size": INTEGER}}
    wrong = compile_rule({"rule": "true", "messageExpression": "self.size"}, base, root=False)
    assert wrong.message_problem == "messageExpression must evaluate to a string"
    worse = compile_rule({"rule": "true", "messageExpression": "nope"}, base, root=False)
    assert worse.message_problem.startswith("messageExpression compilation failed: ERROR: <input>")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (".nope", "does not refer to a valid field"),
        ("size", "expected [ or . but got: size"),
        (".", "unexpected end of JSON path"),
        (".items[0]", "expected single quoted string but got 0"),
        (".size.more", "does not refer to a valid field"),
    ],
)
def test_field_paths_that_lead_nowhere(path, why):
    node = {"properties": {"size": INTEGER, "items": {"type": "array"}}}
    with pytest.raises(FieldPathError) as caught:
        read(path, node)
    assert str(caught.value) == why


def test_null_is_no_value_of_a_field():
    node = {"type": "integer", "nullable": True}
    nulls = {"a": None, "b": 1}
    assert not errors(schema({"rule": "!has(self.a) && has(self.b)"}, a=node, b=node), nulls)
    (error,) = errors(schema({"rule": "self.a == 1"}, a=node), nulls)
    assert error.endswith("no such key: a evaluating rule: self.a == 1")


def test_keywords_are_fields_under_two_names():
    rules = [{"rule": "self.if == self.__if__"}, {"rule": "self.__in__ && self.namespace == 'x'"}]
    text = {"type": "string"}
    properties = {"if": text, "in": {"type": "boolean"}, "namespace": text}
    assert not errors(schema(*rules, **properties), {"if": "a", "in": True, "namespace": "x"})
