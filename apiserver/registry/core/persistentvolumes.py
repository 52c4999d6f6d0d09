"""PersistentVolumes: pieces of storage, and the claims that hold them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from apimachinery.gvk import CORE_V1
from apimachinery.meta import Obj, annotations_of, is_deleting
from apimachinery.quantity import parse
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    forbidden,
    invalid,
    not_supported,
    required,
)
from apimachinery.validation.names import is_dns1123_label, is_dns1123_subdomain
from apiserver.registry.podspec.checks import (
    IMMUTABLE,
    NOT_POSITIVE,
    immutable,
    name_or_required,
    obey,
    one_of,
)
from apiserver.registry.podspec.claims import VOLUME_MODES, access_mode_errors
from apiserver.registry.podspec.godiff import diff
from apiserver.registry.podspec.paths import no_backsteps
from apiserver.registry.podspec.scheduling import node_selector_errors
from apiserver.registry.podspec.volumedefaults import SHARED_DEFAULTS
from apiserver.registry.podspec.volumes import MORE_THAN_ONE
from apiserver.registry.podspec.volumesources import (
    SHARED_SOURCES,
    Rule,
    csi_driver_name_errors,
    needed,
)
from apiserver.registry.podspec.warnings import VOLUME_SOURCES, term_warnings
from apiserver.registry.podspec.workload import keep_status
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import StatusStrategy, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, dig, field

_SPEC = Path("spec")
_POLICIES = ("Delete", "Recycle", "Retain")
_SECRETS = (
    "controllerPublishSecretRef",
    "controllerExpandSecretRef",
    "nodePublishSecretRef",
    "nodeExpandSecretRef",
)
BETA_CLASS = "volume.beta.kubernetes.io/storage-class"
_OLD_ANNOTATIONS = {
    BETA_CLASS: 'deprecated since v1.8; use "storageClassName" attribute instead',
    "volume.beta.kubernetes.io/mount-options": (
        'deprecated since v1.31; use "mountOptions" attribute instead'
    ),
}
_SHORT_MODES = (
    ("ReadWriteOnce", "RWO"),
    ("ReadOnlyMany", "ROX"),
    ("ReadWriteMany", "RWX"),
    ("ReadWriteOncePod", "RWOP"),
)


class PersistentVolumeStrategy(Strategy):
    """What a volume is made of never changes."""

    returns_deleted = True

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        if not spec.get("persistentVolumeReclaimPolicy"):
            spec["persistentVolumeReclaimPolicy"] = "Retain"
        if spec.get("volumeMode") is None:
            spec["volumeMode"] = "Filesystem"
        for key, default in SHARED_DEFAULTS.items():
            if (source := spec.get(key)) is not None:
                default(source)
        status = obj.setdefault("status", {})
        if not status.get("phase"):
            status["phase"] = "Pending"

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {"phase": "Pending", "lastPhaseTransitionTime": ctx.clock.timestamp()}

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from volume_spec_errors(obj["spec"], _SPEC)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from self.validate(new, ctx)
        after, before = _source(new["spec"]), _source(old["spec"])
        _allow_expand_secret(after, before)
        if after != before:
            yield forbidden(
                _SPEC / "persistentvolumesource",
                "spec.persistentvolumesource is immutable after creation\n"
                + diff("PersistentVolumeSource", before, after),
            )
        yield from immutable(
            new["spec"].get("volumeMode"), old["spec"].get("volumeMode"), Path("volumeMode")
        )
        affinity = old["spec"].get("nodeAffinity")
        if affinity is not None and affinity != new["spec"].get("nodeAffinity"):
            yield invalid(
                Path("nodeAffinity"),
                new["spec"].get("nodeAffinity"),
                f"{IMMUTABLE}, except for updating from beta label to GA",
            )
        yield from _class_update_errors(new["spec"], old["spec"])

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        return list(_warnings(obj["spec"], annotations_of(obj)))

    def warnings_on_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> list[str]:
        return self.warnings_on_create(new, ctx)


def _warnings(spec: Obj, annotations: Obj) -> Iterator[str]:
    for key, text in _OLD_ANNOTATIONS.items():
        if key in annotations:
            yield f"{(Path('metadata') / 'annotations').key(key)}: {text}"
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        yield (
            f"{_SPEC / 'persistentVolumeReclaimPolicy'}: The Recycle reclaim policy is "
            "deprecated. Instead, the recommended approach is to use dynamic provisioning."
        )
    terms = dig(spec, ("nodeAffinity", "required", "nodeSelectorTerms")) or ()
    for at, term in enumerate(terms):
        path = (_SPEC / "nodeAffinity" / "required" / "nodeSelectorTerms")[at]
        yield from term_warnings(term, path)
    for key, (shown, text) in VOLUME_SOURCES.items():
        if spec.get(key) is not None:
            yield f"{_SPEC / shown}: {text}"


def _class_update_errors(new: Obj, old: Obj) -> FieldErrors:
    name = "volumeAttributesClassName"
    if old.get(name) is not None and new.get(name) is None:
        yield forbidden(_SPEC / name, "update from non-nil value to nil is forbidden")


def _source(spec: Obj) -> Obj:
    return {key: value for key, value in spec.items() if key in _SOURCES}


def _allow_expand_secret(after: Obj, before: Obj) -> None:
    """Let a secret for growing be added where there was none: compare without it."""
    was, now = before.get("csi"), after.get("csi")
    if was and now and was.get("controllerExpandSecretRef") is None:
        after["csi"] = {k: v for k, v in now.items() if k != "controllerExpandSecretRef"}


def volume_spec_errors(spec: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with a PersistentVolumeSpec."""
    modes = spec.get("accessModes") or []
    if not modes:
        yield required(path / "accessModes")
    yield from access_mode_errors(modes, path / "accessModes")
    yield from _capacity_errors(spec.get("capacity") or {}, path / "capacity")
    policy, where = (
        spec.get("persistentVolumeReclaimPolicy"),
        path / "persistentVolumeReclaimPolicy",
    )
    if policy:
        yield from one_of(policy, _POLICIES, where)
    if (affinity := spec.get("nodeAffinity")) is not None:
        yield from _affinity_errors(affinity, path / "nodeAffinity")
    yield from _source_errors(spec, path)
    root = posixpath.normpath((spec.get("hostPath") or {}).get("path") or ".") == "/"
    if root and policy == "Recycle":
        yield forbidden(where, "may not be 'recycle' for a hostPath mount of '/'")
    if name := spec.get("storageClassName"):
        yield from obey(is_dns1123_subdomain, name, path / "storageClassName")
    if spec.get("volumeMode") is not None:
        yield from one_of(spec["volumeMode"], VOLUME_MODES, path / "volumeMode")
    yield from _attributes_errors(spec, path)


def _attributes_errors(spec: Obj, path: Path) -> FieldErrors:
    name = spec.get("volumeAttributesClassName")
    if name is None:
        return
    where = path / "volumeAttributesClassName"
    if not name:
        yield required(where, "an empty string is disallowed")
    else:
        yield from obey(is_dns1123_subdomain, name, where)
    if spec.get("csi") is None:
        yield required(path / "csi", "has to be specified when using volumeAttributesClassName")


def _capacity_errors(capacity: dict[str, str], path: Path) -> FieldErrors:
    if not capacity:
        yield required(path)
    if "storage" not in capacity or len(capacity) > 1:
        yield not_supported(path, capacity, ("storage",))
    for name, amount in capacity.items():
        value = parse(amount)
        if value.value() < 0:
            yield invalid(path.key(name), value.value(), "must be a valid resource quantity")
        if value <= parse("0"):
            yield invalid(path.key(name), str(amount), NOT_POSITIVE)


def _affinity_errors(affinity: Obj, path: Path) -> FieldErrors:
    if affinity.get("required") is None:
        yield required(path / "required", "must specify required node constraints")
    else:
        yield from node_selector_errors(affinity["required"], path / "required")


def _source_errors(spec: Obj, path: Path) -> FieldErrors:
    found = ""
    for key, (shown, rule) in _SOURCES.items():
        source = spec.get(key)
        if source is None:
            continue
        if found:
            yield forbidden(path / ("cephFS" if key == "cephfs" else key), MORE_THAN_ONE)
            continue
        found = key
        yield from rule(source, path / shown)
        if key == "local" and spec.get("nodeAffinity") is None:
            yield required(path / "nodeAffinity", "Local volume requires node affinity")
    if not found:
        yield required(path, "must specify a volume type")


def _local(source: Obj, path: Path) -> FieldErrors:
    if not source.get("path"):
        yield required(path / "path")
    else:
        yield from no_backsteps(source["path"], path / "path")


def _csi(source: Obj, path: Path) -> FieldErrors:
    yield from csi_driver_name_errors(source.get("driver") or "", path / "driver")
    yield from needed(source, ("volumeHandle",), path)
    for name in _SECRETS:
        secret = source.get(name)
        if secret is not None:
            where = path / name
            yield from name_or_required(
                is_dns1123_subdomain, secret.get("name") or "", where / "name"
            )
            yield from name_or_required(
                is_dns1123_label, secret.get("namespace") or "", where / "namespace"
            )


# In the order in which Kubernetes looks.
_SOURCES: dict[str, tuple[str, Rule]] = {
    **{
        key: SHARED_SOURCES[key]
        for key in (
            "hostPath",
            "gcePersistentDisk",
            "awsElasticBlockStore",
            "glusterfs",
            "flocker",
            "nfs",
            "rbd",
            "quobyte",
            "cephfs",
            "iscsi",
            "cinder",
            "fc",
            "flexVolume",
            "azureFile",
            "vsphereVolume",
            "photonPersistentDisk",
            "portworxVolume",
            "azureDisk",
            "scaleIO",
        )
    },
    "local": ("local", _local),
    "storageos": SHARED_SOURCES["storageos"],
    "csi": ("csi", _csi),
}


class PersistentVolumeStatusStrategy(StatusStrategy):
    """A change of the phase leaves its time behind."""

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        super().prepare_for_update(new, old, ctx)
        status, before = new.get("status") or {}, old.get("status") or {}
        given, was = (one.get("lastPhaseTransitionTime") for one in (status, before))
        if status.get("phase") != before.get("phase"):
            if not given or given == was:
                new["status"] = status | {"lastPhaseTransitionTime": ctx.clock.timestamp()}
        elif not given and was:
            new["status"] = status | {"lastPhaseTransitionTime": was}


def short_modes(modes: list[str] | None) -> str:
    """Print access modes as kubectl does: RWO,ROX."""
    found = modes or ()
    return ",".join(short for mode, short in _SHORT_MODES if mode in found)


def storage_class(obj: Obj) -> str:
    """Return the storage class of a volume or a claim; an old annotation wins."""
    beta = annotations_of(obj).get(BETA_CLASS)
    return beta if beta is not None else obj["spec"].get("storageClassName") or ""


def phase(obj: Obj, now: float) -> str:
    return "Terminating" if is_deleting(obj) else dig(obj, ("status", "phase")) or ""


def attributes_class(obj: Obj, now: float) -> str:
    name = obj["spec"].get("volumeAttributesClassName")
    return "<unset>" if name is None else name


def _claim(obj: Obj, now: float) -> str:
    claim = obj["spec"].get("claimRef")
    return f"{claim.get('namespace') or ''}/{claim.get('name') or ''}" if claim else ""


def _capacity(obj: Obj, now: float) -> str:
    return dig(obj, ("spec", "capacity", "storage")) or "0"


def volume_mode(obj: Obj, now: float) -> str:
    return obj["spec"].get("volumeMode") or "<unset>"


_STRATEGY = PersistentVolumeStrategy()
PERSISTENTVOLUMES = Resource(
    kind=CORE_V1.kind("PersistentVolume"),
    plural="persistentvolumes",
    namespaced=False,
    short=("pv",),
    strategy=_STRATEGY,
    subresources={"status": Subresource(strategy=PersistentVolumeStatusStrategy(_STRATEGY))},
    columns=(
        NAME,
        Column("Capacity", _capacity),
        Column("Access Modes", lambda obj, now: short_modes(obj["spec"].get("accessModes"))),
        Column("Reclaim Policy", field("spec.persistentVolumeReclaimPolicy")),
        Column("Status", phase),
        Column("Claim", _claim),
        Column("StorageClass", lambda obj, now: storage_class(obj)),
        Column("VolumeAttributesClass", attributes_class),
        Column("Reason", field("status.reason")),
        AGE,
        Column("VolumeMode", volume_mode, priority=1),
    ),
)
