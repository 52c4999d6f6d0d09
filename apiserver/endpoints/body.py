"""A request's body: bytes of some media type to an object of the kind that is served there.

Every refusal is in Kubernetes' words. Bodies that come from inside the process are objects
already, and are decoded by the type table all the same: the rules are the same for all.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

import orjson

from apimachinery.errors import ApiError, BadRequest, Invalid, UnsupportedMediaType
from apimachinery.gvk import GroupKind, GroupVersion, GroupVersionKind
from apimachinery.meta import Obj, name_of
from apimachinery.patch.refusals import json_type
from apimachinery.protobuf import decode_request
from apimachinery.schema import types
from apimachinery.schema.decode import (
    cannot_be_handled,
    find_duplicate_fields,
    no_kind_registered,
    strict_error,
    unrecognized,
)
from apimachinery.schema.decode import decode as decode_built_in
from apimachinery.schema.problems import WrittenNumber
from apimachinery.validation.field import Path, invalid
from apiserver.endpoints import depth, yaml
from apiserver.endpoints.jsonerrors import syntax_error
from apiserver.endpoints.request import ApiRequest
from apiserver.registry.resource import Resource

Mode = Literal["Strict", "Warn", "Ignore"]

JSON, YAML = "application/json", "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
PATCHES = (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH)
_OBJECTS = (JSON, YAML, PROTOBUF)
# Versions that no path serves any more, and whose bodies are taken all the same.
_READ_AS = {
    GroupVersionKind("policy", "v1beta1", "Eviction"): GroupVersionKind("policy", "v1", "Eviction")
}
_TYPE_META = (
    "json: cannot unmarshal {} into Go value of type struct {{ APIVersion string "
    '"json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }}'
)


def media_type(request: ApiRequest) -> str:
    """Return the body's media type without parameters; JSON where none is given."""
    return request.content_type.partition(";")[0].strip() or JSON


def field_validation(request: ApiRequest) -> Mode:
    """Return what is to happen with unknown fields: over HTTP the default is to warn."""
    asked = request.params.get("fieldValidation")
    if asked == "Strict":
        return "Strict"
    if asked == "Ignore":
        return "Ignore"
    return "Warn" if asked == "Warn" or isinstance(request.body, bytes) else "Ignore"


def read_object(request: ApiRequest, kind: GroupVersionKind) -> Obj:
    """Return the body as an object of `kind`, new and private. Raises BadRequest."""
    body, raw = request.body, b""
    doubled: list[str] = []
    if isinstance(body, bytes):
        raw, body = body, parse(request, kind.kind, doubled, kind)
    custom = request.resource.custom and kind == request.target.kind
    given = check_custom_kind(body, kind) if custom else check_kind(body, kind)
    mode = field_validation(request)
    is_json = bool(raw) and media_type(request) == JSON
    odd: list[str] = []
    if doubled:
        odd = yaml_problems(doubled, mode)
    elif is_json and mode != "Ignore":
        odd = find_duplicate_fields(raw, body, None if custom else types().type_of(given))
    complete = is_json and bool(odd) and not custom
    try:
        obj = decode(request, body, given, mode, odd, complete=complete)
    except BadRequest as error:
        if not is_json or "unmarshal number" not in error.message:
            raise
        # Numbers are shown as they were written, which the parser forgets.
        body = json.loads(raw, parse_float=WrittenNumber)
        obj = decode(request, body, given, mode, odd, complete=complete)
    request.resource.strategy.keep_text(obj, raw if is_json else None)
    return obj


def yaml_problems(doubled: list[str], mode: Mode) -> list[str]:
    """Return what is said of keys that a text of YAML has twice: one error, or warnings."""
    if mode == "Strict":
        return ["\n  ".join(["yaml: unmarshal errors:", *doubled])]
    return doubled


def decode(
    request: ApiRequest,
    body: Obj,
    kind: GroupVersionKind,
    mode: Mode,
    odd: Sequence[str] = (),
    *,
    complete: bool = False,
    by_name: bool = False,
) -> Obj:
    """Read a parsed object by the type table; problems become warnings or a refusal.

    `odd` is what was found in its text; it is `complete` where unknown fields are in it. They
    stand in the order of the text, or `by_name`.
    """
    resource = request.resource
    if resource.custom and kind == request.target.kind:
        obj, problems = resource.strategy.decode(body, kind)
    else:
        decoded = decode_built_in(body, kind, "Warn" if mode == "Strict" else mode)
        obj, problems = decoded.obj, decoded.problems
    if problems or odd:
        problems = [*odd] if complete else [*odd, *(sorted(problems) if by_name else problems)]
        if mode == "Strict":
            raise strict_error(kind, kind.kind, problems)
        if mode == "Warn":
            request.warn(problems)
    if obj.get("metadata").__class__ is not dict:
        obj["metadata"] = {}
    return obj


def parse(
    request: ApiRequest,
    kind: str,
    doubled: list[str] | None = None,
    expected: GroupVersionKind | None = None,
) -> Obj:
    """Return what the bytes say. Raises UnsupportedMediaType, or BadRequest.

    What is said of keys that a map of YAML has twice is added to `doubled`. A message of protobuf
    without a kind is of the kind that is expected.
    """
    chosen = media_type(request)
    if chosen == JSON:
        return parse_json(request.body, kind)
    if chosen == YAML:
        return parse_yaml(request.body, kind, doubled)
    if chosen == PROTOBUF and not (request.resource.custom and kind == request.target.kind.kind):
        return decode_request(request.body, expected)
    raise unsupported(_OBJECTS if chosen != PROTOBUF else _OBJECTS[:2])


def unsupported(accepted: tuple[str, ...]) -> ApiError:
    """Return the refusal of a media type, with those that can be read."""
    return UnsupportedMediaType(
        "the body of the request was in an unknown format - accepted media types include: "
        + ", ".join(accepted)
    )


def parse_json(raw: bytes, kind: str) -> Obj:
    """Read a JSON object. Raises BadRequest in the words of Go's decoder."""
    try:
        value = depth.loads(raw)
    except orjson.JSONDecodeError as error:
        value = _mended(raw, kind, error)
    return _object(value, raw, kind)


def _mended(raw: bytes, kind: str, error: orjson.JSONDecodeError) -> Any:
    """Read JSON whose text is no good UTF-8, as Go does: what cannot be read becomes U+FFFD."""
    text = raw.decode("utf-8", "replace")
    why = syntax_error(text)
    if not why and not isinstance(error, depth.TooDeep):
        try:
            return depth.loads(text.encode())
        except orjson.JSONDecodeError as still:
            error = still
    why = f"couldn't get version/kind; json parse error: {why or error}"
    raise unrecognized(kind, why, raw) from None


def _object(value: Any, raw: bytes, kind: str) -> Obj:
    """Return what was read, which may be null: an object without anything."""
    if value is None:
        return {}
    if value.__class__ is not dict:
        raise unrecognized(kind, no_kind(value), raw)
    found: Obj = value
    return found


def parse_yaml(raw: bytes, kind: str, doubled: list[str] | None = None) -> Obj:
    """Read a YAML object; what is said of keys that a map has twice is added to `doubled`."""
    try:
        value = load_yaml(raw, doubled)
    except yaml.YAMLError as error:
        raise unrecognized(kind, yaml.words(error), raw) from None
    return _object(value, raw, kind)


def load_yaml(raw: bytes, doubled: list[str] | None = None) -> Any:
    """Read YAML; most clients send JSON, which YAML contains. Raises YAMLError."""
    try:
        value = depth.loads(raw)
    except orjson.JSONDecodeError:
        return yaml.load(raw, doubled)
    # Only where JSON has a field twice it is read again, for the words of YAML.
    return yaml.load(raw, doubled) if find_duplicate_fields(raw, value) else value


def no_kind(value: Any) -> str:
    """Return what is said of a value that is no object, and cannot even tell its kind."""
    return f"couldn't get version/kind; json parse error: {_TYPE_META.format(json_type(value))}"


def check_kind(body: Obj, kind: GroupVersionKind) -> GroupVersionKind:
    """Return the kind to decode as. Raises BadRequest where the body is of another kind."""
    version, name = body.get("apiVersion") or "", body.get("kind") or ""
    if version == kind.api_version and name == kind.kind:
        return kind
    if version.__class__ is not str or name.__class__ is not str:
        return kind
    if not version and not name:
        return kind
    if version.count("/") > 1:
        raise BadRequest(f"unexpected GroupVersion string: {version}")
    group_version = GroupVersion.parse(version) if version else kind.group_version
    found = group_version.kind(name or kind.kind)
    if kind in (found, _READ_AS.get(found)):
        return kind
    if not _is_built_in(found):
        raise no_kind_registered(found, kind.kind)
    if found.kind != kind.kind:
        raise cannot_be_handled(found, kind.kind, unknown_conversion(found, kind))
    raise BadRequest(
        f"the API version in the data ({found.api_version}) does not match the expected API "
        f"version ({kind.api_version})"
    )


def unknown_conversion(found: GroupVersionKind, kind: GroupVersionKind) -> str:
    """Return why an object of one built-in kind is none of another."""
    package = kind.group.partition(".")[0] or "core"
    return (
        f"converting ({found.version}.{found.kind}) to ({package}.{kind.kind}): unknown conversion"
    )


def check_custom_kind(body: Obj, kind: GroupVersionKind) -> GroupVersionKind:
    """Return the kind of a custom resource. Raises BadRequest or Invalid on any other.

    Nothing is taken from the path here: an object says itself what it is.
    """
    version, name = body.get("apiVersion"), body.get("kind")
    if not name or name.__class__ is not str:
        shown = orjson.dumps(body).decode()
        why = f"Object 'Kind' is missing in '{shown}'"
        raise BadRequest(
            f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {why}'
        )
    if version != kind.api_version:
        raise BadRequest(
            f"the API version in the data ({version or ''}) does not match the expected API "
            f"version ({kind.api_version})"
        )
    if name != kind.kind:
        errors = [invalid(Path("kind"), name, f"must be {kind.kind}")]
        raise Invalid(GroupKind(kind.group, name), name_of(body), errors)
    return kind


def _is_built_in(kind: GroupVersionKind) -> bool:
    return types().type_of(kind) is not None


def custom_types(resource: Resource) -> tuple[str, ...]:
    """Return the patches that a resource takes: no strategic ones without merge keys."""
    if resource.custom:
        return (JSON_PATCH, MERGE_PATCH, APPLY_PATCH)
    return PATCHES
