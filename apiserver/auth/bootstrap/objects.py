"""Every object of a fresh cluster, in an order in which they may be created one by one.

Metadata is private to each call, since creation stamps it; everything below is made once for the
process and shared between clusters, so it must not be changed.
"""

from __future__ import annotations

from collections.abc import Iterator

from apimachinery.clock import Clock
from apimachinery.meta import Obj
from apiserver.auth.bootstrap.rbac import rbac_objects
from apiserver.auth.pki import FRONT_PROXY
from apiserver.flowcontrol.bootstrap import flow_schemas, priority_levels
from apiserver.registry.core.servicenetwork import ServiceNetwork

NAMESPACES = ("kube-system", "kube-public", "kube-node-lease", "default")
_SERVICES = ServiceNetwork()

# Group, version: (group priority, version priority), as the aggregator sorts discovery.
API_SERVICES: dict[tuple[str, str], tuple[int, int]] = {
    ("", "v1"): (18000, 1),
    ("admissionregistration.k8s.io", "v1"): (16700, 15),
    ("apiextensions.k8s.io", "v1"): (16700, 15),
    ("apps", "v1"): (17800, 15),
    ("authentication.k8s.io", "v1"): (17700, 15),
    ("authorization.k8s.io", "v1"): (17600, 15),
    ("autoscaling", "v1"): (17500, 15),
    ("autoscaling", "v2"): (17500, 30),
    ("batch", "v1"): (17400, 15),
    ("certificates.k8s.io", "v1"): (17300, 15),
    ("coordination.k8s.io", "v1"): (16500, 15),
    ("discovery.k8s.io", "v1"): (16200, 15),
    ("events.k8s.io", "v1"): (17750, 15),
    ("flowcontrol.apiserver.k8s.io", "v1"): (16100, 21),
    ("networking.k8s.io", "v1"): (17200, 15),
    ("node.k8s.io", "v1"): (16300, 15),
    ("policy", "v1"): (17100, 15),
    ("rbac.authorization.k8s.io", "v1"): (17000, 15),
    ("resource.k8s.io", "v1"): (16200, 21),
    ("scheduling.k8s.io", "v1"): (16600, 15),
    ("storage.k8s.io", "v1"): (16800, 15),
}

_PRIORITY_CLASSES = {
    "system-cluster-critical": (
        2_000_000_000,
        (
            "Used for system critical pods that must run in the cluster, but can be moved to "
            "another node if necessary."
        ),
    ),
    "system-node-critical": (
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
}


def bootstrap_objects(
    clock: Clock,
    client_ca: str = "",
    front_proxy_ca: str = "",
    address: str = "127.0.0.1",
    port: int = 6443,
    services: ServiceNetwork = _SERVICES,
) -> list[Obj]:
    """Return what a fresh cluster holds.

    client_ca, front_proxy_ca: the cluster's CAs in PEM, published for extension API servers.
    address, port: where the API server listens, as the endpoints of the service `kubernetes`.
    services: the ranges that Services get their addresses from; the first one is of IPv4.
    """
    now = clock.timestamp()
    made = [
        *_namespaces(),
        *rbac_objects(),
        *_priority_classes(),
        *priority_levels(),
        *flow_schemas(now),
        *_api_services(now),
        *_service_network(now, services),
        *_kubernetes_service(address, port, services.api_address),
        *_config_maps(now, client_ca, front_proxy_ca),
    ]
    return [{**obj, "metadata": dict(obj["metadata"])} for obj in made]


def _namespaces() -> Iterator[Obj]:
    for name in NAMESPACES:
        yield {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
            "spec": {"finalizers": ["kubernetes"]},
            "status": {"phase": "Active"},
        }


def _priority_classes() -> Iterator[Obj]:
    for name, (value, description) in _PRIORITY_CLASSES.items():
        yield {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name, "generation": 1},
            "value": value,
            "description": description,
            "preemptionPolicy": "PreemptLowerPriority",
        }


def _api_services(now: str) -> Iterator[Obj]:
    available = {
        "type": "Available",
        "status": "True",
        "lastTransitionTime": now,
        "reason": "Local",
        "message": "Local APIServices are always available",
    }
    for (group, version), (group_priority, version_priority) in API_SERVICES.items():
        spec: Obj = {
            "version": version,
            "groupPriorityMinimum": group_priority,
            "versionPriority": version_priority,
        }
        if group:
            spec["group"] = group
        yield {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {
                "name": f"{version}.{group}",
                "labels": {"kube-aggregator.kubernetes.io/automanaged": "onstart"},
            },
            "spec": spec,
            "status": {"conditions": [available]},
        }


def _service_network(now: str, services: ServiceNetwork) -> Iterator[Obj]:
    ready = {
        "type": "Ready",
        "status": "True",
        "lastTransitionTime": now,
        "reason": "",
        "message": "Kubernetes default Service CIDR is ready",
    }
    yield {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "ServiceCIDR",
        "metadata": {"name": "kubernetes"},
        "spec": {"cidrs": list(services.cidrs)},
        "status": {"conditions": [ready]},
    }
    yield {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IPAddress",
        "metadata": {
            "name": services.api_address,
            "labels": {
                "ipaddress.kubernetes.io/ip-family": "IPv4",
                "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
            },
        },
        "spec": {
            "parentRef": {
                "group": "",
                "name": "kubernetes",
                "namespace": "default",
                "resource": "services",
            }
        },
    }


def _kubernetes_service(address: str, port: int, cluster_ip: str) -> Iterator[Obj]:
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "ports": [{"name": "https", "protocol": "TCP", "port": 443, "targetPort": port}],
            "clusterIP": cluster_ip,
            "clusterIPs": [cluster_ip],
            "type": "ClusterIP",
            "sessionAffinity": "None",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster",
        },
        "status": {"loadBalancer": {}},
    }
    listening = {"name": "https", "port": port, "protocol": "TCP"}
    yield {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
        },
        "subsets": [{"addresses": [{"ip": address}], "ports": [listening]}],
    }
    yield {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "generation": 1,
            "labels": {"kubernetes.io/service-name": "kubernetes"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": [listening],
    }


def _config_maps(now: str, client_ca: str, front_proxy_ca: str) -> Iterator[Obj]:
    yield _config_map(
        "kube-apiserver-legacy-service-account-token-tracking", {"since": now.partition("T")[0]}
    )
    if client_ca:
        data = {"client-ca-file": client_ca}
        if front_proxy_ca:
            data |= {**_REQUEST_HEADERS, "requestheader-client-ca-file": front_proxy_ca}
        yield _config_map("extension-apiserver-authentication", dict(sorted(data.items())))


# How the front proxy tells extension API servers who asks, as kubeadm sets it up.
_REQUEST_HEADERS = {
    "requestheader-allowed-names": f'["{FRONT_PROXY}"]',
    "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
    "requestheader-group-headers": '["X-Remote-Group"]',
    "requestheader-username-headers": '["X-Remote-User"]',
}


def _config_map(name: str, data: dict[str, str]) -> Obj:
    metadata = {"name": name, "namespace": "kube-system"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
