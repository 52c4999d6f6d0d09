"""The versions of a custom kind: what each serves, and what all have in common.

The server keeps what is the same in all versions once, above them; the paths in its messages
are those of that form. `view` makes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid, required
from apimachinery.validation.names import is_dns1035_label
from apiserver.registry.apiextensions.schemas import schema_errors

_SPEC = Path("spec")
# The field of a version, and where it stands once it is the same in all of them.
_SHARED = {
    "schema": "validation",
    "subresources": "subresources",
    "additionalPrinterColumns": "additionalPrinterColumns",
    "selectableFields": "selectableFields",
}
_TYPES = ("boolean", "date", "integer", "number", "string")
_FORMATS = ("", "byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_LONGEST_WARNING = 256
_GO_NAMES = {
    "schema": "Schema",
    "subresources": "Subresources",
    "additionalPrinterColumns": "AdditionalPrinterColumns",
    "selectableFields": "SelectableFields",
}


@dataclass(frozen=True, slots=True)
class View:
    """A spec as the server keeps it: what is common, and the versions without that."""

    common: Obj
    versions: tuple[Obj, ...]

    def shown(self) -> list[Obj]:
        """Print the versions with the names of Go's fields, as messages show them."""
        return [
            {
                "Name": one.get("name") or "",
                "Served": bool(one.get("served")),
                "Storage": bool(one.get("storage")),
                "Deprecated": bool(one.get("deprecated")),
                "DeprecationWarning": one.get("deprecationWarning"),
                **{go: one.get(name) for name, go in _GO_NAMES.items()},
            }
            for one in self.versions
        ]


def view(spec: Obj) -> View:
    """Return a spec with what all versions share moved up."""
    versions = [dict(one) for one in spec.get("versions") or ()]
    common: dict[str, Any] = {}
    for name in _SHARED:
        values = [one.get(name) for one in versions]
        if versions and values[0] and all(value == values[0] for value in values):
            common[name] = values[0]
            for one in versions:
                one.pop(name)
    return View(common, tuple(versions))


def storage_versions(spec: Obj) -> list[str]:
    return [one.get("name") or "" for one in spec.get("versions") or () if one.get("storage")]


def version_errors(seen: View) -> FieldErrors:
    """Yield what is wrong with the versions, each for itself and together."""
    if "schema" not in seen.common:
        for at, version in enumerate(seen.versions):
            if not (version.get("schema") or {}).get("openAPIV3Schema"):
                path = (_SPEC / "versions")[at] / "schema" / "openAPIV3Schema"
                yield required(path)
    for at, version in enumerate(seen.versions):
        path, name = (_SPEC / "versions")[at], version.get("name") or ""
        if wrong := is_dns1035_label(name):
            yield invalid(path / "name", name, ",".join(wrong))
        yield from _warning_errors(version, path / "deprecationWarning")
        yield from part_errors(version, path, "schema")
    names = [version.get("name") for version in seen.versions]
    if len(set(names)) != len(names):
        yield invalid(_SPEC / "versions", seen.shown(), "must contain unique version names")
    if sum(bool(version.get("storage")) for version in seen.versions) != 1:
        why = "must have exactly one version marked as storage version"
        yield invalid(_SPEC / "versions", seen.shown(), why)


def common_errors(seen: View) -> FieldErrors:
    """Yield what is wrong with what all versions share."""
    yield from part_errors(seen.common, _SPEC, "validation")


def part_errors(part: Obj, path: Path, schema_name: str) -> FieldErrors:
    """Yield what is wrong with schema, subresources and columns."""
    schema = (part.get("schema") or {}).get("openAPIV3Schema")
    if schema:
        yield from schema_errors(schema, path / schema_name / "openAPIV3Schema")
    scale = (part.get("subresources") or {}).get("scale")
    if scale is not None:
        yield from _scale_errors(scale, path / "subresources" / "scale")
    for at, column in enumerate(part.get("additionalPrinterColumns") or ()):
        yield from _column_errors(column, (path / "additionalPrinterColumns")[at])
    yield from _selectable_errors(part, schema, path / "selectableFields")


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
                f"non-printable character found at index {at}"
            )
            yield invalid(path, text, why)
            break


def _scale_errors(scale: Obj, path: Path) -> FieldErrors:
    for name, parent, needed in (
        ("specReplicasPath", ".spec", True),
        ("statusReplicasPath", ".status", True),
        ("labelSelectorPath", ".status or .spec", False),
    ):
        text = scale.get(name) or ""
        if not text:
            if needed:
                yield required(path / name)
        elif not text.startswith("."):
            why = "must be a simple json path starting with ."
            yield invalid(path / name, text, why)
        elif not text.startswith(tuple(f"{one}." for one in parent.split(" or "))):
            yield invalid(path / name, text, f"should be a json path under {parent}")


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


def _selectable_errors(part: Obj, schema: Obj | None, path: Path) -> FieldErrors:
    given: list[Obj] = part.get("selectableFields") or []
    for at, one in enumerate(given):
        text, where = one.get("jsonPath") or "", path[at] / "jsonPath"
        if not text:
            yield required(where)
            continue
        found: Obj | None = schema
        for name in text.strip(".").split("."):
            found = ((found or {}).get("properties") or {}).get(name)
        if text.startswith(".metadata"):
            yield invalid(where, text, "must not point to fields in metadata")
        elif found is None:
            yield invalid(where, text, "is an invalid path: does not refer to a valid field")
        elif found.get("type") not in ("string", "boolean", "integer"):
            why = (
                "must point to a field of type string, boolean or integer. "
                "Enum string fields and strings with formats are allowed."
            )
            yield invalid(where, text, why)
