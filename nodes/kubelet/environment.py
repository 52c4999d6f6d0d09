"""The environment of a container: Services, envFrom, env, in that order, with $(NAME) expanded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from apimachinery import quantity
from apimachinery.meta import Obj, annotations_of, labels_of, name_of, namespace_of, uid_of
from nodes.kubelet.sources import Missing, Sources, text_of


class BadEnvironment(Exception):
    """What needs the environment cannot be made: CreateContainerConfigError with this message."""


_REFERENCE = re.compile(r"\$(\$|\([^()]*\))")


def expand(text: str, values: Mapping[str, str]) -> str:
    """Replace $(NAME) by its value; $$ is a dollar; an unknown name stays as it stands."""
    if "$" not in text:
        return text

    def replaced(match: re.Match[str]) -> str:
        inner = match.group(1)
        if inner == "$":
            return "$"
        return values.get(inner[1:-1], match.group(0))

    return _REFERENCE.sub(replaced, text)


async def environment(
    pod: Obj,
    container: Obj,
    sources: Sources,
    services: Iterable[Obj],
    pod_ips: tuple[str, ...],
    host_ip: str,
) -> dict[str, str]:
    """Return a container's environment. Raises BadEnvironment where a source is missing."""
    spec = pod["spec"]
    links = spec.get("enableServiceLinks", True)
    result = service_environment(services, namespace_of(pod), links=links)
    for source in container.get("envFrom") or ():
        result |= await _all_of(source, namespace_of(pod), sources)
    for entry in container.get("env") or ():
        name = entry["name"]
        if entry.get("valueFrom"):
            value = await _value_from(entry["valueFrom"], pod, container, sources, pod_ips, host_ip)
            if value is not None:
                result[name] = value
        else:
            result[name] = expand(entry.get("value") or "", result)
    return result


def service_environment(services: Iterable[Obj], namespace: str, *, links: bool) -> dict[str, str]:
    """Return the variables that tell of Services: `kubernetes` always, others with `links`."""
    result: dict[str, str] = {}
    for service in services:
        master = namespace_of(service) == "default" and name_of(service) == "kubernetes"
        if not master and not (links and namespace_of(service) == namespace):
            continue
        spec = service.get("spec") or {}
        address = spec.get("clusterIP") or ""
        ports = spec.get("ports") or []
        if address in ("", "None") or not ports:
            continue
        prefix = name_of(service).upper().replace("-", "_")
        result[f"{prefix}_SERVICE_HOST"] = address
        result[f"{prefix}_SERVICE_PORT"] = str(ports[0]["port"])
        for port in ports:
            if port.get("name"):
                named = port["name"].upper().replace("-", "_")
                result[f"{prefix}_SERVICE_PORT_{named}"] = str(port["port"])
        first = ports[0]
        url = f"{(first.get('protocol') or 'TCP').lower()}://{address}:{first['port']}"
        result[f"{prefix}_PORT"] = url
        for port in ports:
            protocol = port.get("protocol") or "TCP"
            base = f"{prefix}_PORT_{port['port']}_{protocol}"
            result[base] = f"{protocol.lower()}://{address}:{port['port']}"
            result[f"{base}_PROTO"] = protocol.lower()
            result[f"{base}_PORT"] = str(port["port"])
            result[f"{base}_ADDR"] = address
    return result


async def _all_of(source: Obj, namespace: str, sources: Sources) -> dict[str, str]:
    prefix = source.get("prefix") or ""
    for field, kind in (("configMapRef", "configmap"), ("secretRef", "secret")):
        reference = source.get(field)
        if reference is None:
            continue
        try:
            data = await sources.data(kind, namespace, reference.get("name") or "")
        except Missing as error:
            if reference.get("optional") and error.is_sure:
                return {}
            raise BadEnvironment(str(error)) from error
        return {prefix + key: text_of(value) for key, value in sorted(data.items())}
    return {}


async def _value_from(
    source: Obj,
    pod: Obj,
    container: Obj,
    sources: Sources,
    pod_ips: tuple[str, ...],
    host_ip: str,
) -> str | None:
    if "fieldRef" in source:
        return pod_field(pod, source["fieldRef"].get("fieldPath") or "", pod_ips, host_ip)
    if "resourceFieldRef" in source:
        return resource_field(pod, container, source["resourceFieldRef"])
    for field, kind in (("configMapKeyRef", "configmap"), ("secretKeyRef", "secret")):
        reference = source.get(field)
        if reference is None:
            continue
        name, key = reference.get("name") or "", reference["key"]
        try:
            data = await sources.data(kind, namespace_of(pod), name)
        except Missing as error:
            if reference.get("optional") and error.is_sure:
                return None
            raise BadEnvironment(str(error)) from error
        if key in data:
            return text_of(data[key])
        if reference.get("optional"):
            return None
        shown = "ConfigMap" if kind == "configmap" else "Secret"
        raise BadEnvironment(f"couldn't find key {key} in {shown} {namespace_of(pod)}/{name}")
    return None


_KEYED = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


def pod_field(pod: Obj, path: str, pod_ips: tuple[str, ...], host_ip: str) -> str:
    """Return what the downward API gives for a field of the pod, "" for what has no value."""
    if match := _KEYED.fullmatch(path):
        found = labels_of(pod) if match.group(1) == "labels" else annotations_of(pod)
        return found.get(match.group(2), "")
    spec = pod["spec"]
    values = {
        "metadata.name": name_of(pod),
        "metadata.namespace": namespace_of(pod),
        "metadata.uid": uid_of(pod),
        "metadata.labels": _lines(labels_of(pod)),
        "metadata.annotations": _lines(annotations_of(pod)),
        "spec.nodeName": spec.get("nodeName") or "",
        "spec.serviceAccountName": spec.get("serviceAccountName") or "",
        "status.hostIP": host_ip,
        "status.hostIPs": host_ip,
        "status.podIP": pod_ips[0] if pod_ips else "",
        "status.podIPs": ",".join(pod_ips),
    }
    return values.get(path, "")


def resource_field(pod: Obj, container: Obj, reference: Obj) -> str:
    """Return a container's request or limit in units of `divisor`, rounded up.

    A limit that is not set counts as the node's; a request that is not set as its limit, or 0.
    """
    named = reference.get("containerName")
    if named:
        every = (pod["spec"].get("containers") or []) + (pod["spec"].get("initContainers") or [])
        container = next((c for c in every if c["name"] == named), container)
    kind, _, resource = (reference.get("resource") or "").partition(".")
    resources = container.get("resources") or {}
    found = (resources.get(kind) or {}).get(resource)
    if found is None and kind == "requests":
        found = (resources.get("limits") or {}).get(resource, "0")
    if found is None:
        found = {"cpu": "4", "memory": "8Gi"}.get(resource, "0")
    divisor = quantity.parse(reference.get("divisor") or "0")
    amount = quantity.parse(found)
    if not divisor:
        divisor = quantity.parse("1")
    return str(-(-amount.nano // divisor.nano))


def _lines(values: Mapping[str, str]) -> str:
    return "\n".join(f'{key}="{_quoted(value)}"' for key, value in sorted(values.items()))


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
