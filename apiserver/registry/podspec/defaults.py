"""What is filled into a PodSpec that leaves something out; doing it twice changes nothing.

Two sets of defaults exist: those of every pod spec, and those of a Pod alone, which would
otherwise show up in templates and change their hashes.
"""

from __future__ import annotations

from typing import Any

from apimachinery.meta import Obj
from apimachinery.quantity import canonical_resources
from apiserver.registry.podspec import podresources
from apiserver.registry.podspec.volumedefaults import default_volume

_HANDLERS = ("postStart", "preStop")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def default_pod(pod: Obj) -> None:
    """Default a Pod: its spec, and what a template is not given."""
    spec = pod.setdefault("spec", {})
    default_spec(spec)
    for container in spec.get("containers") or ():
        _default_requests(container)
    for container in spec.get("initContainers") or ():
        _default_requests(container)
    if spec.get("resources"):
        podresources.default_pod_level(spec)
    if spec.get("enableServiceLinks") is None:
        spec["enableServiceLinks"] = True
    if spec.get("hostNetwork"):
        _default_host_ports(spec)


def default_template(template: Obj) -> None:
    """Default a PodTemplateSpec."""
    default_spec(template.setdefault("spec", {}))


def default_spec(spec: Obj) -> None:
    """Default a PodSpec, wherever it stands."""
    for key, value in _SPEC:
        if not spec.get(key):
            spec[key] = value
    if spec.get("securityContext") is None:
        spec["securityContext"] = {}
    if spec.get("terminationGracePeriodSeconds") is None:
        spec["terminationGracePeriodSeconds"] = 30
    _mirror_service_account(spec)
    for container in spec.get("containers") or ():
        _default_container(container)
    for container in spec.get("initContainers") or ():
        _default_container(container)
    for container in spec.get("ephemeralContainers") or ():
        _default_container(container)
    for volume in spec.get("volumes") or ():
        default_volume(volume)


_SPEC = (
    ("dnsPolicy", "ClusterFirst"),
    ("restartPolicy", "Always"),
    ("schedulerName", "default-scheduler"),
)


def _mirror_service_account(spec: Obj) -> None:
    """Keep the deprecated serviceAccount equal to serviceAccountName, which wins."""
    name = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if name:
        spec["serviceAccountName"] = spec["serviceAccount"] = name
    elif "serviceAccount" in spec:
        del spec["serviceAccount"]


def _default_container(container: Obj) -> None:
    if not container.get("imagePullPolicy"):
        container["imagePullPolicy"] = pull_policy(container.get("image") or "")
    if not container.get("terminationMessagePath"):
        container["terminationMessagePath"] = "/dev/termination-log"
    if not container.get("terminationMessagePolicy"):
        container["terminationMessagePolicy"] = "File"
    if container.get("resources") is None:
        container["resources"] = {}
    for part in ("limits", "requests"):
        if amounts := container["resources"].get(part):
            container["resources"][part] = canonical_resources(amounts)
    for port in container.get("ports") or ():
        if not port.get("protocol"):
            port["protocol"] = "TCP"
    for variable in container.get("env") or ():
        _default_field_ref(variable.get("valueFrom"))
    _default_actions(container)


def _default_actions(container: Obj) -> None:
    for name in _PROBES:
        if (probe := container.get(name)) is not None:
            _default_probe(probe)
    if lifecycle := container.get("lifecycle"):
        for name in _HANDLERS:
            default_http_get((lifecycle.get(name) or {}).get("httpGet"))


def pull_policy(image: str) -> str:
    """Return Always for an image that names no version or `latest`, IfNotPresent else."""
    if "@" in image:
        return "IfNotPresent"
    tag = image.rpartition("/")[2].partition(":")[2]
    return "Always" if tag in ("", "latest") else "IfNotPresent"


def _default_field_ref(source: Obj | None) -> None:
    reference = source.get("fieldRef") if source else None
    if reference is not None and not reference.get("apiVersion"):
        reference["apiVersion"] = "v1"
    if source and (key := source.get("fileKeyRef")) is not None and key.get("optional") is None:
        key["optional"] = False


def _default_probe(probe: Obj) -> None:
    for key, value in _PROBE:
        if not probe.get(key):
            probe[key] = value
    default_http_get(probe.get("httpGet"))
    grpc = probe.get("grpc")
    if grpc is not None and grpc.get("service") is None:
        grpc["service"] = ""


_PROBE = (
    ("timeoutSeconds", 1),
    ("periodSeconds", 10),
    ("successThreshold", 1),
    ("failureThreshold", 3),
)


def default_http_get(action: Obj | None) -> None:
    """Default an HTTP request of a probe or a hook."""
    if action is None:
        return
    if not action.get("path"):
        action["path"] = "/"
    if not action.get("scheme"):
        action["scheme"] = "HTTP"


def _default_requests(container: Obj) -> None:
    """A limit without a request is the request too."""
    resources: dict[str, Any] = container["resources"]
    limits = resources.get("limits")
    if not limits:
        return
    requests = resources.get("requests") or {}
    resources["requests"] = requests | {k: v for k, v in limits.items() if k not in requests}


def _default_host_ports(spec: Obj) -> None:
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        for port in container.get("ports") or ():
            if not port.get("hostPort"):
                port["hostPort"] = port.get("containerPort")
