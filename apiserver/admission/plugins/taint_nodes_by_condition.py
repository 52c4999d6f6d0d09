"""TaintNodesByCondition: a new node takes no pods until it has said that it is ready."""

from __future__ import annotations

from typing import Any

from apiserver.admission.interfaces import CREATE, AdmissionRequest, Rule

TAINT = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


class TaintNodesByCondition:
    """Adds the not-ready taint to nodes as they register."""

    name = "TaintNodesByCondition"
    handles = Rule(("nodes",), (CREATE,))

    def admit(self, request: AdmissionRequest) -> None:
        if request.object is None:
            return
        spec: dict[str, Any] = request.object.setdefault("spec", {})
        taints: list[dict[str, Any]] = spec.get("taints") or []
        if not any(
            taint.get("key") == TAINT["key"] and taint.get("effect") == TAINT["effect"]
            for taint in taints
        ):
            spec["taints"] = [*taints, dict(TAINT)]
