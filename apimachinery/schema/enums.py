"""The values that a string field may have, where Kubernetes names them (`+enum` in its types).

OpenAPI v3 publishes them and `kubectl explain` prints them. No package holds them, so they are
our own data: definition -> field -> values, in alphabetical order as the server has them.
"""

from __future__ import annotations

_CORE = "io.k8s.api.core.v1."
_SELECTOR_OPERATORS = ("DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_CONTAINER = {
    "imagePullPolicy": ("Always", "IfNotPresent", "Never"),
    "terminationMessagePolicy": ("FallbackToLogsOnError", "File"),
}
_SCHEMES = ("HTTP", "HTTPS")
_POLICY = ("Cluster", "Local")

ENUMS: dict[str, dict[str, tuple[str, ...]]] = {
    f"{_CORE}Container": _CONTAINER,
    f"{_CORE}EphemeralContainer": _CONTAINER,
    f"{_CORE}ContainerPort": {"protocol": _PROTOCOLS},
    f"{_CORE}ServicePort": {"protocol": _PROTOCOLS},
    f"{_CORE}EndpointPort": {"protocol": _PROTOCOLS},
    f"{_CORE}PortStatus": {"protocol": _PROTOCOLS},
    f"{_CORE}HTTPGetAction": {"scheme": _SCHEMES},
    f"{_CORE}PodSpec": {
        "dnsPolicy": ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
        "preemptionPolicy": ("Never", "PreemptLowerPriority"),
        "restartPolicy": ("Always", "Never", "OnFailure"),
    },
    f"{_CORE}PodStatus": {
        "phase": ("Failed", "Pending", "Running", "Succeeded", "Unknown"),
        "qosClass": ("BestEffort", "Burstable", "Guaranteed"),
    },
    f"{_CORE}Toleration": {
        "effect": ("NoExecute", "NoSchedule", "PreferNoSchedule"),
        "operator": ("Equal", "Exists", "Gt", "Lt"),
    },
    f"{_CORE}Taint": {"effect": ("NoExecute", "NoSchedule", "PreferNoSchedule")},
    f"{_CORE}NodeSelectorRequirement": {"operator": _SELECTOR_OPERATORS},
    f"{_CORE}TopologySpreadConstraint": {
        "nodeAffinityPolicy": ("Honor", "Ignore"),
        "nodeTaintsPolicy": ("Honor", "Ignore"),
        "whenUnsatisfiable": ("DoNotSchedule", "ScheduleAnyway"),
    },
    f"{_CORE}HostPathVolumeSource": {
        "type": (
            "",
            "BlockDevice",
            "CharDevice",
            "Directory",
            "DirectoryOrCreate",
            "File",
            "FileOrCreate",
            "Socket",
        )
    },
    f"{_CORE}PodSecurityContext": {
        "fsGroupChangePolicy": ("Always", "OnRootMismatch"),
        "supplementalGroupsPolicy": ("Merge", "Strict"),
    },
    f"{_CORE}SecurityContext": {"procMount": ("Default", "Unmasked")},
    f"{_CORE}SeccompProfile": {"type": ("Localhost", "RuntimeDefault", "Unconfined")},
    f"{_CORE}AppArmorProfile": {"type": ("Localhost", "RuntimeDefault", "Unconfined")},
    f"{_CORE}NamespaceStatus": {"phase": ("Active", "Terminating")},
    f"{_CORE}NodeStatus": {"phase": ("Pending", "Running", "Terminated")},
    f"{_CORE}PersistentVolumeSpec": {
        "persistentVolumeReclaimPolicy": ("Delete", "Recycle", "Retain"),
        "volumeMode": ("Block", "Filesystem"),
    },
    f"{_CORE}PersistentVolumeStatus": {
        "phase": ("Available", "Bound", "Failed", "Pending", "Released")
    },
    f"{_CORE}PersistentVolumeClaimSpec": {"volumeMode": ("Block", "Filesystem")},
    f"{_CORE}PersistentVolumeClaimStatus": {"phase": ("Bound", "Lost", "Pending")},
    f"{_CORE}ServiceSpec": {
        "externalTrafficPolicy": _POLICY,
        "internalTrafficPolicy": _POLICY,
        "ipFamilyPolicy": ("PreferDualStack", "RequireDualStack", "SingleStack"),
        "sessionAffinity": ("ClientIP", "None"),
        "type": ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"),
    },
    "io.k8s.api.apps.v1.DeploymentStrategy": {"type": ("Recreate", "RollingUpdate")},
    "io.k8s.api.apps.v1.DaemonSetUpdateStrategy": {"type": ("OnDelete", "RollingUpdate")},
    "io.k8s.api.apps.v1.StatefulSetUpdateStrategy": {"type": ("OnDelete", "RollingUpdate")},
    "io.k8s.api.apps.v1.StatefulSetSpec": {"podManagementPolicy": ("OrderedReady", "Parallel")},
    "io.k8s.api.batch.v1.CronJobSpec": {"concurrencyPolicy": ("Allow", "Forbid", "Replace")},
    "io.k8s.api.batch.v1.JobSpec": {
        "completionMode": ("Indexed", "NonIndexed"),
        "podReplacementPolicy": ("Failed", "TerminatingOrFailed"),
    },
    "io.k8s.api.batch.v1.PodFailurePolicyRule": {
        "action": ("Count", "FailIndex", "FailJob", "Ignore")
    },
    "io.k8s.api.discovery.v1.EndpointSlice": {"addressType": ("FQDN", "IPv4", "IPv6")},
    "io.k8s.api.networking.v1.HTTPIngressPath": {
        "pathType": ("Exact", "ImplementationSpecific", "Prefix")
    },
    "io.k8s.api.networking.v1.NetworkPolicyPort": {"protocol": _PROTOCOLS},
    "io.k8s.api.storage.v1.StorageClass": {
        "reclaimPolicy": ("Delete", "Recycle", "Retain"),
        "volumeBindingMode": ("Immediate", "WaitForFirstConsumer"),
    },
    "io.k8s.api.scheduling.v1.PriorityClass": {
        "preemptionPolicy": ("Never", "PreemptLowerPriority")
    },
    "io.k8s.api.policy.v1.PodDisruptionBudgetSpec": {
        "unhealthyPodEvictionPolicy": ("AlwaysAllow", "IfHealthyBudget")
    },
    "io.k8s.api.admissionregistration.v1.ValidatingWebhook": {
        "failurePolicy": ("Fail", "Ignore"),
        "matchPolicy": ("Equivalent", "Exact"),
        "sideEffects": ("None", "NoneOnDryRun", "Some", "Unknown"),
    },
    "io.k8s.api.admissionregistration.v1.MutatingWebhook": {
        "failurePolicy": ("Fail", "Ignore"),
        "matchPolicy": ("Equivalent", "Exact"),
        "reinvocationPolicy": ("IfNeeded", "Never"),
        "sideEffects": ("None", "NoneOnDryRun", "Some", "Unknown"),
    },
}
