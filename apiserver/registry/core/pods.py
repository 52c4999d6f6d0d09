"""Pods: users write the spec, the scheduler binds it once, the kubelet owns the status."""

from __future__ import annotations

from collections.abc import Callable

from apimachinery import pods
from apimachinery.gvk import CORE_V1, GroupVersionKind
from apimachinery.meta import Obj, annotations_of
from apimachinery.validation.field import FieldErrors, Path, forbidden
from apimachinery.validation.names import is_dns1123_label
from apiserver.registry.core import podstatus, podsubresources, podupdate
from apiserver.registry.podspec.annotations import pod_annotation_errors
from apiserver.registry.podspec.containers import image_whitespace
from apiserver.registry.podspec.defaults import default_pod
from apiserver.registry.podspec.features import drop_disabled
from apiserver.registry.podspec.matchlabels import merge_match_label_keys
from apiserver.registry.podspec.profiles import adopt_apparmor, profile_errors
from apiserver.registry.podspec.spec import spec_errors
from apiserver.registry.podspec.warnings import spec_warnings
from apiserver.registry.podspec.workload import keep_status
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import MetadataCheck, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, dig, field

_SPEC = Path("spec")
_ANNOTATIONS = Path("metadata") / "annotations"
_HOST_NAME = (
    "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; "
    "a DNS label is recommended"
)
_STREAMS = ("create", "get")
_PROXY = ("create", "delete", "get", "patch", "update")


def pod_errors(pod: Obj) -> FieldErrors:
    """Yield what is wrong with a pod, new or changed."""
    spec = pod["spec"]
    if annotations := annotations_of(pod):
        yield from pod_annotation_errors(annotations, spec, _ANNOTATIONS)
    yield from spec_errors(spec, _SPEC, pod_name=pod["metadata"].get("name") or "")
    if not spec.get("serviceAccountName"):
        yield from _token_errors(spec)
    for name in ("containers", "initContainers"):
        for at, container in enumerate(spec.get(name) or ()):
            image = container.get("image") or ""
            if image.strip() != image:
                yield from image_whitespace(container, (_SPEC / name)[at])


def _first_ip(obj: Obj) -> str:
    addresses = dig(obj, ("status", "podIPs"))
    return addresses[0].get("ip") or "" if addresses else dig(obj, ("status", "podIP")) or ""


def _token_errors(spec: Obj) -> FieldErrors:
    for at, volume in enumerate(spec.get("volumes") or ()):
        for index, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
            if source.get("serviceAccountToken") is not None:
                yield forbidden(
                    ((_SPEC / "volumes")[at] / "projected" / "sources")[index]
                    / "serviceAccountToken",
                    "must not be specified when serviceAccountName is not set",
                )


class PodStrategy(Strategy):
    """A pod is made once: after that little more than its images may change."""

    metadata_checks = (MetadataCheck.CHANGES, MetadataCheck.WHOLE)
    has_generation = True
    returns_deleted = True

    def default(self, obj: Obj) -> None:
        default_pod(obj)

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        spec = obj["spec"]
        obj["status"] = {"phase": "Pending", "qosClass": pods.qos_class(obj)}
        if spec.get("schedulingGates"):
            obj["status"]["conditions"] = [podstatus.gated(ctx.clock)]
        if spec.get("affinity") or spec.get("topologySpreadConstraints"):
            merge_match_label_keys(obj)
        if annotations := annotations_of(obj):
            ctx.warnings += adopt_apparmor(spec, annotations)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from pod_errors(obj)
        spec = obj["spec"]
        if spec.get("ephemeralContainers"):
            yield forbidden(_SPEC / "ephemeralContainers", "cannot be set on create")
        if spec.get("nodeName") and spec.get("schedulingGates"):
            yield forbidden(
                _SPEC / "nodeName", "cannot be set until all schedulingGates have been cleared"
            )
        if annotations := annotations_of(obj):
            yield from profile_errors(spec, annotations, _SPEC)

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        found = ctx.warnings
        if wrong := is_dns1123_label(obj["metadata"].get("name") or ""):
            found.append(f"{_HOST_NAME}: [{' '.join(wrong)}]")
        return found + spec_warnings(obj["spec"], obj["metadata"], _SPEC)

    def drop_disabled(self, obj: Obj, old: Obj | None) -> None:
        drop_disabled(obj["spec"])

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from pod_errors(new)
        yield from podupdate.update_errors(new, old)

    def grace_period(self, obj: Obj, requested: int | None, ctx: StrategyContext) -> int:
        """Nobody has to wait for a pod that never ran, or that has ended."""
        spec = obj["spec"]
        period = requested
        if period is None:
            period = spec.get("terminationGracePeriodSeconds")
        if not spec.get("nodeName"):
            return 0
        if dig(obj, ("status", "phase")) in ("Failed", "Succeeded"):
            return 0
        if period is None:
            return 0
        # Negative periods were once allowed; they stand for the shortest one.
        return 1 if period < 0 else period


def _ip(obj: Obj, now: float) -> str:
    return _first_ip(obj) or "<none>"


def _options(name: str) -> GroupVersionKind:
    return GroupVersionKind("", "v1", name)


_STRATEGY = PodStrategy()
_SELECTABLE: dict[str, Callable[[Obj], str]] = {
    "spec.nodeName": lambda obj: obj["spec"].get("nodeName") or "",
    "spec.restartPolicy": lambda obj: obj["spec"].get("restartPolicy") or "",
    "spec.schedulerName": lambda obj: obj["spec"].get("schedulerName") or "",
    "spec.serviceAccountName": lambda obj: obj["spec"].get("serviceAccountName") or "",
    "spec.hostNetwork": lambda obj: "true" if obj["spec"].get("hostNetwork") else "false",
    "status.phase": lambda obj: dig(obj, ("status", "phase")) or "",
    "status.podIP": _first_ip,
    "status.nominatedNodeName": lambda obj: dig(obj, ("status", "nominatedNodeName")) or "",
}
PODS = Resource(
    kind=CORE_V1.kind("Pod"),
    plural="pods",
    short=("po",),
    categories=("all",),
    strategy=_STRATEGY,
    subresources={
        "attach": Subresource(verbs=_STREAMS, kind=_options("PodAttachOptions")),
        "binding": Subresource(verbs=("create",), kind=_options("Binding")),
        "ephemeralcontainers": Subresource(
            strategy=podsubresources.EphemeralContainersStrategy(_STRATEGY, pod_errors)
        ),
        "eviction": Subresource(
            verbs=("create",), kind=GroupVersionKind("policy", "v1", "Eviction")
        ),
        "exec": Subresource(verbs=_STREAMS, kind=_options("PodExecOptions")),
        "log": Subresource(verbs=("get",)),
        "portforward": Subresource(verbs=_STREAMS, kind=_options("PodPortForwardOptions")),
        "proxy": Subresource(verbs=_PROXY, kind=_options("PodProxyOptions")),
        "resize": Subresource(strategy=podsubresources.ResizeStrategy(_STRATEGY, pod_errors)),
        "status": Subresource(strategy=podstatus.PodStatusStrategy(_STRATEGY)),
    },
    selectable=_SELECTABLE,
    # An old name, and one that is accepted and selects nothing.
    field_labels={
        **{path: path for path in _SELECTABLE},
        "spec.host": "spec.nodeName",
        "status.podIPs": "status.podIPs",
    },
    columns=(
        NAME,
        Column("Ready", lambda obj, now: pods.ready_ratio(obj)),
        Column("Status", lambda obj, now: pods.display_status(obj)),
        Column("Restarts", pods.restart_count),
        AGE,
        Column("IP", _ip, priority=1),
        Column("Node", field("spec.nodeName", "<none>"), priority=1),
        Column("Nominated Node", field("status.nominatedNodeName", "<none>"), priority=1),
        Column("Readiness Gates", lambda obj, now: pods.readiness_gates(obj), priority=1),
    ),
)
