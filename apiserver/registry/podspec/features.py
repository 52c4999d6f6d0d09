"""Fields of a PodSpec whose features v1.36 has, but not switched on: they are dropped unread."""

from __future__ import annotations

from apimachinery import features
from apimachinery.meta import Obj
from apiserver.registry import gates
from apiserver.registry.podspec.systems import containers_of

# Sources of projected volumes: they need APIs that are not served.
_SOURCES = ("clusterTrustBundle", "podCertificate")


def drop_disabled(spec: Obj) -> None:
    """Remove the fields in place: scheduling groups, signals to stop by, sources of volumes."""
    if not gates.enabled(features.GENERIC_WORKLOAD):
        spec.pop("schedulingGroup", None)
    for volume in spec.get("volumes") or ():
        projected = volume.get("projected")
        for source in (projected.get("sources") or ()) if projected else ():
            for key in _SOURCES:
                source.pop(key, None)
    for container in containers_of(spec):
        lifecycle = container.get("lifecycle")
        if lifecycle is not None and lifecycle.pop("stopSignal", None) and not lifecycle:
            del container["lifecycle"]


def drop_disabled_in_template(holder: Obj) -> None:
    """Remove the same fields from the template that an object or a spec holds."""
    if spec := (holder.get("template") or {}).get("spec"):
        drop_disabled(spec)
