"""ExtendedResourceToleration: a pod that asks for a device tolerates the taint of its nodes."""

from __future__ import annotations

from apiserver.admission.interfaces import CREATE, UPDATE, AdmissionRequest, Rule
from apiserver.admission.pod_specs import containers
from apiserver.admission.tolerations import same
from apiserver.registry.podspec.quantities import is_extended


class ExtendedResourceToleration:
    """Adds a toleration for each extended resource that the pod's containers ask for."""

    name = "ExtendedResourceToleration"
    handles = Rule(("pods",), (CREATE, UPDATE))

    def admit(self, request: AdmissionRequest) -> None:
        spec = (request.object or {}).get("spec") or {}
        wanted = {
            name
            for container in containers(spec, ("initContainers", "containers"))
            for name in (container.get("resources") or {}).get("requests") or {}
            if is_extended(name)
        }
        tolerations = list(spec.get("tolerations") or ())
        for name in sorted(wanted):
            added = {"key": name, "operator": "Exists", "effect": "NoSchedule"}
            if not any(same(each, added) for each in tolerations):
                tolerations.append(added)
        if tolerations:
            spec["tolerations"] = tolerations
