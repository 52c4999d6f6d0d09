"""Pods that are to come, or to go, count for affinity and spread as if they had."""

import pytest

from nodes.scheduler.cache import Cache
from nodes.scheduler.podinfo import PodInfo
from tests.nodes.scheduler.test_memory import attempt_at, cycle_on
from tests.nodes.scheduler.test_preemption import choose, worker
from tests.support.builders import node, pod

LIKE = {"labelSelector": {"matchLabels": {"app": "x"}}, "topologyKey": "kubernetes.io/hostname"}
APART = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [LIKE]}}
EVEN = [{**LIKE, "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}]
NODES = [node(name).labels(**{"kubernetes.io/hostname": name}) for name in ("n1", "n2")]


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"affinity": APART}, "node(s) didn't match pod anti-affinity rules"),
        (
            {"topologySpreadConstraints": EVEN},
            "node(s) didn't match pod topology spread constraints",
        ),
    ],
)
def test_who_is_to_have_a_node_keeps_its_like_away(spec, why):
    cache = Cache()
    for one in NODES:
        cache.set_node(one)
    coming = PodInfo.of(pod("coming").meta(uid="coming").labels(app="x").spec(priority=5))
    cache.nominate(coming, "n1")
    late = pod("late").labels(app="x").spec(priority=5, **spec)
    outcome, attempt, _ = attempt_at(cycle_on(cache), late)
    assert outcome.node == "n2"
    assert [reasons for _, reasons in attempt.refused.values()] == [(why,)]
    # What matters less has nothing to say, and what comes must not be what lets a pod in.
    late["spec"]["priority"] = 9
    assert attempt_at(cycle_on(cache), late)[1].refused == {}
    joins = {"podAffinity": APART["podAntiAffinity"]}
    friend = pod("friend").spec(affinity=joins)
    assert set(attempt_at(cycle_on(cache), friend)[1].refused) == {"n1", "n2"}


def test_victims_take_what_they_mind_with_them():
    placed = [(worker("minds", 1, app="x").spec(affinity=APART), "n1")]
    new = worker("new", 10, app="x")
    assert choose(NODES[:1], placed, new) == ("n1", ["minds"])


def test_spread_is_as_even_as_it_would_be_without_victims():
    placed = [(worker(f"p{n}", 1, app="x"), "n1") for n in range(2)]
    placed.append((worker("full", 20, cpu="4"), "n2"))
    new = worker("new", 10, app="x").spec(topologySpreadConstraints=EVEN)
    assert choose(NODES, placed, new) == ("n1", ["p0", "p1"])
