"""The scale subresource: autoscaling/v1 Scale as a view of objects that have replicas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apimachinery.errors import BadRequest, InternalError, Invalid
from apimachinery.gvk import GroupVersionKind
from apimachinery.labels import Selector, from_label_selector, from_set
from apimachinery.meta import Obj, replace_in
from apimachinery.validation.field import Path, invalid
from apiserver.registry.table import dig

SCALE = GroupVersionKind("autoscaling", "v1", "Scale")
# Stands for replicas that nobody has set: a Scale that still has them does not tell any.
UNSET = -(2**31)
_METADATA = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where an object keeps what a Scale shows; `selector` is a text for custom resources."""

    spec: str = "spec.replicas"
    status: str = "status.replicas"
    selector: str = ""
    # Of a custom resource: what no path names is not looked for.
    custom: bool = False


def scale_of(obj: Obj, paths: ScalePaths | None = None, *, changing: bool = False) -> Obj:
    """Return the Scale of an object. Raises InternalError where its author left replicas out.

    changing: they may be missing, and are `UNSET`.
    """
    where = paths or ScalePaths()
    meta = obj["metadata"]
    replicas = _at(obj, where.spec)
    if where.custom and dig(obj, tuple(where.spec.split("."))) is None:
        if not changing:
            raise InternalError(f'the spec replicas field ".{where.spec}" does not exist')
        replicas = UNSET
    status: Obj = {"replicas": _at(obj, where.status)}
    selector = _selector(obj, where)
    if selector:
        status["selector"] = selector
    spec: Obj = {"replicas": replicas} if replicas else {}
    return {
        "kind": SCALE.kind,
        "apiVersion": SCALE.api_version,
        "metadata": {key: meta[key] for key in _METADATA if key in meta},
        "spec": spec,
        "status": status,
    }


def scaled(obj: Obj, scale: Obj, paths: ScalePaths | None = None) -> Obj:
    """Return an object with the replicas that a Scale asks for. Raises Invalid, BadRequest."""
    replicas = (scale.get("spec") or {}).get("replicas") or 0
    where = paths or ScalePaths()
    if where.custom and replicas == UNSET:
        raise BadRequest(f'the spec replicas field ".{where.spec}" cannot be empty')
    # Custom resources are validated by what defines them.
    if replicas < 0 and not where.custom:
        why = "must be greater than or equal to 0"
        error = invalid(Path("spec") / "replicas", replicas, why)
        raise Invalid(SCALE.group_kind, obj["metadata"]["name"], [error])
    parts = tuple(where.spec.split("."))
    changed = replace_in(obj, parts, replicas)
    sent = scale.get("metadata") or {}
    version = sent.get("resourceVersion")
    meta: dict[str, Any] = dict(changed["metadata"])
    if sent.get("uid"):
        meta["uid"] = sent["uid"]
    if version:
        meta["resourceVersion"] = version
    else:
        meta.pop("resourceVersion", None)
    return changed | {"metadata": meta}


def _at(obj: Obj, path: str) -> int:
    value = dig(obj, tuple(path.split(".")))
    return value if isinstance(value, int) else 0


def _selector(obj: Obj, where: ScalePaths) -> str:
    if where.custom and not where.selector:
        return ""
    if where.selector:
        return str(dig(obj, tuple(where.selector.split("."))) or "")
    found = dig(obj, ("spec", "selector"))
    if not isinstance(found, dict):
        return ""
    if "matchLabels" in found or "matchExpressions" in found:
        # Labels are printed as equalities, and expressions as what they are.
        labels = from_set(found.get("matchLabels")).requirements
        others = from_label_selector({"matchExpressions": found.get("matchExpressions")})
        return str(Selector((*labels, *others.requirements)))
    # ReplicationControllers select by plain labels.
    return ",".join(f"{key}={value}" for key, value in sorted(found.items()))
