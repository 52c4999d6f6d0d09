"""Facts read off pod specs that several plugins need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Spec = dict[str, Any]

CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
MIRROR = "kubernetes.io/config.mirror"
# Where a pod's template is, by resource; pods themselves are not here.
TEMPLATES: dict[str, tuple[str, ...]] = {
    "replicationcontrollers": ("spec", "template"),
    "podtemplates": ("template",),
    "replicasets.apps": ("spec", "template"),
    "deployments.apps": ("spec", "template"),
    "statefulsets.apps": ("spec", "template"),
    "daemonsets.apps": ("spec", "template"),
    "jobs.batch": ("spec", "template"),
    "cronjobs.batch": ("spec", "jobTemplate", "spec", "template"),
}
_SECRET_REFERENCES = ("secretRef", "nodePublishSecretRef")


def containers(spec: Spec, kinds: tuple[str, ...] = CONTAINERS) -> Iterator[Spec]:
    """Yield a pod's containers: those for initialization first."""
    for kind in kinds:
        yield from spec.get(kind) or ()


def pod_template(resource: str, obj: Spec) -> Spec | None:
    """Return the pod template of a workload, None if it has none."""
    found: Any = obj
    for step in TEMPLATES[resource]:
        found = (found or {}).get(step)
    return found or None


def secret_names(spec: Spec) -> Iterator[str]:
    """Yield the name of each secret that a pod's spec refers to."""
    for reference in spec.get("imagePullSecrets") or ():
        yield reference.get("name") or ""
    for container in containers(spec):
        for variable in container.get("env") or ():
            if reference := (variable.get("valueFrom") or {}).get("secretKeyRef"):
                yield reference.get("name") or ""
        for source in container.get("envFrom") or ():
            if reference := source.get("secretRef"):
                yield reference.get("name") or ""
    for volume in spec.get("volumes") or ():
        yield from _volume_secrets(volume)


def _volume_secrets(volume: Spec) -> Iterator[str]:
    if secret := volume.get("secret"):
        yield secret.get("secretName") or ""
    if share := volume.get("azureFile"):
        yield share.get("secretName") or ""
    for source in (volume.get("projected") or {}).get("sources") or ():
        if secret := source.get("secret"):
            yield secret.get("name") or ""
    for source in volume.values():
        if isinstance(source, dict):
            for field in _SECRET_REFERENCES:
                if reference := source.get(field):
                    yield reference.get("name") or ""


def config_map_names(spec: Spec) -> Iterator[str]:
    """Yield the name of each configmap that a pod's spec refers to."""
    for container in containers(spec):
        for variable in container.get("env") or ():
            if reference := (variable.get("valueFrom") or {}).get("configMapKeyRef"):
                yield reference.get("name") or ""
        for source in container.get("envFrom") or ():
            if reference := source.get("configMapRef"):
                yield reference.get("name") or ""
    for volume in spec.get("volumes") or ():
        projected = (volume.get("projected") or {}).get("sources") or ()
        for source in (volume, *projected):
            if reference := source.get("configMap"):
                yield reference.get("name") or ""
