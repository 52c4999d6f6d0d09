"""Control API: the clock of a cluster, read, stopped, moved and sped up."""

from __future__ import annotations

from typing import Any, TypeGuard

from apimachinery.clock import format_time
from apimachinery.errors import Invalid
from apimachinery.gvk import GroupKind
from apimachinery.validation.field import FieldErrors, Path, invalid, not_supported
from playground.cluster import RunningCluster
from playground.control_call import Answer, Call, Routes

_KIND = GroupKind("kubeground.io", "Clock")
# Beyond this a cluster on two cores is late for its own timers.
FASTEST = 100.0
# The longest move at once: a CronJob of every minute runs 60 times in it, which takes seconds.
FURTHEST = 3600.0
_ACTIONS = ("pause", "resume", "step", "move")


async def read(call: Call) -> Answer:
    return 200, document(call.cluster())


async def change(call: Call) -> Answer:
    """Do one `action`, or take another `rate`; both in one request is fine."""
    wanted, cluster = call.json(), call.cluster()
    if errors := list(_errors(wanted)):
        raise Invalid(_KIND, cluster.name, errors)
    moved = await cluster.time.change(
        action=wanted.get("action") or "",
        rate=wanted.get("rate"),
        seconds=float(wanted.get("seconds") or 0),
    )
    return 200, document(cluster) | {"moved": round(moved, 3)}


def document(cluster: RunningCluster) -> dict[str, Any]:
    """Return a clock as it is shown."""
    clock = cluster.time.clock
    pending = clock.next_due()
    return {
        "time": format_time(clock.now()),
        "seconds": round(clock.seconds(), 3),
        "rate": clock.rate,
        "paused": clock.paused,
        "ahead": round(clock.ahead(), 3),
        "next": None if pending is None else round(max(pending - clock.seconds(), 0.0), 3),
    }


def _errors(wanted: dict[str, Any]) -> FieldErrors:
    action, rate, seconds = wanted.get("action"), wanted.get("rate"), wanted.get("seconds")
    if action is not None and action not in _ACTIONS:
        yield not_supported(Path("action"), str(action), _ACTIONS)
    if action is None and rate is None:
        yield not_supported(Path("action"), "", _ACTIONS)
    if rate is not None and not (_is_number(rate) and 0.1 <= rate <= FASTEST):
        yield invalid(Path("rate"), rate, f"must be between 0.1 and {FASTEST:.0f}")
    if action == "move" and not (_is_number(seconds) and 0 < seconds <= FURTHEST):
        yield invalid(Path("seconds"), seconds, f"must be more than 0, and at most {FURTHEST:.0f}")


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


ROUTES: Routes = {
    ("GET", 2, "clock"): read,
    ("POST", 2, "clock"): change,
}
