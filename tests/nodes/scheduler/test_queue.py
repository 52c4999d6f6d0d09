"""The scheduling queue: order, backoff, what moves whom."""

from apimachinery.clock import ManualClock
from nodes.scheduler.framework import Event
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.queue import Queue
from tests.support.builders import pod

HELPED = {Event.NODE_ADDED: frozenset({"Fit"}), Event.POD_GONE: frozenset({"Fit", "Ports"})}


class Rig:
    def __init__(self):
        self.clock = ManualClock()
        self.woken = 0
        self.queue = Queue(self.clock, self._wake)

    def _wake(self):
        self.woken += 1

    def add(self, name, priority=0, *, gated=False):
        built = pod(name).meta(uid=name).spec(priority=priority)
        self.queue.add(PodInfo.of(built), gated=gated)

    def pop(self):
        waiting = self.queue.pop()
        return waiting and waiting.pod.name

    def refuse(self, *plugins):
        waiting = self.queue.pop()
        self.queue.put_back(waiting, plugins, self.queue.moves)
        return waiting


def test_priority_first_then_the_one_that_waits_longest():
    rig = Rig()
    rig.add("old")
    rig.clock.advance(1)
    rig.add("new")
    rig.add("urgent", priority=10)
    assert [rig.pop(), rig.pop(), rig.pop(), rig.pop()] == ["urgent", "old", "new", None]


def test_a_gated_pod_is_not_tried_until_its_gates_are_gone():
    rig = Rig()
    rig.add("p", gated=True)
    assert rig.pop() is None
    assert rig.queue.depths()["gated"] == 1
    rig.add("p")
    assert rig.pop() == "p"


def test_a_refused_pod_waits_for_an_event_that_helps():
    rig = Rig()
    rig.add("p")
    rig.refuse("Ports")
    rig.queue.move(Event.NODE_ADDED, HELPED)
    rig.clock.advance(10)
    assert rig.pop() is None
    rig.queue.move(Event.POD_GONE, HELPED)
    assert rig.pop() is None  # it backs off first
    rig.clock.advance(1)
    assert rig.pop() == "p"


def test_backoff_doubles_to_ten_seconds():
    rig = Rig()
    rig.add("p")
    waits = []
    for _ in range(6):
        rig.refuse("Fit")
        rig.queue.move(Event.NODE_ADDED, HELPED)
        began = rig.clock.seconds()
        while rig.queue.depths()["active"] == 0:
            rig.clock.advance(0.5)
        waits.append(rig.clock.seconds() - began)
    assert waits == [1, 2, 4, 8, 10, 10]


def test_what_no_event_moves_is_tried_again_after_five_minutes():
    rig = Rig()
    rig.add("p")
    rig.refuse("Fit")
    rig.clock.advance(299)
    assert rig.pop() is None
    rig.clock.advance(1)
    assert rig.pop() == "p"


def test_an_event_during_the_attempt_is_not_missed():
    rig = Rig()
    rig.add("p")
    waiting, moves = rig.queue.pop(), rig.queue.moves
    rig.queue.move(Event.NODE_ADDED, HELPED)
    rig.queue.put_back(waiting, ("Fit",), moves)
    assert rig.queue.depths()["backoff"] == 1


def test_a_removed_pod_does_not_come_out():
    rig = Rig()
    rig.add("p")
    rig.queue.remove("p")
    assert rig.pop() is None
    assert len(rig.queue) == 0
