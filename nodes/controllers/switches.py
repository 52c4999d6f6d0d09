"""Which controllers run: `--controllers`, with kube-controller-manager's names, old and new.

`*` is all that run by default, `foo` runs foo, `-foo` does not; of what is said of one the first
counts. Bootstrap signer and token cleaner are among the default ones, as kubeadm has it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from apimachinery.features import (
    GENERIC_WORKLOAD,
    MIGRATOR,
    SERVER_IDENTITY,
    STORAGE_VERSIONS,
)

# In the order of kube-controller-manager's own list; each with the name that it had before.
_NAMES = {
    "serviceaccount-token-controller": "serviceaccount-token",
    "endpoints-controller": "endpoint",
    "endpointslice-controller": "endpointslice",
    "endpointslice-mirroring-controller": "endpointslicemirroring",
    "replicationcontroller-controller": "replicationcontroller",
    "pod-garbage-collector-controller": "podgc",
    "resourcequota-controller": "resourcequota",
    "namespace-controller": "namespace",
    "serviceaccount-controller": "serviceaccount",
    "garbage-collector-controller": "garbagecollector",
    "daemonset-controller": "daemonset",
    "job-controller": "job",
    "deployment-controller": "deployment",
    "replicaset-controller": "replicaset",
    "horizontal-pod-autoscaler-controller": "horizontalpodautoscaling",
    "disruption-controller": "disruption",
    "statefulset-controller": "statefulset",
    "cronjob-controller": "cronjob",
    "certificatesigningrequest-signing-controller": "csrsigning",
    "certificatesigningrequest-approving-controller": "csrapproving",
    "certificatesigningrequest-cleaner-controller": "csrcleaner",
    "podcertificaterequest-cleaner-controller": "",
    "ttl-controller": "ttl",
    "bootstrap-signer-controller": "bootstrapsigner",
    "token-cleaner-controller": "tokencleaner",
    "node-ipam-controller": "nodeipam",
    "node-lifecycle-controller": "nodelifecycle",
    "taint-eviction-controller": "",
    "device-taint-eviction-controller": "",
    "resource-pool-status-request-controller": "",
    "service-lb-controller": "service",
    "node-route-controller": "route",
    "cloud-node-lifecycle-controller": "cloud-node-lifecycle",
    "persistentvolume-binder-controller": "persistentvolume-binder",
    "persistentvolume-attach-detach-controller": "attachdetach",
    "persistentvolume-expander-controller": "persistentvolume-expander",
    "clusterrole-aggregation-controller": "clusterrole-aggregation",
    "persistentvolumeclaim-protection-controller": "pvc-protection",
    "persistentvolume-protection-controller": "pv-protection",
    "podgroup-protection-controller": "",
    "volumeattributesclass-protection-controller": "",
    "ttl-after-finished-controller": "ttl-after-finished",
    "root-ca-certificate-publisher-controller": "root-ca-cert-publisher",
    "kube-apiserver-serving-clustertrustbundle-publisher-controller": "",
    "ephemeral-volume-controller": "ephemeral-volume",
    "storageversion-garbage-collector-controller": "storage-version-gc",
    "resourceclaim-controller": "",
    "legacy-serviceaccount-token-cleaner-controller": "legacy-service-account-token-cleaner",
    "validatingadmissionpolicy-status-controller": "",
    "service-cidr-controller": "",
    "storage-version-migrator-controller": "",
    "selinux-warning-controller": "",
}
# Controllers with the features that each needs; but for kube-apiserver's own, v1.36 does not run
# them by default.
GATED: Mapping[str, tuple[str, ...]] = {
    "kube-apiserver-identity-lease-controller": (SERVER_IDENTITY,),
    "kube-apiserver-storage-version-updater": (SERVER_IDENTITY, STORAGE_VERSIONS),
    "kube-apiserver-serving-clustertrustbundle-publisher-controller": ("ClusterTrustBundle",),
    "podcertificaterequest-cleaner-controller": ("PodCertificateRequest",),
    "podgroup-protection-controller": (GENERIC_WORKLOAD,),
    "resource-pool-status-request-controller": ("DRAResourcePoolStatus",),
    "storage-version-migrator-controller": (MIGRATOR,),
    "storageversion-garbage-collector-controller": (SERVER_IDENTITY, STORAGE_VERSIONS),
}
# What takes the place of programs that real clusters install beside.
_SIMULATED = (
    "simulated-attacher",
    "simulated-gateway-controller",
    "simulated-ingress-controller",
    "simulated-provisioner",
)
# What runs in kube-apiserver, and is not for kube-controller-manager to switch off.
OF_THE_SERVER = frozenset(
    (
        "ipallocator-repair-controller",
        "kube-apiserver-identity-lease-controller",
        "kube-apiserver-storage-version-updater",
    )
)
_OLD = {old: name for name, old in _NAMES.items() if old}
KNOWN = frozenset((*_NAMES, *_SIMULATED))


def is_on(name: str, switches: Sequence[str]) -> bool:
    """Tell whether a controller runs."""
    if name in OF_THE_SERVER:
        return True
    for one in map(_renamed, switches):
        if one in (name, f"-{name}"):
            return one == name
    return "*" in switches


def has_features(name: str, features: Collection[str]) -> bool:
    """Tell whether the features that a controller needs are on."""
    return all(one in features for one in GATED.get(name, ()))


def problems(switches: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with switches, in kube-controller-manager's words."""
    for one in switches:
        if one != "*" and _renamed(one).removeprefix("-") not in KNOWN:
            yield f'"{one.removeprefix("-")}" is not in the list of known controllers'


def _renamed(switch: str) -> str:
    name = switch.removeprefix("-")
    return switch.removesuffix(name) + _OLD.get(name, name)
