"""How many pods are to serve what is measured: pure sums, as kube-controller-manager does them.

All amounts are in thousandths (of a core, of a byte, of whatever a metric counts). A pod that
cannot be judged now is left out at first; if the rest says "more", it counts as idle, and if a
pod's figures are missing and the rest says "less", as busy, so that what is not known never
leads further than what is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from apimachinery.clock import parse_time
from apimachinery.meta import Obj, is_deleting, name_of
from apimachinery.pods import is_ready
from apimachinery.quantity import parse
from nodes.controllers.common.conditions import find

# As kube-controller-manager has them by default (seconds).
CPU_INITIALIZATION = 300.0
INITIAL_READINESS = 30.0
TOLERANCE = 0.1

NO_PODS = "no pods returned by selector while calculating replica count"
NOT_MEASURED = "did not receive metrics for targeted pods (pods might be unready)"


class NotComputable(Exception):
    """Why no number follows from what is there, in Kubernetes' words."""


class Sample(NamedTuple):
    """What was measured of a pod: the moment, and over how many seconds before it."""

    value: int
    time: float = 0.0
    window: float = 60.0


class Tolerances(NamedTuple):
    """How far from its target a ratio may be before anything changes."""

    down: float = TOLERANCE
    up: float = TOLERANCE

    def hold(self, ratio: float) -> bool:
        return 1.0 - self.down <= ratio <= 1.0 + self.up


_DEFAULT = Tolerances()


class Proposal(NamedTuple):
    """How many pods there should be; the average value; and in percent of the requests."""

    replicas: int
    value: int
    utilization: int | None = None


class _Groups(NamedTuple):
    ready: int
    unready: frozenset[str]
    missing: frozenset[str]
    ignored: frozenset[str]


class Calculator:
    """Computes for one target: its pods, how many it has, and what may be off."""

    def __init__(
        self, pods: Sequence[Obj], replicas: int, now: float, tolerances: Tolerances = _DEFAULT
    ) -> None:
        self._pods, self._replicas = pods, replicas
        self._now, self._tolerances = now, tolerances

    def by_utilization(
        self, samples: Mapping[str, Sample], target: int, resource: str, container: str = ""
    ) -> Proposal:
        """Aim at a share of the requests, in percent. Raises NotComputable."""
        groups, values = self._judged(samples, resource)
        requests = pod_requests(self._pods, resource, container)
        if not values:
            raise NotComputable(NOT_MEASURED)
        utilization, value = _utilization(values, requests)

        def ratio(of: Mapping[str, int]) -> float:
            return _utilization(of, requests)[0] / target

        # A target above all that is requested is also what a pod that says nothing is taken at.
        busy = {name: amount * max(100, target) // 100 for name, amount in requests.items()}
        return Proposal(self._weighed(groups, values, ratio, busy), value, utilization)

    def by_value(self, samples: Mapping[str, Sample], target: int, resource: str = "") -> Proposal:
        """Aim at an average value of each pod. Raises NotComputable."""
        groups, values = self._judged(samples, resource)
        if not values:
            raise NotComputable(NOT_MEASURED)

        def ratio(of: Mapping[str, int]) -> float:
            return (sum(of.values()) // len(of)) / target

        busy = dict.fromkeys(groups.missing, target)
        replicas = self._weighed(groups, values, ratio, busy)
        return Proposal(replicas, sum(values.values()) // len(values))

    def by_total(self, value: int, target: int) -> Proposal:
        """Aim at a value that all pods bring about together. Raises NotComputable."""
        ratio = value / target
        if self._replicas == 0:
            return Proposal(math.ceil(ratio), value)
        if self._tolerances.hold(ratio):
            return Proposal(self._replicas, value)
        if not self._pods:
            raise NotComputable(f"unable to calculate ready pods: {NO_PODS}")
        ready = sum(1 for pod in self._pods if _phase(pod) == "Running" and is_ready(pod))
        return Proposal(math.ceil(ratio * ready), value)

    def by_share(self, value: int, target: int, current: int) -> Proposal:
        """Give each pod its share of a value; `current` pods share it now."""
        replicas = current
        if not current or not self._tolerances.hold(value / (target * current)):
            replicas = math.ceil(value / target)
        return Proposal(replicas, math.ceil(value / current) if current else value)

    def _judged(
        self, samples: Mapping[str, Sample], resource: str
    ) -> tuple[_Groups, dict[str, int]]:
        """Return the pods by what can be said of them, and the values that count."""
        if not self._pods:
            raise NotComputable(NO_PODS)
        groups = self._grouped(samples, resource)
        out = groups.ignored | groups.unready
        return groups, {k: v.value for k, v in samples.items() if k not in out}

    def _grouped(self, samples: Mapping[str, Sample], resource: str) -> _Groups:
        ready = 0
        unready, missing, ignored = set[str](), set[str](), set[str]()
        for pod in self._pods:
            name = name_of(pod)
            if is_deleting(pod) or _phase(pod) == "Failed":
                ignored.add(name)
            elif _phase(pod) == "Pending":
                unready.add(name)
            elif (sample := samples.get(name)) is None:
                missing.add(name)
            elif resource == "cpu" and self._is_starting(pod, sample):
                unready.add(name)
            else:
                ready += 1
        return _Groups(ready, frozenset(unready), frozenset(missing), frozenset(ignored))

    def _is_starting(self, pod: Obj, sample: Sample) -> bool:
        """Say whether what a pod uses comes of its start: CPU is high then and says nothing."""
        status = pod.get("status") or {}
        ready, began = find(status.get("conditions"), "Ready"), status.get("startTime")
        if ready is None or not began:
            return True
        started, is_unready = _seconds(began), ready.get("status") == "False"
        since = _seconds(ready.get("lastTransitionTime") or began)
        if started + CPU_INITIALIZATION > self._now:
            return is_unready or sample.time < since + sample.window
        return is_unready and started + INITIAL_READINESS > since

    def _weighed(
        self,
        groups: _Groups,
        values: Mapping[str, int],
        ratio_of: Callable[[Mapping[str, int]], float],
        busy: Mapping[str, int],
    ) -> int:
        ratio = ratio_of(values)
        to_be_idle = groups.unready if ratio > 1.0 else frozenset[str]()
        if not to_be_idle and not groups.missing:
            if self._tolerances.hold(ratio):
                return self._replicas
            return math.ceil(ratio * groups.ready)
        filled = dict(values)
        if ratio < 1.0:
            filled |= {name: busy.get(name, 0) for name in groups.missing}
        elif ratio > 1.0:
            filled |= dict.fromkeys(groups.missing | to_be_idle, 0)
        again = ratio_of(filled)
        if self._tolerances.hold(again) or (ratio < 1.0 < again) or (again < 1.0 < ratio):
            return self._replicas
        replicas = math.ceil(again * len(filled))
        turned = replicas > self._replicas if again < 1.0 else replicas < self._replicas
        return self._replicas if turned else replicas


def pod_requests(pods: Iterable[Obj], resource: str, container: str = "") -> dict[str, int]:
    """Return what each pod requests, or one container of it. Raises NotComputable."""
    return {name_of(pod): _request(pod, resource, container) for pod in pods}


def _request(pod: Obj, resource: str, container: str) -> int:
    spec = pod["spec"]
    of_pod = _amount(spec, resource)
    if not container and of_pod is not None:
        return of_pod
    init = spec.get("initContainers") or ()
    sidecars = [one for one in init if one.get("restartPolicy") == "Always"]
    total, found = 0, False
    for one in (*spec["containers"], *sidecars):
        if container and one["name"] != container:
            continue
        if (amount := _amount(one, resource)) is None:
            where = f"container {one['name']} of Pod {name_of(pod)}"
            raise NotComputable(f"missing request for {resource} in {where}")
        total, found = total + amount, True
    if container and not found:
        raise NotComputable(f"container {container} not found in Pod {name_of(pod)}")
    return total


def _amount(holder: Obj, resource: str) -> int | None:
    requests = (holder.get("resources") or {}).get("requests") or {}
    return None if resource not in requests else parse(requests[resource]).milli_value()


def _utilization(values: Mapping[str, int], requests: Mapping[str, int]) -> tuple[int, int]:
    """Return what is used, in percent of what is requested, and the average."""
    both = values.keys() & requests.keys()
    requested = sum(requests[name] for name in both)
    if not requested:
        raise NotComputable("no metrics returned matched known pods")
    used = sum(values[name] for name in both)
    return used * 100 // requested, used // len(both)


def _phase(pod: Obj) -> str:
    phase: str = (pod.get("status") or {}).get("phase") or ""
    return phase


def _seconds(stamp: str) -> float:
    return parse_time(stamp).timestamp()
