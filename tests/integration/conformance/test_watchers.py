"""Watches: from where they are told to, in one order for all, through their selectors."""

import asyncio

import pytest

from tests.integration.conformance.conftest import NAMESPACE
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"


def selected(*values):
    wanted = ",".join(values)
    return f"{MAPS}?watch=true&labelSelector=watch-this%20in%20({wanted})"


def config_map(name, label, **data):
    return {"metadata": {"name": name, "labels": {"watch-this": label}}, "data": data}


async def mutate(world, name, number):
    return await world.patch(f"{MAPS}/{name}", {"data": {"mutation": str(number)}})


@pytest.mark.conformance(
    "[sig-api-machinery] Watchers should observe add, update, and delete watch notifications on"
    " configmaps"
)
async def test_changes_reach_those_who_selected_them(world):
    first, second = world.watch(selected("a")), world.watch(selected("b"))
    both = world.watch(selected("a", "b"))
    for name in ("a", "b"):
        await world.create(MAPS, config_map(f"of-{name}", name))
    for number in (1, 2):
        await mutate(world, "of-a", number)
    for name in ("a", "b"):
        await world.delete(f"{MAPS}/of-{name}")
    await both.until("DELETED", "of-b")
    life = [("ADDED", "of-a"), ("MODIFIED", "of-a"), ("MODIFIED", "of-a"), ("DELETED", "of-a")]
    assert first.seen == life
    assert second.seen == [("ADDED", "of-b"), ("DELETED", "of-b")]
    assert both.seen == [
        ("ADDED", "of-a"),
        ("ADDED", "of-b"),
        *life[1:3],
        ("DELETED", "of-a"),
        ("DELETED", "of-b"),
    ]
    assert [obj["data"]["mutation"] for _, _, obj in first.events[1:3]] == ["1", "2"]


@pytest.mark.conformance(
    "[sig-api-machinery] Watchers should be able to start watching from a specific resource version"
)
async def test_a_watch_starts_where_it_is_told_to(world):
    await world.create(MAPS, config_map("m", "a"))
    then = (await mutate(world, "m", 1))["metadata"]["resourceVersion"]
    await mutate(world, "m", 2)
    await world.delete(f"{MAPS}/m")
    watch = world.watch(f"{selected('a')}&resourceVersion={then}")
    await watch.until("DELETED", "m")
    assert watch.seen == [("MODIFIED", "m"), ("DELETED", "m")]
    assert watch.events[0][2]["data"]["mutation"] == "2"


@pytest.mark.conformance(
    "[sig-api-machinery] Watchers should be able to restart watching from the last resource version"
    " observed by the previous watch"
)
async def test_a_watch_goes_on_where_another_ended(world):
    await world.create(MAPS, config_map("m", "a"))
    first = world.watch(selected("a"))
    await mutate(world, "m", 1)
    last = await first.until("MODIFIED", "m")
    await first.leave()
    await mutate(world, "m", 2)
    await world.delete(f"{MAPS}/m")
    watch = world.watch(f"{selected('a')}&resourceVersion={last['metadata']['resourceVersion']}")
    await watch.until("DELETED", "m")
    assert watch.seen == [("MODIFIED", "m"), ("DELETED", "m")]


@pytest.mark.conformance(
    "[sig-api-machinery] Watchers should observe an object deletion if it stops meeting the"
    " requirements of the selector"
)
async def test_who_leaves_the_selection_is_deleted(world):
    watch = world.watch(selected("a"))
    await world.create(MAPS, config_map("m", "a"))
    await mutate(world, "m", 1)
    await world.patch(f"{MAPS}/m", {"metadata": {"labels": {"watch-this": "elsewhere"}}})
    gone = await watch.until("DELETED", "m")
    assert gone["data"]["mutation"] == "1"
    await mutate(world, "m", 2)
    await world.patch(f"{MAPS}/m", {"metadata": {"labels": {"watch-this": "a"}}})
    await eventually(lambda: len(watch.seen) == 4)
    await mutate(world, "m", 3)
    await world.delete(f"{MAPS}/m")
    await eventually(lambda: len(watch.seen) == 6)
    assert [kind for kind, _ in watch.seen] == [
        "ADDED", "MODIFIED", "DELETED", "ADDED", "MODIFIED", "DELETED",
    ]  # fmt: skip


@pytest.mark.conformance(
    "[sig-api-machinery] Watchers should receive events on concurrent watches in same order"
)
async def test_all_watches_have_the_same_order(world):
    async def write():
        for number in range(20):
            name = f"m-{number % 5}"
            if number < 5:
                await world.create(MAPS, config_map(name, "a"))
            else:
                await mutate(world, name, number)

    first = world.watch(selected("a"))
    writing = asyncio.ensure_future(write())
    await eventually(lambda: len(first.events) == 20)
    await writing
    revisions = [obj["metadata"]["resourceVersion"] for _, _, obj in first.events]
    for position, revision in enumerate(revisions[:-1]):
        later = world.watch(f"{selected('a')}&resourceVersion={revision}")
        wanted = revisions[position + 1 :]
        await eventually(lambda later=later, wanted=wanted: len(later.events) == len(wanted))
        assert [obj["metadata"]["resourceVersion"] for _, _, obj in later.events] == wanted
