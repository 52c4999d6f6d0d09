"""StorageClasses: how volumes are made for claims that ask for one."""

from __future__ import annotations

from collections.abc import Sequence

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj, annotations_of, name_of
from apimachinery.validation.field import FieldErrors, Path, duplicate, repeats, required
from apimachinery.validation.names import is_qualified_name
from apiserver.registry.podspec.checks import immutable, obey, one_of, one_of_required
from apiserver.registry.podspec.warnings import NODE_LABELS
from apiserver.registry.resource import Column, Resource
from apiserver.registry.storage.parameters import parameter_errors, provisioner_errors
from apiserver.registry.strategy import Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, field

_RECLAIM = ("Delete", "Retain")
_MODES = ("Immediate", "WaitForFirstConsumer")
_FROZEN = ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode")
_DEFAULT = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


class StorageClassStrategy(Strategy):
    """How volumes are made is for good; whether they may grow is not."""

    returns_deleted = True

    def default(self, obj: Obj) -> None:
        for name, value in (("reclaimPolicy", "Delete"), ("volumeBindingMode", "Immediate")):
            if obj.get(name) is None:
                obj[name] = value

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from provisioner_errors(obj.get("provisioner") or "", Path("provisioner"))
        parameters = obj.get("parameters") or {}
        yield from parameter_errors(parameters, Path("parameters"), needed=False)
        if obj.get("reclaimPolicy"):
            yield from one_of(obj["reclaimPolicy"], _RECLAIM, Path("reclaimPolicy"))
        mode = obj.get("volumeBindingMode")
        yield from one_of_required(mode, _MODES, Path("volumeBindingMode"))
        yield from _topology_errors(obj.get("allowedTopologies") or (), Path("allowedTopologies"))

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        for name in _FROZEN:
            yield from immutable(new.get(name), old.get(name), Path(name))

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        return [
            f"{(Path('allowedTopologies')[at] / 'matchLabelExpressions')[index] / 'key'}: {text}"
            for at, term in enumerate(obj.get("allowedTopologies") or ())
            for index, one in enumerate(term.get("matchLabelExpressions") or ())
            if (text := NODE_LABELS.get(one.get("key") or ""))
        ]

    def warnings_on_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> list[str]:
        return self.warnings_on_create(new, ctx)


def _topology_errors(terms: Sequence[Obj], path: Path) -> FieldErrors:
    seen: set[frozenset[tuple[str, frozenset[str]]]] = set()
    for at, term in enumerate(terms):
        found: dict[str, frozenset[str]] = {}
        where = path[at] / "matchLabelExpressions"
        for index, one in enumerate(term.get("matchLabelExpressions") or ()):
            yield from _expression_errors(one, where[index], found)
        if (said := frozenset(found.items())) in seen:
            yield duplicate(where, "")
        seen.add(said)


def _expression_errors(one: Obj, path: Path, found: dict[str, frozenset[str]]) -> FieldErrors:
    key, values = one.get("key") or "", one.get("values") or ()
    yield from obey(is_qualified_name, key, path / "key")
    if not values:
        yield required(path / "values")
    again = repeats(values)
    for at, value in enumerate(values):
        if at in again:
            yield duplicate((path / "values")[at], value)
    if key in found:
        yield duplicate(path / "key", key)
    found[key] = frozenset(values)


def _name(obj: Obj, now: float) -> str:
    notes = annotations_of(obj)
    is_default = any(notes.get(key) == "true" for key in _DEFAULT)
    return f"{name_of(obj)} (default)" if is_default else name_of(obj)


STORAGECLASSES = Resource(
    kind=GroupVersionKind("storage.k8s.io", "v1", "StorageClass"),
    plural="storageclasses",
    singular="storageclass",
    namespaced=False,
    short=("sc",),
    strategy=StorageClassStrategy(),
    columns=(
        Column(NAME.name, _name, format=NAME.format),
        Column("Provisioner", field("provisioner")),
        Column("ReclaimPolicy", field("reclaimPolicy", "Delete")),
        Column("VolumeBindingMode", field("volumeBindingMode", "Immediate")),
        Column("AllowVolumeExpansion", field("allowVolumeExpansion", False)),
        AGE,
    ),
)
