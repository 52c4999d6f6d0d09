"""DenyServiceExternalIPs: a Service claims no address that somebody else may answer at."""

from __future__ import annotations

from apimachinery.meta import Obj
from apiserver.admission.interfaces import CREATE, UPDATE, AdmissionRequest, Rule


class DenyServiceExternalIPs:
    """Refuses external addresses that the Service did not have before."""

    name = "DenyServiceExternalIPs"
    handles = Rule(("services",), (CREATE, UPDATE))

    def validate(self, request: AdmissionRequest) -> None:
        if not _addresses(request.object) <= _addresses(request.old_object):
            raise request.refusal("Use of external IPs is denied by admission control.")


def _addresses(service: Obj | None) -> set[str]:
    return set(((service or {}).get("spec") or {}).get("externalIPs") or ())
