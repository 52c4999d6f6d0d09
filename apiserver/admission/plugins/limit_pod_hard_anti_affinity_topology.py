"""LimitPodHardAntiAffinityTopology: one pod cannot keep all others off a whole zone."""

from __future__ import annotations

from apiserver.admission.interfaces import CREATE, UPDATE, AdmissionRequest, Rule

HOSTNAME = "kubernetes.io/hostname"


class LimitPodHardAntiAffinityTopology:
    """Refuses required anti-affinity of any topology but the single node."""

    name = "LimitPodHardAntiAffinityTopology"
    handles = Rule(("pods",), (CREATE, UPDATE))

    def validate(self, request: AdmissionRequest) -> None:
        affinity = ((request.object or {}).get("spec") or {}).get("affinity") or {}
        terms = (affinity.get("podAntiAffinity") or {}).get(
            "requiredDuringSchedulingIgnoredDuringExecution"
        )
        for term in terms or ():
            key = term.get("topologyKey") or ""
            if key != HOSTNAME:
                raise request.refusal(
                    "affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey "
                    f"{key} but only key {HOSTNAME} is allowed"
                )
