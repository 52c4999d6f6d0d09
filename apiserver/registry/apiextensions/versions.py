"""The versions of a custom kind: what each serves, and what all have in common.

The server keeps what is the same in all versions once, above them; the paths in its messages
are those of that form. `view` makes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apimachinery.cel import fieldpaths
from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    duplicate,
    invalid,
    required,
    too_many,
)
from apimachinery.validation.names import is_dns1035_label
from apiserver.registry.apiextensions import gotypes
from apiserver.registry.apiextensions.schemas import schema_errors

_SPEC = Path("spec")
# The field of a version, and where it stands once it is the same in all of them.
_SHARED = {
    "schema": "validation",
    "subresources": "subresources",
    "additionalPrinterColumns": "additionalPrinterColumns",
    "selectableFields": "selectableFields",
}
# Fields that are said even where there is nothing in them.
_POINTERS = ("schema", "subresources")
_TYPES = ("boolean", "date", "integer", "number", "string")
_FORMATS = ("", "byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_LONGEST_WARNING = 256
_MOST_SELECTABLE = 8
_SELECTABLE_TYPES = ("string", "boolean", "integer")
_WITHOUT_SCHEMA = "version.schema.openAPIV3Schema is not"


@dataclass(frozen=True, slots=True)
class View:
    """A spec as the server keeps it: what is common, and the versions without that."""

    common: Obj
    versions: tuple[Obj, ...]

    def shown(self) -> list[Obj]:
        """Print the versions with the names of Go's fields, as messages show them."""
        return list(map(gotypes.version, self.versions))

    def has_status(self, version: Obj | None = None) -> bool:
        """Tell whether a version has a status subresource; None: whether any has."""
        if any(one.get("subresources") is not None for one in self.versions):
            asked = self.versions if version is None else (version,)
        else:
            asked = (self.common,)
        parts = [one.get("subresources") or {} for one in asked]
        return any(one.get("status") is not None for one in parts)


def view(spec: Obj) -> View:
    """Return a spec with what all versions share moved up."""
    versions = [dict(one) for one in spec.get("versions") or ()]
    common: dict[str, Any] = {}
    for name in _SHARED:
        values = [one.get(name) for one in versions]
        is_said = bool(values and (values[0] or (values[0] is not None and name in _POINTERS)))
        if is_said and all(value == values[0] for value in values):
            common[name] = values[0]
            for one in versions:
                one.pop(name)
    return View(common, tuple(versions))


def storage_versions(spec: Obj) -> list[str]:
    return [one.get("name") or "" for one in spec.get("versions") or () if one.get("storage")]


def has_defaults(spec: Obj) -> bool:
    """Tell whether a schema of a version says a default anywhere."""
    return any(map(_has_default, spec.get("versions") or ()))


def _has_default(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_has_default, value))
    if not isinstance(value, dict):
        return False
    return value.get("default") is not None or any(map(_has_default, value.values()))


def version_errors(seen: View, stored: View | None = None) -> FieldErrors:
    """Yield what is wrong with the versions, each for itself and together.

    stored: what the definition was before, None where it is new.
    """
    if not (seen.common.get("schema") or {}).get("openAPIV3Schema"):
        for at, version in enumerate(seen.versions):
            if not (version.get("schema") or {}).get("openAPIV3Schema"):
                path = (_SPEC / "versions")[at] / "schema" / "openAPIV3Schema"
                yield required(path)
    for at, version in enumerate(seen.versions):
        path, name = (_SPEC / "versions")[at], version.get("name") or ""
        if wrong := is_dns1035_label(name):
            yield invalid(path / "name", name, ",".join(wrong))
        yield from _warning_errors(version, path / "deprecationWarning")
        has_status, same = seen.has_status(version), _is_unchanged(seen, stored, name)
        yield from part_errors(
            version, path, path / "schema", has_status=has_status, unchanged=same
        )
    names = [version.get("name") for version in seen.versions]
    if len(set(names)) != len(names):
        yield invalid(_SPEC / "versions", seen.shown(), "must contain unique version names")
    if sum(bool(version.get("storage")) for version in seen.versions) != 1:
        why = "must have exactly one version marked as storage version"
        yield invalid(_SPEC / "versions", seen.shown(), why)


def common_errors(seen: View, stored: View | None = None) -> FieldErrors:
    """Yield what is wrong with what all versions share."""
    first = (seen.versions[0].get("name") or "") if seen.versions else ""
    same = _is_unchanged(seen, stored, first)
    yield from part_errors(
        seen.common, _SPEC, _SPEC / "validation", has_status=seen.has_status(), unchanged=same
    )


def _is_unchanged(seen: View, stored: View | None, name: str) -> bool:
    """Tell whether a version is stored with the schema that it has now."""
    if stored is None:
        return False
    now, before = (_schema_of(one, name) for one in (seen, stored))
    return now is not None and now == before


def _schema_of(seen: View, name: str) -> Obj | None:
    for version in seen.versions:
        if version.get("name") == name:
            found: Obj | None = version.get("schema") or seen.common.get("schema")
            return found
    return None


def part_errors(
    part: Obj, path: Path, schema_path: Path, *, has_status: bool, unchanged: bool
) -> FieldErrors:
    """Yield what is wrong with schema, subresources and columns."""
    schema = (part.get("schema") or {}).get("openAPIV3Schema")
    if schema:
        where = schema_path / "openAPIV3Schema"
        yield from schema_errors(schema, where, has_status=has_status, unchanged=unchanged)
    scale = (part.get("subresources") or {}).get("scale")
    if scale is not None:
        yield from _scale_errors(scale, path / "subresources" / "scale")
    for at, column in enumerate(part.get("additionalPrinterColumns") or ()):
        yield from _column_errors(column, (path / "additionalPrinterColumns")[at])
    fields = part.get("selectableFields") or ()
    if fields and schema:
        yield from _selectable_errors(fields, schema, path / "selectableFields")
    elif fields:
        needed = "validations.schema is" if path == _SPEC else _WITHOUT_SCHEMA
        why = f"selectableFields may only be set when {needed} included"
        yield invalid(path / "selectableFields", "", why)


def _warning_errors(version: Obj, path: Path) -> FieldErrors:
    text = version.get("deprecationWarning")
    if text is None:
        return
    if not version.get("deprecated"):
        yield invalid(path, text, "can only be set for deprecated versions")
        return
    if len(text) > _LONGEST_WARNING:
        yield invalid(path, text, f"must be <= {_LONGEST_WARNING} characters long")
    if not text:
        yield invalid(path, text, "must not be an empty string")
    for at, char in enumerate(text):
        if not char.isprintable():
            why = (
                "must only contain printable UTF-8 characters; "
                f"non-printable character found at index {len(text[:at].encode())}"
            )
            yield invalid(path, text, why)
            break


def _scale_errors(scale: Obj, path: Path) -> FieldErrors:
    for name, parents, needed in (
        ("specReplicasPath", (".spec",), True),
        ("statusReplicasPath", (".status",), True),
        ("labelSelectorPath", (".spec", ".status"), False),
    ):
        text = scale.get(name) or ""
        if not text:
            if needed:
                yield required(path / name)
        elif not text.startswith("."):
            why = "must be a simple json path starting with ."
            yield invalid(path / name, text, why)
        elif not text.startswith(tuple(f"{one}." for one in parents)):
            under = parents[0] if len(parents) == 1 else f"either {' or '.join(parents)}"
            yield invalid(path / name, text, f"should be a json path under {under}")


def _column_errors(column: Obj, path: Path) -> FieldErrors:
    kind, form, text = (column.get(name) or "" for name in ("type", "format", "jsonPath"))
    if not column.get("name"):
        yield required(path / "name")
    words = ",".join(_TYPES)
    if not kind:
        yield required(path / "type", f"must be one of {words}")
    elif kind not in _TYPES:
        yield invalid(path / "type", kind, f"must be one of {words}")
    if form not in _FORMATS:
        yield invalid(path / "format", form, f"must be one of {','.join(_FORMATS[1:])}")
    if not text:
        yield required(path / "JSONPath")
    elif not text.startswith("."):
        yield invalid(path / "JSONPath", text, "must be a simple json path starting with .")


def _selectable_errors(given: Sequence[Obj], schema: Obj, path: Path) -> FieldErrors:
    seen: set[str] = set()
    for at, one in enumerate(given):
        text, where = one.get("jsonPath") or "", path[at] / "jsonPath"
        if not text:
            yield required(where)
            continue
        try:
            found = fieldpaths.read(text, schema, keys=False)
        except fieldpaths.FieldPathError as error:
            yield invalid(where, text, f"is an invalid path: {error}")
            continue
        if found.first == "metadata":
            yield invalid(where, text, "must not point to fields in metadata")
        if found.schema.get("type") not in _SELECTABLE_TYPES:
            why = (
                "must point to a field of type string, boolean or integer. "
                "Enum string fields and strings with formats are allowed."
            )
            yield invalid(where, text, why)
        if found.text in seen:
            yield duplicate(where, text)
        seen.add(found.text)
    if len(seen) > _MOST_SELECTABLE:
        yield too_many(path, len(seen), _MOST_SELECTABLE)
