"""What kube-scheduler counts: attempts, their times, its queue and its cache."""

from __future__ import annotations

from collections.abc import Iterator

from apimachinery.exposition import Family, Histograms, single
from nodes.scheduler.loop import Scheduler
from nodes.scheduler.observing import Observer
from playground.controlplane.sharedmetrics import Metric


def families(scheduler: Scheduler, seen: Observer) -> Iterator[Metric]:
    """Yield the metrics of a scheduler."""
    yield Family(
        "scheduler_pending_pods",
        "gauge",
        "[STABLE] Number of pending pods, by the queue type. 'active' means number of pods in "
        "activeQ; 'backoff' means number of pods in backoffQ; 'unschedulable' means number of pods "
        "in unschedulablePods that the scheduler attempted to schedule and failed; 'gated' is the "
        "number of unschedulable pods that the scheduler never attempted to schedule because they "
        "are gated.",
        [({"queue": name}, depth) for name, depth in sorted(scheduler.queue.depths().items())],
    )
    yield Family(
        "scheduler_queue_incoming_pods_total",
        "counter",
        "[STABLE] Number of pods added to scheduling queues by event and queue type.",
        [
            ({"event": event.replace("/", ""), "queue": queue}, count)
            for (queue, event), count in sorted(scheduler.queue.came.items())
        ],
    )
    yield Family(
        "scheduler_unschedulable_pods",
        "gauge",
        "[ALPHA] The number of unschedulable pods broken down by plugin name. A pod will increment "
        "the gauge for all plugins that caused it to not schedule and so this metric have meaning "
        "only when broken down by plugin.",
        [
            ({"plugin": plugin, "profile": profile}, count)
            for (plugin, profile), count in sorted(scheduler.queue.refused().items())
        ],
    )
    yield Family(
        "scheduler_cache_size",
        "gauge",
        "[ALPHA] Number of nodes, pods, and assumed (bound) pods in the scheduler cache.",
        [({"type": name}, size) for name, size in sorted(scheduler.cache.sizes().items())],
    )
    yield from _attempts(seen)
    yield Family(
        "scheduler_podgroup_schedule_attempts_total",
        "counter",
        "[ALPHA] Number of attempts to schedule pod groups, by the result.",
        [
            ({"profile": profile, "result": result}, count)
            for (profile, result), count in sorted(seen.groups.items())
        ],
    )
    yield from _preemption(seen)


def _attempts(seen: Observer) -> Iterator[Metric]:
    yield Family(
        "scheduler_schedule_attempts_total",
        "counter",
        "[STABLE] Number of attempts to schedule pods, by the result. 'unschedulable' means a pod "
        "could not be scheduled, while 'error' means an internal scheduler problem.",
        [
            ({"profile": profile, "result": result}, count)
            for (profile, result), count in sorted(seen.attempts.items())
        ],
    )
    yield Histograms(
        "scheduler_scheduling_attempt_duration_seconds",
        "[STABLE] Scheduling attempt latency in seconds (scheduling algorithm + binding)",
        [
            ({"profile": profile, "result": result}, found)
            for (profile, result), found in sorted(seen.durations.items())
        ],
    )
    yield Histograms(
        "scheduler_framework_extension_point_duration_seconds",
        "[STABLE] Latency for running all plugins of a specific extension point.",
        [
            (
                {
                    "extension_point": point[0].upper() + point[1:],
                    "profile": profile,
                    "status": status,
                },
                found,
            )
            for (profile, point, status), found in sorted(seen.points.items())
        ],
    )
    yield Histograms(
        "scheduler_scheduling_algorithm_duration_seconds",
        "[BETA] Scheduling algorithm latency in seconds",
        [({}, seen.algorithm)],
    )
    yield Histograms(
        "scheduler_pod_scheduling_attempts",
        "[STABLE] Number of attempts to successfully schedule a pod.",
        [({}, seen.tries)],
    )
    yield Histograms(
        "scheduler_pod_scheduling_sli_duration_seconds",
        "[BETA] E2e latency for a pod being scheduled, from the time the pod enters the scheduling "
        "queue and might involve multiple scheduling attempts.",
        [({"attempts": attempts}, found) for attempts, found in sorted(seen.slis.items())],
    )
    yield single(
        "scheduler_pod_scheduled_after_flush_total",
        "counter",
        "[ALPHA] Number of pods that were successfully scheduled after being flushed from "
        "unschedulablePods due to timeout. This metric helps detect potential queueing hint "
        "misconfigurations or event handling issues.",
        seen.after_flush,
    )
    yield Histograms(
        "scheduler_permit_wait_duration_seconds",
        "[ALPHA] Duration of waiting on permit.",
        [({"result": result}, found) for result, found in sorted(seen.permits.items())],
    )


def _preemption(seen: Observer) -> Iterator[Metric]:
    yield single(
        "scheduler_preemption_attempts_total",
        "counter",
        "[STABLE] Total preemption attempts in the cluster till now",
        seen.preemptions,
    )
    yield Histograms(
        "scheduler_preemption_victims",
        "[STABLE] Number of selected preemption victims",
        [({}, seen.victims)],
    )
    yield Histograms(
        "scheduler_preemption_goroutines_duration_seconds",
        "[ALPHA] Duration in seconds for running goroutines for the preemption.",
        [({"result": result}, found) for result, found in sorted(seen.evictions.items())],
    )
    yield Family(
        "scheduler_preemption_goroutines_execution_total",
        "counter",
        "[ALPHA] Number of preemption goroutines executed.",
        [
            ({"result": result}, sum(found.counts))
            for result, found in sorted(seen.evictions.items())
        ],
    )
