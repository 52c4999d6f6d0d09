"""What must be so after each write of a history, whoever wrote it: a fold over the log.

Each rule is told of every write, with the state before it, and yields what it finds wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from apimachinery import quantity
from apimachinery.intorstring import scaled
from apimachinery.labels import from_label_selector
from apimachinery.meta import controller_of, labels_of, name_of, namespace_of, uid_of
from apimachinery.pods import is_active, is_ready, is_terminal
from apiserver.storage import ChangeRecord

Obj = dict[str, Any]


class State:
    """The objects as they are at one revision."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[tuple[str, str], Obj]] = defaultdict(dict)

    def of(self, resource: str) -> Iterable[Obj]:
        return self.objects[resource].values()

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        return self.objects[resource].get((namespace, name))

    def owned(self, resource: str, owner: Obj) -> list[Obj]:
        return [one for one in self.of(resource) if _is_owner(one, owner)]


class Change:
    """One write: what was, what is, and who did it."""

    def __init__(self, record: ChangeRecord, old: Obj | None) -> None:
        self.record = record
        self.resource = record.entry.key.resource
        self.old = old
        self.new: Obj | None = None if record.type == "DELETED" else orjson.loads(record.entry.raw)

    @property
    def made(self) -> bool:
        return self.old is None and self.new is not None

    def __str__(self) -> str:
        return f"{self.record.entry.revision} {'/'.join(self.record.entry.key)}"


class Rule:
    """One thing that must not happen."""

    def look(self, state: State, change: Change) -> Iterator[str]:
        """Yield what a write does wrong; `state` is what was before it."""
        raise NotImplementedError


def _is_owner(obj: Obj, owner: Obj) -> bool:
    found = controller_of(obj)
    return found is not None and found.get("uid") == uid_of(owner)


class OneOwner(Rule):
    """Nothing has two controllers, and nothing changes hands without being let go of."""

    def look(self, state: State, change: Change) -> Iterator[str]:
        if change.new is None:
            return
        owners = [
            one
            for one in change.new["metadata"].get("ownerReferences") or ()
            if one.get("controller")
        ]
        if len(owners) > 1:
            yield "has two controllers"
        before = controller_of(change.old) if change.old else None
        if before and owners and before["uid"] != owners[0]["uid"]:
            yield "was taken from its owner"


class Wanted:
    """How many each owner may have: of every generation that its controller has not overtaken."""

    def __init__(self) -> None:
        self._of: dict[str, list[tuple[int, int]]] = defaultdict(list)

    def note(self, obj: Obj, number: int) -> None:
        seen = (obj.get("status") or {}).get("observedGeneration", 0)
        kept = [one for one in self._of[uid_of(obj)] if one[0] >= seen]
        self._of[uid_of(obj)] = [*kept, (obj["metadata"].get("generation", 0), number)]

    def most(self, uid: str) -> int:
        return max(number for _, number in self._of[uid])


class NoMoreThanWanted(Rule):
    """A ReplicaSet makes no pod beyond its number, of the spec it has seen or has now."""

    def __init__(self) -> None:
        self._wanted = Wanted()

    def look(self, state: State, change: Change) -> Iterator[str]:
        if change.resource == "replicasets.apps" and change.new is not None:
            self._wanted.note(change.new, int(change.new["spec"]["replicas"]))
        if change.resource == "pods" and change.made and change.new is not None:
            yield from self._look(state, change.new)

    def _look(self, state: State, pod: Obj) -> Iterator[str]:
        owner = controller_of(pod)
        if owner is None or owner["kind"] != "ReplicaSet":
            return
        found = state.get("replicasets.apps", namespace_of(pod), owner["name"])
        if found is None or uid_of(found) != owner["uid"]:
            return  # its owner was deleted meanwhile; the garbage collector sees to it
        there = sum(map(is_active, state.owned("pods", found))) + 1
        most = self._wanted.most(owner["uid"])
        if there > most:
            yield f"makes {there} pods of {owner['name']} that wants {most}"


class Surge(Rule):
    """A Deployment's ReplicaSets want together no more than its replicas and its surge."""

    def __init__(self) -> None:
        self._wanted = Wanted()

    def look(self, state: State, change: Change) -> Iterator[str]:
        if change.resource == "deployments.apps" and change.new is not None:
            self._wanted.note(change.new, _most(change.new))
        if change.resource == "replicasets.apps" and change.new is not None:
            yield from self._look(state, change)

    def _look(self, state: State, change: Change) -> Iterator[str]:
        new, old = change.new, change.old
        assert new is not None
        before = int(old["spec"]["replicas"]) if old else 0
        owner = controller_of(new)
        if owner is None or int(new["spec"]["replicas"]) <= before or not self._written(change):
            return
        found = state.get("deployments.apps", namespace_of(new), owner["name"])
        if found is None or uid_of(found) != owner["uid"]:
            return
        if (found.get("status") or {}).get("collisionCount"):
            # A cache that lags shows neither the count nor the ReplicaSet that was made before it:
            # Kubernetes' controller, too, makes another then.
            return
        others = [
            one for one in state.owned("replicasets.apps", found) if uid_of(one) != uid_of(new)
        ]
        total = sum(int(one["spec"]["replicas"]) for one in (*others, new))
        most = self._wanted.most(owner["uid"])
        if total > most:
            yield f"wants {total} pods where {most} are allowed"

    def _written(self, change: Change) -> bool:
        return change.record.actor.endswith(":deployment-controller")


def _most(deployment: Obj) -> int:
    replicas = int(deployment["spec"]["replicas"])
    strategy = deployment["spec"].get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return replicas
    surge = (strategy.get("rollingUpdate") or {}).get("maxSurge", "25%")
    return replicas + scaled(surge, replicas, round_up=True)


class Quota(Rule):
    """No pod is made beyond a quota's number of pods."""

    def look(self, state: State, change: Change) -> Iterator[str]:
        if change.resource != "pods" or not change.made or change.new is None:
            return
        namespace = namespace_of(change.new)
        pods = [one for one in state.of("pods") if namespace_of(one) == namespace]
        there = 1 + sum(not is_terminal(one) for one in pods)
        for quota in state.of("resourcequotas"):
            hard = quota["spec"]["hard"].get("pods")
            # Without a status a quota has not been taken up: it holds nobody yet.
            known = "pods" in (quota.get("status") or {}).get("hard", {})
            if hard and known and namespace_of(quota) == namespace and there > int(hard):
                yield f"is pod {there} under a quota of {hard}"


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
        if change.record.actor.endswith(":disruption-controller") or uid not in self._healthy:
            self._healthy[uid] = {
                name_of(pod) for pod in _meant(state, budget) if is_active(pod) and is_ready(pod)
            }
            return
        before = ((change.old or {}).get("status") or {}).get("disruptedPods") or {}
        evicted = set(status.get("disruptedPods") or {}) - set(before)
        left = self._healthy[uid] - set(status.get("disruptedPods") or {})
        if evicted and len(left) < status["desiredHealthy"]:
            yield f"evicts {evicted}: {len(left)} healthy of {status['desiredHealthy']} are left"


def _meant(state: State, budget: Obj) -> list[Obj]:
    selector = from_label_selector(budget["spec"]["selector"])
    return [
        pod
        for pod in state.of("pods")
        if namespace_of(pod) == namespace_of(budget) and selector.matches(labels_of(pod))
    ]


class InOrder(Rule):
    """An ordered StatefulSet makes no pod before those of lower numbers."""

    def look(self, state: State, change: Change) -> Iterator[str]:
        pod = change.new
        if change.resource != "pods" or not change.made or pod is None:
            return
        owner = controller_of(pod)
        if owner is None or owner["kind"] != "StatefulSet":
            return
        found = state.get("statefulsets.apps", namespace_of(pod), owner["name"])
        if found is None or found["spec"]["podManagementPolicy"] == "Parallel":
            return
        number = int(name_of(pod).rpartition("-")[2])
        for lower in range(number):
            if state.get("pods", namespace_of(pod), f"{owner['name']}-{lower}") is None:
                yield f"comes before {owner['name']}-{lower}"


class Parallelism(Rule):
    """A Job has no more pods at work than it may."""

    def look(self, state: State, change: Change) -> Iterator[str]:
        pod = change.new
        if change.resource != "pods" or not change.made or pod is None:
            return
        owner = controller_of(pod)
        if owner is None or owner["kind"] != "Job":
            return
        found = state.get("jobs.batch", namespace_of(pod), owner["name"])
        if found is None or uid_of(found) != owner["uid"]:
            return
        there = sum(map(is_active, state.owned("pods", found))) + 1
        if there > found["spec"]["parallelism"]:
            yield f"is pod {there} at a parallelism of {found['spec']['parallelism']}"


RULES = (OneOwner, NoMoreThanWanted, Surge, Quota, Capacity, Budget, InOrder, Parallelism)


def broken(records: Sequence[ChangeRecord]) -> tuple[list[str], State]:
    """Return what is wrong in a history, and the state that it ends in."""
    state, rules, found = State(), [rule() for rule in RULES], []
    for record in records:
        key = record.entry.key
        change = Change(record, state.get(*key))
        for rule in rules:
            found += [f"{type(rule).__name__}: {change} {why}" for why in rule.look(state, change)]
        objects = state.objects[key.resource]
        if change.new is None:
            objects.pop(key[1:], None)
        else:
            objects[key.namespace, key.name] = change.new
    return found, state
