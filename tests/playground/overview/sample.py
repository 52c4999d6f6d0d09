"""An overview with something of everything, as a worker would tell it."""

from __future__ import annotations

from typing import Any


def kind(plural: str, name: str, total: int, group: str = "", **more: Any) -> dict[str, Any]:
    return {
        "resource": f"{plural}.{group}" if group else plural,
        "group": group,
        "version": "v1",
        "plural": plural,
        "kind": name,
        "namespaced": plural != "nodes",
        "total": total,
        **more,
    }


def state(word: str, level: str, count: int) -> dict[str, Any]:
    return {"word": word, "level": level, "count": count}


def trouble(name: str, word: str, level: str, note: str = "") -> dict[str, Any]:
    return {"namespace": "default", "name": name, "word": word, "level": level, "note": note}


ABOUT = {"group": "", "version": "v1", "plural": "pods", "kind": "Pod", "namespace": "default"}
QUIET = [0] * 147
PACE: dict[str, Any] = {
    "width": 2.0,
    "age": 0.5,
    "people": [*QUIET, 0, 2, 1],
    "workers": [*QUIET, 4, 40, 8],
    "pages": [*QUIET, 0, 0, 1],
    "refused": [*QUIET, 0, 1, 0],
    "writes": [*QUIET, 2, 30, 4],
    "quantiles": {
        name: [*[None] * 147, value, value * 2, value]
        for name, value in (("p50", 0.0012), ("p95", 0.004), ("p99", 0.02))
    },
    "whole": {"p50": 0.0012, "p95": 0.005, "p99": 0.03},
}
CONTROL: dict[str, Any] = {
    "pace": PACE,
    "watches": {
        "total": 84,
        "http": 2,
        "clients": [{"name": "kubelets", "count": 60}, {"name": "kube-scheduler", "count": 24}],
    },
    "queues": [
        {
            "name": "kube-scheduler",
            "depths": {"active": 0, "backoff": 1, "unschedulable": 2, "gated": 0},
        },
        {"name": "deployment-controller", "depths": {"ready": 0, "working": 0, "later": 3}},
    ],
    "inflight": 1,
}
OVERVIEW: dict[str, Any] = {
    "idle": False,
    "kinds": [
        kind(
            "pods",
            "Pod",
            5,
            states=[state("CrashLoopBackOff", "bad", 1), state("Running", "good", 4)],
            trouble=[trouble("api-0", "CrashLoopBackOff", "bad")],
            more=0,
        ),
        kind("nodes", "Node", 2, states=[state("Ready", "good", 2)], trouble=[], more=0),
        kind(
            "deployments",
            "Deployment",
            2,
            "apps",
            states=[state("RollingOut", "busy", 1), state("Available", "good", 1)],
            trouble=[trouble("web", "RollingOut", "busy", "2/3")],
            more=0,
        ),
        kind("configmaps", "ConfigMap", 12),
    ],
    "unseen": ["services"],
    "warnings": {
        "items": [
            {
                "reason": "BackOff",
                "count": 12,
                "last": "2026-11-23T09:00:00Z",
                "message": "Back-off restarting failed container api",
                "objects": [{**ABOUT, "name": "api-0"}],
                "more": 2,
            }
        ],
        "more": 0,
        "allowed": True,
    },
}

FACT: dict[str, Any] = {
    "code": "scaled",
    "actor": "deployment-controller",
    "resource": "replicasets.apps",
    "kind": "ReplicaSet",
    "namespace": "default",
    "name": "web-7c9",
    "revision": 41,
    "at": 1_795_424_399.0,
    "trace": "audit-1",
    "args": {"before": 2, "after": 3},
    "names": ["web-7c9"],
    "count": 1,
    "bad": False,
}
