"""DefaultTolerationSeconds: a pod stays five minutes on a node that is unwell, unless it says."""

from __future__ import annotations

from typing import Any

from apiserver.admission.interfaces import CREATE, UPDATE, AdmissionRequest, Rule

SECONDS = 300
TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


class DefaultTolerationSeconds:
    """Adds the tolerations of a node's NoExecute taints to pods that have none for them."""

    name = "DefaultTolerationSeconds"
    handles = Rule(("pods",), (CREATE, UPDATE))

    def admit(self, request: AdmissionRequest) -> None:
        spec = (request.object or {}).get("spec")
        if spec is None:
            return
        tolerations: list[dict[str, Any]] = spec.get("tolerations") or []
        missing = [taint for taint in TAINTS if not _tolerated(taint, tolerations)]
        if missing:
            spec["tolerations"] = [*tolerations, *map(_toleration, missing)]


def _tolerated(taint: str, tolerations: list[dict[str, Any]]) -> bool:
    return any(
        each.get("key", "") in {taint, ""} and each.get("effect", "") in {"NoExecute", ""}
        for each in tolerations
    )


def _toleration(taint: str) -> dict[str, Any]:
    return {
        "key": taint,
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": SECONDS,
    }
