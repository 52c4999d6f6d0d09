"""What a PodTemplateSpec may say, alone or under a controller that keeps replicas of it."""

from __future__ import annotations

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, forbidden, not_supported
from apimachinery.validation.names import is_dns1123_label
from apiserver.registry.podspec.annotations import annotation_errors, pod_annotation_errors
from apiserver.registry.podspec.profiles import profile_errors
from apiserver.registry.podspec.selectors import label_errors
from apiserver.registry.podspec.spec import spec_errors
from apiserver.registry.podspec.warnings import spec_warnings

_NAMES = (
    "metadata.name: this is used in Pod names and hostnames, which can result in surprising "
    "behavior; a DNS label is recommended"
)


def template_errors(
    template: Obj, path: Path, *, more_volumes: list[Obj] | None = None
) -> FieldErrors:
    """Yield what is wrong with a template; `more_volumes` are those that its pods will have."""
    metadata = template.get("metadata") or {}
    spec = template.get("spec") or {}
    if labels := metadata.get("labels"):
        yield from label_errors(labels, path / "labels")
    if annotations := metadata.get("annotations"):
        yield from annotation_errors(annotations, path / "annotations")
        yield from pod_annotation_errors(annotations, spec, path / "annotations")
    if more_volumes:
        spec = spec | {"volumes": [*(spec.get("volumes") or ()), *more_volumes]}
    yield from spec_errors(spec, path / "spec")
    if annotations:
        yield from profile_errors(spec, annotations, path / "spec")
    if spec.get("ephemeralContainers"):
        yield forbidden(
            path / "spec" / "ephemeralContainers",
            "ephemeral containers not allowed in pod template",
        )


def replicated_template_errors(
    template: Obj, kind: str, path: Path, *, more_volumes: list[Obj] | None = None
) -> FieldErrors:
    """Yield what is wrong with a template whose pods are kept running."""
    yield from template_errors(template, path, more_volumes=more_volumes)
    spec = template.get("spec") or {}
    yield from always_restarts(spec, path / "spec")
    if spec.get("activeDeadlineSeconds") is not None:
        yield forbidden(
            path / "spec" / "activeDeadlineSeconds",
            f"activeDeadlineSeconds in {kind} is not Supported",
        )


def always_restarts(spec: Obj, path: Path) -> FieldErrors:
    """Yield that pods which are replaced anyway have to restart in place."""
    if spec.get("restartPolicy") != "Always":
        yield not_supported(path / "restartPolicy", spec.get("restartPolicy"), ("Always",))


def name_warnings(obj: Obj) -> list[str]:
    """Return what people should know about the name of an object that names pods after itself."""
    wrong = is_dns1123_label(obj["metadata"].get("name") or "")
    return [f"{_NAMES}: [{' '.join(wrong)}]"] if wrong else []


def template_warnings(template: Obj, path: Path) -> list[str]:
    """Return what people should know about a template that is not wrong."""
    return spec_warnings(template.get("spec") or {}, template.get("metadata") or {}, path / "spec")
