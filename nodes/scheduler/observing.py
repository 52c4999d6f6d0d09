"""What the scheduler tells of its attempts besides events: its log and its metrics.

The lines are kube-scheduler's at -v=2. Only a scheduler whose pod somebody can look at is observed;
the times of attempts are the process's own.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from apimachinery.clock import Clock
from apimachinery.exposition import Histogram
from nodes.client.klog import Klog
from nodes.scheduler.attempt import Attempt
from nodes.scheduler.binding import PERMIT, PRE_BIND, Failure
from nodes.scheduler.cycle import Outcome
from nodes.scheduler.framework import NO_NODES
from nodes.scheduler.groups import ERROR as GROUP_ERROR
from nodes.scheduler.groups import SCHEDULED as GROUP_SCHEDULED
from nodes.scheduler.podinfo import PodInfo
from nodes.scheduler.queue import LEFT_OVER
from nodes.scheduler.trials import Trial, Verdict
from nodes.scheduler.waiting import Waiting

SCHEDULED, UNSCHEDULABLE, ERROR = "scheduled", "unschedulable", "error"
WAITING = "waiting_on_preemption"
_PODGROUP = "schedule_one_podgroup.go"
_MOST_ATTEMPTS = 15
_INTERRUPTED = {
    PERMIT: ("Preemptor preempted a waiting pod", "waitingPod"),
    PRE_BIND: ("Preemptor rejected a pod in preBind", "podInPreBind"),
}


def _doubling(first: float, count: int) -> tuple[float, ...]:
    return tuple(first * 2**power for power in range(count))


# kube-scheduler's buckets.
_ATTEMPT, _POINT, _SLI = _doubling(0.001, 15), _doubling(0.0001, 12), _doubling(0.01, 20)
_TRIES, _VICTIMS = _doubling(1, 5), _doubling(1, 7)


class Observer:
    """Counts and logs what one scheduler does."""

    def __init__(self, clock: Clock, klog: Klog) -> None:
        self._clock, self._klog = clock, klog
        # By profile and result.
        self.attempts: Counter[tuple[str, str]] = Counter()
        self.durations: defaultdict[tuple[str, str], Histogram]
        self.durations = defaultdict(lambda: Histogram(_ATTEMPT))
        # By profile, extension point and status.
        self.points: defaultdict[tuple[str, str, str], Histogram]
        self.points = defaultdict(lambda: Histogram(_POINT))
        # By how many attempts it took.
        self.slis: defaultdict[str, Histogram] = defaultdict(lambda: Histogram(_SLI))
        self.algorithm, self.tries = Histogram(_ATTEMPT), Histogram(_TRIES)
        self.victims, self.preemptions = Histogram(_VICTIMS), 0
        # By what came of it: pods that waited for others to be let in, and room that was made.
        self.permits: defaultdict[str, Histogram] = defaultdict(lambda: Histogram(_ATTEMPT))
        self.evictions: defaultdict[str, Histogram] = defaultdict(lambda: Histogram(_SLI))
        # Pods that got a node since they were tried once more after five minutes.
        self.after_flush = 0
        # Groups of pods, by profile and result.
        self.groups: Counter[tuple[str, str]] = Counter()

    def tried(self, pod: PodInfo, attempt: Attempt, outcome: Outcome) -> None:
        """A node was chosen, or there is none."""
        self.algorithm.add(sum(attempt.seconds.values()))
        if outcome.node:
            return
        name = f"{pod.namespace}/{pod.name}"
        if outcome.error:
            self.failed(pod, attempt, outcome.message)
            return
        self._count(attempt, UNSCHEDULABLE, outcome)
        self._room(name, outcome)
        if NO_NODES in outcome.refused_by:
            what = "Unable to schedule pod; no nodes are registered to the cluster; waiting"
            self._klog.info("schedule_one.go:1111", what, "pod", name)
            return
        if outcome.of_group:
            what = "Unable to schedule pod belonging to a pod group; waiting"
            self._klog.info("schedule_one.go:1121", what, "pod", name, "err", outcome.message)
            return
        self._no_fit(name, outcome.message)
        if "postFilter" in attempt.seconds:
            self.preemptions += 1

    def bound(self, waiting: Waiting, node: str, attempt: Attempt) -> None:
        """A pod has its node."""
        pod = waiting.pod
        self._count(attempt, SCHEDULED)
        self.tries.add(waiting.attempts)
        self._sli(waiting)
        self.after_flush += waiting.because is LEFT_OVER
        if (waited := attempt.seconds.get(PERMIT)) is not None:
            self.permits["Success"].add(waited)
        self._klog.info(
            "schedule_one.go:345",
            "Successfully bound pod to node",
            *("pod", f"{pod.namespace}/{pod.name}", "node", node),
            *("evaluatedNodes", attempt.looked, "feasibleNodes", attempt.fitting),
        )

    def lost(self, pod: PodInfo, attempt: Attempt, failure: Failure) -> None:
        """A pod is not bound though there was a node for it."""
        if not failure.rejected:
            self.failed(pod, attempt, failure.message)
            return
        self._count(attempt, UNSCHEDULABLE)
        if (waited := attempt.seconds.get(PERMIT)) is not None:
            self.permits["Unschedulable"].add(waited)
        self._no_fit(f"{pod.namespace}/{pod.name}", failure.message)

    def failed(self, pod: PodInfo, attempt: Attempt, message: str) -> None:
        """Something went wrong."""
        self._count(attempt, ERROR)
        self._klog.error(
            "schedule_one.go:1126",
            "Error scheduling pod; retrying",
            *("err", message, "pod", f"{pod.namespace}/{pod.name}"),
        )

    def _room(self, name: str, outcome: Outcome) -> None:
        """Room was looked for, or was not."""
        if outcome.in_vain:
            what = "No preemption candidate is found; preemption is not helpful for scheduling"
            self._klog.info("preemption.go:194", what, "pod", name)
        elif outcome.preemption is not None:
            what = "the target node for the preemption is determined"
            pairs = ("node", outcome.preemption.node, "pod", name)
            self._klog.info("preemption.go:221", what, *pairs)

    def _no_fit(self, name: str, why: str) -> None:
        what = "Unable to schedule pod; no fit; waiting"
        self._klog.info("schedule_one.go:1119", what, "pod", name, "err", why)

    def group(self, name: str, trial: Trial) -> None:
        """What came of a group as a whole."""
        verdict, placed = trial.verdict, sum(one.assumed for one in trial.tries)
        self.groups[trial.profile, _result_of(verdict)] += 1
        others = ("unschedulablePods", len(trial.tries) - placed)
        if verdict.reason == GROUP_SCHEDULED:
            what = "Successfully scheduled a pod group"
            self._klog.info(
                f"{_PODGROUP}:571", what, *_group(name), "scheduledPods", placed, *others
            )
        elif verdict.waits:
            what = "Pod group is waiting for preemption"
            self._klog.info(f"{_PODGROUP}:582", what, *_group(name), *others)
        elif verdict.reason == GROUP_ERROR:
            pairs = ("err", verdict.message, *_group(name), "errorPods", len(trial.tries))
            self._klog.error(f"{_PODGROUP}:597", "Error scheduling pod group", *pairs)
        else:
            what = "Unable to schedule a pod group"
            self._klog.info(f"{_PODGROUP}:585", what, *_group(name), *others)

    # What is done where room is made; `name` is the preemptor's.

    def preempts(self, name: str, node: str, victims: int, left: int) -> None:
        """Victims are going to be sent away; `left` of them do not leave yet by themselves."""
        self.victims.add(victims)
        self._klog.info(
            "executor.go:285",
            "Start the preemption asynchronously",
            *("preemptor", name, "node", node),
            *("numVictims", victims, "numVictimsToDelete", left),
        )

    def leaves_already(self, name: str, victim: PodInfo, node: str) -> None:
        """A victim was being deleted before."""
        self._klog.info(
            "executor.go:247",
            "Victim Pod is already being deleted, skipping the API call for it",
            *("preemptor", name, "node", node, "victim", f"{victim.namespace}/{victim.name}"),
        )

    def interrupted(self, kind: str, name: str, victim: PodInfo, node: str, point: str) -> None:
        """A victim that was about to be bound goes back to the queue."""
        what, key = _INTERRUPTED[point]
        self._klog.info(
            "executor.go:124",
            what,
            *("preemptorType", kind, "preemptor", name),
            *(key, f"{victim.namespace}/{victim.name}", "node", node),
        )

    def preempted(self, name: str, victim: PodInfo, node: str, *, there: bool) -> None:
        """A victim is on its way, or was gone already."""
        self._klog.info(
            "executor.go:169",
            "Preemptor Pod preempted victim Pod" if there else "Victim Pod is already deleted",
            *("preemptor", name, "victim", f"{victim.namespace}/{victim.name}", "node", node),
        )

    def preempted_all(self, name: str, node: str, seconds: float, *, fine: bool) -> None:
        """All are on their way, or something went wrong."""
        result = "success" if fine else ERROR
        self.evictions[result].add(seconds)
        self._klog.info(
            "executor.go:337",
            "Async Preemption finished completely",
            *("preemptor", name, "node", node, "result", result),
        )

    def _count(self, attempt: Attempt, result: str, outcome: Outcome | None = None) -> None:
        key = (attempt.scheduler, result)
        self.attempts[key] += 1
        self.durations[key].add(sum(attempt.seconds.values()))
        for point, seconds in attempt.seconds.items():
            status = "Success"
            if outcome is not None and _refused(point, outcome):
                status = "Unschedulable"
            self.points[attempt.scheduler, point, status].add(seconds)

    def _sli(self, waiting: Waiting) -> None:
        tries = str(waiting.attempts) if waiting.attempts < _MOST_ATTEMPTS else f"{_MOST_ATTEMPTS}+"
        self.slis[tries].add(self._clock.seconds() - waiting.since)


def _group(name: str) -> tuple[str, str]:
    return "podGroup", name


def _result_of(verdict: Verdict) -> str:
    if verdict.reason == GROUP_SCHEDULED:
        return SCHEDULED
    if verdict.reason == GROUP_ERROR:
        return ERROR
    return WAITING if verdict.waits else UNSCHEDULABLE


def _refused(point: str, outcome: Outcome) -> bool:
    """Tell whether an extension point is one that let no node pass."""
    if point == "postFilter":
        return outcome.preemption is None
    return point == "filter"
