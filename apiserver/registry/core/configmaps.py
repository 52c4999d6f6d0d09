"""ConfigMaps: text and bytes by key, which `immutable` freezes for good."""

from __future__ import annotations

from apimachinery.gvk import CORE_V1
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, forbidden, invalid, too_long
from apimachinery.validation.names import is_config_map_key
from apiserver.registry.podspec.checks import obey
from apiserver.registry.resource import Column, Resource
from apiserver.registry.strategy import MetadataCheck, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME

MAX_BYTES = 1024 * 1024
_DATA, _BINARY = Path("data"), Path("binaryData")


class ConfigMapStrategy(Strategy):
    """Keys are file names; a key stands in one of the two maps."""

    metadata_checks = (MetadataCheck.CHANGES, MetadataCheck.WHOLE)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
        size = 0
        for key, text in data.items():
            yield from obey(is_config_map_key, key, _DATA.key(key))
            if key in binary:
                yield invalid(_DATA.key(key), key, "duplicate of key present in binaryData")
            size += len(text) if text.isascii() else len(text.encode())
        for key, encoded in binary.items():
            yield from obey(is_config_map_key, key, _BINARY.key(key))
            size += decoded_length(encoded)
        if size > MAX_BYTES:
            yield too_long(Path(""), "", MAX_BYTES)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        if old.get("immutable"):
            if not new.get("immutable"):
                yield forbidden(Path("immutable"), "field is immutable when `immutable` is set")
            for name in ("data", "binaryData"):
                if (new.get(name) or {}) != (old.get(name) or {}):
                    yield forbidden(Path(name), "field is immutable when `immutable` is set")
        yield from self.validate(new, ctx)


def decoded_length(encoded: str) -> int:
    """Return how many bytes a base64 text stands for."""
    return len(encoded) * 3 // 4 - encoded[-2:].count("=")


def _count(obj: Obj, now: float) -> int:
    return len(obj.get("data") or ()) + len(obj.get("binaryData") or ())


CONFIGMAPS = Resource(
    kind=CORE_V1.kind("ConfigMap"),
    plural="configmaps",
    short=("cm",),
    strategy=ConfigMapStrategy(),
    columns=(NAME, Column("Data", _count), AGE),
)
