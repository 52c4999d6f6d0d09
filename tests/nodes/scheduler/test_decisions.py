"""What is remembered of attempts: whole, and in few bytes."""

import random
import tracemalloc

import pytest

from nodes.scheduler.attempt import Attempt, Choice, Column, Victim
from nodes.scheduler.decisions import ATTEMPTS_PER_POD, BYTES, Decisions
from nodes.scheduler.devices.lacking import Lack
from nodes.scheduler.packing import SCORED, Names, pack

PLUGINS = ("NodeResourcesFit", "PodTopologySpread", "InterPodAffinity", "ImageLocality")


def made(pod="default/web-1", uid="u1", nodes=3, **more):
    """Return an attempt at which every node fits, with scores that differ."""
    chance = random.Random(pod)
    attempt = Attempt(pod, uid, 1, "2026-01-02T03:04:05.000006Z", evaluated=nodes, fitting=nodes)
    attempt.scored = [f"node-{number}" for number in range(nodes)]
    for plugin in PLUGINS:
        raw = [chance.randrange(1000) for _ in range(nodes)]
        attempt.table.append(Column(plugin, 2, raw, [score // 10 for score in raw]))
    attempt.node = attempt.scored[attempt.best(1)[0]]
    attempt.tied = (attempt.node,)
    attempt.seconds = {"filter": 0.00012, "score": 0.0003}
    for name, value in more.items():
        setattr(attempt, name, value)
    return attempt


def refused():
    return made(
        node="",
        message="0/3 nodes are available: 2 Insufficient cpu, 1 Too many pods.",
        scored=[],
        table=[],
        tied=(),
        fitting=0,
        refused={
            "node-0": ("NodeResourcesFit", ("Insufficient cpu",)),
            "node-2": ("NodeResourcesFit", ("Insufficient cpu",)),
            "node-1": ("NodeResourcesFit", ("Too many pods",)),
        },
        unresolvable={"node-2"},
        candidates=(Choice("node-0", (Victim("default/low", -5),), 12, 1),),
        lacks={"node-1": [Lack("c", "r", 2, 1, {"taken": 3})]},
    )


@pytest.mark.parametrize("attempt", [made(), refused(), made(nodes=1), made(nodes=SCORED)])
def test_what_comes_out_is_what_went_in(attempt):
    kept = Decisions()
    kept.add(attempt)
    before = attempt.as_json(SCORED)
    kept.over(attempt)
    (found,) = kept.of("u1")
    assert found is not attempt
    assert found.as_json(SCORED) == before
    assert found == attempt


def test_nodes_are_told_apart_whatever_their_order():
    kept = Decisions()
    first, second = made(uid="a"), made(uid="b")
    for listed in (second.scored, *(part for one in second.table for part in one[2:])):
        listed.append(listed.pop(0))  # the search began at another node
    for attempt in (first, second):
        kept.add(attempt)
        kept.over(attempt)
    assert [kept.of(uid)[0].as_json() for uid in "ab"] == [a.as_json() for a in (first, second)]


def test_of_a_large_cluster_the_best_nodes_are_kept_with_their_scores():
    kept = Decisions()
    attempt = made(nodes=SCORED + 50)
    best = [attempt.scored[at] for at in attempt.best(SCORED)]
    kept.add(attempt)
    kept.over(attempt)
    (found,) = kept.of("u1")
    assert [found.scored[at] for at in found.best(1000)] == best


def test_an_attempt_under_way_can_be_read():
    kept = Decisions()
    attempt = made()
    kept.add(attempt)
    assert kept.of("u1") == [attempt]


def test_the_last_attempts_of_a_pod_are_kept():
    kept = Decisions()
    for number in range(ATTEMPTS_PER_POD + 5):
        attempt = made(number=number)
        kept.add(attempt)
        kept.over(attempt)
    assert [one.number for one in kept.of("u1")] == list(range(5, ATTEMPTS_PER_POD + 5))
    assert [one.number for one in kept.last()] == [ATTEMPTS_PER_POD + 4]


def test_what_is_kept_has_a_limit_and_the_oldest_is_forgotten_first():
    kept = Decisions()
    for number in range(2000):
        attempt = made(f"default/web-{number}", f"u{number}", nodes=100)
        kept.add(attempt)
        kept.over(attempt)
        assert kept.size <= BYTES
    assert kept.of("u0") == []
    assert [one.uid for one in kept.last(2)] == ["u1999", "u1998"]
    assert len(kept.last(5000)) > 500
    assert kept.size > BYTES * 0.9


@pytest.mark.parametrize("nodes", [3, 120])
def test_what_is_counted_is_what_is_taken(nodes):
    attempts = [made(f"default/web-{at}", f"u{at}", nodes=nodes) for at in range(200)]
    kept = Decisions()
    tracemalloc.start()
    for attempt in attempts:
        kept.add(attempt)
        kept.over(attempt)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 1.5 * kept.size


def test_a_hundred_nodes_take_some_hundred_bytes():
    steady = made(nodes=100)
    for at, column in enumerate(steady.table):  # most plugins think alike of most nodes
        if at:
            column.raw[:] = column.even[:] = [7] * 100
    assert len(pack(Names(), steady)) < 800


def test_numbers_are_given_anew_where_nodes_come_and_go():
    names = Names()
    for number in range(3000):
        names.nodes.of(f"node-{number}")
    assert names.for_(2000) is names
    assert names.for_(3).nodes.listed == []
