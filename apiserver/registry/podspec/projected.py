"""Volumes made of files that the kubelet writes: secrets, config maps, downward API, tokens."""

from __future__ import annotations

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, forbidden, invalid, required
from apimachinery.validation.names import is_dns1123_subdomain
from apiserver.registry.podspec.env import VOLUME_FIELDS, field_errors, resource_field_errors
from apiserver.registry.podspec.paths import local_path
from apiserver.registry.podspec.selectors import selector_errors
from apiserver.registry.podspec.tokens import is_token_volume

_MODE = "must be a number between 0 and 0777 (octal), both inclusive"
_MAX_MODE = 0o777
_LEAST_SECONDS = 600
_MOST_SECONDS = 1 << 32
_CONFLICT = "conflicting duplicate paths"


def secret_errors(source: Obj, path: Path) -> FieldErrors:
    if not source.get("secretName"):
        yield required(path / "secretName")
    yield from _mode_errors(source.get("defaultMode"), path / "defaultMode")
    yield from _item_errors(source, path)


def config_map_errors(source: Obj, path: Path) -> FieldErrors:
    if not source.get("name"):
        yield required(path / "name")
    yield from _mode_errors(source.get("defaultMode"), path / "defaultMode")
    yield from _item_errors(source, path)


def downward_api_errors(source: Obj, path: Path) -> FieldErrors:
    yield from _mode_errors(source.get("defaultMode"), path / "defaultMode")
    for item in source.get("items") or ():
        yield from _downward_file_errors(item, path)


def projected_errors(source: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with a projected volume; all its files share one folder."""
    if is_token_volume(source):
        return
    yield from _mode_errors(source.get("defaultMode"), path / "defaultMode")
    taken: set[str] = set()
    for at, part in enumerate(source.get("sources") or ()):
        where = (path / "sources")[at]
        found = 0
        for key, rule in _PARTS:
            if (inner := part.get(key)) is not None:
                found += 1
                yield from rule(inner, where / key, path, taken)
        if found > 1:
            yield forbidden(where, "may not specify more than 1 volume type per source")


def _mode_errors(mode: int | None, path: Path) -> FieldErrors:
    if mode is not None and not 0 <= mode <= _MAX_MODE:
        yield invalid(path, mode, _MODE)


def _item_errors(source: Obj, path: Path) -> FieldErrors:
    for at, item in enumerate(source.get("items") or ()):
        yield from _key_errors(item, (path / "items")[at])


def _key_errors(item: Obj, path: Path) -> FieldErrors:
    if not item.get("key"):
        yield required(path / "key")
    if not item.get("path"):
        yield required(path / "path")
    yield from local_path(item.get("path") or "", path / "path")
    yield from _mode_errors(item.get("mode"), path / "mode")


def _downward_file_errors(item: Obj, path: Path) -> FieldErrors:
    if not item.get("path"):
        yield required(path / "path")
    yield from local_path(item.get("path") or "", path / "path")
    field, resource = item.get("fieldRef"), item.get("resourceFieldRef")
    if field is not None:
        yield from field_errors(field, VOLUME_FIELDS, path / "fieldRef")
        if resource is not None:
            yield invalid(
                path,
                "resource",
                "fieldRef and resourceFieldRef can not be specified simultaneously",
            )
    elif resource is not None:
        yield from resource_field_errors(resource, path / "resourceFieldRef", in_volume=True)
    else:
        yield required(path, "one of fieldRef and resourceFieldRef is required")
    yield from _mode_errors(item.get("mode"), path / "mode")


def _files(source: Obj, path: Path, volume: Path, taken: set[str]) -> FieldErrors:
    name = source.get("name") or ""
    if not name:
        yield required(path / "name")
    for at, item in enumerate(source.get("items") or ()):
        yield from _key_errors(item, (path / "items")[at])
        yield from _once(item.get("path") or "", name, volume, taken)


def _downward(source: Obj, path: Path, volume: Path, taken: set[str]) -> FieldErrors:
    for item in source.get("items") or ():
        yield from _downward_file_errors(item, path)
        yield from _once(item.get("path") or "", item.get("path") or "", volume, taken)


def _once(file: str, shown: str, volume: Path, taken: set[str]) -> FieldErrors:
    if not file:
        return
    if file in taken:
        yield invalid(volume, shown, _CONFLICT)
    taken.add(file)


def _token(source: Obj, path: Path, volume: Path, taken: set[str]) -> FieldErrors:
    seconds = source.get("expirationSeconds") or 0
    if seconds < _LEAST_SECONDS:
        yield invalid(
            path / "expirationSeconds", seconds, "may not specify a duration less than 10 minutes"
        )
    if seconds > _MOST_SECONDS:
        yield invalid(
            path / "expirationSeconds",
            seconds,
            "may not specify a duration larger than 2^32 seconds",
        )
    if not source.get("path"):
        yield required(volume / "path")
    else:
        yield from local_path(source["path"], volume / "path")


def _trust_bundle(source: Obj, path: Path, volume: Path, taken: set[str]) -> FieldErrors:
    name, signer = source.get("name"), source.get("signerName")
    if name is not None and signer is not None:
        yield invalid(path, source, "only one of name and signerName may be used")
    elif name is not None:
        yield from _bundle_name_errors(name, source, path)
    elif signer is not None:
        if not signer:
            yield required(path / "signerName", "must be a valid signer name")
        yield from selector_errors(source.get("labelSelector"), path / "labelSelector")
    else:
        yield required(path, "either name or signerName must be specified")
    file = source.get("path") or ""
    if not file:
        yield required(path / "path")
    yield from local_path(file, path / "path")
    if file in taken:
        yield invalid(volume, file, _CONFLICT)
    taken.add(file)


def _bundle_name_errors(name: str, source: Obj, path: Path) -> FieldErrors:
    if not name:
        yield required(path / "name", "must be a valid object name")
    # A bundle of a signer is called "signer:domain:name"; the last part is a plain name.
    for message in is_dns1123_subdomain(name.rpartition(":")[2]):
        yield invalid(path / "name", name, f"not a valid clustertrustbundlename: {message}")
    if source.get("labelSelector") is not None:
        yield invalid(
            path / "labelSelector",
            source["labelSelector"],
            "labelSelector must be unset if name is specified",
        )


def _certificate(source: Obj, path: Path, volume: Path, taken: set[str]) -> FieldErrors:
    if not source.get("signerName"):
        yield required(path / "signerName")
    if not source.get("keyType"):
        yield required(path / "keyType")
    files = [
        f for f in ("credentialBundlePath", "keyPath", "certificateChainPath") if source.get(f)
    ]
    if not files:
        yield required(
            path, "specify at least one of credentialBundlePath, keyPath, and certificateChainPath"
        )
    for name in files:
        yield from local_path(source[name], path / name)
        yield from _once(source[name], source[name], volume, taken)


_PARTS = (
    ("secret", _files),
    ("configMap", _files),
    ("downwardAPI", _downward),
    ("serviceAccountToken", _token),
    ("clusterTrustBundle", _trust_bundle),
    ("podCertificate", _certificate),
)
