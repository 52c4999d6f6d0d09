"""What kube-controller-manager logs as each controller starts, and how it names their queues.

Where a line stands in the sources differs from release to release; these are as of v1.34 and later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from nodes.client.klog import Klog
from nodes.controllers.switches import GATED, OF_THE_SERVER, has_features

_NAME = "controller"


class Start(NamedTuple):
    """Where a controller's first line stands, what it says, and with which keys and values."""

    where: str
    message: str
    pairs: tuple[str, ...] = ()


_CSR, _REPLICAS = "Starting certificate controller", "Starting controller"

STARTS: dict[str, Start] = {
    "bootstrap-signer-controller": Start("bootstrapsigner.go:189", "Starting bootstrap signer"),
    "certificatesigningrequest-approving-controller": Start(
        "certificate_controller.go:120", _CSR, ("name", "csrapproving")
    ),
    "certificatesigningrequest-cleaner-controller": Start(
        "cleaner.go:83", "Starting CSR cleaner controller"
    ),
    "certificatesigningrequest-signing-controller": Start(
        "certificate_controller.go:120", _CSR, ("name", "csrsigning-kube-apiserver-client")
    ),
    "clusterrole-aggregation-controller": Start(
        "clusterroleaggregation_controller.go:194", "Starting ClusterRoleAggregator controller"
    ),
    "cronjob-controller": Start("cronjob_controllerv2.go:145", "Starting cronjob controller v2"),
    "daemonset-controller": Start("daemon_controller.go:310", "Starting daemon sets controller"),
    "deployment-controller": Start(
        "deployment_controller.go:173", _REPLICAS, ("controller", "deployment")
    ),
    "device-taint-eviction-controller": Start(
        "device_taint_eviction.go:411", "Starting", ("controller", "device-taint-eviction")
    ),
    "disruption-controller": Start("disruption.go:459", "Starting disruption controller"),
    "endpoints-controller": Start("endpoints_controller.go:188", "Starting endpoint controller"),
    "endpointslice-controller": Start(
        "endpointslice_controller.go:281", "Starting endpoint slice controller"
    ),
    "endpointslice-mirroring-controller": Start(
        "endpointslicemirroring_controller.go:227", "Starting EndpointSliceMirroring controller"
    ),
    "ephemeral-volume-controller": Start(
        "controller.go:173", "Starting ephemeral volume controller"
    ),
    "garbage-collector-controller": Start(
        "garbagecollector.go:144", _REPLICAS, ("controller", "garbagecollector")
    ),
    "horizontal-pod-autoscaler-controller": Start("horizontal.go:205", "Starting HPA controller"),
    "job-controller": Start("job_controller.go:257", "Starting job controller"),
    "legacy-serviceaccount-token-cleaner-controller": Start(
        "legacy_serviceaccount_token_cleaner.go:103",
        "Starting legacy service account token cleaner controller",
    ),
    "namespace-controller": Start("namespace_controller.go:202", "Starting namespace controller"),
    "node-ipam-controller": Start("node_ipam_controller.go:141", "Starting ipam controller"),
    "node-lifecycle-controller": Start(
        "node_lifecycle_controller.go:453", "Starting node controller"
    ),
    "persistentvolume-attach-detach-controller": Start(
        "attach_detach_controller.go:338", "Starting attach detach controller"
    ),
    "persistentvolume-binder-controller": Start(
        "pv_controller_base.go:308", "Starting persistent volume controller"
    ),
    "persistentvolume-expander-controller": Start(
        "expand_controller.go:328", "Starting expand controller"
    ),
    "persistentvolume-protection-controller": Start(
        "pv_protection_controller.go:81", "Starting PV protection controller"
    ),
    "persistentvolumeclaim-protection-controller": Start(
        "pvc_protection_controller.go:168", "Starting PVC protection controller"
    ),
    "pod-garbage-collector-controller": Start("gc_controller.go:99", "Starting GC controller"),
    "podgroup-protection-controller": Start(
        "podgroup_protection_controller.go:146", "Starting PodGroup protection controller"
    ),
    "replicaset-controller": Start("replica_set.go:243", _REPLICAS, ("name", "replicaset")),
    "replicationcontroller-controller": Start(
        "replica_set.go:243", _REPLICAS, ("name", "replicationcontroller")
    ),
    "resourceclaim-controller": Start("controller.go:423", "Starting resource claim controller"),
    "resourcequota-controller": Start(
        "resource_quota_controller.go:300", "Starting resource quota controller"
    ),
    "root-ca-certificate-publisher-controller": Start(
        "publisher.go:107", "Starting root CA cert publisher controller"
    ),
    "service-cidr-controller": Start(
        "servicecidrs_controller.go:136", _REPLICAS, ("controller", "service-cidr-controller")
    ),
    "service-lb-controller": Start("controller.go:232", "Starting service controller"),
    "serviceaccount-controller": Start(
        "serviceaccounts_controller.go:114", "Starting service account controller"
    ),
    "serviceaccount-token-controller": Start(
        "tokens_controller.go:157", _REPLICAS, ("controller", "tokens")
    ),
    "statefulset-controller": Start("stateful_set.go:166", "Starting stateful set controller"),
    "storageversion-garbage-collector-controller": Start(
        "gc_controller.go:99",
        _REPLICAS,
        ("controller", "storageversion-garbage-collector-controller"),
    ),
    "taint-eviction-controller": Start(
        "taint_eviction.go:282", "Starting", ("controller", "taint-eviction-controller")
    ),
    "token-cleaner-controller": Start("tokencleaner.go:117", "Starting token cleaner controller"),
    "ttl-after-finished-controller": Start(
        "ttlafterfinished_controller.go:112", "Starting TTL after finished controller"
    ),
    "ttl-controller": Start("ttl_controller.go:127", "Starting TTL controller"),
    "validatingadmissionpolicy-status-controller": Start(
        "controller.go:137", _REPLICAS, ("controller", "validatingadmissionpolicy-status")
    ),
    "volumeattributesclass-protection-controller": Start(
        "vac_protection_controller.go:206", "Starting VAC protection controller"
    ),
}

# Those of clouds; and one that somebody has to ask for.
_OF_CLOUDS = ("cloud-node-lifecycle-controller", "node-route-controller")
_ON_REQUEST = ("selinux-warning-controller",)


def tell_left_out(klog: Klog, off: Iterable[str], features: Collection[str] = ()) -> None:
    """Log which controllers do not run: those that are switched off, and those that never do, or
    not with these features.
    """
    gated = {name for name in GATED if not has_features(name, features)} - OF_THE_SERVER
    for name in sorted({*off, *_ON_REQUEST} - gated - OF_THE_SERVER):
        klog.info("controllermanager.go:627", "Warning: controller is disabled", _NAME, name)
    for name in sorted({*gated, *_OF_CLOUDS}):
        where = "controller_descriptor.go"
        if name in gated:
            why = "Controller is disabled by a feature gate"
            needed = ("requiredFeatureGates", GATED[name])
            klog.info(f"{where}:99", why, _NAME, name, *needed)
        else:
            klog.info(f"{where}:107", "Skipping a cloud provider controller", _NAME, name)
        klog.info("controllermanager.go:579", "Warning: skipping controller", _NAME, name)


# By the name of the loop.
_QUEUES = {
    "bootstrap-signer-controller": "bootstrap_signer_queue",
    "certificatesigningrequest-approving-controller": "certificate-csrapproving",
    "certificatesigningrequest-cleaner-controller": "csrcleaner",
    "certificatesigningrequest-signing-controller": "certificate-csrsigning",
    "clusterrole-aggregation-controller": "ClusterRoleAggregator",
    "endpoints-controller": "endpoint",
    "endpointslice-controller": "endpoint_slice",
    "endpointslice-mirroring-controller": "endpoint_slice_mirroring",
    "ephemeral-volume-controller": "ephemeral_volume",
    "garbage-collector-controller": "garbage_collector_attempt_to_delete",
    "horizontal-pod-autoscaler-controller": "horizontalpodautoscaler",
    "leases of API servers": "storage_version_garbage_collector_leases",
    "job-controller orphans": "job_orphan_pod",
    "node-lifecycle-controller": "node_lifecycle_controller",
    "persistent volumes": "volumes",
    "persistentvolume-binder-controller": "claims",
    "persistentvolume-expander-controller": "volume_expand",
    "persistentvolume-protection-controller": "pvprotection",
    "persistentvolumeclaim-protection-controller": "pvcprotection",
    "podgroup-protection-controller": "podgroupprotection",
    "replicationcontroller-controller": "replicationmanager",
    "resource claims": "resource_claim",
    "resourcequota-controller": "resourcequota_primary",
    "root-ca-certificate-publisher-controller": "root_ca_cert_publisher",
    "service-cidr-controller": "servicecidrs",
    "service-lb-controller": "service",
    "serviceaccount-token-controller": "serviceaccount_tokens_secret",
    "storageversion-garbage-collector-controller": (
        "storage_version_garbage_collector_storageversions"
    ),
    "token-cleaner-controller": "token_cleaner",
    "ttl-after-finished-controller": "ttl_jobs_to_delete",
    "ttl-controller": "ttlcontroller",
}


def queue_name(loop: str) -> str:
    """Name a loop's queue as the metrics of kube-controller-manager do."""
    return _QUEUES.get(loop) or loop.removesuffix("-controller").replace("-", "_").replace(" ", "_")
