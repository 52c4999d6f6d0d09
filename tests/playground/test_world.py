"""Snapshot + changes == snapshot now, whatever happens; and what a reader is sent."""

from __future__ import annotations

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.topology import protocol
from playground.topology.world import World, collapse


def row(key, value="x"):
    return [key, value]


def put(world, key, value="x", revision=1):
    world.put("pods", "pods", row(key, value), revision)


def fold(tables, changes):
    """Apply collapsed changes as the browser does."""
    for change, _ in collapse(changes):
        rows = tables.setdefault(change.table, {})
        if change.type == "D":
            del rows[change.key]
        else:
            assert (change.type == "A") == (change.key not in rows)
            rows[change.key] = change.row
    return tables


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "remove", "replace"]), st.sampled_from("abc"), st.integers(0, 2)
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(0, 30))
def test_a_snapshot_and_the_changes_after_it_equal_the_next_snapshot(steps, at):
    world = World()
    seen, number = {}, 0
    for index, (step, key, value) in enumerate(steps):
        if index == at:
            seen, number = dict(world.tables["pods"]), world.number
        if step == "put":
            put(world, key, value)
        elif step == "remove":
            world.remove("pods", "pods", key, 1)
        else:
            world.replace("pods", "pods", [row(key, value)], 1)
    found = fold({"pods": seen}, world.changes_after(number))
    assert found["pods"] == world.tables["pods"]


def test_what_looks_the_same_is_no_change():
    world = World()
    put(world, "a", revision=5)
    put(world, "a", revision=9)
    assert (world.number, world.revision) == (1, 9)


def test_many_changes_of_one_thing_are_one_and_are_counted():
    world = World()
    put(world, "a", 1)
    start = world.number
    for value in range(2, 7):
        put(world, "a", value)
    [(change, count)] = collapse(world.changes_after(start))
    assert (change.type, change.row, count) == ("M", row("a", 6), 5)


def test_what_came_and_went_is_not_told():
    world = World()
    put(world, "a")
    world.remove("pods", "pods", "a", 2)
    assert collapse(world.changes_after(0)) == []


def test_what_went_and_came_back_is_a_change():
    world = World()
    put(world, "a", 1)
    start = world.number
    world.remove("pods", "pods", "a", 2)
    put(world, "a", 2, 3)
    [(change, count)] = collapse(world.changes_after(start))
    assert (change.type, change.row, count) == ("M", row("a", 2), 2)


def test_kinds_that_share_a_table_do_not_delete_each_others_rows():
    world = World()
    world.replace("deployments", "owners", [row("d")], 1)
    world.replace("replicasets", "owners", [row("r")], 1)
    world.replace("deployments", "owners", [], 2)
    assert list(world.tables["owners"]) == ["r"]


def test_the_log_forgets_and_says_so():
    world = World(kept=3)
    for value in range(5):
        put(world, "a", value)
    assert [world.covers(number) for number in range(7)] == [
        False,
        False,
        True,
        True,
        True,
        True,
        False,
    ]


def test_an_empty_world_covers_its_beginning():
    assert World().covers(0)
    assert not World().covers(1)


def test_a_batch_says_from_where_to_where():
    world = World()
    put(world, "a", 1, 7)
    put(world, "a", 2, 8)
    frame = orjson.loads(protocol.batch("epoch", 0, world, world.changes_after(0)))
    assert frame == {
        "op": "batch",
        "from": 1,
        "to": 2,
        "cursor": "epoch.2",
        "rev": 8,
        "ev": [{"t": "A", "k": "pods", "o": ["a", 2], "n": 2}],
    }


def test_a_cursor_of_another_process_means_nothing():
    assert protocol.parse_cursor("epoch", "epoch.12") == 12
    for text in ("other.12", "epoch.x", "epoch", None, 12):
        assert protocol.parse_cursor("epoch", text) is None
