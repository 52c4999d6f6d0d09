"""Long lists hold the one event loop for a time that grows with their length, not its square."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.apiserver.endpoints.support import Client, make_api

MANY = 8_000
# Processor time. What is linear takes a fifth of it at most; comparing all with all takes longer.
_MOST_SECONDS = 3.0
_CORE = "/api/v1/namespaces/default"
_POD = {"containers": [{"name": "c", "image": "i"}], "serviceAccountName": "default"}


def _of(api_version: str, kind: str, **content: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "many"}, **content}


def _pod(**spec: Any) -> tuple[str, Any]:
    return f"{_CORE}/pods", _of("v1", "Pod", spec=_POD | spec)


def _container(**content: Any) -> tuple[str, Any]:
    return _pod(containers=[{"name": "c", "image": "i"} | content])


def _projected(source: Callable[[int], Any], count: int) -> tuple[str, Any]:
    return _pod(
        volumes=[{"name": "v", "projected": {"sources": [source(i) for i in range(count)]}}]
    )


def _slice(count: int) -> tuple[str, Any]:
    endpoints = [{"addresses": [f"10.1.{i // 250}.{i % 250 + 1}"]} for i in range(count)]
    body = _of("discovery.k8s.io/v1", "EndpointSlice", addressType="IPv4", endpoints=endpoints)
    return "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", body


def _policy(count: int) -> tuple[str, Any]:
    peers = [{"ipBlock": {"cidr": f"10.{i // 250}.{i % 250}.0/24"}} for i in range(count)]
    spec = {"podSelector": {}, "ingress": [{"from": peers}]}
    body = _of("networking.k8s.io/v1", "NetworkPolicy", spec=spec)
    return "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies", body


def _role(count: int) -> tuple[str, Any]:
    rules = [
        {"apiGroups": [""], "resources": [f"r{i}"], "verbs": ["get", "list"]} for i in range(count)
    ]
    body = _of("rbac.authorization.k8s.io/v1", "ClusterRole", rules=rules)
    return "/apis/rbac.authorization.k8s.io/v1/clusterroles", body


def _webhooks(count: int) -> tuple[str, Any]:
    hook = {
        "clientConfig": {"url": "https://hooks.example.com/"},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "rules": [
            {"apiGroups": ["a"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["b"]}
        ],
    }
    body = _of(
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
        webhooks=[hook | {"name": f"h{i}.example.com"} for i in range(count)],
    )
    return "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", body


def _crd(count: int) -> tuple[str, Any]:
    rules = [{"rule": f"self.a != {i}"} for i in range(count)]
    spec = {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "x-kubernetes-validations": rules,
    }
    schema = {"type": "object", "properties": {"spec": spec}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "manies", "singular": "many", "kind": "Many", "listKind": "ManyList"}
    body = _of(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        spec={"group": "e.example", "names": names, "scope": "Namespaced", "versions": [version]},
    )
    body["metadata"]["name"] = "manies.e.example"
    return "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body


def _spread(i: int) -> Any:
    selector = {"matchLabels": {"a": "b"}}
    return {
        "maxSkew": 1,
        "topologyKey": f"k{i}",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": selector,
    }


def _runtime_class(count: int) -> tuple[str, Any]:
    scheduling = {"tolerations": _tolerations(count)}
    body = _of("node.k8s.io/v1", "RuntimeClass", handler="h", scheduling=scheduling)
    return "/apis/node.k8s.io/v1/runtimeclasses", body


def _tolerations(count: int) -> list[Any]:
    return [{"key": f"k{i}", "operator": "Exists"} for i in range(count)]


def _quota(count: int) -> tuple[str, Any]:
    spec = {"hard": {"pods": "1"}, "scopes": [f"S{i}" for i in range(count)]}
    return f"{_CORE}/resourcequotas", _of("v1", "ResourceQuota", spec=spec)


def _binding(count: int) -> tuple[str, Any]:
    spec = {"policyName": "p", "validationActions": [f"A{i}" for i in range(count)]}
    body = _of("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", spec=spec)
    return "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings", body


LISTS: dict[str, Callable[[int], tuple[str, Any]]] = {
    "endpoints": _slice,
    "peers": _policy,
    "rules": _role,
    "webhooks": _webhooks,
    "validations": lambda n: _crd(n // 4),
    "tolerations of a class": lambda n: _runtime_class(3 * n),
    "scopes": lambda n: _quota(3 * n // 4),
    "validationActions": lambda n: _binding(3 * n),
    "env": lambda n: _container(env=[{"name": f"N{i}", "value": "v"} for i in range(n)]),
    "equal env": lambda n: _container(env=[{"name": "N", "value": "v"}] * n),
    "envFrom": lambda n: _container(envFrom=[{"configMapRef": {"name": "n"}}] * n),
    "ports": lambda n: _container(ports=[{"containerPort": i + 1} for i in range(n)]),
    "named ports": lambda n: _container(
        ports=[{"name": f"p{i}", "containerPort": i + 1} for i in range(n)]
    ),
    "volumeMounts": lambda n: _pod(
        volumes=[{"name": "v", "emptyDir": {}}],
        containers=[
            {
                "name": "c",
                "image": "i",
                "volumeMounts": [{"name": "v", "mountPath": f"/m{i}"} for i in range(n)],
            }
        ],
    ),
    "equal volumeMounts": lambda n: _pod(
        volumes=[{"name": "v", "emptyDir": {}}],
        containers=[
            {"name": "c", "image": "i", "volumeMounts": [{"name": "v", "mountPath": "/m"}] * n}
        ],
    ),
    "lost volumeMounts": lambda n: _container(
        volumeMounts=[{"name": f"v{i}", "mountPath": f"/m{i}"} for i in range(n)]
    ),
    "volumes": lambda n: _pod(volumes=[{"name": f"v{i}", "emptyDir": {}} for i in range(n)]),
    "equal volumes": lambda n: _pod(volumes=[{"name": "v", "emptyDir": {}}] * n),
    "tolerations": lambda n: _pod(tolerations=_tolerations(n)),
    "equal tolerations": lambda n: _pod(tolerations=[{"key": "k", "operator": "Exists"}] * n),
    "sources": lambda n: _projected(lambda i: {"secret": {"name": f"s{i}"}}, n),
    "sources with items": lambda n: _projected(
        lambda i: {"secret": {"name": "s", "items": [{"key": "k", "path": f"p{i}"}]}}, n
    ),
    "sources of one path": lambda n: _projected(
        lambda i: {"secret": {"name": "s", "items": [{"key": "k", "path": "p"}]}}, n
    ),
    "items": lambda n: _pod(
        volumes=[
            {
                "name": "v",
                "configMap": {
                    "name": "m",
                    "items": [{"key": f"k{i}", "path": f"p{i}"} for i in range(n)],
                },
            }
        ]
    ),
    "hostAliases": lambda n: _pod(
        hostAliases=[{"ip": f"10.1.{i // 250}.{i % 250 + 1}", "hostnames": ["h"]} for i in range(n)]
    ),
    "equal hostAliases": lambda n: _pod(hostAliases=[{"ip": "10.1.1.1", "hostnames": ["h"]}] * n),
    "imagePullSecrets": lambda n: _pod(imagePullSecrets=[{"name": f"s{i}"} for i in range(n)]),
    "equal imagePullSecrets": lambda n: _pod(imagePullSecrets=[{"name": "s"}] * n),
    "topologySpreadConstraints": lambda n: _pod(
        topologySpreadConstraints=[_spread(i) for i in range(n)]
    ),
    "equal topologySpreadConstraints": lambda n: _pod(topologySpreadConstraints=[_spread(0)] * n),
    "resourceClaims": lambda n: _pod(
        resourceClaims=[{"name": f"r{i}", "resourceClaimName": "c"} for i in range(n)]
    ),
    "containers": lambda n: _pod(containers=[{"name": f"c{i}", "image": "i"} for i in range(n)]),
    "equal containers": lambda n: _pod(containers=[{"name": "c", "image": "i"}] * n),
}


@pytest.mark.parametrize("name", LISTS)
async def test_long_lists_take_time_in_proportion(name: str) -> None:
    client = Client(await make_api())
    account = _of("v1", "ServiceAccount") | {"metadata": {"name": "default"}}
    await client.request("POST", f"{_CORE}/serviceaccounts", account)
    path, body = LISTS[name](MANY)
    before = time.process_time()
    answer = await client.request("POST", f"{path}?dryRun=All", body)
    spent = time.process_time() - before
    assert answer.status in (201, 422), answer.message
    assert spent < _MOST_SECONDS
