"""Rule tables: which backend a connection gets."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from apimachinery.clock import ManualClock
from nodes.network.rules import (
    DROPPED,
    MAX_AFFINITIES,
    REFUSED,
    Backend,
    Choice,
    RuleKey,
    ServiceRule,
    ServiceRules,
)

KEY = RuleKey("10.96.0.5", 80)
PODS = (("10.244.1.2", 8080), ("10.244.1.3", 8080), ("10.244.1.4", 8080))


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def rules(clock):
    return ServiceRules(clock, Random(1))


def ask(rules, source="10.244.9.9"):
    return rules.resolve(KEY.ip, KEY.port, "TCP", source)


def test_no_rule_no_answer(rules):
    rules.set(KEY, ServiceRule("default/web:http", PODS))
    assert rules.resolve(KEY.ip, 81, "TCP", "") is None
    assert rules.resolve(KEY.ip, 80, "UDP", "") is None
    rules.delete(KEY)
    assert ask(rules) is None


@pytest.mark.parametrize("verdict", [REFUSED, DROPPED])
def test_no_backends(rules, verdict):
    rules.set(KEY, ServiceRule("default/web:http", (), empty=verdict))
    assert ask(rules) is verdict


def test_round_robin_takes_turns(rules):
    rules.set(KEY, ServiceRule("default/web:http", PODS, Choice.ROUND_ROBIN))
    got = [ask(rules) for _ in range(4)]
    assert got == [Backend(ip, port, "default/web:http") for ip, port in (*PODS, PODS[0])]


def test_random_reaches_all_and_repeats_with_the_seed(clock):
    runs = []
    for _ in range(2):
        rules = ServiceRules(clock, Random(7))
        rules.set(KEY, ServiceRule("default/web:http", PODS))
        runs.append([ask(rules).ip for _ in range(300)])
    assert runs[0] == runs[1]
    assert min(Counter(runs[0]).values()) > 70


def test_weights(rules):
    rules.set(KEY, ServiceRule("default/web:http", PODS, weights=(1, 0, 9)))
    got = Counter(ask(rules).ip for _ in range(200))
    assert got["10.244.1.3"] == 0
    assert got["10.244.1.4"] > 150


def test_affinity_holds_until_it_is_over(rules, clock):
    rules.set(KEY, ServiceRule("w", PODS, Choice.ROUND_ROBIN, affinity_seconds=10))
    first = ask(rules, "10.0.0.1")
    assert [ask(rules, "10.0.0.1") for _ in range(5)] == [first] * 5
    assert ask(rules, "10.0.0.2") != first
    clock.advance(9)
    assert ask(rules, "10.0.0.1") == first
    clock.advance(11)
    assert ask(rules, "10.0.0.1") != first


def test_affinity_to_a_backend_that_is_gone_is_dropped(rules):
    rules.set(KEY, ServiceRule("w", PODS[:1], affinity_seconds=10))
    ask(rules)
    rules.set(KEY, ServiceRule("w", PODS[1:2], affinity_seconds=10))
    assert ask(rules).ip == "10.244.1.3"


def test_affinities_are_bounded(rules):
    rules.set(KEY, ServiceRule("w", PODS, affinity_seconds=10))
    for number in range(MAX_AFFINITIES + 50):
        ask(rules, f"client-{number}")
    assert len(rules._sticky) == MAX_AFFINITIES


def test_replace_makes_the_table_exact(rules):
    rules.set(KEY, ServiceRule("old", PODS))
    other = RuleKey("10.96.0.6", 80)
    rules.replace([(other, ServiceRule("new", PODS[:1]))])
    assert ask(rules) is None
    assert list(rules.rules()) == [other]
