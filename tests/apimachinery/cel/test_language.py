"""The language: what expressions are worth, and what is said of those that are wrong."""

import pytest

from apimachinery.cel.env import Budget, CompileError, CostExceeded, Env, EvalError
from apimachinery.cel.types import DYN, INT, STRING, list_of, object_type, optional_of
from apimachinery.cel.values import NOTHING, Duration, Lazy, Opt, UInt

ENV = Env(
    {
        "object": DYN,
        "x": INT,
        "s": STRING,
        "l": list_of(INT),
        "o": optional_of(STRING),
        "spec": object_type("spec", {"replicas": INT, "a__dash__b": STRING}),
        "front.back": INT,
    }
)
VALUES = {
    "object": {"a": {"b": 1}, "l": [1, 2, 3], "labels": {"k/v": "w"}, "none": None},
    "x": 1,
    "s": "hi",
    "l": [1, 2],
    "o": NOTHING,
    "spec": {"replicas": 3, "a-b": "dash"},
    "front.back": 7,
}


def run(text, **values):
    return ENV.compile(text).run({**VALUES, **values})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3 % 4", 1),
        ("-7 / 2", -3),
        ("-7 % 2", -1),
        ("--7", 7),
        ("!!true", True),
        ("0x1F", 31),
        ("1u + 2u", UInt(3)),
        ("1e3", 1000.0),
        (".5 + 1.0", 1.5),
        ("'a' + \"b\"", "ab"),
        (r"'\x41\u00e9\101\n'", "Aé" + "A\n"),
        (r"r'\d'", r"\d"),
        (r"b'\xff'", b"\xff"),
        ("'''a\nb'''", "a\nb"),
        ("1 < 2.5 && 2u > 1", True),
        ("dyn(1) == 1.0", True),
        ("object.a.b == 1u", True),
        ("object == object", True),
        ("[1, 2] == [1, 2] && {'a': [1]} == {'a': [1]}", True),
        ("object.a == 'x'", False),
        ("x == 1 ? 'one' : 'many'", "one"),
        ("2 in l && 'a' in object && !('z' in object)", True),
        ("l[1] + object.l[0]", 3),
        ("object['a']['b']", 1),
        ("{1: 'a'}[dyn(1.0)]", "a"),
        ("object.labels.`k/v`", "w"),
        ("has(object.a.b) && !has(object.a.c)", True),
        ("spec.a__dash__b", "dash"),
        ("front.back", 7),
        ("[1, 2].map(back, back)", [1, 2]),
        ("type(x) == int && type('') == string && type(object.l) == list", True),
        ("size('äb') + size(l) + object.size()", 8),
        ("true || object.zz", True),
        ("object.zz || true", True),
        ("false && object.zz == 1", False),
        ("object.zz == 1 && false", False),
        # what runs over lists and maps
        ("l.all(i, i > 0)", True),
        ("l.exists(i, i == 2)", True),
        ("l.exists_one(i, i == 2) && l.existsOne(i, i == 2)", True),
        ("l.map(i, i * 2)", [2, 4]),
        ("l.map(i, i > 1, i * 2)", [4]),
        ("object.l.filter(i, i != 2)", [1, 3]),
        ("object.a.all(k, k == 'b')", True),
        ("object.l.all(i, v, i == v - 1)", True),
        ("object.a.exists(k, v, k == 'b' && v == 1)", True),
        ("l.transformList(i, v, i + v)", [1, 3]),
        ("{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v * 10)", {"b": 20}),
        ("['a', 'b'].transformMapEntry(i, v, {v: i})", {"a": 0, "b": 1}),
        ("[[1], [2]].all(a, a.all(b, b == a[0]))", True),
        ("object.l.exists(i, i / (i - 2) > 1)", True),  # an error counts only where it decides
        # what may be missing
        ("object.?a.?b.orValue(5)", 1),
        ("object.?a.?zz.c.orValue(5)", 5),
        ("object.?zz.hasValue()", False),
        ("object[?'a'].hasValue() && !l[?9].hasValue()", True),
        ("optional.of(2).optMap(v, v + 1).value()", 3),
        ("optional.of(2).optFlatMap(v, optional.none()).hasValue()", False),
        ("[1, ?object.?zz, ?optional.of(2)].size()", 2),
        ("{?'a': o, 'b': 'c'}", {"b": "c"}),
        ("o.or(optional.of('z')).value()", "z"),
        ("optional.ofNonZeroValue('').hasValue()", False),
    ],
)
def test_values(text, value):
    found = run(text)
    assert found == value
    assert isinstance(found, type(value))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("object.a.c", "no such key: c"),
        ("object['zz']", "no such key: zz"),
        ("object.l[10]", "index out of bounds: 10"),
        ("1 / (x - 1)", "division by zero"),
        ("1 % (x - 1)", "modulus by zero"),
        ("9223372036854775807 + x", "integer overflow"),
        ("1u - 2u", "unsigned integer overflow"),
        ("object.a.b > 'x'", "no such overload"),
        ("object.none.field", "no such overload"),
        ("object.a.b.matches('x')", "no such overload: matches(int, string)"),
        ("object.a.b && true", "no such overload"),
        ("o.value()", "optional.none() dereference"),
        ("{'a': 1, 'a': 2}", "Failed with repeated key: a"),
        ("object.l.all(i, i / (i - 2) < 9)", "division by zero"),
        ("object.a.b.all(i, true)", "got 'int', expected iterable type"),
    ],
)
def test_evaluation_fails(text, why):
    with pytest.raises(EvalError) as caught:
        run(text)
    assert str(caught.value) == why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("foo", "1:1: undeclared reference to 'foo' (in container '')"),
        ("x + s", "1:3: found no matching overload for '_+_' applied to '(int, string)'"),
        ("s.size(1)", "1:7: found no matching overload for 'size' applied to 'string.(int)'"),
        ("f(x)", "1:2: undeclared reference to 'f' (in container '')"),
        ("x.foo", "1:2: type 'int' does not support field selection"),
        ("spec.nope > 1", "1:5: undefined field 'nope'"),
        ("has(x)", "1:5: invalid argument to has() macro"),
        ("[1, 'a']", "1:5: expected type 'int' but found 'string'"),
        ("{'a': 1, 'b': ''}", "1:15: expected type 'int' but found 'string'"),
        ("null == x", "1:6: found no matching overload for '_==_' applied to '(null, int)'"),
        ("x ? 1 : 2", "1:3: found no matching overload for '_?_:_' applied to '(int, int, int)'"),
        ("true && 1", "1:6: found no matching overload for '_&&_' applied to '(bool, int)'"),
        (
            "x.all(i, true)",
            (
                "1:1: expression of type 'int' cannot be range of a comprehension "
                "(must be list, map, or dynamic)"
            ),
        ),
        ("l.all(i.j, true)", "1:8: argument must be a simple name"),
        ("Thing{a: 1}", "1:6: undeclared reference to 'Thing' (in container '')"),
        ("as", "1:1: reserved identifier: as"),
        ("s.matches('(')", "1:11: invalid matches argument"),
        ("duration('x')", "1:10: invalid duration argument"),
        ("timestamp('x')", "1:11: invalid timestamp argument"),
        ("object.", "1:8: Syntax error: no viable alternative at input '.'"),
        ("x x", "1:3: Syntax error: extraneous input 'x' expecting <EOF>"),
        ("x $", "1:3: Syntax error: token recognition error at: '$'"),
        ("(x", "1:3: Syntax error: missing ')' at '<EOF>'"),
    ],
)
def test_compilation_fails(text, why):
    with pytest.raises(CompileError) as caught:
        ENV.compile(text)
    assert str(caught.value).split("\n")[0] == f"ERROR: <input>:{why}"


def test_every_mistake_is_told_with_its_line():
    with pytest.raises(CompileError) as caught:
        ENV.compile("foo ||\n  bar")
    assert str(caught.value) == (
        "ERROR: <input>:1:1: undeclared reference to 'foo' (in container '')\n | foo ||\n | ^\n"
        "ERROR: <input>:2:3: undeclared reference to 'bar' (in container '')\n |   bar\n | ..^"
    )


@pytest.mark.parametrize("text", ["(" * 400 + "1" + ")" * 400, "-" + "!" * 3, "+".join("1" * 5000)])
def test_what_is_too_deep_is_refused(text):
    with pytest.raises(CompileError):
        ENV.compile(text)


def test_the_type_of_an_expression():
    assert str(ENV.compile("l.map(i, string(i))").type) == "list(string)"
    assert str(ENV.compile("object.a").type) == "dyn"
    assert str(ENV.compile("{'a': [1]}").type) == "map(string, list(int))"
    assert str(ENV.compile("object.?a").type) == "optional_type(dyn)"


def nested(depth):
    text = "true"
    for level in range(depth):
        text = f"[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].all(v{level}, {text})"
    return text


def test_a_run_is_bounded():
    assert ENV.compile(nested(3)).run({}) is True
    with pytest.raises(CostExceeded, match="actual cost limit exceeded"):
        ENV.compile(nested(7)).run({})


def test_what_a_run_costs_is_taken_from_the_budget():
    budget = Budget(1000)
    ENV.compile("l.all(i, i > 0)").run(VALUES, budget)
    assert 960 < budget.left < 1000
    with pytest.raises(CostExceeded):
        ENV.compile(nested(3)).run({}, budget)
    assert budget.left < 0


def test_strings_that_grow_are_paid_for():
    text = "'" + "x" * 1000 + "'"
    for _ in range(20):
        text = f"[{text}].map(v, v + v)[0]"
    with pytest.raises(CostExceeded):
        ENV.compile(text).run({})


class Counting(Lazy):
    def __init__(self):
        self.asked = []

    def find(self, name):
        self.asked.append(name)
        if name != "known":
            raise KeyError(name)
        return 5


def test_lazy_fields_are_asked_for_when_needed():
    lazy = Counting()
    assert run("has(object.nope) || object.known == 5", object=lazy) is True
    assert lazy.asked == ["nope", "known"]
    assert run("true || object.known == 5", object=Counting()) is True


def test_which_variables_a_program_uses():
    assert ENV.compile("x > 1 && [2].all(s, s > x)").uses == {"x"}


def test_a_variable_that_is_not_there():
    with pytest.raises(EvalError, match=r"no such attribute\(s\): x"):
        ENV.compile("x").run({})


def test_objects_written_out():
    env = Env({}, structs={"P": object_type("P", {"op": STRING})}, open_structs=("Object",))
    assert env.compile("Object{spec: Object.spec{n: 1, ?m: optional.none()}}").run({}) == {
        "spec": {"n": 1}
    }
    assert env.compile("P{op: 'add'}").run({}).name == "P"
    with pytest.raises(CompileError, match="undefined field 'no'"):
        env.compile("P{no: 1}")
    with pytest.raises(CompileError, match="expected type of field 'op' is 'string' but provided"):
        env.compile("P{op: 1}")


def test_durations_of_an_optional_value():
    assert run("optional.of(duration('1m')).value()") == Duration(60 * 10**9)
    assert run("o", o=Opt("a")) == Opt("a")


def test_bindings_where_they_are_allowed():
    env = Env({"x": INT}, bindings=True)
    assert env.compile("cel.bind(y, x + 1, y * y)").run({"x": 2}) == 9
    with pytest.raises(CompileError, match="undeclared reference to 'cel'"):
        ENV.compile("cel.bind(y, x + 1, y * y)")
