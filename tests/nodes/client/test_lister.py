"""Numbers of objects that are alike are right after every change, at the cost of the change."""

import random
from collections import Counter

from apimachinery.meta import labels_of
from nodes.client.lister import Indexer, Key


def thing(**labels):
    return {"metadata": {"name": "x", "namespace": "default", "labels": labels}}


def place(obj):
    labels = labels_of(obj)
    return (labels["of"], labels["like"]) if "of" in labels else None


def test_a_tally_counts_what_is_alike_in_each_group():
    chance, store = random.Random(7), Indexer()
    store.add_tally("likes", place)
    there = {}
    for _ in range(500):
        key = Key("default", str(chance.randrange(20)))
        new = chance.choice(
            [None, thing(), *(thing(of=of, like=like) for of in "ab" for like in "xyz")]
        )
        store.replace(key, new)
        there[key] = new
        for group in "ab":
            expected = Counter(
                labels_of(one)["like"]
                for one in there.values()
                if one is not None and labels_of(one).get("of") == group
            )
            assert store.tally("likes", group) == expected


def test_a_tally_that_comes_later_counts_what_is_there_and_then_only_what_changes():
    store, looks = Indexer(), []

    def looked_at(obj):
        looks.append(obj)
        return place(obj)

    for number in range(100):
        store.replace(Key("default", str(number)), thing(of="a", like="x"))
    store.add_tally("likes", looked_at)
    store.add_tally("likes", looked_at)
    assert store.tally("likes", "a") == {"x": 100}
    assert len(looks) == 100
    store.replace(Key("default", "7"), thing(of="a", like="y"))
    assert store.tally("likes", "a") == {"x": 99, "y": 1}
    assert len(looks) == 102
    assert store.tally("likes", "b") == {}
