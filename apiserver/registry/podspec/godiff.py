"""What changed between two specs, as Kubernetes prints it in a refusal.

The API server compares its own structs and prints them as JSON: fields have the names of Go's
fields, and everything that is not set is there with its zero value. So the type table says
which fields there are, and the few places where the server's structs differ stand below.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from typing import Any

from apimachinery.meta import Obj
from apimachinery.schema import Schema, types

_CORE = "io.k8s.api.core.v1."
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_CONTEXT = 3  # lines around a change

# JSON name -> Go name, where that is more than a capital letter.
_GO_NAMES = {
    "apiGroup": "APIGroup",
    "apiVersion": "APIVersion",
    "awsElasticBlockStore": "AWSElasticBlockStore",
    "cephfs": "CephFS",
    "chapAuthDiscovery": "DiscoveryCHAPAuth",
    "chapAuthSession": "SessionCHAPAuth",
    "csi": "CSI",
    "diskURI": "DataDiskURI",
    "dnsConfig": "DNSConfig",
    "dnsPolicy": "DNSPolicy",
    "endpoints": "EndpointsName",
    "fc": "FC",
    "fsGroup": "FSGroup",
    "fsGroupChangePolicy": "FSGroupChangePolicy",
    "fsType": "FSType",
    "gcePersistentDisk": "GCEPersistentDisk",
    "gmsaCredentialSpec": "GMSACredentialSpec",
    "gmsaCredentialSpecName": "GMSACredentialSpecName",
    "grpc": "GRPC",
    "httpGet": "HTTPGet",
    "httpHeaders": "HTTPHeaders",
    "ip": "IP",
    "iqn": "IQN",
    "iscsi": "ISCSI",
    "iscsiInterface": "ISCSIInterface",
    "nfs": "NFS",
    "os": "OS",
    "pdID": "PdID",
    "pdName": "PDName",
    "rbd": "RBD",
    "seLinuxChangePolicy": "SELinuxChangePolicy",
    "seLinuxOptions": "SELinuxOptions",
    "storageos": "StorageOS",
    "tcpSocket": "TCPSocket",
    "tty": "TTY",
    "uid": "UID",
    "wwids": "WWIDs",
}
# Fields that stand elsewhere than in v1: name -> the field in front of it ("" is the start).
_MOVED: dict[str, dict[str, str]] = {
    _CORE + "PodSpec": {
        "setHostnameAsFQDN": "subdomain",
        "preemptionPolicy": "priority",
        "overhead": "runtimeClassName",
        "enableServiceLinks": "overhead",
        "topologySpreadConstraints": "enableServiceLinks",
    },
    _CORE + "Volume": {"quobyte": "rbd"},
}
# The server keeps these of a pod in its securityContext.
_HOST = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers")
_HOST_FLAGS = ("hostNetwork", "hostPID", "hostIPC")
_GONE = {_CORE + "PodSpec": {*_HOST, "serviceAccount"}}
_ZEROS = {"string": "", "integer": 0, "number": 0, "boolean": False, "quantity": "0"}


def diff(kind: str, old: Obj, new: Obj) -> str:
    """Return the lines that differ, in unified form with their surroundings."""
    schema = _definition(_CORE + kind)
    return _diff(go_value(schema, old), go_value(schema, new))


def diff_lists(name: str, old: Sequence[Obj], new: Sequence[Obj]) -> str:
    """Return the lines that differ between two lists of a type."""
    schema = _definition(name)
    before, after = ([go_value(schema, each) for each in listed] for listed in (old, new))
    return _diff(before, after)


def _definition(name: str) -> Schema:
    schema = types().definition(name)
    if schema is None:
        raise LookupError(f"no type {name} in the type table")
    return schema


def _diff(old: Any, new: Any) -> str:
    found = difflib.unified_diff(_lines(old), _lines(new), n=_CONTEXT, lineterm="")
    return "".join(f"{line}\n" for at, line in enumerate(found) if at > 1)


def _lines(value: Any) -> list[str]:
    return json.dumps(value, indent=1, ensure_ascii=False).split("\n")


def go_value(schema: Schema, value: Any) -> Any:
    """Return a value as the server's struct would print it."""
    if value is None:
        return None
    if schema.name.startswith("io.k8s.apimachinery"):
        return _tagged(schema, value)
    if schema.kind == "object":
        return _go_struct(schema, value)
    if schema.kind == "array" and schema.item is not None:
        return [go_value(schema.item, item) for item in value]
    if schema.kind == "map" and schema.item is not None:
        return {key: go_value(schema.item, value[key]) for key in sorted(value)}
    return value


def shown_selector(selector: Obj | None) -> Obj | None:
    """Return a LabelSelector with its fields and labels in the order in which Go prints them."""
    return _meta_value("LabelSelector", selector)


def shown_metadata(metadata: Obj | None) -> Obj:
    """Return an ObjectMeta with its fields and labels in the order in which Go prints them."""
    return _meta_value("ObjectMeta", metadata or {}) or {}


def _meta_value(kind: str, value: Obj | None) -> Obj | None:
    shown: Obj | None = _tagged(_definition(_META + kind), value)
    return shown


def _tagged(schema: Schema, value: Any) -> Any:
    """Print a type that is the same on the wire and in the server: what is not set is left out."""
    if schema.kind == "object" and isinstance(value, dict):
        return {
            name: _tagged(field.schema, value[name])
            for name, field in schema.fields.items()
            if name in value
        }
    if schema.kind == "array" and schema.item is not None and value is not None:
        return [_tagged(schema.item, item) for item in value]
    return dict(sorted(value.items())) if isinstance(value, dict) else value


def _go_struct(schema: Schema, value: Obj) -> Obj:
    shown: Obj = {}
    if schema.name == _CORE + "PodSpec":
        value = _with_host_fields(value)
    elif schema.name == _CORE + "PodSecurityContext":
        for name in _HOST:
            shown[go_name(name)] = value.get(name, False if name in _HOST_FLAGS else None)
    for name in _order(schema):
        field = schema.fields[name]
        given = value.get(name)
        if given is None and not field.pointer:
            given = _zero(field.schema)
            shown[go_name(name)] = given
        else:
            shown[go_name(name)] = go_value(field.schema, given)
    return shown


def _zero(schema: Schema) -> Any:
    if schema.kind == "object":
        return go_value(schema, {})
    return _ZEROS.get(schema.kind)


def _order(schema: Schema) -> list[str]:
    gone = _GONE.get(schema.name, set())
    names = [name for name in schema.fields if name not in gone]
    for name, front in _MOVED.get(schema.name, {}).items():
        if name in names:
            names.remove(name)
            names.insert(names.index(front) + 1 if front else 0, name)
    return names


def _with_host_fields(spec: Obj) -> Obj:
    context = spec.get("securityContext")
    found = {name: spec[name] for name in _HOST if name in spec}
    if context is None and not found:
        return spec
    return spec | {"securityContext": {**(context or {}), **found}}


def go_name(name: str) -> str:
    """Return the name of the Go field that a JSON field is."""
    return _GO_NAMES.get(name) or name[0].upper() + name[1:]
