"""What a kind decides about its own objects, in the order in which the store asks.

Create:  default -> (mutating admission) -> prepare_for_create -> validate -> warnings ->
         (validating admission) -> stored.
Update:  default -> (mutating admission) -> prepare_for_update -> validate_update -> warnings ->
         (validating admission) -> stored.
Delete:  grace_period, then gone or marked, as finalizers and grace allow.

The object handed to a hook that changes things is private to the request: change it in place.
`old` and everything read through the context is shared: never change it. Validation never
changes anything. The generic store has already done what all kinds share: metadata (uid,
creationTimestamp, generation reset, managedFields, name from generateName), metadata validation,
immutable metadata on update, resourceVersion checks, and dropping unknown fields.
Defaulting stands before admission because clients' and webhooks' view is of versioned objects
with defaults; it is run again after mutating admission.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Protocol

from apimachinery.apply import fieldset
from apimachinery.clock import Clock
from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors
from apimachinery.validation.names import is_dns1123_subdomain


class ObjectReader(Protocol):
    """Reads of other objects of the same cluster, from memory. Results are shared: read only."""

    def get(self, resource: str, namespace: str, name: str) -> Obj | None: ...

    def list(self, resource: str, namespace: str | None = None) -> list[Obj]: ...

    def text(self, resource: str, namespace: str, name: str) -> bytes: ...


@dataclass(slots=True)
class StrategyContext:
    """What a hook may know of the request and of the cluster around the object."""

    clock: Clock
    objects: ObjectReader
    user: str = ""
    # The same user as authentication.k8s.io UserInfo: groups, uid, extra.
    user_info: Mapping[str, Any] = field(default_factory=dict)
    namespace: str = ""
    dry_run: bool = False
    # What the cluster hands out: service addresses, node ports. See registry/core/services.py.
    allocators: Mapping[str, Any] = field(default_factory=dict)
    # Texts for Warning headers: what preparation has changed, what validation has forgiven.
    # `warnings_on_create` and `warnings_on_update` take them in.
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Companion:
    """A cluster-wide object that is written in one transaction with the object it belongs to.

    With `obj`, complete but for what the server sets, it is made; without, it is removed.
    """

    resource: str  # as text: "ipaddresses.networking.k8s.io"
    name: str
    obj: Obj | None = None


class MetadataCheck(Enum):
    """One look at the metadata of an object that changes."""

    WHOLE = auto()  # as if it were new
    CHANGES = auto()


def _most_names(name: str, /) -> list[str]:
    return is_dns1123_subdomain(name)


class Strategy:
    """The hooks of one kind; the defaults suit a kind without spec, status or rules of its own."""

    # May a PUT or PATCH (apply aside) to a name that is not there create it? (as Leases, Events)
    allow_create_on_update = False
    # May an update come without resourceVersion? (most kinds: yes)
    allow_unconditional_update = True
    # metadata.generation counts changes of everything but metadata and status; False: never set.
    has_generation = False
    # May an update through this strategy count in the generation? (a binding does not)
    counts_changes = True
    # Does deleting a collection remove each object at once, whatever `may_be_removed` says?
    collection_goes_at_once = False
    # Does a deletion answer with the object it removed, instead of a Status?
    returns_deleted = False
    # What becomes of dependents when DeleteOptions leave it open: Background or Orphan.
    default_propagation = "Background"
    # What metadata.name may be; returns what is wrong with a name. See apimachinery's names.
    name_rule = staticmethod(_most_names)
    # How the kind itself checks metadata on update, after the checks that all kinds share.
    metadata_checks: tuple[MetadataCheck, ...] = (MetadataCheck.CHANGES,)
    # Must finalizers have a domain, unless they are Kubernetes' own?
    qualifies_finalizers = True

    def schema(self, kind: GroupVersionKind) -> Any:
        """Return how objects of a custom kind are merged (apply, patches); None: as it comes."""
        return None

    def openapi(self, kind: GroupVersionKind) -> bytes:
        """Return the JSON of a custom kind's OpenAPI v3 schema, as documents show it."""
        return b""

    def decode(self, body: Obj, kind: GroupVersionKind) -> tuple[Obj, list[str]]:
        """Read a body of a kind that the type table does not know: a custom resource.

        Returns a private object without unknown fields, and what was odd about the body.
        """
        return deepcopy(body), []

    def keep_text(self, obj: Obj, raw: bytes | None) -> None:
        """Keep what counts by its bytes of the JSON that an object was read from, in place.

        None: the object was not JSON on its way here, but maps, which Go prints sorted.
        """

    def reset_fields(self, subresource: str) -> Mapping[str, Any] | None:
        """Return the fields that a write takes from elsewhere (FieldsV1), None for the usual."""
        return None

    def canonicalize(self, obj: Obj) -> None:
        """Give an object the form in which it is stored. Called once it is valid."""

    def default(self, obj: Obj) -> None:
        """Fill in what was left out, as pkg/apis/<group>/<version>/defaults.go does."""

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        """Drop what a client may not set (status), set what the server decides."""

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        """Yield everything that is wrong with a new object."""
        yield from ()

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        """Return texts for Warning headers."""
        return []

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        """Put back what this update may not touch (the main resource: status)."""

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        """Yield everything that is wrong with the new object, or with changing old into it."""
        yield from self.validate(new, ctx)

    def warnings_on_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> list[str]:
        """Return texts for Warning headers."""
        return []

    def grace_period(self, obj: Obj, requested: int | None, ctx: StrategyContext) -> int:
        """Return the seconds that a deletion waits for the object's owner; 0: at once.

        Only pods (and what runs them) have grace; `requested` is DeleteOptions' wish, or None.
        """
        return 0

    def warnings_on_delete(self, obj: Obj) -> list[str]:
        """Return texts for Warning headers of a deletion that leaves dependents' fate open."""
        return []

    def why_kept(self, name: str) -> str:
        """Return why the object of a name is never deleted, "" for all others."""
        return ""

    def may_be_removed(self, obj: Obj) -> bool:
        """Tell whether nothing besides metadata.finalizers holds a deletion up.

        Only namespaces have such: spec.finalizers.
        """
        return True

    def prepare_for_delete(self, obj: Obj, ctx: StrategyContext) -> None:
        """Change an object that is marked as going, before it is stored (a namespace's phase)."""

    def spec_changed(self, new: Obj, old: Obj) -> bool:
        """Tell whether an update counts in metadata.generation: by what is not metadata or status.

        A kind whose labels or annotations count as well says so here.
        """
        return any(
            new.get(key) != old.get(key)
            for key in new.keys() | old.keys()
            if key not in ("metadata", "status")
        )

    def row_conditions(self, obj: Obj) -> Sequence[Mapping[str, str]]:
        """Return what marks the object's row in a Table: clients may hide completed pods."""
        return ()

    def companions(self, new: Obj | None, old: Obj | None) -> Sequence[Companion]:
        """Return what is made or removed together with this write of `new` in place of `old`."""
        return ()

    def after_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        """Give back what the object holds no more. Called once the change is stored."""

    def after_delete(self, obj: Obj, ctx: StrategyContext) -> None:
        """Give back what the object held (addresses, ports). Called once it is gone."""

    def drop_disabled(self, obj: Obj, old: Obj | None) -> None:
        """Remove fields of features that are off in v1.36 by default; runs before validation."""


class StatusStrategy(Strategy):
    """The `/status` subresource: everything but metadata and status comes from the old object.

    With most kinds a write of status may change labels, annotations and finalizers too; those
    whose `resets_metadata` is set put them back (metav1.ResetObjectMetaForStatus).
    """

    counts_changes = False
    # What else comes from the old object, and so is owned by nobody who writes it here.
    also_reset: tuple[tuple[str, ...], ...] = ()

    def __init__(self, parent: Strategy, *, resets_metadata: bool = False) -> None:
        self.parent = parent
        self.resets_metadata = resets_metadata
        metadata = (("metadata",),) if resets_metadata else ()
        self._reset = fieldset.of_paths((("spec",), *metadata, *self.also_reset))

    def reset_fields(self, subresource: str) -> Mapping[str, Any] | None:
        own = self.parent.reset_fields(subresource)
        return self._reset if own is None else own

    def default(self, obj: Obj) -> None:
        self.parent.default(obj)

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        """Put back all that a write of status may not touch."""
        metadata, status = new.get("metadata") or {}, new.get("status")
        new.clear()
        new.update({key: value for key, value in old.items() if key != "status"})
        new["metadata"] = metadata
        if self.resets_metadata:
            put_back(metadata, old["metadata"], _OBJECT_META)
        if status is not None:
            new["status"] = status

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        """Status is the system's own; kinds with rules for it override this."""
        yield from ()


_OBJECT_META = ("labels", "annotations", "finalizers", "ownerReferences")


def put_back(metadata: Obj, old: Obj, names: tuple[str, ...]) -> None:
    """Give these fields of metadata the values that they had."""
    for name in names:
        if name in old:
            metadata[name] = old[name]
        else:
            metadata.pop(name, None)
