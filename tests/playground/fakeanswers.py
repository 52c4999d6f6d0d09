"""What a fake of a cluster answers with: tables, statuses, discovery. Nothing here remembers."""

from __future__ import annotations

import json
from typing import Any

import yaml

CREATED = "2026-11-23T09:00:00Z"
CORE = ("nodes", "pods", "services", "events", "namespaces", "configmaps")
APPS = ("deployments", "replicasets", "statefulsets", "daemonsets")
KINDS = {
    "nodes": "Node",
    "pods": "Pod",
    "services": "Service",
    "events": "Event",
    "namespaces": "Namespace",
    "configmaps": "ConfigMap",
    "deployments": "Deployment",
    "replicasets": "ReplicaSet",
    "statefulsets": "StatefulSet",
    "daemonsets": "DaemonSet",
    "jobs": "Job",
    "cronjobs": "CronJob",
    "endpointslices": "EndpointSlice",
    "ingresses": "Ingress",
    "gateways": "Gateway",
    "httproutes": "HTTPRoute",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "persistentvolumes": "PersistentVolume",
    "storageclasses": "StorageClass",
}
SCALED = {"deployments", "replicasets", "statefulsets"}
CLUSTER_SCOPED = {"nodes", "namespaces", "persistentvolumes", "storageclasses"}
EVENT_COLUMNS = ("Last Seen", "Type", "Reason", "Object", "Message", "Count")


def line(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode() + b"\n"


def read_body(body: bytes, content_type: str) -> Any:
    if not body:
        return None
    return yaml.safe_load(body) if content_type.endswith("yaml") else json.loads(body)


def resource_list(path: str) -> dict[str, Any]:
    plurals = CORE if path == "/api/v1" else APPS
    found = [
        {"name": plural, "kind": KINDS[plural], "namespaced": plural not in CLUSTER_SCOPED}
        for plural in plurals
    ]
    return {"kind": "APIResourceList", "resources": [*found, {"name": "pods/log", "kind": "Pod"}]}


def status(code: int, reason: str, message: str) -> dict[str, Any]:
    return {
        "kind": "Status",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
    }


def dig(item: dict[str, Any], path: str) -> Any:
    for part in path.split("."):
        item = item.get(part, {})
    return item


def api_version(resource: str) -> str:
    if resource in APPS:
        return "apps/v1"
    return "batch/v1" if resource == "jobs" else "v1"


def table(resource: str, items: list[dict[str, Any]], meta: dict[str, Any]) -> dict[str, Any]:
    columns = [
        {"name": "Name", "type": "string", "description": "Name of the object.", "priority": 0},
        {"name": "Status", "type": "string", "description": "What it does now.", "priority": 0},
        {"name": "Restarts", "type": "integer", "description": "How often.", "priority": 0},
        {"name": "Node", "type": "string", "description": "Where it runs.", "priority": 1},
    ]
    rows = [
        {
            "cells": [
                item["metadata"]["name"],
                item.get("status", {}).get("phase", ""),
                index % 12,
                item.get("spec", {}).get("nodeName", ""),
            ],
            "object": {"kind": "PartialObjectMetadata", "metadata": item["metadata"]},
        }
        for index, item in enumerate(items)
    ]
    if any("involvedObject" in item for item in items):
        columns = [{"name": name, "type": "string", "priority": 0} for name in EVENT_COLUMNS]
        for item, row in zip(items, rows, strict=True):
            row["cells"] = event_cells(item)
    return {"kind": "Table", "metadata": meta, "columnDefinitions": columns, "rows": rows}


def event_cells(event: dict[str, Any]) -> list[Any]:
    about = event["involvedObject"]
    named = f"{about['kind'].lower()}/{about['name']}"
    return ["5m", event["type"], event["reason"], named, event["message"], event["count"]]


def merged(item: Any, patch: Any) -> Any:
    """Apply a JSON merge patch."""
    if not isinstance(patch, dict):
        return patch
    found = dict(item) if isinstance(item, dict) else {}
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = merged(found.get(key), value)
    return found


def discovery(path: str) -> dict[str, Any]:
    groups = {"": CORE} if path == "/api" else {"apps": APPS, "batch": ("jobs",)}
    return {
        "kind": "APIGroupDiscoveryList",
        "items": [
            {
                "metadata": {"name": group} if group else {},
                "versions": [
                    {
                        "version": "v1",
                        "resources": [
                            {
                                "resource": plural,
                                "responseKind": {"kind": KINDS[plural]},
                                "scope": "Cluster" if plural in CLUSTER_SCOPED else "Namespaced",
                                "verbs": ["delete", "get", "list", "patch", "watch"],
                                "subresources": [{"subresource": "scale"}]
                                if plural in SCALED
                                else [],
                                "shortNames": ["po"] if plural == "pods" else [],
                            }
                            for plural in resources
                        ],
                    }
                ],
            }
            for group, resources in groups.items()
        ],
    }
