"""What may be the matter with each kind: one finder for each cause, in the order of telling."""

from __future__ import annotations

from playground.why.causes import (
    budgets,
    claims,
    containers,
    deletion,
    devices,
    groups,
    nodes,
    pods,
    scalers,
    scheduling,
    services,
    workloads,
)
from playground.why.model import Finder

# Asked of every object.
ALWAYS: tuple[Finder, ...] = (deletion.waits_for_finalizers,)

FINDERS: dict[str, tuple[Finder, ...]] = {
    "pods": (
        pods.ended_badly,
        scheduling.held_by_gates,
        groups.waits_for_its_group,
        devices.claim_is_missing,
        scheduling.fits_no_node,
        pods.on_a_lost_node,
        containers.image_cannot_be_had,
        containers.configuration_is_missing,
        containers.ends_again_and_again,
        pods.volumes_are_missing,
        pods.is_not_ready,
    ),
    "deployments.apps": (
        workloads.paused,
        workloads.may_make_no_pods,
        workloads.does_not_progress,
    ),
    "replicasets.apps": (workloads.may_make_no_pods, workloads.pods_are_not_ready),
    "replicationcontrollers": (workloads.may_make_no_pods, workloads.pods_are_not_ready),
    "statefulsets.apps": (workloads.pods_are_not_ready,),
    "daemonsets.apps": (workloads.pods_are_not_ready,),
    "jobs.batch": (workloads.suspended, workloads.job_failed, workloads.pods_are_not_ready),
    "podgroups.scheduling.k8s.io": (groups.is_not_scheduled,),
    "resourcequotas": (workloads.quota_is_full,),
    "services": (services.leads_nowhere,),
    "persistentvolumeclaims": (claims.is_unbound,),
    "resourceclaims.resource.k8s.io": (devices.has_no_devices,),
    "nodes": (nodes.is_not_ready, nodes.takes_no_pods),
    "namespaces": (deletion.namespace_is_not_empty,),
    "poddisruptionbudgets.policy": (budgets.allows_nothing,),
    "horizontalpodautoscalers.autoscaling": (scalers.cannot_scale,),
}
