"""The rules of custom resources: all that their definition says, and nothing of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apimachinery.errors import MethodNotAllowed
from apimachinery.gvk import GroupResource, GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.structural import defaulting, embedded
from apimachinery.structural.listtypes import list_errors
from apimachinery.structural.merging import MergeSchema
from apimachinery.structural.pruning import pruned
from apimachinery.structural.schema import MISSING
from apimachinery.structural.validation import NOWHERE, schema_errors
from apimachinery.validation.field import ErrorType, FieldError, FieldErrors, Path, invalid
from apimachinery.validation.names import is_standard_finalizer
from apiserver.registry.custom.schemas import VersionSchema
from apiserver.registry.scale import ScalePaths
from apiserver.registry.strategy import StatusStrategy, Strategy, StrategyContext
from apiserver.registry.table import dig

_MOST_REPLICAS = 2**31 - 1
_NOT_CONTENT = ("apiVersion", "kind", "metadata")
_PREFER_A_DOMAIN = (
    "prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts "
    "with other finalizer writers"
)
# Rules are checked where the object has a shape that they can rely on.
_BLOCKING = (
    ErrorType.NOT_SUPPORTED,
    ErrorType.REQUIRED,
    ErrorType.TOO_LONG,
    ErrorType.TOO_MANY,
    ErrorType.TYPE_INVALID,
)
_UNCHECKED = (
    "some validation rules were not checked because the object was invalid; correct the existing "
    "errors to complete validation"
)


@dataclass(frozen=True, slots=True)
class CustomKind:
    """What a definition says of one version of its kind, as far as its objects' rules go."""

    kind: GroupVersionKind
    resource: GroupResource
    schema: VersionSchema
    storage: GroupVersionKind
    storage_schema: VersionSchema
    has_status: bool = False
    scale: ScalePaths | None = None
    # The definition is being deleted: its objects go, and none is made any more.
    terminating: bool = False
    # A webhook converts between the versions.
    converted: bool = False


class CustomResourceStrategy(Strategy):
    """Objects keep to their schema; with a status subresource, status is written there alone."""

    qualifies_finalizers = False
    has_generation = True
    allow_unconditional_update = False

    def __init__(self, about: CustomKind) -> None:
        self.about = about

    def schema(self, kind: GroupVersionKind) -> MergeSchema:
        return self.about.schema.merging

    def openapi(self, kind: GroupVersionKind) -> bytes:
        return self.about.schema.published

    def decode(self, body: Obj, kind: GroupVersionKind) -> tuple[Obj, list[str]]:
        problems: list[str] = []
        first: Obj = {"apiVersion": body.get("apiVersion"), "kind": body.get("kind")}
        if body.get("metadata") is not None:
            read = embedded.read_metadata(body["metadata"], kind)
            first["metadata"] = read.obj
            problems += read.problems
        rest = {key: value for key, value in body.items() if key not in _NOT_CONTENT}
        content, unknown = pruned(rest, self.about.schema.structural)
        unknown += embedded.coerce(content, self.about.schema.structural)
        return first | content, problems + [f'unknown field "{path}"' for path in unknown]

    def default(self, obj: Obj) -> None:
        defaulting.fill(obj, self.about.schema.structural)

    def reset_fields(self, subresource: str) -> Mapping[str, Any] | None:
        if subresource == "status":
            return {"f:spec": {}}
        return {"f:status": {}} if self.about.has_status else {}

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        if self.about.terminating:
            error = MethodNotAllowed(self.about.resource, "create")
            error.message = "create not allowed while custom resource definition is terminating"
            raise error
        if self.about.has_status:
            obj.pop("status", None)

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        if not self.about.has_status:
            return
        if "status" in old:
            new["status"] = old["status"]
        else:
            new.pop("status", None)

    def spec_changed(self, new: Obj, old: Obj) -> bool:
        return any(
            new.get(key) != old.get(key)
            for key in new.keys() | old.keys()
            if key not in _NOT_CONTENT
        )

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from self._errors(obj, None, ctx)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from self._errors(new, old, ctx)

    def _errors(self, obj: Obj, old: Obj | None, ctx: StrategyContext) -> Iterator[FieldError]:
        schema = self.about.schema
        found = list(schema_errors(obj, schema.node, old=MISSING if old is None else old))
        found += scale_errors(obj, self.about.scale, spec=True)
        found += embedded.embedded_errors(obj, schema.structural)
        found += new_list_errors(obj, old, schema)
        yield from found
        yield from rule_errors(obj, old, schema, found, ctx)

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        return [*ctx.warnings, *_finalizer_warnings(obj, {})]

    def warnings_on_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> list[str]:
        return [*ctx.warnings, *_finalizer_warnings(new, old)]

    def canonicalize(self, obj: Obj) -> None:
        about = self.about
        if about.converted or obj.get("apiVersion") == about.storage.api_version:
            return
        obj["apiVersion"] = about.storage.api_version
        kept, _ = pruned(obj, about.storage_schema.structural)
        obj.clear()
        obj.update(kept)


class CustomResourceStatusStrategy(StatusStrategy):
    """`/status`: nothing but status changes, metadata included."""

    allow_unconditional_update = False

    def __init__(self, parent: CustomResourceStrategy) -> None:
        super().__init__(parent)
        self.about = parent.about

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        super().prepare_for_update(new, old, ctx)
        managed = new["metadata"].get("managedFields")
        metadata = {k: v for k, v in old["metadata"].items() if k != "managedFields"}
        new["metadata"] = metadata | ({"managedFields": managed} if managed else {})

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        schema, found = self.about.schema, list[FieldError]()
        if schema.status is not None and "status" in new:
            before = old.get("status", MISSING)
            found += schema_errors(new["status"], schema.status, old=before, base="status")
        found += scale_errors(new, self.about.scale, spec=False)
        found += new_list_errors(new, old, schema)
        yield from found
        yield from rule_errors(new, old, schema, found, ctx)

    def warnings_on_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> list[str]:
        return ctx.warnings


def new_list_errors(obj: Obj, old: Obj | None, schema: VersionSchema) -> list[FieldError]:
    """Return which lists repeat themselves, unless the old object's did as well."""
    found = list(list_errors(obj, schema.structural))
    if found and old is not None and any(list_errors(old, schema.structural)):
        return []
    return found


def rule_errors(
    obj: Obj,
    old: Obj | None,
    schema: VersionSchema,
    found: list[FieldError],
    ctx: StrategyContext,
) -> FieldErrors:
    """Yield what the schema's rules in CEL say of an object; what was so before is a warning."""
    rules = schema.rules
    if rules is None:
        return
    if any(error.type in _BLOCKING for error in found):
        yield invalid(Path(NOWHERE), None, _UNCHECKED)
    else:
        forgiven: list[FieldError] = []
        yield from rules(obj, old, forgiven=forgiven)
        ctx.warnings += map(str, forgiven)


def scale_errors(obj: Obj, paths: ScalePaths | None, *, spec: bool) -> FieldErrors:
    """Yield which replicas cannot be: those wanted, unless only the status is written."""
    if paths is None:
        return
    for path in (paths.spec, paths.status) if spec else (paths.status,):
        value = dig(obj, tuple(path.split(".")))
        if not isinstance(value, int):
            continue
        if value < 0:
            yield invalid(Path(f".{path}"), value, "should be a non-negative integer")
        elif value > _MOST_REPLICAS:
            why = f"should be less than or equal to {_MOST_REPLICAS}"
            yield invalid(Path(f".{path}"), value, why)


def _finalizer_warnings(obj: Obj, old: Obj) -> list[str]:
    given = dig(obj, ("metadata", "finalizers")) or ()
    had = dig(old, ("metadata", "finalizers")) or ()
    return [
        f'metadata.finalizers: "{name}": {_PREFER_A_DOMAIN}'
        for name in sorted(set(given) - set(had))
        if is_standard_finalizer(name)
    ]
