"""The default FlowSchemas and PriorityLevelConfigurations: whose requests queue with whose."""

from __future__ import annotations

from typing import Any

from apimachinery.meta import Obj

API_VERSION = "flowcontrol.apiserver.k8s.io/v1"
_METADATA: Obj = {"generation": 1, "annotations": {"apf.kubernetes.io/autoupdate-spec": "true"}}

# Name: nominal shares, percent that may be lent, (queues, hand size) or None for "reject".
_LEVELS: dict[str, tuple[int, int, tuple[int, int] | None]] = {
    "catch-all": (5, 0, None),
    "global-default": (20, 50, (128, 6)),
    "leader-election": (10, 0, (16, 4)),
    "node-high": (40, 25, (64, 6)),
    "system": (30, 33, (64, 6)),
    "workload-high": (40, 50, (128, 6)),
    "workload-low": (100, 90, (128, 6)),
}
_QUEUE_LENGTH = 50


def _group(name: str) -> Obj:
    return {"kind": "Group", "group": {"name": name}}


def _user(name: str) -> Obj:
    return {"kind": "User", "user": {"name": name}}


_EVERYONE = [_group("system:unauthenticated"), _group("system:authenticated")]
_NODES = [_group("system:nodes")]
_SYSTEM_ACCOUNTS = {
    "kind": "ServiceAccount",
    "serviceAccount": {"namespace": "kube-system", "name": "*"},
}
_MANAGER, _SCHEDULER = _user("system:kube-controller-manager"), _user("system:kube-scheduler")


def _resources(verbs: str, group: str, resources: str, *, cluster: bool) -> Obj:
    rule: Obj = {
        "verbs": verbs.split(),
        "apiGroups": [group],
        "resources": resources.split(),
        "namespaces": ["*"],
    }
    if cluster:
        rule["clusterScope"] = True
    return rule


_LEASES = _resources("*", "coordination.k8s.io", "leases", cluster=False)
_EVERYTHING: Obj = {
    "resourceRules": [_resources("*", "*", "*", cluster=True)],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
}
_PROBES: Obj = {
    "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz", "/readyz", "/livez"]}],
}
_ELECTION: Obj = {
    "resourceRules": [
        _resources("get create update", "coordination.k8s.io", "leases", cluster=False)
    ],
}
_NODE_STATE: Obj = {
    "resourceRules": [_resources("*", "", "nodes nodes/status", cluster=True), _LEASES],
}

# Name: level, precedence, what tells flows apart, subjects, rules.
_SCHEMAS: dict[str, tuple[str, int, str, list[Any], Obj]] = {
    "catch-all": ("catch-all", 10000, "ByUser", _EVERYONE, _EVERYTHING),
    "exempt": ("exempt", 1, "", [_group("system:masters")], _EVERYTHING),
    "global-default": ("global-default", 9900, "ByUser", _EVERYONE, _EVERYTHING),
    "kube-controller-manager": ("workload-high", 800, "ByNamespace", [_MANAGER], _EVERYTHING),
    "kube-scheduler": ("workload-high", 800, "ByNamespace", [_SCHEDULER], _EVERYTHING),
    "kube-system-service-accounts": (
        "workload-high",
        900,
        "ByNamespace",
        [_SYSTEM_ACCOUNTS],
        _EVERYTHING,
    ),
    "probes": ("exempt", 2, "", _EVERYONE, _PROBES),
    "service-accounts": (
        "workload-low",
        9000,
        "ByUser",
        [_group("system:serviceaccounts")],
        _EVERYTHING,
    ),
    "system-leader-election": (
        "leader-election",
        100,
        "ByUser",
        [_MANAGER, _SCHEDULER, _SYSTEM_ACCOUNTS],
        _ELECTION,
    ),
    "system-node-high": ("node-high", 400, "ByUser", _NODES, _NODE_STATE),
    "system-nodes": ("system", 500, "ByUser", _NODES, _EVERYTHING),
}


# These are there always, with the specs that they have here.
MANDATORY = ("exempt", "catch-all")


def mandatory_levels() -> list[Obj]:
    """Return the levels that nothing goes without."""
    return [obj for obj in priority_levels() if obj["metadata"]["name"] in MANDATORY]


def mandatory_schemas() -> list[Obj]:
    """Return the schemas that nothing goes without."""
    return [_flow_schema(name, "") for name in MANDATORY]


def flow_schemas(now: str) -> list[Obj]:
    """Return the FlowSchemas, with the condition that their level exists."""
    return [_flow_schema(name, now) for name in _SCHEMAS]


def priority_levels() -> list[Obj]:
    """Return the PriorityLevelConfigurations."""
    exempt: Obj = {
        "type": "Exempt",
        "exempt": {"nominalConcurrencyShares": 0, "lendablePercent": 0},
    }
    specs = {"exempt": exempt} | {name: _limited(*level) for name, level in _LEVELS.items()}
    return [
        {
            "apiVersion": API_VERSION,
            "kind": "PriorityLevelConfiguration",
            "metadata": {"name": name, **_METADATA},
            "spec": spec,
            "status": {},
        }
        for name, spec in specs.items()
    ]


def _flow_schema(name: str, now: str) -> Obj:
    level, precedence, distinguisher, subjects, rules = _SCHEMAS[name]
    spec: Obj = {
        "priorityLevelConfiguration": {"name": level},
        "matchingPrecedence": precedence,
        "rules": [{"subjects": subjects, **rules}],
    }
    if distinguisher:
        spec["distinguisherMethod"] = {"type": distinguisher}
    condition = dangling(level, found=True)
    condition["lastTransitionTime"] = now
    return {
        "apiVersion": API_VERSION,
        "kind": "FlowSchema",
        "metadata": {"name": name, **_METADATA},
        "spec": spec,
        "status": {"conditions": [condition]},
    }


def dangling(level: str, *, found: bool) -> Obj:
    """Return the condition that says whether a FlowSchema's level is there."""
    about = f'This FlowSchema references the PriorityLevelConfiguration object named "{level}"'
    return {
        "type": "Dangling",
        "status": "False" if found else "True",
        "reason": "Found" if found else "NotFound",
        "message": f"{about} and it exists" if found else f"{about} but there is no such object",
    }


def _limited(shares: int, lendable: int, queues: tuple[int, int] | None) -> Obj:
    response: Obj = {"type": "Reject"}
    if queues is not None:
        count, hand = queues
        queuing = {"queues": count, "handSize": hand, "queueLengthLimit": _QUEUE_LENGTH}
        response = {"type": "Queue", "queuing": queuing}
    limited = {
        "nominalConcurrencyShares": shares,
        "limitResponse": response,
        "lendablePercent": lendable,
    }
    return {"type": "Limited", "limited": limited}
