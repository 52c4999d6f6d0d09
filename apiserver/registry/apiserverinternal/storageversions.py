"""StorageVersions: in which version each API server stores objects of a resource.

Named GROUP.RESOURCE, "core.pods" for instance.
"""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.storageversions import common_version, servers_of
from apimachinery.validation.field import FieldErrors, Path, invalid, required
from apimachinery.validation.names import (
    DNS1035_LABEL,
    is_dns1035_label,
    is_dns1123_subdomain,
    is_qualified_name,
    regex_error,
)
from apiserver.registry.podspec.checks import obey
from apiserver.registry.podspec.workload import keep_status
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import StatusStrategy, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, field, first_few

_STATUS = Path("status")
_COMMON = _STATUS / "commonEncodingVersion"
_NO_API_VERSION = (
    regex_error(
        "an apiVersion is a DNS-1035 label, which must consist of lower case alphanumeric "
        "characters or '-', start with an alphabetic character, and end with an alphanumeric "
        "character",
        DNS1035_LABEL,
        "my-name",
        "abc-123",
    )
    + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyVersion')"
)
_EMPTY = "must be non-empty"
_NO_COMMON = (
    "should be nil if servers do not agree on the same encoding version, or if there is no server "
    "reporting the supported versions yet"
)
_SHOWN = 3


def is_storage_version_name(value: str) -> list[str]:
    """Check that a name is that of a group, a dot, and that of a resource."""
    group, dot, resource = value.rpartition(".")
    if not dot:
        return ["name must be in the form of <group>.<resource>"]
    return [
        *(f"the group segment {one}" for one in is_dns1123_subdomain(group)),
        *(f"the resource segment {one}" for one in is_dns1035_label(resource)),
    ]


def is_api_version(value: str) -> list[str]:
    """Check an apiVersion: a version, or a group and one."""
    group, slash, version = value.rpartition("/")
    if "/" in group:
        return [_NO_API_VERSION]
    wrong = []
    if slash:
        found = is_dns1123_subdomain(group) if group else [_EMPTY]
        wrong += [f"group part: {one}" for one in found]
    found = is_dns1035_label(version) if version else [_EMPTY]
    return wrong + [f"version part: {one}" for one in found]


class StorageVersionStrategy(Strategy):
    """All that it tells is its status."""

    allow_unconditional_update = False
    name_rule = staticmethod(is_storage_version_name)

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {}

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from ()


class StorageVersionStatusStrategy(StatusStrategy):
    """What the servers say, and what follows from that."""

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        status = new.get("status") or {}
        servers = servers_of(new)
        for at, server in enumerate(servers):
            yield from _server_errors(server, (_STATUS / "storageVersions")[at])
        said, actual = status.get("commonEncodingVersion"), common_version(servers)
        if actual is None and said is not None:
            yield invalid(_COMMON, said, _NO_COMMON)
        elif actual is not None and said is None:
            yield invalid(_COMMON, None, f"the common encoding version is {actual}")
        elif actual != said:
            yield invalid(_COMMON, said, f"the actual common encoding version is {actual}")
        yield from _condition_errors(status.get("conditions") or [])


def _server_errors(server: Obj, path: Path) -> FieldErrors:
    encodes = server.get("encodingVersion") or ""
    decodes = server.get("decodableVersions") or []
    yield from obey(is_dns1123_subdomain, server.get("apiServerID") or "", path / "apiServerID")
    yield from _version_errors(encodes, path / "encodingVersion")
    for at, version in enumerate(decodes):
        yield from _version_errors(version, (path / "decodableVersions")[at])
    if encodes not in decodes:
        why = f"decodableVersions must include encodingVersion {encodes}"
        yield invalid(path / "decodableVersions", decodes, why)


def _version_errors(version: str, path: Path) -> FieldErrors:
    if wrong := is_api_version(version):
        yield invalid(path, version, ",".join(wrong))


def _condition_errors(conditions: list[Obj]) -> FieldErrors:
    seen: dict[str, int] = {}
    for at, condition in enumerate(conditions):
        # Kubernetes leaves the name of the list out of the path.
        path, kind = _STATUS[at], condition.get("type") or ""
        if kind in seen:
            also = f"it also appears in conditions[{seen[kind]}]"
            yield invalid(path / "type", kind, f"the type of the condition is not unique, {also}")
        seen[kind] = at
        yield from obey(is_qualified_name, kind, path / "type")
        yield from obey(is_qualified_name, condition.get("status") or "", path / "status")
        for name in ("reason", "message"):
            if not condition.get(name):
                yield required(path / name, f"{name} cannot be empty")


def _servers(obj: Obj, now: float) -> str:
    said = [f"{one['apiServerID']}={one['encodingVersion']}" for one in servers_of(obj)]
    return first_few(said, _SHOWN)


_STRATEGY = StorageVersionStrategy()

STORAGEVERSIONS = Resource(
    kind=GroupVersionKind("internal.apiserver.k8s.io", "v1alpha1", "StorageVersion"),
    plural="storageversions",
    singular="storageversion",
    namespaced=False,
    strategy=_STRATEGY,
    subresources={"status": Subresource(strategy=StorageVersionStatusStrategy(_STRATEGY))},
    columns=(
        NAME,
        Column("CommonEncodingVersion", field("status.commonEncodingVersion", "<unset>")),
        Column("StorageVersions", _servers),
        AGE,
    ),
)
