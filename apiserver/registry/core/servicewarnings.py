"""What people should know about a Service that is accepted all the same."""

from __future__ import annotations

from collections.abc import Iterator

from apimachinery.meta import Obj, annotations_of
from apimachinery.validation.addresses import cidr_warnings, ip_warnings
from apimachinery.validation.field import Path

_SPEC = Path("spec")
_OLD_HINTS = "service.kubernetes.io/topology-aware-hints"
_HINTS = "service.kubernetes.io/topology-mode"


def service_warnings(service: Obj) -> Iterator[str]:
    """Yield the texts in Kubernetes' order."""
    spec = service["spec"]
    if _OLD_HINTS in annotations_of(service):
        yield f"annotation {_OLD_HINTS} is deprecated, please use {_HINTS} instead"
    headless = spec.get("type") == "ClusterIP" and spec.get("clusterIP") == "None"
    named = spec.get("type") == "ExternalName"
    if not headless and not named:
        yield from _each(spec, "clusterIPs")
    if headless:
        yield from _headless(spec)
    yield from _each(spec, "externalIPs")
    if spec.get("externalIPs") and not headless and not named:
        yield "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
    if address := spec.get("loadBalancerIP"):
        yield from ip_warnings(address, _SPEC / "loadBalancerIP")
    for at, cidr in enumerate(spec.get("loadBalancerSourceRanges") or ()):
        yield from cidr_warnings(cidr, (_SPEC / "loadBalancerSourceRanges")[at])
    if spec.get("externalIPs") and named:
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if spec.get("externalName") and not named:
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
    if spec.get("trafficDistribution") == "PreferClose":
        yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'


def _each(spec: Obj, name: str) -> Iterator[str]:
    for at, address in enumerate(spec.get(name) or ()):
        yield from ip_warnings(address, (_SPEC / name)[at])


def _headless(spec: Obj) -> Iterator[str]:
    if spec.get("loadBalancerIP"):
        yield "spec.loadBalancerIP is ignored for headless services"
    if spec.get("externalIPs"):
        yield "spec.externalIPs is ignored for headless services"
    if spec.get("sessionAffinity") != "None":
        yield "spec.SessionAffinity is ignored for headless services"
