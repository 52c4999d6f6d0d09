"""What expressions cost while they run, in Kubernetes' units, and what they may cost at most."""

from __future__ import annotations

import pytest

from apimachinery.cel.env import Budget, CostExceeded, Env
from apimachinery.cel.estimates import estimate
from apimachinery.cel.schema import type_of_schema
from apimachinery.cel.sizes import sized

TEXT, NUMBER, EITHER = {"type": "string"}, {"type": "integer"}, {"x-kubernetes-int-or-string": True}


def array(items, **more):
    return {"type": "array", "items": items, **more}


def mapping(values, **more):
    return {"type": "object", "additionalProperties": values, **more}


def shape(**properties):
    return {"type": "object", "properties": properties}


PORT = shape(name=TEXT, number=NUMBER, host=TEXT)
SCHEMA = shape(
    n=NUMBER,
    f={"type": "number"},
    text=TEXT,
    long=TEXT,
    numbers=array(NUMBER),
    words=array(TEXT),
    labels=mapping(TEXT),
    ports=array(PORT),
    either=EITHER,
    at={"type": "string", "format": "date-time"},
)
VALUE = {
    "n": 4,
    "f": 2.5,
    "text": "seven and a half",
    "long": "x" * 95,
    "numbers": [5, 6, 7, 8],
    "words": ["one", "three", "fifteen"],
    "labels": {"app": "web", "tier": "front"},
    "ports": [
        {"name": "http", "number": 80},
        {"name": "https", "number": 443, "host": "a.example"},
    ],
    "either": "50%",
    "at": "2024-02-03T04:05:06Z",
}
KIND = type_of_schema(SCHEMA)
ENV = Env({"self": KIND, "oldSelf": KIND})


def cost(expression, value=None):
    budget = Budget(10**6)
    ENV.compile(expression).run({"self": value or VALUE, "oldSelf": VALUE}, budget)
    return 10**6 - budget.left


@pytest.mark.parametrize(
    ("expression", "units"),
    [
        # Names and fields cost 1 each, what is written out nothing, calls 1.
        ("true", 0),
        ("self.n == 4", 3),
        ("self.n + 1 == 5 || self.n == 9", 4),
        ("self.n == 5 || self.n == 4", 6),
        ("self.n == 5 && self.n == 4", 3),
        ("!(self.n > 5)", 4),
        ("type(self.n) == int", 4),
        ("int(self.f) < self.n", 6),
        ("self.f < double('3')", 3),
        ("self.n in [1, 2, 3, 4]", 2),
        ("self.n in self.numbers", 8),
        ("self.numbers[1] in self.numbers", 9),
        ("self.labels['app'] == 'web'", 4),
        ("'app' in self.labels", 3),
        # has() costs as much as what stands before the last point.
        ("has(self.text)", 1),
        ("has(self.labels.app)", 2),
        ("has(self.ports[1].host)", 3),
        # The name in a branch is free, since it is read as a part of the condition.
        ("(self.n > 3 ? self.text : self.long) == 'b'", 5),
        ("(self.n > 3 ? 1 : 2) == 1", 4),
        # Texts cost a tenth of their length.
        ("self.text == 'seven and a half'", 4),
        ("self.long == self.long", 14),
        ("self.long.startsWith('x')", 12),
        ("self.long.contains('12345678901')", 22),
        ("self.text.matches('^[a-z ]+$')", 8),
        ("(self.long + self.text).size() == 111", 18),
        ("self.long.upperAscii() == 'x'", 13),
        ("self.long.replace('x', 'yy') == 'x'", 22),
        ("self.text.split(' ').size() == 4", 8),
        ("self.words.join('-').size() == 17", 8),
        ("self.words.indexOf('fifteen') == 2", 3),
        ("self.numbers.sum() == 26", 7),
        ("quantity('1Mi') == quantity('1024Ki')", 3),
        # Lists that are made cost 10, maps 30.
        ("[self.n, 2].size() == 2", 14),
        ("{'a': self.n}.size() == 1", 34),
        ("[1, 2].size() == 2", 2),
        # So do lists that calls make, and their elements 1 each. To sort looks at every pair.
        ("self.numbers.slice(1, 3).size() == 2", 2 + 11 + 2 + 2),
        ("self.numbers.reverse().size() == 4", 2 + 11 + 4 + 2),
        ("[self.numbers].flatten().size() == 4", 2 + 10 + 11 + 1 + 2),
        ("lists.range(self.n).size() == 4", 2 + 11 + 4 + 2),
        ("self.numbers.distinct().size() == 4", 2 + 11 + 32 + 2),
        ("self.words.sort().size() == 3", 2 + 11 + 18 + 2),
        # Loops cost what CEL writes them out as.
        ("self.numbers.all(i, i > 4)", 3 + 4 * 5),
        ("self.numbers.all(i, i > 5)", 3 + 5 + 2),
        ("self.numbers.exists(i, i == 6)", 3 + 2 * 6 + 3),
        ("self.numbers.exists(i, i == 8)", 3 + 4 * 6),
        ("self.numbers.exists_one(i, i == 8)", 4 + 4 * 2 + 2),
        ("self.numbers.filter(i, i > 6).size() == 2", 3 + 4 * 2 + 2 * 13 + 2),
        ("self.numbers.map(i, i * 2).size() == 4", 3 + 4 * (12 + 2) + 2),
        ("self.labels.all(k, self.labels[k] != '')", 3 + 2 * (3 + 3)),
        ("self.ports.exists(p, has(p.host) && p.host == 'a.example')", 3 + 5 + 4 + 1 + 3),
        ("self.ports.exists(p, p.host == 'a.example')", 3 + 2 * (4 + 3)),
        ("self.words.all(i, w, w.size() > i)", 3 + 3 * (3 + 4)),
        ("self.numbers.transformList(i, n, n + i).size() == 4", 3 + 4 * (12 + 3) + 2),
    ],
)
def test_a_run_costs_what_it_costs_in_kubernetes(expression, units):
    assert cost(expression) == units


def test_a_run_that_costs_too_much_is_stopped():
    with pytest.raises(CostExceeded, match="operation cancelled: actual cost limit exceeded"):
        ENV.compile("self.numbers.all(i, i > 4)").run({"self": VALUE}, Budget(22))
    ENV.compile("self.numbers.all(i, i > 4)").run({"self": VALUE}, Budget(23))


@pytest.mark.parametrize(
    "expression",
    [
        # Cheap in Kubernetes' units, and a lot of work.
        "self.numbers.map(i, self.numbers + self.numbers).size() > 0",
        "self.numbers.all(i, self.numbers == oldSelf.numbers)",
        "self.text.replace('', self.long).size() > 0",
        "self.words.all(w, '%s%s%s'.format([self.words, self.words, self.words]) != '')",
    ],
)
def test_work_that_units_do_not_see_is_bounded_too(expression):
    large = {
        **VALUE,
        "numbers": list(range(20_000)),
        "text": "y" * 200_000,
        "long": "z" * 500,
        "words": ["w"] * 5_000,
    }
    with pytest.raises(CostExceeded):
        ENV.compile(expression).run(
            {"self": large, "oldSelf": large | {"numbers": [*large["numbers"]]}}
        )


def worst(schema, rule):
    kind = type_of_schema(schema)
    tree, _ = Env({"self": kind, "oldSelf": kind}).check(rule)
    return estimate(tree, sized(schema))


# The most elements that a request of 3 MiB may hold, by what each takes in JSON.
NUMBERS, TEXTS, FLAGS = (3145726 // size for size in (2, 3, 5))


@pytest.mark.parametrize(
    ("schema", "rule", "units"),
    [
        (array({"type": "number"}), "self.all(x, true)", 2 + 3 * NUMBERS),
        (array({"type": "number"}, maxItems=7), "self.all(x, true)", 2 + 3 * 7),
        (array(TEXT), "self.all(x, true)", 2 + 3 * TEXTS),
        (array({"type": "boolean"}), "self.all(x, true)", 2 + 3 * FLAGS),
        (array(NUMBER, maxItems=5), "self.all(x, self.all(y, true))", 2 + 5 * (3 + 2 + 3 * 5)),
        (mapping(TEXT, maxProperties=3), "self.all(k, self[k] != '')", 2 + 3 * (3 + 3)),
        (TEXT, "self == 'longer than a tenth'", 1 + 2),
        (TEXT, "self == self", 2 + 314573),
        ({**TEXT, "maxLength": 10}, "self == self", 2 + 4),
        ({**TEXT, "enum": ["a", "abcdefghijkl"]}, "self == self", 2 + 2),
        ({**TEXT, "maxLength": 10}, "self.contains('a')", 1 + 4),
        ({**TEXT, "maxLength": 10}, "self.matches('[a-z]+')", 1 + 5 * 2),
        ({**TEXT, "maxLength": 10}, "self + self == ''", 2 + 8 + 0),
        (shape(a=NUMBER, b=NUMBER), "self.a == self.b", 4),
        (shape(a=NUMBER), "self.a + 1 > 2", 2 + 1 + 1),
        (array(NUMBER, maxItems=4), "self == oldSelf", 2 + 1),
        (array(NUMBER), "self == oldSelf", 2 + 157287),
        (array(NUMBER, maxItems=4), "self.map(x, x + 1).size() == 4", 12 + 4 * (12 + 2) + 1 + 1),
        (array(NUMBER, maxItems=4), "self.filter(x, x > 1).size() == 4", 12 + 4 * (2 + 13) + 2),
        (array(TEXT, maxItems=4), "self.exists_one(x, x == 'a')", 3 + 4 * (2 + 2)),
        (array({**TEXT, "maxLength": 5}, maxItems=4), "self.isSorted()", 1 + 4 * (1 + 2)),
        (array({**TEXT, "maxLength": 5}, maxItems=4), "self.join(',').size() > 1", 1 + 9 + 1 + 1),
        (array(NUMBER, maxItems=4), "self.reverse().size() == 4", 1 + 11 + 4 + 2),
        (array(NUMBER, maxItems=4), "self.slice(1, 3).size() == 2", 1 + 11 + 2 + 2),
        (array(NUMBER, maxItems=4), "self.distinct().size() == 4", 1 + 11 + 32 + 2),
        (array(TEXT, maxItems=4), "self.sort().size() == 4", 1 + 11 + 34 + 2),
        (NUMBER, "lists.range(3).all(i, i >= 0)", 11 + 3 + 1 + 3 * (3 + 2)),
        (shape(a=EITHER), "type(self.a) == string ? self.a == '5%' : self.a == 5", 3 + 1 + 3),
    ],
)
def test_the_worst_that_a_rule_may_cost(schema, rule, units):
    assert worst(schema, rule) == units


def test_an_estimate_does_not_overflow():
    nested = array(array(array(array(TEXT))))
    rule = "self.all(a, a.all(b, b.all(c, c.all(d, d.matches('a')))))"
    assert worst(nested, rule) == 2**64 - 1
