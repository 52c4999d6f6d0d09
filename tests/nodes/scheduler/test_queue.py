"""The scheduling queue: order, backoff, what moves whom."""

from typing import ClassVar

import pytest

from apimachinery.clock import ManualClock
from nodes.scheduler.attempt import NEW, Trigger
from nodes.scheduler.framework import EXTENDER, Change, Event, Plugin, always
from nodes.scheduler.hints import Hints
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.queue import FAILED, LEFT_OVER, Queue
from tests.support.builders import node, pod


class Fit(Plugin):
    name = "Fit"

    def hints(self):
        return {Event.NODE_ADDED: always, Event.POD_GONE: always}


class Ports(Plugin):
    """Is helped by pods that are called as its `frees` says."""

    name = "Ports"
    frees: ClassVar[set[str]] = {"port"}

    def hints(self):
        return {
            Event.POD_GONE: lambda _pod, change, _: change.obj["metadata"]["name"] in self.frees
        }


class Gates(Plugin):
    name = "Gates"

    def hints(self):
        return {Event.OWN_GATES: always}


NODE_ADDED = Change(Event.NODE_ADDED, None, node("n"))


def gone(name):
    return Change(Event.POD_GONE, pod(name))


class Rig:
    def __init__(self, *, extenders=False):
        self.clock = ManualClock(1000.0)
        self.woken = 0
        self.queue = Queue(self.clock, self._wake, self._gate)
        plugins = (Fit(), Ports(), Gates())
        self.queue.hints = Hints({"default-scheduler": plugins}, {}, extenders=extenders)
        self.gates = set()

    def _wake(self):
        self.woken += 1

    def _gate(self, info):
        return "Gates" if info.name in self.gates else ""

    def add(self, name, priority=0):
        self.queue.add(self.info(name, priority))

    def info(self, name, priority=0):
        return PodInfo.of(pod(name).meta(uid=name).spec(priority=priority))

    def pop(self):
        waiting = self.queue.pop()
        return waiting and waiting.pod.name

    def refuse(self, *plugins):
        waiting = self.queue.pop()
        self.queue.put_back(waiting, plugins)
        return waiting

    def busy(self):
        """Keep something active, so that nothing is taken before its backoff is over."""
        self.add("busy", priority=-1)

    def where(self):
        return {one.pod.name: one.where for one in self.queue}


def test_priority_first_then_the_one_that_waits_longest():
    rig = Rig()
    rig.add("old")
    rig.clock.advance(1)
    rig.add("new")
    rig.add("urgent", priority=10)
    assert [rig.pop(), rig.pop(), rig.pop(), rig.pop()] == ["urgent", "old", "new", None]


def test_who_comes_back_stands_behind_those_who_came_meanwhile():
    rig = Rig()
    rig.add("first")
    waiting = rig.queue.pop()
    rig.clock.advance(1)
    rig.add("second")
    rig.clock.advance(1)
    rig.queue.put_back(waiting, ("Fit",))
    rig.clock.advance(10)
    rig.queue.move(NODE_ADDED)
    assert [rig.pop(), rig.pop()] == ["second", "first"]


def test_a_gated_pod_is_not_tried_until_its_gates_are_gone():
    rig = Rig()
    rig.gates = {"p"}
    rig.add("p")
    assert rig.pop() is None
    assert rig.queue.depths()["gated"] == 1
    rig.queue.move(NODE_ADDED)
    assert rig.pop() is None
    rig.gates.clear()
    rig.queue.move(NODE_ADDED)
    assert rig.pop() is None, "no event for the one that keeps it out"
    rig.queue.update(rig.info("p"), [Change(Event.OWN_GATES, pod("p"), pod("p"))])
    assert rig.queue.pop().because == Trigger(Event.OWN_GATES.value, "default/p", "Gates")


def test_a_refused_pod_waits_for_a_change_that_helps():
    rig = Rig()
    rig.add("p")
    waiting = rig.refuse("Ports")
    assert waiting.because == NEW
    rig.clock.advance(5)
    rig.queue.move(NODE_ADDED)  # of no interest to the plugin
    rig.queue.move(gone("other"))  # of interest, and no help
    assert rig.pop() is None
    assert waiting.ignored.count == 1
    assert waiting.ignored.last == Trigger("AssignedPod/Delete", "default/other", "Ports")
    rig.queue.move(gone("port"))
    assert rig.pop() == "p"
    assert waiting.because == Trigger("AssignedPod/Delete", "default/port", "Ports")


def test_one_of_those_who_refused_is_enough():
    rig = Rig()
    rig.add("p")
    rig.refuse("Ports", "Fit")
    rig.queue.move(gone("other"))
    assert rig.queue.depths()["backoff"] == 1


def test_pods_that_a_plugin_cannot_tell_apart_are_asked_about_once():
    asked = []

    class Alike(Ports):
        def hints(self):
            def hint(info, change, _):
                asked.append(info.name)
                return change.obj["metadata"]["name"] == info.labels["app"]

            return {Event.POD_GONE: hint}

        def looks_at(self, pod):
            return pod.labels["app"]

    rig = Rig()
    rig.queue.hints = Hints({"default-scheduler": (Alike(),)}, {})
    rig.clock.advance(5)
    for name, app in (("a1", "a"), ("b1", "b"), ("a2", "a")):
        rig.queue.add(PodInfo.of(pod(name).meta(uid=name).labels(app=app)))
        rig.refuse("Ports")
    rig.queue.move(gone("c"))
    assert asked == ["a1", "b1"]
    rig.queue.add(PodInfo.of(pod("a3").meta(uid="a3").labels(app="a")))
    rig.refuse("Ports")
    # It is another from now on.
    changed = PodInfo.of(pod("a2").meta(uid="a2").labels(app="c"))
    rig.queue.update(changed, [Change(Event.POD_GONE, pod("x"))])
    rig.queue.move(gone("b"))
    ignored = {one.pod.name: one.ignored for one in rig.queue}
    counts = {name: one.count for name, one in ignored.items()}
    assert counts == {"a1": 2, "b1": 1, "a2": 3, "a3": 1}
    last = Trigger("AssignedPod/Delete", "default/b", "Ports")
    assert ignored["a1"].last == ignored["a3"].last == last
    assert ignored["b1"].last == last._replace(obj="default/c")
    rig.queue.move(gone("a"))
    assert {name for name, where in rig.where().items() if where == "unschedulable"} == {"a2"}


def test_pods_are_let_go_in_the_order_in_which_they_came_whoever_is_alike():
    class ByApp(Fit):
        def looks_at(self, pod):
            return pod.labels["app"]

    rig = Rig()
    rig.queue.hints = Hints({"default-scheduler": (ByApp(),)}, {})
    for name, app in (("p1", "a"), ("p2", "b"), ("p3", "a")):
        rig.queue.add(PodInfo.of(pod(name).meta(uid=name).labels(app=app)))
        rig.refuse("Fit")
    rig.queue.move(NODE_ADDED)
    assert [rig.pop() for _ in range(3)] == ["p1", "p2", "p3"]


def test_backoff_doubles_to_ten_seconds_and_ends_with_a_whole_second():
    rig = Rig()
    rig.busy()
    rig.add("p")
    waits = []
    for _ in range(6):
        waiting = rig.refuse("Fit")
        assert waiting.pod.name == "p"
        rig.queue.move(NODE_ADDED)
        began = rig.clock.seconds()
        while rig.where()["p"] != "active":
            rig.clock.advance(0.25)
        waits.append(rig.clock.seconds() - began)
    # A pod that was refused at 1.0 may go once the second after 2.0 is over.
    assert waits == [2, 3, 5, 9, 11, 11]


def test_who_has_waited_that_long_already_is_active_at_once():
    rig = Rig()
    rig.busy()
    rig.add("p")
    rig.refuse("Fit")
    rig.clock.advance(2)
    rig.queue.move(NODE_ADDED)
    assert rig.where()["p"] == "active"


def test_where_nothing_is_active_a_pod_is_tried_before_its_backoff_is_over():
    rig = Rig()
    rig.add("low")
    rig.refuse("Fit")
    rig.add("high", priority=5)
    rig.refuse("Fit")
    rig.queue.move(NODE_ADDED)
    assert rig.queue.depths()["backoff"] == 2
    assert [rig.pop(), rig.pop(), rig.pop()] == ["high", "low", None]


def test_of_many_some_are_tried_before_their_backoff_is_over():
    rig = Rig()
    for number in range(100):
        rig.add(f"p{number}")
    for waiting in [rig.queue.pop() for _ in range(100)]:
        rig.queue.put_back(waiting, ("Fit",))
    rig.queue.move(NODE_ADDED)
    early = list(iter(rig.pop, None))
    assert len(early) == 32
    rig.clock.advance(2)
    assert len(list(iter(rig.pop, None))) == 68


def test_an_attempt_that_went_wrong_waits_for_the_end_of_its_backoff():
    rig = Rig()
    rig.add("p")
    waiting = rig.refuse()
    assert waiting.because == FAILED
    rig.queue.move(NODE_ADDED)
    assert rig.pop() is None
    rig.clock.advance(2)
    assert rig.pop() == "p"


def test_what_no_event_moves_is_tried_again_after_five_minutes():
    rig = Rig()
    rig.add("p")
    waiting = rig.refuse("Fit")
    assert rig.queue.retry_at(waiting) == 1300.0
    rig.clock.advance(299)
    assert rig.pop() is None
    rig.clock.advance(1)
    assert rig.pop() == "p"
    assert waiting.because == LEFT_OVER


@pytest.mark.parametrize(
    ("change", "where"), [(gone("port"), "backoff"), (gone("other"), "unschedulable")]
)
def test_events_during_the_attempt_are_not_missed(change, where):
    rig = Rig()
    rig.add("p")
    waiting = rig.queue.pop()
    rig.queue.move(change)
    rig.queue.put_back(waiting, ("Ports",))
    assert rig.where() == {"p": where}


def test_events_from_before_the_attempt_do_not_count():
    rig = Rig()
    rig.add("other")
    rig.add("p")
    first = rig.queue.pop()
    rig.queue.move(gone("port"))
    waiting = rig.queue.pop()
    rig.queue.done(first.pod.uid)
    rig.queue.put_back(waiting, ("Ports",))
    assert rig.where() == {"p": "unschedulable"}


def test_a_pod_that_changes_while_it_is_tried_comes_back_as_it_is_now():
    rig = Rig()
    rig.add("p")
    waiting = rig.queue.pop()
    newer = rig.info("p", priority=7)
    rig.queue.update(newer, [Change(Event.OWN_GATES, pod("p"), pod("p"))])
    rig.queue.put_back(waiting, ("Gates",))
    assert rig.queue.pop().pod is newer


def test_who_is_gone_or_bound_does_not_come_back():
    rig = Rig()
    rig.add("p")
    waiting = rig.queue.pop()
    rig.queue.remove("p")
    rig.queue.put_back(waiting, ("Fit",))
    rig.add("q")
    rig.queue.remove("q")
    assert rig.pop() is None
    assert len(rig.queue) == 0


def test_whom_an_extender_refused_any_event_may_help():
    rig = Rig(extenders=True)
    rig.add("p")
    rig.refuse(EXTENDER)
    rig.queue.move(Change(Event.CLASS_ADDED, None, pod("c")))
    assert rig.pop() == "p"
    rig = Rig()
    rig.add("p")
    rig.refuse(EXTENDER)
    rig.queue.move(NODE_ADDED)
    assert rig.pop() is None


def test_a_hint_that_fails_counts_as_help(caplog):
    rig = Rig()
    rig.add("p")
    rig.refuse("Ports")
    rig.queue.move(Change(Event.POD_GONE, {}))  # it has no name to be compared
    assert rig.pop() == "p"
    assert "hint failed: AssignedPod/Delete of Ports" in caplog.text
