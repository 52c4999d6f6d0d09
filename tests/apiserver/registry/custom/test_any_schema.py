"""Whatever a schema says, definitions and objects of it are taken or refused; nothing breaks."""

from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apimachinery.cel.rules import compile_rules
from apimachinery.errors import ApiError
from apimachinery.gvk import GroupResource, GroupVersionKind
from apiserver.registry.apiextensions import CUSTOMRESOURCEDEFINITIONS as CRDS
from apiserver.registry.custom.schemas import VersionSchema
from apiserver.registry.custom.strategy import CustomKind, CustomResourceStrategy
from tests.apiserver.registry.trying import context, create_errors

KIND = GroupVersionKind("example.com", "v1", "Widget")
NAMES = st.sampled_from(["a", "b", "metadata", "status", "if", "x-y", "", "kind", "default"])
NUMBERS = st.sampled_from([0, 1, -1, 2, 0.5, -0.1, 1e308, 2**63 - 1, 10**15])
LENGTHS = st.sampled_from([0, 1, 3, -1, 2**31])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.sampled_from(["", "a", "5", "é", "a" * 40]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
RULES = st.sampled_from(
    ["self.a == self.b", "self == oldSelf", "self.all(x, x == self[0])", "has(self.a) || true",
     "self.size() > 1", "self.exists(k, self[k] == k)", "self.metadata.name == 'x'", "self > 1",
     "self.a.b.c", "1", "self.", "oldSelf.hasValue()", "self.sort() == self", "self['a'] == 'b'",
     "type(self) == string", "quantity(self).isInteger()", "self.?a.orValue(1) == 1"]
)  # fmt: skip
# These fit whatever they are about.
FITTING = st.sampled_from(
    ["self == self", "self == oldSelf", "dyn(self) != dyn(1)", "string(dyn(self)) != ''",
     "quantity(string(dyn(self))).sign() > 0", "dyn(self).all(x, x == 1)", "size(dyn(self)) > 1",
     "has(dyn(self).a)", "dyn(self).a == dyn(oldSelf).a", "duration(dyn(self)) > duration('1s')",
     "dyn(self).map(x, [x, self]).size() > 0", "'%s'.format([self]) != ''", "[self].sum() > self"]
)  # fmt: skip
RULE = st.fixed_dictionaries(
    {"rule": FITTING},
    optional={
        "messageExpression": st.sampled_from(["'x'", "string(dyn(self))", "'a\\nb'"]),
        "reason": st.just("FieldValueRequired"),
    },
)
MISFIT = st.fixed_dictionaries(
    {"rule": RULES | FITTING},
    optional={
        "message": st.sampled_from(["no", "", "a\nb"]),
        "messageExpression": st.sampled_from(["'x'", "self.a", "string(self)", "", "self"]),
        "fieldPath": st.sampled_from([".a", ".a.b", "['a']", "", "a", ".", ".a[0]"]),
        "reason": st.sampled_from(["FieldValueRequired", "x"]),
        "optionalOldSelf": st.booleans(),
    },
)
TYPES = st.sampled_from(["string", "integer", "number", "boolean", "array", "object"])


def nodes(inner):
    return st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.just("foo"),
            "format": st.sampled_from(["int32", "date-time", "byte", "foo", "duration", "uuid"]),
            "nullable": st.booleans(),
            "default": JSON,
            "enum": st.lists(JSON, max_size=2),
            "pattern": st.sampled_from(["^a+$", "[", "(?=a)", "a{2000}"]),
            **dict.fromkeys(("minimum", "maximum", "multipleOf"), NUMBERS),
            **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), LENGTHS),
            **dict.fromkeys(("minProperties", "maxProperties"), LENGTHS),
            "exclusiveMinimum": st.booleans(),
            "required": st.lists(NAMES, max_size=2),
            "items": inner | st.lists(inner, max_size=2),
            "properties": st.dictionaries(NAMES, inner, max_size=3),
            "additionalProperties": st.booleans() | inner,
            **dict.fromkeys(("allOf", "anyOf", "oneOf"), st.lists(inner, max_size=2)),
            "not": inner,
            "x-kubernetes-int-or-string": st.booleans(),
            "x-kubernetes-preserve-unknown-fields": st.booleans(),
            "x-kubernetes-embedded-resource": st.booleans(),
            "x-kubernetes-list-type": st.sampled_from(["map", "set", "atomic", "x"]),
            "x-kubernetes-list-map-keys": st.lists(NAMES, max_size=2),
            "x-kubernetes-map-type": st.sampled_from(["atomic", "granular", "x"]),
            "x-kubernetes-validations": st.lists(MISFIT, max_size=2),
        },
    )


# The first are such as are taken now and then; all others are refused mostly.
GOOD = st.recursive(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["string", "integer", "number", "boolean"])},
        optional={
            "default": JSON,
            "nullable": st.booleans(),
            "enum": st.lists(JSON, max_size=2),
            "multipleOf": NUMBERS,
            "maximum": NUMBERS,
            "maxLength": LENGTHS,
            "format": st.sampled_from(["date-time", "byte", "duration", "int32"]),
            "x-kubernetes-validations": st.lists(RULE, max_size=1),
        },
    )
    | st.just({"x-kubernetes-int-or-string": True})
    | st.just({"x-kubernetes-preserve-unknown-fields": True}),
    lambda inner: (
        st.fixed_dictionaries(
            {"type": st.just("array"), "items": inner},
            optional={
                "x-kubernetes-list-type": st.sampled_from(["set", "atomic"]),
                "maxItems": LENGTHS,
                "default": JSON,
                "x-kubernetes-validations": st.lists(RULE, max_size=1),
            },
        )
        | st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(NAMES, inner, max_size=3)},
            optional={
                "required": st.lists(NAMES, max_size=2),
                "default": JSON,
                "nullable": st.booleans(),
                "x-kubernetes-preserve-unknown-fields": st.just(True),
                "x-kubernetes-embedded-resource": st.booleans(),
                "x-kubernetes-validations": st.lists(RULE, max_size=1),
            },
        )
        | st.fixed_dictionaries({"type": st.just("object"), "additionalProperties": inner})
    ),
    max_leaves=5,
)
ANY = st.recursive(st.just({}) | st.builds(lambda t: {"type": t}, TYPES), nodes, max_leaves=4)
ROOTS = st.fixed_dictionaries(
    {"type": st.just("object"), "properties": st.dictionaries(NAMES, GOOD, max_size=3)}
)
QUIET = {"suppress_health_check": list(HealthCheck), "deadline": 5000}


def problems(root):
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": root}}
    spec = {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [version],
    }
    return create_errors(CRDS, "widgets.example.com", spec=spec)


@settings(max_examples=300, **QUIET)
@given(ROOTS | ANY)
def test_any_definition(root):
    with suppress(ApiError):
        problems(root)


@settings(max_examples=400, **QUIET)
@given(ROOTS, st.lists(JSON, min_size=6, max_size=6))
def test_any_object(root, parts):
    with suppress(ApiError):
        if problems(root):
            return
    schema = VersionSchema(lambda: root, compile_rules)
    about = CustomKind(KIND, GroupResource("example.com", "widgets"), schema, KIND, schema)
    strategy = CustomResourceStrategy(about)
    read = []
    for some in (parts[:3], parts[3:]):
        body = {**dict(zip(("a", "b", "status"), some, strict=True)), "metadata": {"name": "x"}}
        try:
            obj, _ = strategy.decode(
                {"apiVersion": "example.com/v1", "kind": "Widget"} | body, KIND
            )
        except ApiError:
            return
        strategy.default(obj)
        read.append(obj)
    new, old = read
    assert all(map(str, strategy.validate(new, context())))
    assert all(map(str, strategy.validate_update(new, old, context())))
