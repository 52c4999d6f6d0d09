"""What controllers count, and how it is told."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from nodes.client.resources import NODES, PODS
from nodes.controllers.common.counting import COUNTED, Counts
from playground.controlplane.managermetrics import counted
from tests.support.builders import node, obj, pod

pytestmark = pytest.mark.looptime


async def run_counted(rig, *names):
    """Run controllers that count, as those of a cluster whose metrics can be read do."""
    await rig.run(*names)
    counts = Counts()
    for one in rig.manager.controllers.values():
        one.manager = replace(one.manager, counts=counts)
    return counts


async def test_pods_that_are_driven_away_and_nodes_are_counted(rig):
    await rig.create(node("n1"), node("n2"), pod("a").on("n1").ready(), pod("b").on("n9").ready())
    counts = await run_counted(
        rig,
        "node-lifecycle-controller",
        "taint-eviction-controller",
        "pod-garbage-collector-controller",
        "horizontal-pod-autoscaler-controller",
    )
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "x"}, "maxReplicas": 1}
    await rig.create(obj("HorizontalPodAutoscaler", "h", api_version="autoscaling/v2", spec=spec))
    not_ready = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
    await rig.client.patch(NODES, "", "n1", not_ready, subresource="status")
    await rig.settle(50)
    assert dict(counts.values) == {
        ("node_collector_evictions_total", ("",)): 1,
        ("taint_eviction_controller_pod_deletions_total", ()): 1,
        ("pod_gc_collector_force_delete_pods_total", ("default", "orphaned")): 1,
        (
            "horizontal_pod_autoscaler_controller_reconciliations_total",
            ("none", "internal"),
        ): 3,
    }
    assert {len(COUNTED[name].labels) - len(labels) for name, labels in counts.values} == {0}
    manager = SimpleNamespace(counts=counts)
    told = "".join(one.text() for one in counted(manager))
    assert (
        'pod_gc_collector_force_delete_pods_total{namespace="default",reason="orphaned"} 1' in told
    )
    assert "jobs_finished" not in told


async def test_jobs_are_counted_by_how_they_end(rig):
    counts = await run_counted(rig, "job-controller")
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}
    labels = {"matchLabels": {"job": "j"}}
    spec = {"template": template, "completions": 1, "parallelism": 1, "selector": labels}
    template["metadata"] = {"labels": labels["matchLabels"]}
    await rig.create(obj("Job", "j", api_version="batch/v1", spec=spec))
    await rig.settle(2)
    (name,) = rig.names("pods")
    done = {"status": {"phase": "Succeeded"}}
    await rig.client.patch(PODS, "default", name, done, subresource="status")
    await rig.settle(5)
    ended = ("NonIndexed", "succeeded", "CompletionsReached")
    assert dict(counts.values) == {
        ("job_controller_job_pods_finished_total", ended[:2]): 1,
        ("job_controller_jobs_finished_total", ended): 1,
    }


async def test_how_late_a_cron_job_is_made_is_measured(rig):
    counts = await run_counted(rig, "cronjob-controller")
    template = {"spec": {"template": {"spec": {"containers": []}}}}
    # Three moments have passed: the last one is made up for.
    made = obj("CronJob", "c", api_version="batch/v1", spec={"schedule": "* * * * *"})
    made["spec"]["jobTemplate"] = template
    made["status"] = {"lastScheduleTime": "2026-01-02T03:01:00Z"}
    await rig.create(made)
    await rig.settle(60)
    told = "".join(one.text() for one in counted(SimpleNamespace(counts=counts)))
    name = "cronjob_controller_job_creation_skew_duration_seconds"
    assert f'{name}_bucket{{le="1"}} 1\n' in told
    assert f'{name}_bucket{{le="4"}} 1\n' in told
    assert f'{name}_bucket{{le="8"}} 2\n' in told
    assert f'{name}_bucket{{le="512"}} 2\n' in told
    assert f"{name}_sum 5\n" in told
