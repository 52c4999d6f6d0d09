"""What limits hold for all: quotas, room on nodes, budgets of disruption, priorities."""

from __future__ import annotations

from collections.abc import Iterator

from apimachinery import quantity
from apimachinery.clock import parse_time
from apimachinery.labels import from_label_selector
from apimachinery.meta import is_deleting, name_of, namespace_of, uid_of
from apimachinery.pods import is_terminal
from tests.simulation.states import Change, Obj, Rule, State


class Quota(Rule):
    """Nothing is made beyond a quota: Kubernetes lets that happen where a count comes late."""

    def look(self, state: State, change: Change) -> Iterator[str]:
        if change.made is None or change.resource not in ("pods", "jobs.batch"):
            return
        namespace = namespace_of(change.made)
        for quota in state.within("resourcequotas", namespace):
            # Without a status a quota has not been taken up: it holds nobody yet.
            hard = (quota.get("status") or {}).get("hard") or {}
            now = change.record.at
            there = [
                one for one in state.within(change.resource, namespace) if not _is_lost(one, now)
            ] + [change.made]
            for name, most in hard.items():
                used = _used(name, change.resource, there)
                if used > quantity.parse(most).milli_value():
                    yield f"makes {name} {used / 1000:g} under a quota of {most}"


def _used(name: str, resource: str, objects: list[Obj]) -> int:
    """Return what objects use of a quota's name, in thousandths."""
    if name == f"count/{resource}":
        return 1000 * len(objects)
    if resource != "pods" or name not in ("pods", "requests.cpu"):
        return 0
    count = [one for one in objects if not is_terminal(one) and not _killed(one)]
    return 1000 * len(count) if name == "pods" else sum(map(_cpu, count))


def _is_lost(obj: Obj, now: float) -> bool:
    """Whether a pod is still there after its grace has gone by twice: on a node that is lost."""
    metadata = obj["metadata"]
    if not is_deleting(obj) or (grace := metadata.get("deletionGracePeriodSeconds")) is None:
        return False
    return now > parse_time(metadata["deletionTimestamp"]).timestamp() + grace


def _killed(pod: Obj) -> bool:
    return is_deleting(pod) and pod["metadata"].get("deletionGracePeriodSeconds") == 0


class Capacity(Rule):
    """The scheduler puts no more on a node than it has."""

    def look(self, state: State, change: Change) -> Iterator[str]:
        new, old = change.new, change.old
        if change.resource != "pods" or new is None or old is None:
            return
        name = new["spec"].get("nodeName")
        if not name or old["spec"].get("nodeName"):
            return
        node = state.get("nodes", "", name)
        if node is None:
            return
        others = [one for one in state.of("pods") if one["spec"].get("nodeName") == name]
        there = [one for one in others if not is_terminal(one)]
        asked = sum(map(_cpu, (*there, new)))
        room = quantity.parse(node["status"]["allocatable"]["cpu"]).milli_value()
        if asked > room:
            yield f"asks {name} for {asked}m of {room}m"


def _cpu(pod: Obj) -> int:
    asked = [
        (one.get("resources") or {}).get("requests", {}).get("cpu", "0")
        for one in pod["spec"]["containers"]
    ]
    return sum(quantity.parse(one).milli_value() for one in asked)


class Budget(Rule):
    """Evictions leave as many healthy pods as a budget wants, by what its status last knew."""

    def __init__(self) -> None:
        # By the budget's uid: the pods that were healthy when its status was written.
        self._healthy: dict[str, set[str]] = {}

    def look(self, state: State, change: Change) -> Iterator[str]:
        if change.resource != "poddisruptionbudgets.policy" or change.new is None:
            return
        budget, uid = change.new, uid_of(change.new)
        status = budget.get("status") or {}
        if change.by("disruption-controller") or uid not in self._healthy:
            selector = from_label_selector(budget["spec"]["selector"])
            healthy = state.healthy(namespace_of(budget), selector)
            self._healthy[uid] = set(map(name_of, healthy))
            return
        before = ((change.old or {}).get("status") or {}).get("disruptedPods") or {}
        evicted = set(status.get("disruptedPods") or {}) - set(before)
        left = self._healthy[uid] - set(status.get("disruptedPods") or {})
        if evicted and len(left) < status["desiredHealthy"]:
            yield f"evicts {evicted}: {len(left)} healthy of {status['desiredHealthy']} are left"


class Preemption(Rule):
    """The scheduler removes a pod only for one that waits and is more important."""

    # How long (seconds) a pod that waited may be what the scheduler still sees.
    late = 60.0

    def __init__(self) -> None:
        # By uid: how important a pod is that waits, and until when it counts as one.
        self._waiting: dict[str, tuple[int, float]] = {}

    def look(self, state: State, change: Change) -> Iterator[str]:
        if change.resource != "pods":
            return
        now, pod = change.record.at, change.last
        waits = change.new is not None and not pod["spec"].get("nodeName")
        if waits:
            self._waiting[uid_of(pod)] = (_importance(pod), float("inf"))
        elif self._waiting.get(uid_of(pod), (0, 0.0))[1] == float("inf"):
            self._waiting[uid_of(pod)] = (_importance(pod), now + self.late)
        if not change.by("kube-scheduler") or change.old is None or is_deleting(change.old):
            return
        if change.new is not None and not is_deleting(change.new):
            return
        if not any(most > _importance(pod) for most, end in self._waiting.values() if end >= now):
            yield f"of priority {_importance(pod)} makes room for nobody of more"


def _importance(pod: Obj) -> int:
    priority: int = pod["spec"].get("priority") or 0
    return priority
