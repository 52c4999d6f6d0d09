"""Secrets: bytes by key in base64, with a type that says which keys must be there."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import orjson

from apimachinery.gvk import CORE_V1
from apimachinery.meta import Obj, annotations_of
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    forbidden,
    invalid,
    required,
    too_long,
)
from apimachinery.validation.names import is_config_map_key
from apiserver.registry.core.configmaps import MAX_BYTES, decoded_length
from apiserver.registry.core.keypairs import key_pair_problem
from apiserver.registry.podspec.checks import immutable, obey
from apiserver.registry.resource import Column, Resource
from apiserver.registry.strategy import MetadataCheck, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, count, field

_DATA = Path("data")
_ACCOUNT_NAME = "kubernetes.io/service-account.name"
_FROZEN = "field is immutable when `immutable` is set"


class SecretStrategy(Strategy):
    """stringData is a way to write data; it is never read back."""

    metadata_checks = (MetadataCheck.CHANGES, MetadataCheck.WHOLE)

    def default(self, obj: Obj) -> None:
        if not obj.get("type"):
            obj["type"] = "Opaque"
        texts = obj.pop("stringData", None)
        if texts:
            encoded = {k: base64.b64encode(v.encode()).decode() for k, v in texts.items()}
            obj["data"] = (obj.get("data") or {}) | encoded

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        data: dict[str, str] = obj.get("data") or {}
        size = 0
        for key, encoded in data.items():
            yield from obey(is_config_map_key, key, _DATA.key(key))
            size += decoded_length(encoded)
        if size > MAX_BYTES:
            yield too_long(_DATA, "", MAX_BYTES)
        if rule := _RULES.get(obj.get("type", "")):
            yield from rule(obj, data)

    def warnings_on_create(self, obj: Obj, ctx: StrategyContext) -> list[str]:
        if obj.get("type") != "kubernetes.io/tls":
            return []
        data = obj.get("data") or {}
        pair = (base64.b64decode(data.get(key) or "") for key in ("tls.crt", "tls.key"))
        return [text] if (text := key_pair_problem(*pair)) else []

    def warnings_on_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> list[str]:
        return self.warnings_on_create(new, ctx)

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        """A PUT without a type keeps the old one: the type cannot change anyway."""
        if not new.get("type"):
            new["type"] = old.get("type")

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from immutable(new.get("type"), old.get("type"), Path("type"))
        if old.get("immutable"):
            if not new.get("immutable"):
                yield forbidden(Path("immutable"), _FROZEN)
            if (new.get("data") or {}) != (old.get("data") or {}):
                yield forbidden(_DATA, _FROZEN)
        yield from self.validate(new, ctx)


def _service_account(obj: Obj, data: dict[str, str]) -> FieldErrors:
    if not annotations_of(obj).get(_ACCOUNT_NAME):
        yield required((Path("metadata") / "annotations").key(_ACCOUNT_NAME))


def _docker_cfg(obj: Obj, data: dict[str, str]) -> FieldErrors:
    yield from _json_key(data, ".dockercfg")


def _docker_config_json(obj: Obj, data: dict[str, str]) -> FieldErrors:
    yield from _json_key(data, ".dockerconfigjson")


def _json_key(data: dict[str, str], key: str) -> FieldErrors:
    path = _DATA.key(key)
    if key not in data:
        yield required(path)
        return
    if problem := _json_problem(data[key]):
        yield invalid(path, "<secret contents redacted>", problem)


def _json_problem(encoded: str) -> str:
    """Say what is wrong with a JSON object in base64, as Go's decoder does."""
    try:
        raw = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return "unexpected end of JSON input"
    if not raw.strip():
        return "unexpected end of JSON input"
    try:
        found: Any = orjson.loads(raw)
    except orjson.JSONDecodeError:
        first = raw.lstrip()[:1].decode(errors="replace")
        if first == "{":
            return "unexpected end of JSON input"
        return f"invalid character '{first}' looking for beginning of value"
    if found is not None and not isinstance(found, dict):
        kind = _GO_KINDS[type(found)]
        return f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
    return ""


_GO_KINDS = {str: "string", int: "number", float: "number", bool: "bool", list: "array"}


def _basic_auth(obj: Obj, data: dict[str, str]) -> FieldErrors:
    if "username" not in data and "password" not in data:
        yield required(_DATA.key("username"))
        yield required(_DATA.key("password"))


def _ssh_auth(obj: Obj, data: dict[str, str]) -> FieldErrors:
    if not data.get("ssh-privatekey"):
        yield required(_DATA.key("ssh-privatekey"))


def _tls(obj: Obj, data: dict[str, str]) -> FieldErrors:
    if "tls.crt" not in data:
        yield required(_DATA.key("tls.crt"))
    if "tls.key" not in data:
        yield required(_DATA.key("tls.key"))


_RULES = {
    "kubernetes.io/service-account-token": _service_account,
    "kubernetes.io/dockercfg": _docker_cfg,
    "kubernetes.io/dockerconfigjson": _docker_config_json,
    "kubernetes.io/basic-auth": _basic_auth,
    "kubernetes.io/ssh-auth": _ssh_auth,
    "kubernetes.io/tls": _tls,
}


SECRETS = Resource(
    kind=CORE_V1.kind("Secret"),
    plural="secrets",
    strategy=SecretStrategy(),
    selectable={"type": lambda obj: str(obj.get("type") or "")},
    columns=(NAME, Column("Type", field("type")), Column("Data", count("data")), AGE),
)
