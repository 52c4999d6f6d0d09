"""The parts of priority and fairness by themselves: hands, turns, retries, widths, matching."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest

from apiserver.flowcontrol.digest import Digest
from apiserver.flowcontrol.fair import FairTurns
from apiserver.flowcontrol.matching import read_schema
from apiserver.flowcontrol.retries import Dropped
from apiserver.flowcontrol.shuffle import deal, hash_flow
from apiserver.flowcontrol.width import list_width


def test_a_hand_is_of_different_queues_and_always_the_same():
    for value in (0, 1, 2**63, hash_flow("s", "ann")):
        hand = deal(value, 64, 6)
        assert len(set(hand)) == 6
        assert all(0 <= card < 64 for card in hand)
        assert deal(value, 64, 6) == hand
    assert sorted(deal(5, 3, 8)) == [0, 1, 2]


def test_every_hand_is_as_likely():
    hands = Counter(frozenset(deal(value, 5, 2)) for value in range(20 * 100))
    assert set(hands.values()) == {200}
    assert len(hands) == 10


def test_flows_are_told_apart():
    assert hash_flow("a", "bc") != hash_flow("ab", "c")


@dataclass(eq=False)
class One:
    name: str
    weight: float = 1.0
    start: float = 0.0


def test_turns_go_by_weight():
    turns: FairTurns[One] = FairTurns()
    heavy, light = One("heavy", weight=3), One("light")
    for one in (heavy, light):
        turns.join(one)
    order = []
    for _ in range(8):
        one = turns.next()
        assert one is not None
        order.append(one.name)
        turns.served(one, 1)
    assert Counter(order) == {"heavy": 6, "light": 2}


def test_nobody_saves_up_turns_by_staying_away():
    turns: FairTurns[One] = FairTurns()
    busy, late = One("busy"), One("late")
    turns.join(busy)
    for _ in range(100):
        turns.served(busy, 1)
    turns.join(late)
    turns.served(late, 1)
    assert late.start >= 99
    assert turns.next(lambda one: one is busy) is busy
    turns.leave(busy)
    assert turns.next() is late


def test_who_is_sent_away_comes_back_later_the_more_there_are():
    dropped = Dropped()
    waits = [dropped.note(second) for second in range(100, 160) for _ in range(200)]
    assert waits[0] == 1
    assert waits == sorted(waits)
    assert waits[-1] == 32
    calm = [dropped.note(second) for second in range(400, 2000, 50)]
    assert calm[-1] == 1


class Entry:
    def __init__(self, size: int) -> None:
        self.raw = b"x" * size


@pytest.mark.parametrize(
    ("count", "size", "limit", "width"),
    [
        (0, 0, 0, 1),
        (10, 100, 0, 1),
        (500, 1000, 0, 5),
        (500, 1000, 100, 1),
        (5000, 1000, 0, 10),  # what is more than that is sent piece by piece
        (5000, 1000, 10000, 10),
    ],
)
def test_a_list_is_as_wide_as_what_it_loads(count, size, limit, width):
    assert list_width([Entry(size)] * count, limit, 10) == width


def test_no_list_is_wider_than_its_level_allows():
    assert list_width([Entry(1000)] * 5000, 0, 3) == 3


def schema(**rule):
    spec = {
        "matchingPrecedence": 100,
        "priorityLevelConfiguration": {"name": "p"},
        "distinguisherMethod": {"type": "ByNamespace"},
        "rules": [rule],
    }
    return read_schema({"metadata": {"name": "s"}, "spec": spec})


EVERYBODY = [{"kind": "Group", "group": {"name": "*"}}]
PODS = {"verbs": ["list"], "apiGroups": [""], "resources": ["pods"], "namespaces": ["a"]}


def asks(user="ann", groups=("devs",), verb="list", resource="pods", namespace="a", group=""):
    return Digest(user, groups, verb, True, group, resource, namespace)


@pytest.mark.parametrize(
    ("subject", "user", "groups", "matches"),
    [
        ({"kind": "User", "user": {"name": "ann"}}, "ann", (), True),
        ({"kind": "User", "user": {"name": "ann"}}, "bob", (), False),
        ({"kind": "User", "user": {"name": "*"}}, "bob", (), True),
        ({"kind": "Group", "group": {"name": "devs"}}, "ann", ("a", "devs"), True),
        ({"kind": "Group", "group": {"name": "devs"}}, "devs", (), False),
        ({"kind": "Group", "group": {"name": "*"}}, "ann", (), True),
        (
            {"kind": "ServiceAccount", "serviceAccount": {"namespace": "a", "name": "x"}},
            "system:serviceaccount:a:x",
            (),
            True,
        ),
        (
            {"kind": "ServiceAccount", "serviceAccount": {"namespace": "a", "name": "*"}},
            "system:serviceaccount:a:y",
            (),
            True,
        ),
        (
            {"kind": "ServiceAccount", "serviceAccount": {"namespace": "a", "name": "*"}},
            "system:serviceaccount:ab:y",
            (),
            False,
        ),
    ],
)
def test_subjects(subject, user, groups, matches):
    assert schema(subjects=[subject], resourceRules=[PODS]).matches(asks(user, groups)) is matches


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        (PODS, True),
        (PODS | {"verbs": ["get"]}, False),
        (PODS | {"verbs": ["*"]}, True),
        (PODS | {"apiGroups": ["apps"]}, False),
        (PODS | {"resources": ["pods/status"]}, False),
        (PODS | {"resources": ["*"]}, True),
        (PODS | {"namespaces": ["b"]}, False),
        (PODS | {"namespaces": ["*"]}, True),
        (PODS | {"namespaces": [], "clusterScope": True}, False),
    ],
)
def test_resources(rule, matches):
    assert schema(subjects=EVERYBODY, resourceRules=[rule]).matches(asks()) is matches


def test_what_has_no_namespace_is_of_the_clusters_scope():
    narrow = schema(subjects=EVERYBODY, resourceRules=[PODS | {"namespaces": ["*"]}])
    wide = schema(subjects=EVERYBODY, resourceRules=[PODS | {"clusterScope": True}])
    assert not narrow.matches(asks(namespace=""))
    assert wide.matches(asks(namespace=""))
    assert wide.flow_of(asks()) == "a"


@pytest.mark.parametrize(
    ("urls", "path", "matches"),
    [
        (["*"], "/x", True),
        (["/healthz"], "/healthz", True),
        (["/healthz"], "/healthz/ping", False),
        (["/healthz/*"], "/healthz/ping", True),
        (["/healthz/*"], "/healthz", False),
    ],
)
def test_paths(urls, path, matches):
    rules = [{"verbs": ["get"], "nonResourceURLs": urls}]
    found = schema(subjects=EVERYBODY, nonResourceRules=rules)
    assert found.matches(Digest("ann", (), "get", False, path=path)) is matches
    assert not found.matches(Digest("ann", (), "post", False, path=path))
    assert not found.matches(asks())
