"""StorageVersionMigrations: all objects of a kind are to be stored in its present version."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.nodes import condition_status
from apimachinery.validation.field import FieldErrors, Path, invalid, required
from apimachinery.validation.names import is_dns1035_label, is_dns1123_subdomain
from apiserver.registry.podspec.checks import IMMUTABLE, immutable
from apiserver.registry.podspec.workload import keep_status
from apiserver.registry.resource import Resource, Subresource
from apiserver.registry.rules.conditions import condition_errors
from apiserver.registry.strategy import StatusStrategy, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME

_RESOURCE, _STATUS = Path("spec") / "resource", Path("status")
_CONDITIONS, _REVISION = _STATUS / "conditions", _STATUS / "resourceVersion"
_BOTH = "Both success and failed conditions cannot be true at the same time"


class StorageVersionMigrationStrategy(Strategy):
    """What is migrated is said once."""

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {}

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        wanted = (obj.get("spec") or {}).get("resource") or {}
        name, group = wanted.get("resource") or "", wanted.get("group") or ""
        if not name:
            yield required(_RESOURCE / "resource", "resource is required to be set")
        elif wrong := is_dns1035_label(name):
            yield invalid(_RESOURCE / "resource", name, ",".join(wrong))
        if group and (wrong := is_dns1123_subdomain(group)):
            yield invalid(_RESOURCE / "group", group, ",".join(wrong))

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from self.validate(new, ctx)
        yield from immutable(new.get("spec"), old.get("spec"), Path("spec"))


class StorageVersionMigrationStatusStrategy(StatusStrategy):
    """How far it has come, which never goes back."""

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        conditions = _status(new).get("conditions") or []
        revision, before = (_status(one).get("resourceVersion") or "" for one in (new, old))
        if revision and (why := _revision_error(revision)):
            yield invalid(_REVISION, revision, why)
        yield from condition_errors(conditions, _CONDITIONS)
        if before and before != revision:
            yield invalid(_REVISION, revision, IMMUTABLE)
        done, failed, runs = (_is_true(new, kind) for kind in ("Succeeded", "Failed", "Running"))
        refused = {
            _BOTH: done and failed,
            _runs_although("success"): done and runs,
            _runs_although("failed"): failed and runs,
            _once_true("Success"): _is_true(old, "Succeeded") and not done,
            _once_true("Failed"): _is_true(old, "Failed") and not failed,
        }
        for why, is_so in refused.items():
            if is_so:
                yield invalid(_CONDITIONS, conditions, why)


def _status(obj: Obj) -> Obj:
    return obj.get("status") or {}


def _is_true(obj: Obj, kind: str) -> bool:
    return condition_status(obj, kind) == "True"


def _runs_although(kind: str) -> str:
    return f"Running condition cannot be true when {kind} condition is true"


def _once_true(kind: str) -> str:
    return f"{kind} condition cannot be set to false once it is true"


def _revision_error(text: str) -> str:
    """Return what is wrong with a resource version, as CompareResourceVersion has it."""
    if text.isascii() and text.isdigit() and not (text[0] == "0" and text != "0"):
        return ""
    return f'resource version is not well formed: "{text}"'


_STRATEGY = StorageVersionMigrationStrategy()

STORAGEVERSIONMIGRATIONS = Resource(
    kind=GroupVersionKind("storagemigration.k8s.io", "v1beta1", "StorageVersionMigration"),
    plural="storageversionmigrations",
    singular="storageversionmigration",
    namespaced=False,
    strategy=_STRATEGY,
    subresources={"status": Subresource(strategy=StorageVersionMigrationStatusStrategy(_STRATEGY))},
    columns=(NAME, AGE),
)
