"""Whether a container starts again after it has ended: by its rules, its own policy or its pod's.

Of a container's rules the first that its exit code matches holds. One of them may have all
containers of the pod start over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from apimachinery.meta import Obj

RESTART, RESTART_ALL = "Restart", "RestartAllContainers"
# What a node has to declare before a pod with such a rule goes there.
RESTART_ALL_FEATURE = "RestartAllContainersOnContainerExits"


def restarts(container: Mapping[str, Any], pod_policy: str, code: int) -> bool:
    """Tell whether a container starts again that has ended with an exit code."""
    if action(container, code) == RESTART:
        return True
    policy = container.get("restartPolicy") or pod_policy
    return policy == "Always" or (policy == "OnFailure" and code != 0)


def action(container: Mapping[str, Any], code: int) -> str:
    """Return what the rules of a container have done after an exit code, "" if nothing."""
    for rule in container.get("restartPolicyRules") or ():
        if _matches(rule.get("exitCodes") or {}, code):
            return str(rule.get("action") or "")
    return ""


def may_restart_everything(spec: Mapping[str, Any]) -> bool:
    """Tell whether the end of a container may have all of a pod start over."""
    return any(rule.get("action") == RESTART_ALL for rule in _rules(spec))


def _rules(spec: Mapping[str, Any]) -> Iterator[Obj]:
    for name in ("initContainers", "containers"):
        for container in spec.get(name) or ():
            yield from container.get("restartPolicyRules") or ()


def _matches(codes: Mapping[str, Any], code: int) -> bool:
    return (code in (codes.get("values") or ())) == (codes.get("operator") == "In")
