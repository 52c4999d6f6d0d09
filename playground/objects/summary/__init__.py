"""Objects in words: one builder for each kind that has something of its own to say."""

from __future__ import annotations

from playground.objects.reading import Object
from playground.objects.summary import (
    causes,
    config,
    definitions,
    groups,
    network,
    nodes,
    pods,
    rights,
    storage,
    workloads,
)
from playground.objects.summary.parts import Builder, Context, Part, Sentence

_RBAC = "rbac.authorization.k8s.io"
BUILDERS: dict[str, Builder] = {
    "pods": pods.summary,
    "nodes": nodes.summary,
    "deployments.apps": workloads.deployment,
    "replicasets.apps": workloads.replica_set,
    "replicationcontrollers": workloads.replica_set,
    "statefulsets.apps": workloads.stateful_set,
    "daemonsets.apps": workloads.daemon_set,
    "jobs.batch": workloads.job,
    "cronjobs.batch": workloads.cron_job,
    "podgroups.scheduling.k8s.io": groups.group,
    "horizontalpodautoscalers.autoscaling": workloads.scaler,
    "poddisruptionbudgets.policy": workloads.budget,
    "services": network.service,
    "endpointslices.discovery.k8s.io": network.endpoint_slice,
    "ingresses.networking.k8s.io": network.ingress,
    "networkpolicies.networking.k8s.io": network.policy,
    "persistentvolumeclaims": storage.claim,
    "persistentvolumes": storage.volume,
    "storageclasses.storage.k8s.io": storage.storage_class,
    "configmaps": config.config_map,
    "secrets": config.secret,
    "serviceaccounts": config.service_account,
    "namespaces": config.namespace,
    "resourcequotas": config.quota,
    "limitranges": config.limit_range,
    f"roles.{_RBAC}": rights.role,
    f"clusterroles.{_RBAC}": rights.role,
    f"rolebindings.{_RBAC}": rights.binding,
    f"clusterrolebindings.{_RBAC}": rights.binding,
    "customresourcedefinitions.apiextensions.k8s.io": definitions.definition,
}


def of(title: str, item: Object, context: Context) -> list[Part]:
    """Return the parts of an object's summary, in order; how it stands comes first, then why."""
    parts = list(BUILDERS.get(title, definitions.generic)(item, context))
    first = 1 if parts and isinstance(parts[0], Sentence) else 0
    return [*parts[:first], *causes.behind(title, item, context), *parts[first:]]
