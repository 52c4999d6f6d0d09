"""What a PodSpec may say: the order of the rules is the order of the causes in a refusal."""

from __future__ import annotations

from collections.abc import Mapping

from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    duplicate,
    forbidden,
    invalid,
    required,
    too_long,
)
from apimachinery.validation.names import (
    inclusive_range,
    is_dns1123_label,
    is_dns1123_subdomain,
    is_qualified_name,
)
from apiserver.registry.podspec.checks import (
    INT32_MAX,
    name_or_required,
    obey,
    one_of_required,
)
from apiserver.registry.podspec.containers import (
    PodFacts,
    ephemeral_errors,
    init_errors,
    regular_errors,
)
from apiserver.registry.podspec.env import file_volume_errors
from apiserver.registry.podspec.network import dns_errors, host_alias_errors, host_network_errors
from apiserver.registry.podspec.resources import overhead_errors, pod_resource_errors
from apiserver.registry.podspec.scheduling import (
    affinity_errors,
    spread_errors,
    toleration_errors,
)
from apiserver.registry.podspec.security import host_users_errors, pod_security_errors
from apiserver.registry.podspec.selectors import label_errors
from apiserver.registry.podspec.systems import host_process_errors, os_errors
from apiserver.registry.podspec.volumes import check_volumes

_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_PREEMPTION = ("PreemptLowerPriority", "Never")
_NO_CLAIMS: frozenset[str] = frozenset()
# Fields that hold the name of something else.
_NAMES = (
    ("serviceAccountName", is_dns1123_subdomain),
    ("nodeName", is_dns1123_subdomain),
)
_HOST_NAMES = ("hostname", "subdomain")
_MAX_HOST_NAME = 64


def spec_errors(spec: Obj, path: Path, *, pod_name: str | None = None) -> FieldErrors:
    """Yield what is wrong with a PodSpec; `pod_name` is set for pods, None for templates."""
    grace = spec.get("terminationGracePeriodSeconds")
    if grace is None:
        yield required(path / "terminationGracePeriodSeconds")
    volumes: Mapping[str, Obj] = {}
    if found := spec.get("volumes"):
        wrong, volumes = check_volumes(found, pod_name or "", path / "volumes")
        yield from wrong
    claims = _NO_CLAIMS
    if resource_claims := spec.get("resourceClaims"):
        claims = frozenset(claim["name"] for claim in resource_claims if claim.get("name"))
        yield from _claim_errors(resource_claims, path / "resourceClaims")
    pod = PodFacts(
        volumes,
        claims,
        grace,
        spec.get("restartPolicy") or "",
        spec.get("hostUsers") is not False,
    )
    containers = spec.get("containers") or []
    yield from regular_errors(containers, pod, path / "containers")
    if init := spec.get("initContainers"):
        yield from init_errors(init, containers, pod, path / "initContainers")
    if spec.get("ephemeralContainers"):
        yield from ephemeral_errors(spec, pod, path / "ephemeralContainers")
    if spec.get("resources"):
        yield from pod_resource_errors(spec, path / "resources")
    yield from _policy_errors(spec, path, in_pod=pod_name is not None)
    yield from _placement_errors(spec, path)
    yield from _identity_errors(spec, path)
    yield from _other_errors(spec, path)


def _policy_errors(spec: Obj, path: Path, *, in_pod: bool) -> FieldErrors:
    if spec.get("hostNetwork"):
        yield from host_network_errors(spec, path, in_pod=in_pod)
    policy = spec.get("restartPolicy")
    if policy not in _RESTART_POLICIES:
        yield from one_of_required(policy, _RESTART_POLICIES, path / "restartPolicy")
    policy = spec.get("dnsPolicy")
    if policy not in _DNS_POLICIES:
        yield from one_of_required(policy, _DNS_POLICIES, path / "dnsPolicy")
    if labels := spec.get("nodeSelector"):
        yield from label_errors(labels, path / "nodeSelector")
    if (context := spec.get("securityContext")) or spec.get("shareProcessNamespace"):
        yield from pod_security_errors(context or {}, spec, path / "securityContext")


def _placement_errors(spec: Obj, path: Path) -> FieldErrors:
    if affinity := spec.get("affinity"):
        yield from affinity_errors(affinity, path / "affinity")
    if spec.get("dnsConfig") is not None or spec.get("dnsPolicy") == "None":
        yield from dns_errors(
            spec.get("dnsConfig"), spec.get("dnsPolicy") or "", path / "dnsConfig"
        )
    for at, gate in enumerate(spec.get("readinessGates") or ()):
        where = (path / "readinessGates")[at] / "conditionType"
        yield from obey(is_qualified_name, gate.get("conditionType") or "", where)
    if gates := spec.get("schedulingGates"):
        yield from _gate_errors(gates, path / "schedulingGates")
    if (group := spec.get("schedulingGroup")) is not None:
        name, where = group.get("podGroupName"), path / "schedulingGroup" / "podGroupName"
        yield from name_or_required(is_dns1123_subdomain, name or "", where)
    if constraints := spec.get("topologySpreadConstraints"):
        yield from spread_errors(constraints, path / "topologySpreadConstraints")
    yield from host_process_errors(spec, path)
    if spec.get("hostUsers") is False:
        yield from host_users_errors(spec, path)
    if spec.get("hostnameOverride") is not None:
        yield from _override_errors(spec, path / "hostnameOverride")


def _identity_errors(spec: Obj, path: Path) -> FieldErrors:
    for name, rule in _NAMES:
        if value := spec.get(name):
            for message in rule(value):
                yield invalid(path / name, value, message)
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= INT32_MAX:
        yield invalid(path / "activeDeadlineSeconds", deadline, inclusive_range(1, INT32_MAX))
    for name in _HOST_NAMES:
        if value := spec.get(name):
            yield from obey(is_dns1123_label, value, path / name)


def _override_errors(spec: Obj, path: Path) -> FieldErrors:
    value = spec["hostnameOverride"]
    for name in ("setHostnameAsFQDN", "hostNetwork"):
        if spec.get(name):
            yield forbidden(path, f"may not be specified when {name} is true")
    if len(value.encode()) > _MAX_HOST_NAME:
        yield too_long(path, "", _MAX_HOST_NAME)
    yield from obey(is_dns1123_subdomain, value, path)


def _other_errors(spec: Obj, path: Path) -> FieldErrors:
    if tolerations := spec.get("tolerations"):
        yield from toleration_errors(tolerations, path / "tolerations")
    if aliases := spec.get("hostAliases"):
        yield from host_alias_errors(aliases, path / "hostAliases")
    if name := spec.get("priorityClassName"):
        yield from obey(is_dns1123_subdomain, name, path / "priorityClassName")
    name = spec.get("runtimeClassName")
    if name is not None:
        yield from obey(is_dns1123_subdomain, name, path / "runtimeClassName")
    policy = spec.get("preemptionPolicy")
    if policy is not None and policy not in _PREEMPTION:
        yield from one_of_required(policy, _PREEMPTION, path / "preemptionPolicy")
    if overhead := spec.get("overhead"):
        yield from overhead_errors(overhead, path / "overhead")
    if spec.get("os") is not None:
        yield from os_errors(spec, path)
    yield from file_volume_errors(spec, path)


def _gate_errors(gates: list[Obj], path: Path) -> FieldErrors:
    seen: set[str] = set()
    for at, gate in enumerate(gates):
        name = gate.get("name") or ""
        yield from obey(is_qualified_name, name, path[at])
        if name in seen:
            yield duplicate(path[at], name)
        seen.add(name)


def _claim_errors(claims: list[Obj], path: Path) -> FieldErrors:
    seen: set[str] = set()
    for at, claim in enumerate(claims):
        name, where = claim.get("name") or "", path[at]
        if name and name in seen:
            yield duplicate(where / "name", name)
        else:
            yield from name_or_required(is_dns1123_label, name, where / "name")
        seen.add(name)
        own, template = claim.get("resourceClaimName"), claim.get("resourceClaimTemplateName")
        shown = {
            "Name": name,
            "ResourceClaimName": own,
            "ResourceClaimTemplateName": template,
        }
        if own is not None and template is not None:
            yield invalid(
                where,
                shown,
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` "
                "may be specified",
            )
        if own is None and template is None:
            yield invalid(
                where,
                shown,
                "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`",
            )
        for key, value in (("resourceClaimName", own), ("resourceClaimTemplateName", template)):
            if value is not None:
                yield from obey(is_dns1123_subdomain, value, where / key)
