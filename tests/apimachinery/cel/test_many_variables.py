"""Policies with very many variables: what one costs does not grow with how many there are."""

import time

from apimachinery.cel.admission import Shape, compile_expression, compose
from apimachinery.cel.typechecking import type_warnings
from apimachinery.cel.types import DYN

MANY = [
    {"name": f"v{at}", "expression": f"variables.v{at - 1} + 1" if at else "1"}
    for at in range(4000)
]


def test_many_variables_take_the_time_of_their_parts():
    began = time.process_time()
    composed = compose(MANY, Shape())
    policy = {"spec": {"variables": MANY, "validations": [{"expression": "variables.v3999 > 1"}]}}
    assert type_warnings(policy, lambda _kind: DYN, lambda *_names: ()) == []
    # Half a second; 25 s where each knew all before it.
    assert time.process_time() - began < 8
    assert {str(kind) for kind in composed.types.values()} == {"int"}
    assert all(not one.problem for one in composed.programs.values())


def test_a_variable_sees_those_before_it_alone():
    composed = compose([{"name": "a", "expression": "variables.b"}, *MANY[:1]], Shape())
    assert "undefined field 'b'" in composed.programs["a"].problem
    late = compile_expression("variables.v0 + variables.v1", Shape(), composed.types)
    assert "undefined field 'v1'" in late.problem
