"""The resources that workers use, by name: how each is addressed and what kind it holds."""

from __future__ import annotations

from itertools import chain
from typing import NamedTuple

from apimachinery import features
from apimachinery.gvk import GroupKind, GroupResource
from apimachinery.meta import Obj


class Res(NamedTuple):
    """A resource in one version: enough to address it and to name its kind."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_resource(self) -> GroupResource:
        return GroupResource(self.group, self.plural)

    @property
    def group_kind(self) -> GroupKind:
        return GroupKind(self.group, self.kind)


def _core(plural: str, kind: str, *, namespaced: bool = True) -> Res:
    return Res("", "v1", plural, kind, namespaced)


CONFIGMAPS = _core("configmaps", "ConfigMap")
ENDPOINTS = _core("endpoints", "Endpoints")
EVENTS = _core("events", "Event")
LIMITRANGES = _core("limitranges", "LimitRange")
NAMESPACES = _core("namespaces", "Namespace", namespaced=False)
NODES = _core("nodes", "Node", namespaced=False)
PERSISTENTVOLUMECLAIMS = _core("persistentvolumeclaims", "PersistentVolumeClaim")
PERSISTENTVOLUMES = _core("persistentvolumes", "PersistentVolume", namespaced=False)
PODS = _core("pods", "Pod")
PODTEMPLATES = _core("podtemplates", "PodTemplate")
REPLICATIONCONTROLLERS = _core("replicationcontrollers", "ReplicationController")
RESOURCEQUOTAS = _core("resourcequotas", "ResourceQuota")
SECRETS = _core("secrets", "Secret")
SERVICEACCOUNTS = _core("serviceaccounts", "ServiceAccount")
SERVICES = _core("services", "Service")
APISERVICES = Res("apiregistration.k8s.io", "v1", "apiservices", "APIService", False)
CUSTOMRESOURCEDEFINITIONS = Res(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", False
)
VALIDATINGADMISSIONPOLICIES = Res(
    "admissionregistration.k8s.io",
    "v1",
    "validatingadmissionpolicies",
    "ValidatingAdmissionPolicy",
    False,
)
CONTROLLERREVISIONS = Res("apps", "v1", "controllerrevisions", "ControllerRevision")
DAEMONSETS = Res("apps", "v1", "daemonsets", "DaemonSet")
DEPLOYMENTS = Res("apps", "v1", "deployments", "Deployment")
REPLICASETS = Res("apps", "v1", "replicasets", "ReplicaSet")
STATEFULSETS = Res("apps", "v1", "statefulsets", "StatefulSet")
HORIZONTALPODAUTOSCALERS = Res(
    "autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"
)
CRONJOBS = Res("batch", "v1", "cronjobs", "CronJob")
JOBS = Res("batch", "v1", "jobs", "Job")
CERTIFICATESIGNINGREQUESTS = Res(
    "certificates.k8s.io", "v1", "certificatesigningrequests", "CertificateSigningRequest", False
)
LEASES = Res("coordination.k8s.io", "v1", "leases", "Lease")
ENDPOINTSLICES = Res("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
INGRESSCLASSES = Res("networking.k8s.io", "v1", "ingressclasses", "IngressClass", False)
INGRESSES = Res("networking.k8s.io", "v1", "ingresses", "Ingress")
IPADDRESSES = Res("networking.k8s.io", "v1", "ipaddresses", "IPAddress", False)
NETWORKPOLICIES = Res("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
SERVICECIDRS = Res("networking.k8s.io", "v1", "servicecidrs", "ServiceCIDR", False)
RUNTIMECLASSES = Res("node.k8s.io", "v1", "runtimeclasses", "RuntimeClass", False)
PODDISRUPTIONBUDGETS = Res("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
CLUSTERROLEBINDINGS = Res(
    "rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", False
)
CLUSTERROLES = Res("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", False)
ROLEBINDINGS = Res("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
ROLES = Res("rbac.authorization.k8s.io", "v1", "roles", "Role")
DEVICECLASSES = Res("resource.k8s.io", "v1", "deviceclasses", "DeviceClass", False)
STORAGEVERSIONS = Res(
    "internal.apiserver.k8s.io", "v1alpha1", "storageversions", "StorageVersion", False
)
STORAGEVERSIONMIGRATIONS = Res(
    "storagemigration.k8s.io",
    "v1beta1",
    "storageversionmigrations",
    "StorageVersionMigration",
    False,
)
DEVICETAINTRULES = Res("resource.k8s.io", "v1beta2", "devicetaintrules", "DeviceTaintRule", False)
RESOURCECLAIMS = Res("resource.k8s.io", "v1", "resourceclaims", "ResourceClaim")
RESOURCECLAIMTEMPLATES = Res(
    "resource.k8s.io", "v1", "resourceclaimtemplates", "ResourceClaimTemplate"
)
RESOURCESLICES = Res("resource.k8s.io", "v1", "resourceslices", "ResourceSlice", False)
PODGROUPS = Res("scheduling.k8s.io", "v1alpha2", "podgroups", "PodGroup")
PRIORITYCLASSES = Res("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", False)
WORKLOADS = Res("scheduling.k8s.io", "v1alpha2", "workloads", "Workload")
CSIDRIVERS = Res("storage.k8s.io", "v1", "csidrivers", "CSIDriver", False)
CSINODES = Res("storage.k8s.io", "v1", "csinodes", "CSINode", False)
CSISTORAGECAPACITIES = Res("storage.k8s.io", "v1", "csistoragecapacities", "CSIStorageCapacity")
STORAGECLASSES = Res("storage.k8s.io", "v1", "storageclasses", "StorageClass", False)
VOLUMEATTACHMENTS = Res("storage.k8s.io", "v1", "volumeattachments", "VolumeAttachment", False)
VOLUMEATTRIBUTESCLASSES = Res(
    "storage.k8s.io", "v1", "volumeattributesclasses", "VolumeAttributesClass", False
)

ALL: tuple[Res, ...] = (
    CONFIGMAPS,
    ENDPOINTS,
    EVENTS,
    LIMITRANGES,
    NAMESPACES,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODS,
    PODTEMPLATES,
    REPLICATIONCONTROLLERS,
    RESOURCEQUOTAS,
    SECRETS,
    SERVICEACCOUNTS,
    SERVICES,
    CUSTOMRESOURCEDEFINITIONS,
    VALIDATINGADMISSIONPOLICIES,
    CONTROLLERREVISIONS,
    DAEMONSETS,
    DEPLOYMENTS,
    REPLICASETS,
    STATEFULSETS,
    HORIZONTALPODAUTOSCALERS,
    CRONJOBS,
    JOBS,
    CERTIFICATESIGNINGREQUESTS,
    LEASES,
    ENDPOINTSLICES,
    INGRESSCLASSES,
    INGRESSES,
    IPADDRESSES,
    NETWORKPOLICIES,
    SERVICECIDRS,
    RUNTIMECLASSES,
    PODDISRUPTIONBUDGETS,
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    ROLEBINDINGS,
    ROLES,
    DEVICECLASSES,
    RESOURCECLAIMS,
    RESOURCECLAIMTEMPLATES,
    RESOURCESLICES,
    PRIORITYCLASSES,
    CSIDRIVERS,
    CSINODES,
    CSISTORAGECAPACITIES,
    STORAGECLASSES,
    VOLUMEATTACHMENTS,
    VOLUMEATTRIBUTESCLASSES,
)

# Served where a feature is on.
OF_FEATURES: dict[str, tuple[Res, ...]] = {
    features.GENERIC_WORKLOAD: (PODGROUPS, WORKLOADS),
    features.TAINT_RULES: (DEVICETAINTRULES,),
    features.MIGRATOR: (STORAGEVERSIONMIGRATIONS,),
    features.STORAGE_VERSIONS: (STORAGEVERSIONS,),
}

BY_KIND: dict[tuple[str, str], Res] = {
    (res.api_version, res.kind): res for res in (*ALL, *chain.from_iterable(OF_FEATURES.values()))
}


def of(obj: Obj) -> Res:
    """Return the resource that an object belongs to, by its apiVersion and kind."""
    return BY_KIND[obj["apiVersion"], obj["kind"]]
