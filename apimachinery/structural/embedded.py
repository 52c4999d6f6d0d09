"""Objects within custom resources: apiVersion, kind and metadata are as those of any object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apimachinery.errors import BadRequest
from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.schema import types
from apimachinery.schema.decode import Decoded, decode_as
from apimachinery.structural.schema import Structural
from apimachinery.validation.field import FieldErrors, Path, invalid, required
from apimachinery.validation.metadata import validate_object_meta
from apimachinery.validation.names import is_dns1035_label, is_path_segment

OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_META = GroupVersionKind("", "v1", "ObjectMeta")
_UNKNOWN = 'unknown field "'
_MIXED = "may have mixed case, but should otherwise match: "


def read_metadata(metadata: Any, kind: GroupVersionKind) -> Decoded:
    """Read metadata as that of a built-in kind. Raises BadRequest where a type is wrong."""
    decoded = decode_as(metadata, types().definition(OBJECT_META), kind, "Warn")
    decoded.problems = [
        f"{_UNKNOWN}metadata.{text.removeprefix(_UNKNOWN)}" for text in decoded.problems
    ]
    return decoded


def coerce(value: Any, schema: Structural | None, path: str = "") -> Iterator[str]:
    """Give embedded objects, below the root, metadata that is nothing else. In place.

    Yields the paths of the fields that metadata does not have; they are gone.
    """
    if schema is None or not schema.embeds:
        return
    if isinstance(value, dict):
        for name, part in value.items():
            own = schema.properties.get(name) or schema.additional
            if own is not None:
                yield from _coerced(part, own, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and schema.items is not None:
        for at, item in enumerate(value):
            yield from _coerced(item, schema.items, f"{path}[{at}]")


def _coerced(value: Any, schema: Structural, path: str) -> Iterator[str]:
    if schema.embedded and isinstance(value, dict) and isinstance(value.get("metadata"), dict):
        for problem in _coerce_metadata(value):
            yield f"{path}.{problem}"
    yield from coerce(value, schema, path)


def _coerce_metadata(obj: Obj) -> list[str]:
    try:
        read = read_metadata(obj["metadata"], _META)
    except BadRequest:
        return []  # validation says what is wrong with it
    obj["metadata"] = read.obj
    return [text.removeprefix(_UNKNOWN).removesuffix('"') for text in read.problems]


def embedded_errors(value: Any, schema: Structural | None, path: Path | None = None) -> FieldErrors:
    """Yield what is wrong with the objects below the root."""
    if schema is None or not (schema.embedded or schema.embeds):
        return
    where = path or Path("")
    if isinstance(value, dict):
        if schema.embedded and path is not None:
            yield from _object_errors(value, where)
        for name, part in value.items():
            if name in schema.properties:
                yield from embedded_errors(part, schema.properties[name], where / name)
            elif schema.additional is not None:
                yield from embedded_errors(part, schema.additional, where.key(name))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from embedded_errors(item, schema.items, where[at])


def _object_errors(obj: Obj, path: Path) -> FieldErrors:
    for name in ("apiVersion", "kind"):
        text = obj.get(name)
        if name not in obj or text == "":
            yield required(path / name)
        elif not isinstance(text, str):
            yield invalid(path / name, text, "must be a string")
        elif name == "kind" and (wrong := is_dns1035_label(text.lower())):
            yield invalid(path / name, text, _MIXED + ",".join(wrong))
        elif name == "apiVersion" and text.count("/") > 1:
            yield invalid(path / name, text, f"unexpected GroupVersion string: {text}")
    metadata = obj.get("metadata")
    if metadata is None:
        return
    try:
        read = read_metadata(metadata, _META).obj
    except BadRequest as error:
        why = error.message.partition("cannot be handled as a ObjectMeta: ")[2]
        yield invalid(path / "metadata", metadata, why)
        return
    named = {"name": "fakename", **{k: v for k, v in read.items() if v}}
    for found in validate_object_meta(
        named, namespaced=bool(named.get("namespace")), name_rule=is_path_segment
    ):
        yield type(found)(found.type, f"{path}.{found.path}", found.value, found.detail)
