"""Namespaces: they go in two steps, and the finalizer in their spec holds them between.

A deletion marks the namespace Terminating; the namespace controller empties it and takes
`kubernetes` out of spec.finalizers through the `finalize` subresource; then it may go.
"""

from __future__ import annotations

from apimachinery.gvk import CORE_V1
from apimachinery.meta import Obj, name_of
from apimachinery.validation.field import FieldErrors, Path, invalid
from apimachinery.validation.names import (
    is_dns1123_label,
    is_qualified_name,
    is_standard_finalizer,
)
from apiserver.registry.podspec.checks import obey
from apiserver.registry.podspec.workload import keep_status
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import (
    MetadataCheck,
    StatusStrategy,
    Strategy,
    StrategyContext,
)
from apiserver.registry.table import AGE, NAME, field

NAME_LABEL = "kubernetes.io/metadata.name"
FINALIZER = "kubernetes"


class NamespaceStrategy(Strategy):
    """Users may set labels and annotations; the finalizers are the system's."""

    name_rule = staticmethod(is_dns1123_label)
    metadata_checks = (MetadataCheck.WHOLE, MetadataCheck.CHANGES)

    def default(self, obj: Obj) -> None:
        name = name_of(obj)
        labels = obj["metadata"].get("labels") or {}
        if name and labels.get(NAME_LABEL) != name:
            obj["metadata"]["labels"] = labels | {NAME_LABEL: name}
        status = obj.get("status") or {}
        if not status.get("phase"):
            obj["status"] = status | {"phase": "Active"}

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {"phase": "Active"}
        spec = obj.get("spec") or {}
        finalizers = list(spec.get("finalizers") or ())
        if FINALIZER not in finalizers:
            finalizers.append(FINALIZER)
        obj["spec"] = spec | {"finalizers": finalizers}

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        path = Path("spec") / "finalizers"
        for finalizer in (obj.get("spec") or {}).get("finalizers") or ():
            yield from finalizer_errors(finalizer, path)

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)
        new["spec"] = (new.get("spec") or {}) | {
            "finalizers": (old.get("spec") or {}).get("finalizers")
        }
        if not new["spec"]["finalizers"]:
            del new["spec"]["finalizers"]

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from ()

    def may_be_removed(self, obj: Obj) -> bool:
        """Tell whether a deletion may complete: besides metadata.finalizers, spec's must be gone.

        The store asks before it removes an object whose deletion has been asked for.
        """
        return not (obj.get("spec") or {}).get("finalizers")

    def prepare_for_delete(self, obj: Obj, ctx: StrategyContext) -> None:
        """Change what a deletion marks besides deletionTimestamp."""
        obj["status"] = (obj.get("status") or {}) | {"phase": "Terminating"}


def finalizer_errors(finalizer: str, path: Path) -> FieldErrors:
    """Yield what is wrong with one of spec.finalizers."""
    wrong = list(obey(is_qualified_name, finalizer, path))
    yield from wrong or obey(is_standard_finalizer, finalizer, path)


class NamespaceStatusStrategy(StatusStrategy):
    """The phase follows the deletion: Terminating with a deletionTimestamp, Active without."""

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        phase = (new.get("status") or {}).get("phase")
        path = Path("status") / "Phase"
        deleting = bool(new["metadata"].get("deletionTimestamp"))
        wanted = "Terminating" if deleting else "Active"
        if phase != wanted:
            if deleting:
                yield invalid(
                    path, phase, "may only be 'Terminating' if `deletionTimestamp` is not empty"
                )
            else:
                yield invalid(path, phase, "may only be 'Active' if `deletionTimestamp` is empty")


class NamespaceFinalizeStrategy(Strategy):
    """`PUT .../finalize` changes spec.finalizers, and nothing else."""

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        path = Path("spec") / "finalizers"
        for at, finalizer in enumerate((new.get("spec") or {}).get("finalizers") or ()):
            yield from finalizer_errors(finalizer, path[at])


_STRATEGY = NamespaceStrategy()
NAMESPACES = Resource(
    kind=CORE_V1.kind("Namespace"),
    plural="namespaces",
    namespaced=False,
    short=("ns",),
    verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    strategy=_STRATEGY,
    subresources={
        "finalize": Subresource(verbs=("update",), strategy=NamespaceFinalizeStrategy()),
        "status": Subresource(strategy=NamespaceStatusStrategy(_STRATEGY)),
    },
    selectable={"status.phase": lambda obj: (obj.get("status") or {}).get("phase") or ""},
    columns=(NAME, Column("Status", field("status.phase")), AGE),
)
