import pytest

from apimachinery.clock import ManualClock
from apimachinery.errors import Conflict, Invalid
from apimachinery.gvk import CORE_V1
from apiserver.registry.deletion import (
    DeleteOptions,
    Fate,
    begin,
    check_preconditions,
    finalizers_after,
    is_finished,
)
from apiserver.registry.strategy import Strategy, StrategyContext


class Graceful(Strategy):
    """Things that take ten seconds to end."""

    def grace_period(self, obj, requested, ctx):
        return 10 if requested is None else requested


class Orphaning(Strategy):
    default_propagation = "Orphan"


class Held(Strategy):
    def may_be_removed(self, obj):
        return not obj.get("held")


def context() -> StrategyContext:
    return StrategyContext(clock=ManualClock(), objects=None)  # type: ignore[arg-type]


def thing(**metadata):
    return {"kind": "T", "apiVersion": "v1", "metadata": {"name": "t", "uid": "u", **metadata}}


@pytest.mark.parametrize(
    ("had", "options", "strategy", "expected"),
    [
        ([], {}, Strategy(), []),
        (["x/y"], {}, Strategy(), ["x/y"]),
        ([], {"propagationPolicy": "Foreground"}, Strategy(), ["foregroundDeletion"]),
        ([], {"propagationPolicy": "Orphan"}, Strategy(), ["orphan"]),
        (["x/y"], {"propagationPolicy": "Orphan"}, Strategy(), ["x/y", "orphan"]),
        ([], {"orphanDependents": True}, Strategy(), ["orphan"]),
        ([], {}, Orphaning(), ["orphan"]),
        ([], {"propagationPolicy": "Background"}, Orphaning(), []),
        (["orphan"], {"propagationPolicy": "Foreground"}, Strategy(), ["foregroundDeletion"]),
        (["foregroundDeletion"], {}, Orphaning(), ["foregroundDeletion"]),
        (["orphan"], {"propagationPolicy": "Background"}, Strategy(), []),
    ],
)
def test_what_the_garbage_collector_is_to_do(had, options, strategy, expected):
    read = DeleteOptions.read(options)
    assert finalizers_after({"finalizers": had}, strategy, read) == expected


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"propagationPolicy": "Orphan", "orphanDependents": True}, "propagationPolicy"),
        ({"propagationPolicy": "Sideways"}, "propagationPolicy"),
        ({"dryRun": ["Some"]}, "dryRun"),
    ],
)
def test_options_that_contradict_each_other(body, field):
    with pytest.raises(Invalid) as refused:
        DeleteOptions.read(body)
    assert refused.value.details["causes"][0]["field"] == field


def test_nothing_holds_it():
    assert begin(thing(), Strategy(), DeleteOptions(), context()) is Fate.GONE


def test_a_finalizer_holds_it():
    obj = thing(finalizers=["x/y"], generation=3)
    assert begin(obj, Strategy(), DeleteOptions(), context()) is Fate.MARKED
    assert obj["metadata"]["deletionTimestamp"] == "2026-01-02T03:04:05Z"
    assert obj["metadata"]["deletionGracePeriodSeconds"] == 0
    assert obj["metadata"]["generation"] == 4
    marked = dict(obj["metadata"])
    assert begin(obj, Strategy(), DeleteOptions(), context()) is Fate.MARKED
    assert obj["metadata"] == marked


def test_something_else_holds_it():
    obj = {**thing(), "held": True}
    assert begin(obj, Held(), DeleteOptions(), context()) is Fate.MARKED
    assert "deletionGracePeriodSeconds" not in obj["metadata"]
    assert not is_finished(obj, Held())
    assert is_finished({**obj, "held": False}, Held())


def test_grace_can_only_become_shorter():
    obj = thing()
    assert begin(obj, Graceful(), DeleteOptions(), context()) is Fate.MARKED
    assert obj["metadata"]["deletionTimestamp"] == "2026-01-02T03:04:15Z"
    longer = DeleteOptions(grace=20)
    assert begin(obj, Graceful(), longer, context()) is Fate.PENDING
    shorter = DeleteOptions(grace=4)
    assert begin(obj, Graceful(), shorter, context()) is Fate.MARKED
    assert obj["metadata"]["deletionTimestamp"] == "2026-01-02T03:04:09Z"
    assert not is_finished(obj, Graceful())
    assert begin(obj, Graceful(), DeleteOptions(grace=0), context()) is Fate.GONE


def test_no_grace_at_all():
    assert begin(thing(), Graceful(), DeleteOptions(grace=0), context()) is Fate.GONE
    held = thing(finalizers=["x/y"])
    assert begin(held, Graceful(), DeleteOptions(grace=0), context()) is Fate.MARKED
    assert held["metadata"]["deletionGracePeriodSeconds"] == 0


@pytest.mark.parametrize(
    "conditions", [{"uid": "other"}, {"resourceVersion": "7"}], ids=["uid", "revision"]
)
def test_preconditions(conditions):
    options = DeleteOptions.read({"preconditions": conditions})
    kind = CORE_V1.kind("T")
    with pytest.raises(Conflict, match="in the precondition"):
        check_preconditions(options, thing(resourceVersion="8"), kind)
    check_preconditions(DeleteOptions(uid="u"), thing(), kind)
