"""DefaultTolerationSeconds: a pod stays five minutes on a node that is unwell, unless it says."""

from __future__ import annotations

from typing import Any

from apiserver.admission.interfaces import CREATE, UPDATE, AdmissionRequest, Rule

NOT_READY, UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"


class DefaultTolerationSeconds:
    """Adds the tolerations of a node's NoExecute taints to pods that have none for them."""

    name = "DefaultTolerationSeconds"
    handles = Rule(("pods",), (CREATE, UPDATE))

    def __init__(self, not_ready: int = 300, unreachable: int = 300) -> None:
        self._seconds = {NOT_READY: not_ready, UNREACHABLE: unreachable}

    def admit(self, request: AdmissionRequest) -> None:
        spec = (request.object or {}).get("spec")
        if spec is None:
            return
        tolerations: list[dict[str, Any]] = spec.get("tolerations") or []
        missing = [
            _toleration(taint, seconds)
            for taint, seconds in self._seconds.items()
            if not _tolerated(taint, tolerations)
        ]
        if missing:
            spec["tolerations"] = [*tolerations, *missing]


def _tolerated(taint: str, tolerations: list[dict[str, Any]]) -> bool:
    return any(
        each.get("key", "") in {taint, ""} and each.get("effect", "") in {"NoExecute", ""}
        for each in tolerations
    )


def _toleration(taint: str, seconds: int) -> dict[str, Any]:
    return {
        "key": taint,
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": seconds,
    }
