"""CSIDrivers: what a storage driver needs of the cluster."""

from __future__ import annotations

from collections.abc import Iterable

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, duplicate, invalid, required
from apiserver.registry.podspec.checks import immutable, one_of
from apiserver.registry.resource import Column, Resource
from apiserver.registry.strategy import Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, dig, field, joined

_SPEC = Path("spec")
_GROUP_POLICIES = ("File", "None", "ReadWriteOnceWithFSType")
_MODES = ("Persistent", "Ephemeral")
_LEAST_SECONDS = 600
_MOST_SECONDS = 2**32
_LEAST_PERIOD = 10
_DEFAULTS = (
    ("attachRequired", True),
    ("podInfoOnMount", False),
    ("storageCapacity", False),
    ("fsGroupPolicy", "ReadWriteOnceWithFSType"),
    ("requiresRepublish", False),
    ("seLinuxMount", False),
)
# The path of an error, and the field: Kubernetes calls the first one otherwise than the API.
_NEEDED = (
    ("attachedRequired", "attachRequired"),
    ("podInfoOnMount", "podInfoOnMount"),
    ("storageCapacity", "storageCapacity"),
)


class CSIDriverStrategy(Strategy):
    """How volumes are attached and how long they live is for good."""

    returns_deleted = True
    allow_unconditional_update = False

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        for name, value in _DEFAULTS:
            if spec.get(name) is None:
                spec[name] = value
        if not spec.get("volumeLifecycleModes"):
            spec["volumeLifecycleModes"] = ["Persistent"]

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec = obj.get("spec") or {}
        for shown, name in _NEEDED:
            if spec.get(name) is None:
                yield required(_SPEC / shown)
        if spec.get("fsGroupPolicy") is not None:
            yield from one_of(spec["fsGroupPolicy"], _GROUP_POLICIES, _SPEC / "fsGroupPolicy")
        yield from _token_errors(spec.get("tokenRequests") or (), _SPEC / "tokenRequests")
        for mode in spec.get("volumeLifecycleModes") or ():
            yield from one_of(mode, _MODES, _SPEC / "volumeLifecycleModes")
        period = spec.get("nodeAllocatableUpdatePeriodSeconds")
        if period is not None and period < _LEAST_PERIOD:
            why = f"must be greater than or equal to {_LEAST_PERIOD} seconds"
            yield invalid(_SPEC / "nodeAllocatableUpdatePeriodSeconds", period, why)
        in_secrets = spec.get("serviceAccountTokenInSecrets")
        if in_secrets is not None and not spec.get("tokenRequests"):
            why = "serviceAccountTokenInSecrets is set but no tokenRequests are specified"
            yield invalid(_SPEC / "serviceAccountTokenInSecrets", in_secrets, why)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from self.validate(new, ctx)
        for shown, name in (_NEEDED[0], ("volumeLifecycleModes", "volumeLifecycleModes")):
            yield from immutable(new["spec"].get(name), old["spec"].get(name), _SPEC / shown)


def _token_errors(requests: Iterable[Obj], path: Path) -> FieldErrors:
    seen: set[str] = set()
    for at, request in enumerate(requests):
        audience, seconds = request.get("audience") or "", request.get("expirationSeconds")
        if audience in seen:
            yield duplicate(path[at] / "audience", audience)
            continue
        seen.add(audience)
        where = path[at] / "expirationSeconds"
        if seconds is not None and seconds < _LEAST_SECONDS:
            yield invalid(where, seconds, "may not specify a duration less than 10 minutes")
        if seconds is not None and seconds > _MOST_SECONDS:
            yield invalid(where, seconds, "may not specify a duration larger than 2^32 seconds")


def _tokens(obj: Obj, now: float) -> str:
    requests = dig(obj, ("spec", "tokenRequests"))
    if not requests:
        return "<unset>"
    return ",".join(request.get("audience") or "" for request in requests)


CSIDRIVERS = Resource(
    kind=GroupVersionKind("storage.k8s.io", "v1", "CSIDriver"),
    plural="csidrivers",
    singular="csidriver",
    namespaced=False,
    strategy=CSIDriverStrategy(),
    columns=(
        NAME,
        Column("AttachRequired", field("spec.attachRequired", True), type="boolean"),
        Column("PodInfoOnMount", field("spec.podInfoOnMount", False), type="boolean"),
        Column("StorageCapacity", field("spec.storageCapacity", False), type="boolean"),
        Column("TokenRequests", _tokens),
        Column("RequiresRepublish", field("spec.requiresRepublish", False), type="boolean"),
        Column("Modes", joined("spec.volumeLifecycleModes")),
        AGE,
    ),
)
