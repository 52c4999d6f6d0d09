"""Which fields a KubeSchedulerConfiguration and the arguments of plugins have, and of what type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from apimachinery.patch.refusals import json_type

# A type's name, a list of one shape, or fields. ANY is not looked into.
Shape: TypeAlias = "str | list[Shape] | dict[str, Shape]"
ANY = "any"

_GO = {"string": str, "int": int, "bool": bool}

_PLUGIN: Shape = {"name": "string", "weight": "int"}
_SET: Shape = {"enabled": [_PLUGIN], "disabled": [_PLUGIN]}
POINTS = (
    *("preEnqueue", "queueSort", "preFilter", "filter", "postFilter", "preScore", "score"),
    *("reserve", "permit", "preBind", "bind", "postBind"),
    *("placementGenerate", "placementScore"),
)
_TYPE: dict[str, Shape] = {"apiVersion": "string", "kind": "string"}
_POINT: Shape = {"utilization": "int", "score": "int"}
_RESOURCES: Shape = [{"name": "string", "weight": "int"}]

CONFIGURATION: Shape = {
    **_TYPE,
    "parallelism": "int",
    "leaderElection": ANY,
    "clientConnection": ANY,
    "enableProfiling": "bool",
    "enableContentionProfiling": "bool",
    "percentageOfNodesToScore": "int",
    "podInitialBackoffSeconds": "int",
    "podMaxBackoffSeconds": "int",
    "delayCacheUntilActive": "bool",
    "profiles": [
        {
            "schedulerName": "string",
            "percentageOfNodesToScore": "int",
            "plugins": {"multiPoint": _SET, **dict.fromkeys(POINTS, _SET)},
            "pluginConfig": [{"name": "string", "args": ANY}],
        }
    ],
    "extenders": [
        {
            **dict.fromkeys(("urlPrefix", "filterVerb", "preemptVerb"), "string"),
            **dict.fromkeys(("prioritizeVerb", "bindVerb", "httpTimeout"), "string"),
            **dict.fromkeys(("enableHTTPS", "nodeCacheCapable", "ignorable"), "bool"),
            "weight": "int",
            "tlsConfig": ANY,
            "managedResources": [{"name": "string", "ignoredByScheduler": "bool"}],
        }
    ],
}

ARGS: dict[str, Shape] = {
    "DefaultPreemption": {
        **_TYPE,
        "minCandidateNodesPercentage": "int",
        "minCandidateNodesAbsolute": "int",
    },
    "DynamicResources": {**_TYPE, "filterTimeout": "string", "bindingTimeout": "string"},
    "InterPodAffinity": {
        **_TYPE,
        "hardPodAffinityWeight": "int",
        "ignorePreferredTermsOfExistingPods": "bool",
    },
    "NodeAffinity": {**_TYPE, "addedAffinity": ANY},
    "NodeResourcesBalancedAllocation": {**_TYPE, "resources": _RESOURCES},
    "NodeResourcesFit": {
        **_TYPE,
        "ignoredResources": ["string"],
        "ignoredResourceGroups": ["string"],
        "scoringStrategy": {
            "type": "string",
            "resources": _RESOURCES,
            "requestedToCapacityRatio": {"shape": [_POINT]},
        },
    },
    "PodTopologySpread": {
        **_TYPE,
        "defaultingType": "string",
        "defaultConstraints": [
            {
                **dict.fromkeys(("topologyKey", "whenUnsatisfiable"), "string"),
                **dict.fromkeys(("nodeAffinityPolicy", "nodeTaintsPolicy"), "string"),
                **dict.fromkeys(("maxSkew", "minDomains"), "int"),
                "labelSelector": ANY,
                "matchLabelKeys": ["string"],
            }
        ],
    },
    "VolumeBinding": {**_TYPE, "bindTimeoutSeconds": "int", "shape": [_POINT]},
}


class Misfit(Exception):
    """A value has another type than its field."""


def unknown_fields(value: Any, shape: Shape, path: str = "") -> Iterator[str]:
    """Yield the paths of fields that there are not. Raises Misfit, in the words of Go's decoder."""
    if shape == ANY or value is None:
        return
    if isinstance(shape, list):
        if not isinstance(value, list):
            raise Misfit(_misfit(value, path, "[]"))
        for at, item in enumerate(value):
            yield from unknown_fields(item, shape[0], f"{path}[{at}]")
    elif isinstance(shape, dict):
        if not isinstance(value, Mapping):
            raise Misfit(_misfit(value, path, "struct"))
        for name, item in value.items():
            where = f"{path}.{name}" if path else str(name)
            if name in shape:
                yield from unknown_fields(item, shape[name], where)
            else:
                yield f'unknown field "{where}"'
    elif not isinstance(value, _GO[shape]) or (shape == "int" and isinstance(value, bool)):
        raise Misfit(_misfit(value, path, "int32" if shape == "int" else shape))


def _misfit(value: Any, path: str, wanted: str) -> str:
    return f"json: cannot unmarshal {json_type(value)} into Go struct field {path} of type {wanted}"
