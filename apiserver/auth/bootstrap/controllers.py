"""What each controller of the control plane may do: ClusterRoles "system:controller:NAME".

Each is bound to the service account NAME in kube-system.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from apimachinery.features import (
    GENERIC_WORKLOAD,
    GROUP_CLAIMS,
    MIGRATOR,
    STORAGE_VERSIONS,
    TAINT_RULES,
    WORKLOAD_WITH_JOB,
)
from apiserver.auth.bootstrap.words import (
    CHANGE,
    LIST_WATCH,
    OWN,
    READ,
    RECORD_EVENTS,
    PolicyRule,
    Roles,
    rule,
    with_features,
)

CONTROLLER_ROLES: Mapping[str, Sequence[PolicyRule]] = {
    "attachdetach-controller": (
        rule(LIST_WATCH, "core", "persistentvolumeclaims persistentvolumes"),
        rule(READ, "core", "nodes"),
        rule(CHANGE, "core", "nodes/status"),
        rule(LIST_WATCH, "core", "pods"),
        RECORD_EVENTS,
        rule("create delete get list watch", "storage.k8s.io", "volumeattachments"),
        rule(READ, "storage.k8s.io", "csidrivers"),
        rule(READ, "storage.k8s.io", "csinodes"),
    ),
    "certificate-controller": (
        rule("delete get list watch", "certificates.k8s.io", "certificatesigningrequests"),
        rule(
            "update",
            "certificates.k8s.io",
            "certificatesigningrequests/approval certificatesigningrequests/status",
        ),
        rule(
            "approve",
            "certificates.k8s.io",
            "signers",
            "kubernetes.io/kube-apiserver-client-kubelet",
        ),
        rule(
            "sign",
            "certificates.k8s.io",
            "signers",
            "kubernetes.io/kube-apiserver-client kubernetes.io/kube-apiserver-client-kubelet "
            "kubernetes.io/kubelet-serving kubernetes.io/legacy-unknown",
        ),
        rule("create", "authorization.k8s.io", "subjectaccessreviews"),
        RECORD_EVENTS,
    ),
    "clusterrole-aggregation-controller": (
        rule("escalate get list patch update watch", "rbac.authorization.k8s.io", "clusterroles"),
    ),
    "cronjob-controller": (
        rule("get list update watch", "batch", "cronjobs"),
        rule(OWN, "batch", "jobs"),
        rule("update", "batch", "cronjobs/status"),
        rule("update", "batch", "cronjobs/finalizers"),
        rule("delete list watch", "core", "pods"),
        RECORD_EVENTS,
    ),
    "daemon-set-controller": (
        rule(READ, "apps extensions", "daemonsets"),
        rule("update", "apps extensions", "daemonsets/status"),
        rule("update", "apps extensions", "daemonsets/finalizers"),
        rule(LIST_WATCH, "core", "nodes"),
        rule("create delete list patch watch", "core", "pods"),
        rule("create", "core", "pods/binding"),
        rule(OWN, "apps", "controllerrevisions"),
        RECORD_EVENTS,
    ),
    "deployment-controller": (
        rule("get list update watch", "apps extensions", "deployments"),
        rule("update", "apps extensions", "deployments/status"),
        rule("update", "apps extensions", "deployments/finalizers"),
        rule(OWN, "apps extensions", "replicasets"),
        rule("get list update watch", "core", "pods"),
        RECORD_EVENTS,
    ),
    "device-taint-eviction-controller": (
        rule("delete get list watch", "core", "pods"),
        rule(CHANGE, "core", "pods/status"),
        rule(READ, "resource.k8s.io", "resourceclaims"),
        rule(READ, "resource.k8s.io", "resourceslices"),
        rule(READ, "resource.k8s.io", "deviceclasses"),
        RECORD_EVENTS,
    ),
    "disruption-controller": (
        rule(READ, "apps extensions", "deployments"),
        rule(READ, "apps extensions", "replicasets"),
        rule(READ, "core", "replicationcontrollers"),
        rule(READ, "policy", "poddisruptionbudgets"),
        rule(READ, "apps", "statefulsets"),
        rule("update", "policy", "poddisruptionbudgets/status"),
        rule(CHANGE, "core", "pods/status"),
        rule("get", "*", "*/scale"),
        RECORD_EVENTS,
    ),
    "endpoint-controller": (
        rule(READ, "core", "pods services"),
        rule("create delete get list update watch", "core", "endpoints"),
        rule("create", "core", "endpoints/restricted"),
        RECORD_EVENTS,
    ),
    "endpointslice-controller": (
        rule(READ, "core", "nodes pods services"),
        rule("update", "core", "services/finalizers"),
        rule("create delete get list update watch", "discovery.k8s.io", "endpointslices"),
        rule("create", "discovery.k8s.io", "endpointslices/restricted"),
        RECORD_EVENTS,
    ),
    "endpointslicemirroring-controller": (
        rule(READ, "core", "endpoints services"),
        rule("update", "core", "services/finalizers"),
        rule("update", "core", "endpoints/finalizers"),
        rule("create delete get list update watch", "discovery.k8s.io", "endpointslices"),
        rule("create", "discovery.k8s.io", "endpointslices/restricted"),
        RECORD_EVENTS,
    ),
    "ephemeral-volume-controller": (
        rule(READ, "core", "pods"),
        rule("update", "core", "pods/finalizers"),
        rule("create get list watch", "core", "persistentvolumeclaims"),
        RECORD_EVENTS,
    ),
    "expand-controller": (
        rule("get list patch update watch", "core", "persistentvolumes"),
        rule(CHANGE, "core", "persistentvolumeclaims/status"),
        rule(READ, "core", "persistentvolumeclaims"),
        RECORD_EVENTS,
    ),
    "generic-garbage-collector": (
        rule("delete get list patch update watch", "*", "*"),
        RECORD_EVENTS,
    ),
    "horizontal-pod-autoscaler": (
        rule(READ, "autoscaling", "horizontalpodautoscalers"),
        rule("update", "autoscaling", "horizontalpodautoscalers/status"),
        rule("get update", "*", "*/scale"),
        rule(LIST_WATCH, "core", "pods"),
        rule(LIST_WATCH, "metrics.k8s.io", "pods"),
        rule(READ, "custom.metrics.k8s.io", "*"),
        rule(READ, "external.metrics.k8s.io", "*"),
        RECORD_EVENTS,
    ),
    "job-controller": (
        rule("get list patch update watch", "batch", "jobs"),
        rule("update", "batch", "jobs/status"),
        rule("update", "batch", "jobs/finalizers"),
        rule("create delete list patch watch", "core", "pods"),
        RECORD_EVENTS,
    ),
    "legacy-service-account-token-cleaner": (
        rule("get", "core", "configmaps", "kube-apiserver-legacy-service-account-token-tracking"),
        rule("delete patch", "core", "secrets"),
    ),
    "namespace-controller": (
        rule("delete get list watch", "core", "namespaces"),
        rule("update", "core", "namespaces/finalize namespaces/status"),
        rule("delete deletecollection get list watch", "*", "*"),
    ),
    "node-controller": (
        rule("delete get list patch update watch", "core", "nodes"),
        rule(CHANGE, "core", "nodes/status"),
        rule(CHANGE, "core", "pods/status"),
        rule("delete get list watch", "core", "pods"),
        RECORD_EVENTS,
    ),
    "persistent-volume-binder": (
        rule("create delete get list update watch", "core", "persistentvolumes"),
        rule("update", "core", "persistentvolumes/status"),
        rule("get list update watch", "core", "persistentvolumeclaims"),
        rule("update", "core", "persistentvolumeclaims/status"),
        rule("create delete get list watch", "core", "pods"),
        rule(READ, "storage.k8s.io", "storageclasses"),
        rule(LIST_WATCH, "core", "nodes"),
        RECORD_EVENTS,
        rule("watch", "core", "events"),
    ),
    "pod-garbage-collector": (
        rule("delete list watch", "core", "pods"),
        rule(READ, "core", "nodes"),
        rule("patch", "core", "pods/status"),
    ),
    "pv-protection-controller": (
        rule("get list update watch", "core", "persistentvolumes"),
        RECORD_EVENTS,
    ),
    "pvc-protection-controller": (
        rule("get list update watch", "core", "persistentvolumeclaims"),
        rule("update", "core", "persistentvolumeclaims/status"),
        rule(READ, "core", "pods"),
        RECORD_EVENTS,
    ),
    "replicaset-controller": (
        rule("get list update watch", "apps extensions", "replicasets"),
        rule("update", "apps extensions", "replicasets/status"),
        rule("update", "apps extensions", "replicasets/finalizers"),
        rule("create delete list patch watch", "core", "pods"),
        RECORD_EVENTS,
    ),
    "replication-controller": (
        rule("get list update watch", "core", "replicationcontrollers"),
        rule("update", "core", "replicationcontrollers/status"),
        rule("update", "core", "replicationcontrollers/finalizers"),
        rule("create delete list patch watch", "core", "pods"),
        RECORD_EVENTS,
    ),
    "resource-claim-controller": (
        rule(READ, "core", "pods"),
        rule("update", "core", "pods/finalizers"),
        rule("create delete get list watch", "resource.k8s.io", "resourceclaims"),
        rule(CHANGE, "resource.k8s.io", "resourceclaims resourceclaims/status"),
        rule(CHANGE, "core", "pods/status"),
        RECORD_EVENTS,
        rule(CHANGE, "resource.k8s.io", "resourceclaims/binding"),
    ),
    "resourcequota-controller": (
        rule(LIST_WATCH, "*", "*"),
        rule("update", "core", "resourcequotas/status"),
        RECORD_EVENTS,
    ),
    "root-ca-cert-publisher": (
        rule("create update", "core", "configmaps"),
        RECORD_EVENTS,
    ),
    "route-controller": (
        rule(LIST_WATCH, "core", "nodes"),
        rule("patch", "core", "nodes/status"),
        RECORD_EVENTS,
    ),
    "selinux-warning-controller": (
        RECORD_EVENTS,
        rule(READ, "core", "persistentvolumes"),
        rule(READ, "core", "persistentvolumeclaims"),
        rule(READ, "core", "pods"),
        rule(READ, "storage.k8s.io", "csidrivers"),
    ),
    "service-account-controller": (
        rule("create", "core", "serviceaccounts"),
        RECORD_EVENTS,
    ),
    "service-cidrs-controller": (
        rule("get list patch update watch", "networking.k8s.io", "servicecidrs"),
        rule(CHANGE, "networking.k8s.io", "servicecidrs/finalizers"),
        rule(CHANGE, "networking.k8s.io", "servicecidrs/status"),
        rule(READ, "networking.k8s.io", "ipaddresses"),
        RECORD_EVENTS,
    ),
    "service-controller": (
        rule(READ, "core", "services"),
        rule(CHANGE, "core", "services/status"),
        rule(LIST_WATCH, "core", "nodes"),
        RECORD_EVENTS,
    ),
    "statefulset-controller": (
        rule(LIST_WATCH, "core", "pods"),
        rule(READ, "apps", "statefulsets"),
        rule("update", "apps", "statefulsets/status"),
        rule("update", "apps", "statefulsets/finalizers"),
        rule("create delete get patch update", "core", "pods"),
        rule(OWN, "apps", "controllerrevisions"),
        rule("create get list watch", "core", "persistentvolumeclaims"),
        rule("delete update", "core", "persistentvolumeclaims"),
        rule("update", "core", "pods/finalizers"),
        RECORD_EVENTS,
    ),
    "ttl-after-finished-controller": (
        rule("delete get list watch", "batch", "jobs"),
        RECORD_EVENTS,
    ),
    "ttl-controller": (
        rule("list patch update watch", "core", "nodes"),
        RECORD_EVENTS,
    ),
    "validatingadmissionpolicy-status-controller": (
        rule(READ, "admissionregistration.k8s.io", "validatingadmissionpolicies"),
        rule(
            "get patch update", "admissionregistration.k8s.io", "validatingadmissionpolicies/status"
        ),
        RECORD_EVENTS,
    ),
    "volumeattributesclass-protection-controller": (
        rule(READ, "core", "persistentvolumeclaims"),
        rule(READ, "core", "persistentvolumes"),
        rule("get list update watch", "storage.k8s.io", "volumeattributesclasses"),
        RECORD_EVENTS,
    ),
}

# What comes to it where a feature is on: roles of controllers that run there, and more rules for
# others.
_WITH: Mapping[str, Roles] = {
    GENERIC_WORKLOAD: {
        "podgroup-protection-controller": (
            rule("get list update watch", "scheduling.k8s.io", "podgroups"),
            rule(READ, "core", "pods"),
            RECORD_EVENTS,
        ),
    },
    WORKLOAD_WITH_JOB: {
        "job-controller": (
            rule("create get list watch", "scheduling.k8s.io", "workloads podgroups"),
        ),
    },
    GROUP_CLAIMS: {
        "resource-claim-controller": (
            rule(READ, "scheduling.k8s.io", "podgroups"),
            rule(CHANGE, "scheduling.k8s.io", "podgroups/status"),
            rule("update", "scheduling.k8s.io", "podgroups/finalizers"),
        ),
    },
    TAINT_RULES: {
        "device-taint-eviction-controller": (
            rule(READ, "resource.k8s.io", "devicetaintrules"),
            rule("patch", "resource.k8s.io", "devicetaintrules/status"),
        ),
    },
    MIGRATOR: {
        "storage-version-migrator-controller": (
            rule("list patch", "*", "*"),
            rule("update", "storagemigration.k8s.io", "storageversionmigrations/status"),
            rule("get", "apiextensions.k8s.io", "customresourcedefinitions"),
            rule("update", "apiextensions.k8s.io", "customresourcedefinitions/status"),
        ),
    },
    STORAGE_VERSIONS: {
        "storage-version-garbage-collector": (
            rule(READ, "coordination.k8s.io", "leases"),
            rule(
                "delete get list patch update watch", "internal.apiserver.k8s.io", "storageversions"
            ),
            rule("get patch update", "internal.apiserver.k8s.io", "storageversions/status"),
        ),
    },
}


def controller_roles(on: Collection[str]) -> Roles:
    """Return the roles by the names of their service accounts, where these features are on."""
    return with_features(CONTROLLER_ROLES, _WITH, on)
