"""Seats: divided, lent, given in fair turns, refused."""

from __future__ import annotations

import asyncio
import contextlib
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from apimachinery.clock import ManualClock
from apimachinery.errors import Overloaded
from apiserver.flowcontrol.digest import Digest
from apiserver.flowcontrol.filter import LEVELS, LONGEST_KEPT, SCHEMAS, FlowFilter, Seat
from apiserver.flowcontrol.inflight import InFlightLimit
from apiserver.flowcontrol.levels import QUEUES_KEPT
from apiserver.flowcontrol.options import FlowOptions
from apiserver.flowcontrol.turns import Turns
from apiserver.storage.types import Key
from tests.support.virtualtime import VIRTUAL_TIME


class Entry:
    revision = 0

    def __init__(self, resource: str, obj: dict[str, Any]) -> None:
        Entry.revision += 1
        self.revision = Entry.revision
        self.key = Key(resource, "", obj["metadata"]["name"])
        self._obj = obj

    def obj(self) -> dict[str, Any]:
        return self._obj


class Objects:
    """A store that holds what it is given."""

    def __init__(self) -> None:
        self.held: dict[str, list[Entry]] = {LEVELS: [], SCHEMAS: []}

    def list(self, resource: str, namespace: str | None = None) -> Any:
        return self.held[resource]

    def level(self, name: str, shares: int, *, lend: int = 0, borrow: int | None = 0, **queuing):
        response: dict[str, Any] = {"type": "Reject"}
        if queuing:
            response = {"type": "Queue", "queuing": queuing}
        limited = {
            "nominalConcurrencyShares": shares,
            "lendablePercent": lend,
            "borrowingLimitPercent": borrow,
            "limitResponse": response,
        }
        spec = {"type": "Limited", "limited": limited}
        self.held[LEVELS].append(Entry(LEVELS, {"metadata": {"name": name}, "spec": spec}))

    def schema(self, name: str, level: str, user: str, precedence: int = 100):
        rule = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"]}
        subject = {"kind": "User", "user": {"name": user}}
        spec = {
            "matchingPrecedence": precedence,
            "priorityLevelConfiguration": {"name": level},
            "distinguisherMethod": {"type": "ByUser"},
            "rules": [{"subjects": [subject], "resourceRules": [rule]}],
        }
        self.held[SCHEMAS].append(Entry(SCHEMAS, {"metadata": {"name": name}, "spec": spec}))


def digest(user: str, groups: tuple[str, ...] = ("system:authenticated",)) -> Digest:
    return Digest(user, groups, "get", True, "", "pods", "default")


class Gate:
    """A filter over some objects, and short ways to ask it."""

    def __init__(self, seats: int = 100) -> None:
        self.objects = Objects()
        options = FlowOptions(reads=seats, writes=0)
        # How long a test takes is no matter, unless it says that a pass is over.
        self.turns = Turns(quantum=float("inf"))
        self.filter = FlowFilter(self.objects, ManualClock(), options, self.turns, 60.0)

    def enter(self, user: str, width: int = 1):
        return self.filter.enter(self.filter.flow_of(digest(user)), width)

    def sit(self, user: str, width: int = 1) -> Seat:
        seat = self.enter(user, width)
        assert isinstance(seat, Seat)
        return seat

    @contextlib.contextmanager
    def pass_over(self) -> Iterator[None]:
        """The loop's pass has served all it does: what comes now waits."""
        opened, self.turns.open = self.turns.open, lambda: False  # type: ignore[method-assign]
        yield
        self.turns.open = opened  # type: ignore[method-assign]


async def test_seats_are_divided_by_shares_rounded_up():
    gate = Gate(100)
    gate.objects.level("a", 30, lend=50, borrow=None, queues=4, handSize=1, queueLengthLimit=5)
    gate.objects.level("b", 65, queues=4, handSize=1, queueLengthLimit=5)
    levels = {level.name: level for level in gate.filter.all_levels()}
    # catch-all stands in for itself, with 5 shares.
    assert {name: level.nominal for name, level in levels.items()} == {
        "a": 30, "b": 65, "catch-all": 5, "exempt": 0,
    }  # fmt: skip
    assert (levels["a"].lower, levels["a"].upper) == (15, 130)
    assert (levels["b"].lower, levels["b"].upper) == (65, 65)


async def test_masters_are_exempt_and_strangers_are_caught():
    gate = Gate(10)
    flow = gate.filter.flow_of(digest("root", ("system:masters",)))
    assert (flow.schema.name, flow.level.name) == ("exempt", "exempt")
    seats = [gate.filter.enter(flow, 1) for _ in range(1000)]
    assert all(isinstance(seat, Seat) for seat in seats)
    assert gate.filter.flow_of(digest("ann")).label == "catch-all, catch-all"
    # Nobody is outside of both groups, but one who impersonates.
    assert gate.filter.flow_of(digest("ann", ())).level.name == "catch-all"


async def test_the_schema_with_the_lowest_precedence_decides():
    gate = Gate()
    gate.objects.level("a", 10, queues=4, handSize=1, queueLengthLimit=5)
    gate.objects.level("b", 10, queues=4, handSize=1, queueLengthLimit=5)
    gate.objects.schema("second", "a", "ann", precedence=20)
    gate.objects.schema("first", "b", "ann", precedence=10)
    gate.objects.schema("dangling", "gone", "ann", precedence=5)
    assert gate.filter.flow_of(digest("ann")).label == "first, b"


async def test_a_level_without_queues_refuses():
    gate = Gate(2)
    gate.objects.level("a", 95, borrow=0)
    gate.objects.schema("s", "a", "ann")
    seats = [gate.sit("ann"), gate.sit("ann")]
    with pytest.raises(Overloaded) as refused:
        gate.enter("ann")
    assert refused.value.retry_after == 1
    seats[0].leave()
    seats[0].leave()
    gate.sit("ann")
    assert gate.filter.usages["a", "s"].rejected == {"concurrency-limit": 1}


async def test_a_full_queue_refuses_and_others_have_queues_of_their_own():
    gate = Gate(1)
    gate.objects.level("a", 95, borrow=0, queues=64, handSize=1, queueLengthLimit=2)
    gate.objects.schema("all", "a", "*")
    first = gate.sit("ann")
    waiting = [asyncio.ensure_future(gate.enter("ann")) for _ in range(2)]
    with pytest.raises(Overloaded):
        gate.enter("ann")
    bob = asyncio.ensure_future(gate.enter("bob"))
    usage = gate.filter.usages["a", "all"]
    assert (usage.rejected, usage.waiting) == ({"queue-full": 1}, 3)
    served = []
    for task, name in [(waiting[0], "ann"), (bob, "bob"), (waiting[1], "ann")]:
        first.leave()
        first = await task
        served.append(name)
    # Bob came last and did not wait for all of what Ann had sent.
    assert served == ["ann", "bob", "ann"]
    first.leave()
    level = gate.filter.levels["a"]
    assert (level.in_use, level.waiting, level.waiting_width, usage.waiting) == (0, 0, 0, 0)
    assert usage.waits[True].counts


async def test_seats_that_are_not_used_are_lent():
    gate = Gate(100)
    gate.objects.level("lender", 50, lend=40)
    gate.objects.level("other", 45, borrow=None)
    gate.objects.schema("l", "lender", "lou")
    gate.objects.schema("o", "other", "ann")
    seats = [gate.sit("ann") for _ in range(65)]
    with pytest.raises(Overloaded):
        gate.enter("ann")
    # The lender's own seats are there at once, all of them.
    lou = [gate.sit("lou") for _ in range(50)]
    with pytest.raises(Overloaded):
        gate.enter("lou")
    for seat in (*seats, *lou):
        seat.leave()
    # What is in use is not lent.
    for _ in range(45):
        gate.sit("lou")
    for _ in range(50):
        gate.sit("ann")
    with pytest.raises(Overloaded):
        gate.enter("ann")


async def test_a_limit_of_borrowing_is_kept():
    gate = Gate(100)
    gate.objects.level("lender", 75, lend=100)
    gate.objects.level("other", 20, borrow=50)
    gate.objects.schema("o", "other", "ann")
    for _ in range(30):
        gate.sit("ann")
    with pytest.raises(Overloaded):
        gate.enter("ann")


async def test_who_is_wider_than_the_level_is_served_alone():
    gate = Gate(4)
    gate.objects.level("a", 95, borrow=0)
    gate.objects.schema("all", "a", "*")
    wide = gate.sit("ann", width=9)
    with pytest.raises(Overloaded):
        gate.enter("bob")
    wide.leave()
    gate.sit("bob")


async def test_a_flood_in_one_pass_of_the_loop_leaves_the_others_their_turn():
    """Seats are free: it is the loop that has only so much to give."""
    gate = Gate(1000)
    gate.objects.level("a", 995, queues=64, handSize=2, queueLengthLimit=50)
    gate.objects.schema("all", "a", "*")
    order: list[str] = []

    async def ask(user: str) -> None:
        seat = gate.enter(user)
        if not isinstance(seat, Seat):
            seat = await seat
        order.append(user)
        seat.leave()

    with gate.pass_over():
        asked = [asyncio.ensure_future(ask("flood")) for _ in range(300)]
        asked.append(asyncio.ensure_future(ask("ann")))
        await asyncio.wait(asked)
    assert len(order) == 301
    assert order.index("ann") < 5


async def test_levels_have_turns_by_their_seats():
    gate = Gate(1000)
    gate.objects.level("high", 600, queues=1, handSize=1, queueLengthLimit=1)
    gate.objects.level("low", 200, queues=1, handSize=1, queueLengthLimit=1)
    gate.objects.schema("h", "high", "hal")
    gate.objects.schema("l", "low", "lou")
    order: list[str] = []

    async def ask(user: str) -> None:
        seat = await gate.enter(user)
        order.append(user)
        seat.leave()

    with gate.pass_over():
        asked = [asyncio.ensure_future(ask(user)) for user in ["lou", "hal"] * 100]
        await asyncio.wait(asked)
    assert Counter(order[:80]) == {"hal": 60, "lou": 20}


async def test_clusters_share_the_turns_of_their_loop():
    flooded, quiet = Gate(1000), Gate(1000)
    quiet.filter._turns = quiet.turns = flooded.turns
    order: list[str] = []

    async def ask(gate: Gate, name: str) -> None:
        seat = await gate.enter(name)
        order.append(name)
        seat.leave()

    with flooded.pass_over():
        asked = [asyncio.ensure_future(ask(flooded, "flood")) for _ in range(40)]
        asked.append(asyncio.ensure_future(ask(quiet, "quiet")))
        await asyncio.wait(asked)
    assert order.index("quiet") < 3


@VIRTUAL_TIME
async def test_waiting_comes_to_an_end():
    gate = Gate(1)
    gate.objects.level("a", 95, borrow=0, queues=1, handSize=1, queueLengthLimit=9)
    gate.objects.schema("all", "a", "*")
    first = gate.sit("ann")
    began = asyncio.get_running_loop().time()
    with pytest.raises(Overloaded):
        await gate.enter("ann")
    assert asyncio.get_running_loop().time() - began == pytest.approx(15)
    first.leave()
    assert gate.filter.levels["a"].waiting == 0
    assert gate.filter.usages["a", "all"].rejected == {"time-out": 1}
    gate.sit("bob").leave()


async def test_who_goes_away_while_waiting_takes_no_seat():
    gate = Gate(1)
    gate.objects.level("a", 95, borrow=0, queues=1, handSize=1, queueLengthLimit=9)
    gate.objects.schema("all", "a", "*")
    first = gate.sit("ann")
    gone, patient = (asyncio.ensure_future(gate.enter(user)) for user in ("bob", "cal"))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    first.leave()
    seat = await patient
    level = gate.filter.levels["a"]
    assert (level.in_use, level.waiting) == (1, 0)
    # Given up in the moment in which the seat came.
    late = asyncio.ensure_future(gate.enter("bob"))
    await asyncio.sleep(0)
    seat.leave()
    while level.in_use == 0:
        gate.turns._next()
    late.cancel()
    await asyncio.wait([late])
    assert (level.in_use, level.waiting, late.cancelled()) == (0, 0, True)


async def test_who_goes_away_leaves_room_in_the_queue():
    gate = Gate(1)
    gate.objects.level("a", 95, borrow=0, queues=1, handSize=1, queueLengthLimit=2)
    gate.objects.schema("all", "a", "*")
    gate.sit("ann")
    first, second = (asyncio.ensure_future(gate.enter("ann")) for _ in range(2))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second])
    third = asyncio.ensure_future(gate.enter("ann"))
    await asyncio.sleep(0)
    assert gate.filter.levels["a"].waiting == 2
    for task in (first, third):
        task.cancel()
    await asyncio.wait([first, third])


async def test_queues_are_made_when_somebody_waits_in_them():
    """As many as a configuration may ask for would fill the machine's memory."""
    gate = Gate(1)
    gate.objects.level("a", 95, borrow=0, queues=10_000_000, handSize=2, queueLengthLimit=2)
    gate.objects.schema("all", "a", "*")
    first = gate.sit("ann")
    tracemalloc.start()
    level = gate.filter.levels["a"]
    for number in range(5 * QUEUES_KEPT):
        late = asyncio.ensure_future(gate.enter(f"user-{number}"))
        await asyncio.sleep(0)
        late.cancel()
        await asyncio.wait([late])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20_000_000
    assert level.waiting == 0
    patient = asyncio.ensure_future(gate.enter("bob"))
    first.leave()
    assert isinstance(await patient, Seat)


async def test_long_names_are_not_kept_and_gone_schemas_are_not_counted():
    gate = Gate(10)
    gate.objects.level("a", 95)
    gate.objects.schema("s", "a", "ann")
    gate.sit("ann").leave()
    kept = len(gate.filter._flows)
    gate.sit("x" * (LONGEST_KEPT + 1)).leave()
    assert len(gate.filter._flows) == kept
    assert ("a", "s") in gate.filter.usages
    gate.objects.held[SCHEMAS].clear()
    gate.filter._changed(())
    gate.sit("ann").leave()
    assert ("a", "s") not in gate.filter.usages


async def test_what_has_not_changed_is_not_read_again():
    gate = Gate(10)
    gate.objects.level("a", 95)
    for number in range(3):
        gate.objects.schema(f"s{number}", "a", f"user-{number}")
    before = [gate.filter.flow_of(digest(f"user-{number}")).schema for number in range(3)]
    gate.objects.held[SCHEMAS].pop()
    gate.objects.schema("s2", "a", "user-2", precedence=7)
    gate.filter._changed(())
    after = [gate.filter.flow_of(digest(f"user-{number}")).schema for number in range(3)]
    assert [a is b for a, b in zip(after, before, strict=True)] == [True, True, False]
    assert after[2].precedence == 7


def test_limits_without_priority_and_fairness():
    limit = InFlightLimit(FlowOptions(enabled=False, reads=1, writes=1))
    read = limit.enter("get", exempt=False)
    with pytest.raises(Overloaded):
        limit.enter("list", exempt=False)
    limit.enter("list", exempt=True).leave()
    limit.enter("create", exempt=False)
    with pytest.raises(Overloaded):
        limit.enter("delete", exempt=False)
    read.leave()
    read.leave()
    assert limit.under_way == {"readOnly": 0, "mutating": 1}
    assert limit.dropped == {"readOnly": 1, "mutating": 1}
    nothing = InFlightLimit(FlowOptions(enabled=False, reads=0, writes=0))
    for _ in range(1000):
        nothing.enter("get", exempt=False)
