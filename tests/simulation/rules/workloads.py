"""What the controllers of workloads must not do: make more than is wanted, or in another order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import inf

from apimachinery.intorstring import scaled
from apimachinery.meta import name_of, namespace_of, uid_of
from apimachinery.pods import is_active, is_ready
from tests.simulation.states import Change, Obj, Rule, State

# How long (seconds) a cache of the worst weather may lag, with the call's own delay.
LATE = 12.0


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
        if change.resource != "pods" or (pod := change.made) is None:
            return
        # Where its owner was deleted meanwhile the garbage collector sees to it.
        if (owner := state.owner(pod, "ReplicaSet", "replicasets.apps")) is None:
            return
        there = sum(map(is_active, state.owned("pods", owner))) + 1
        most = self._wanted.most(uid_of(owner))
        if there > most:
            yield f"makes {there} pods of {name_of(owner)} that wants {most}"


class Surge(Rule):
    """A Deployment's ReplicaSets want together no more than its replicas and its surge.

    As its controller sees them: Kubernetes', too, makes another ReplicaSet for the next template
    while its cache does not show the last one yet, and nothing tells it to wait.
    """

    def __init__(self) -> None:
        self._wanted = Wanted()
        # By uid of a ReplicaSet: since when it wants how many.
        self._since: dict[str, list[tuple[float, int]]] = defaultdict(list)

    def look(self, state: State, change: Change) -> Iterator[str]:
        if change.resource == "deployments.apps" and change.new is not None:
            self._wanted.note(change.new, _most(change.new))
        if change.resource == "replicasets.apps" and change.new is not None:
            yield from self._look(state, change)
            number = int(change.new["spec"]["replicas"])
            self._since[uid_of(change.new)].append((change.record.at, number))

    def _seen(self, replicaset: Obj, now: float) -> int:
        """Return the least that a cache may still show of a ReplicaSet."""
        before, found = 0, []
        for at, number in self._since[uid_of(replicaset)]:
            if at < now - LATE:
                before = number
            else:
                found.append(number)
        return min([before, *found])

    def _look(self, state: State, change: Change) -> Iterator[str]:
        new, old = change.new, change.old
        assert new is not None
        before = int(old["spec"]["replicas"]) if old else 0
        if int(new["spec"]["replicas"]) <= before or not change.by("deployment-controller"):
            return
        if (found := state.owner(new, "Deployment", "deployments.apps")) is None:
            return
        if (found.get("status") or {}).get("collisionCount"):
            # A cache that lags shows neither the count nor the ReplicaSet that was made before it:
            # Kubernetes' controller, too, makes another then.
            return
        others = [
            one for one in state.owned("replicasets.apps", found) if uid_of(one) != uid_of(new)
        ]
        now, wants = change.record.at, int(new["spec"]["replicas"])
        total = wants + sum(self._seen(one, now) for one in others)
        most = self._wanted.most(uid_of(found))
        if total > most:
            yield f"wants {total} pods where {most} are allowed"


def _most(deployment: Obj) -> int:
    replicas = int(deployment["spec"]["replicas"])
    strategy = deployment["spec"].get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return replicas
    surge = (strategy.get("rollingUpdate") or {}).get("maxSurge", "25%")
    return replicas + scaled(surge, replicas, round_up=True)


class InOrder(Rule):
    """An ordered StatefulSet makes no pod before those of lower numbers are ready."""

    def __init__(self) -> None:
        # By namespace and name: until when a pod was ready; for ever, as long as it is.
        self._ready: dict[tuple[str, str], float] = {}

    def look(self, state: State, change: Change) -> Iterator[str]:
        if change.resource != "pods":
            return
        key, now = change.record.entry.key[1:], change.record.at
        if change.new is not None and is_active(change.new) and is_ready(change.new):
            self._ready[key] = inf
        elif self._ready.get(key) == inf:
            self._ready[key] = now
        if (pod := change.made) is not None:
            yield from self._look(state, pod, now - LATE)

    def _look(self, state: State, pod: Obj, since: float) -> Iterator[str]:
        owner = state.owner(pod, "StatefulSet", "statefulsets.apps")
        if owner is None or owner["spec"]["podManagementPolicy"] == "Parallel":
            return
        for number in range(int(name_of(pod).rpartition("-")[2])):
            lower = f"{name_of(owner)}-{number}"
            if self._ready.get((namespace_of(pod), lower), 0.0) < since:
                yield f"comes before {lower} is ready"


class OnePerNode(Rule):
    """A DaemonSet makes one pod for a node, and another beside it only where it surges."""

    def __init__(self) -> None:
        self._wanted = Wanted()

    def look(self, state: State, change: Change) -> Iterator[str]:
        if change.resource == "daemonsets.apps" and change.new is not None:
            rolling = change.new["spec"]["updateStrategy"].get("rollingUpdate") or {}
            surges = rolling.get("maxSurge", 0) not in (0, "0%")
            self._wanted.note(change.new, 2 if surges else 1)
        if change.resource != "pods" or (pod := change.made) is None:
            return
        if (owner := state.owner(pod, "DaemonSet", "daemonsets.apps")) is None:
            return
        there = [
            one
            for one in state.owned("pods", owner)
            if is_active(one) and meant_for(one) == meant_for(pod)
        ]
        most = self._wanted.most(uid_of(owner))
        if len(there) >= most:
            yield f"is pod {len(there) + 1} of {name_of(owner)} for {meant_for(pod)}"


def meant_for(pod: Obj) -> str:
    """Return the node that a DaemonSet's pod is for."""
    affinity = pod["spec"]["affinity"]["nodeAffinity"]
    terms = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    node: str = terms[0]["matchFields"][0]["values"][0]
    return node


class WithinBounds(Rule):
    """An autoscaler sets no number below its least or above its most."""

    def look(self, state: State, change: Change) -> Iterator[str]:
        new, old = change.new, change.old
        if change.resource != "deployments.apps" or new is None or old is None:
            return
        replicas = new["spec"]["replicas"]
        if not change.by("horizontal-pod-autoscaler") or replicas == old["spec"]["replicas"]:
            return
        for scaler in state.within("horizontalpodautoscalers.autoscaling", namespace_of(new)):
            least, most = scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]
            aimed = scaler["spec"]["scaleTargetRef"]["name"] == name_of(new)
            if aimed and not least <= replicas <= most:
                yield f"is scaled to {replicas}, outside {least}-{most}"
