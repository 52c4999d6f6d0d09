"""Volume sources that pods and PersistentVolumes have in common, disks and network storage.

Most of them are of storage systems that nobody runs here; they are still checked as Kubernetes
checks them, since manifests that name them exist.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    invalid,
    not_supported,
    required,
    too_long,
)
from apimachinery.validation.names import inclusive_range, is_dns1123_label, is_dns1123_subdomain
from apiserver.registry.podspec.checks import obey, one_of
from apiserver.registry.podspec.paths import no_backsteps

Rule = Callable[[Obj, Path], FieldErrors]
_HOST_PATH_TYPES = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)
_MAX_BYTE = 255
_IQN = re.compile(r"iqn\.\d{4}-\d{2}\.([A-Za-z0-9\-.]+)(:[^,;*&$|\s]+)$")
_EUI = re.compile(r"^eui.[A-Za-z0-9]{16}$")
_NAA = re.compile(r"^naa.[A-Za-z0-9]{32}$")
_ISCSI = {"iqn": _IQN, "eui": _EUI, "naa": _NAA}
_QUOBYTE = "must be a host:port pair or multiple pairs separated by commas"
_MAX_TENANT = 65
_MAX_DRIVER = 63


def needed(source: Obj, names: Iterable[str], path: Path) -> FieldErrors:
    """Yield which of some fields are missing, in the order of `names`."""
    for name in names:
        if not source.get(name):
            yield required(path / name)


def _needs(*names: str) -> Rule:
    def rule(source: Obj, path: Path) -> FieldErrors:
        yield from needed(source, names, path)

    return rule


def _host_path(source: Obj, path: Path) -> FieldErrors:
    if not source.get("path"):
        yield required(path / "path")
        return
    yield from no_backsteps(source["path"], path / "path")
    if source.get("type") is not None:
        yield from one_of(source["type"], _HOST_PATH_TYPES, path / "type")


def _disk(name: str) -> Rule:
    def rule(source: Obj, path: Path) -> FieldErrors:
        yield from needed(source, (name,), path)
        partition = source.get("partition") or 0
        if not 0 <= partition <= _MAX_BYTE:
            yield invalid(path / "partition", partition, inclusive_range(1, _MAX_BYTE))

    return rule


def _nfs(source: Obj, path: Path) -> FieldErrors:
    yield from needed(source, ("server", "path"), path)
    folder = source.get("path") or ""
    if not folder.startswith("/"):
        yield invalid(path / "path", folder, "must be an absolute path")


def _iscsi(source: Obj, path: Path) -> FieldErrors:
    yield from needed(source, ("targetPortal",), path)
    name = source.get("iqn") or ""
    if not name:
        yield required(path / "iqn")
    else:
        yield from _iscsi_name_errors(name, path / "iqn")
    lun = source.get("lun") or 0
    if not 0 <= lun <= _MAX_BYTE:
        yield invalid(path / "lun", lun, inclusive_range(0, _MAX_BYTE))
    chap = source.get("chapAuthDiscovery") or source.get("chapAuthSession")
    if chap and source.get("secretRef") is None:
        yield required(path / "secretRef")
    if source.get("initiatorName") is not None:
        yield from _iscsi_name_errors(source["initiatorName"], path / "initiatorname")


def _iscsi_name_errors(name: str, path: Path) -> FieldErrors:
    pattern = _ISCSI.get(name[:3])
    if pattern is None:
        yield invalid(path, name, "must be valid format starting with iqn, eui, or naa")
    elif not pattern.search(name):
        yield invalid(path, name, "must be valid format")


def _glusterfs(source: Obj, path: Path) -> FieldErrors:
    yield from needed(source, ("endpoints", "path"), path)
    namespace = source.get("endpointsNamespace")
    if namespace is not None:
        if not namespace:
            yield invalid(
                path / "endpointsNamespace",
                namespace,
                "if the endpointnamespace is set, it must be a valid namespace name",
            )
        else:
            yield from obey(is_dns1123_label, namespace, path / "endpointsNamespace")


def _flocker(source: Obj, path: Path) -> FieldErrors:
    name, uuid = source.get("datasetName") or "", source.get("datasetUUID") or ""
    if not name and not uuid:
        yield required(path, "one of datasetName and datasetUUID is required")
    if name and uuid:
        yield invalid(
            path, "resource", "datasetName and datasetUUID can not be specified simultaneously"
        )
    if "/" in name:
        yield invalid(path / "datasetName", name, "must not contain '/'")


def _cinder(source: Obj, path: Path) -> FieldErrors:
    yield from needed(source, ("volumeID",), path)
    if source.get("secretRef") is not None:
        yield from needed(source["secretRef"], ("name",), path / "secretRef")


def _quobyte(source: Obj, path: Path) -> FieldErrors:
    registry = source.get("registry") or ""
    if not registry:
        yield required(path / "registry", _QUOBYTE)
    elif len(source.get("tenant") or "") >= _MAX_TENANT:
        yield required(
            path / "tenant", "must be a UUID and may not exceed a length of 64 characters"
        )
    else:
        for pair in registry.split(","):
            if pair.count(":") != 1:
                yield invalid(path / "registry", registry, _QUOBYTE)
    yield from needed(source, ("volume",), path)


def _fc(source: Obj, path: Path) -> FieldErrors:
    targets, wwids, lun = source.get("targetWWNs"), source.get("wwids"), source.get("lun")
    if not targets and not wwids:
        yield required(path / "targetWWNs", "must specify either targetWWNs or wwids, but not both")
    if targets and wwids:
        yield invalid(
            path / "targetWWNs", targets, "targetWWNs and wwids can not be specified simultaneously"
        )
    if targets:
        if lun is None:
            yield required(path / "lun", "lun is required if targetWWNs is specified")
        elif not 0 <= lun <= _MAX_BYTE:
            yield invalid(path / "lun", lun, inclusive_range(0, _MAX_BYTE))


def _flex(source: Obj, path: Path) -> FieldErrors:
    yield from needed(source, ("driver",), path)
    for key in source.get("options") or ():
        owner = "." + key.partition("/")[0].lower()
        if owner.endswith((".kubernetes.io", ".k8s.io")):
            yield invalid(
                (path / "options").key(key), key, "kubernetes.io and k8s.io namespaces are reserved"
            )


def _azure_disk(source: Obj, path: Path) -> FieldErrors:
    yield from needed(source, ("diskName", "diskURI"), path)
    if (mode := source.get("cachingMode")) is not None:
        yield from one_of(mode, ("None", "ReadOnly", "ReadWrite"), path / "cachingMode")
    kind, uri = source.get("kind"), source.get("diskURI") or ""
    if kind is None:
        return
    yield from one_of(kind, ("Dedicated", "Managed", "Shared"), path / "kind")
    if kind == "Managed" and not uri.startswith("/subscriptions/"):
        yield not_supported(path / "diskURI", uri, (_MANAGED_URI,))
    if kind != "Managed" and not uri.startswith("https://"):
        yield not_supported(path / "diskURI", uri, (_BLOB_URI,))


_MANAGED_URI = (
    "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute"
    "/disks/{disk-id}"
)
_BLOB_URI = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"


def _storage_os(source: Obj, path: Path) -> FieldErrors:
    name = source.get("volumeName") or ""
    if not name:
        yield required(path / "volumeName")
    else:
        yield from obey(is_dns1123_label, name, path / "volumeName")
    if namespace := source.get("volumeNamespace"):
        yield from obey(is_dns1123_label, namespace, path / "volumeNamespace")
    if source.get("secretRef") is not None:
        yield from needed(source["secretRef"], ("name",), path / "secretRef")


def csi_driver_name_errors(name: str, path: Path) -> FieldErrors:
    """Yield what is wrong with the name of a CSI driver."""
    if not name:
        yield required(path)
    if len(name) > _MAX_DRIVER:
        yield too_long(path, "", _MAX_DRIVER)
    for message in is_dns1123_subdomain(name.lower()):
        yield invalid(path, name, message)


# name -> (name in the paths of errors, rule)
SHARED_SOURCES: dict[str, tuple[str, Rule]] = {
    "hostPath": ("hostPath", _host_path),
    "gcePersistentDisk": ("persistentDisk", _disk("pdName")),
    "awsElasticBlockStore": ("awsElasticBlockStore", _disk("volumeID")),
    "nfs": ("nfs", _nfs),
    "iscsi": ("iscsi", _iscsi),
    "glusterfs": ("glusterfs", _glusterfs),
    "flocker": ("flocker", _flocker),
    "rbd": ("rbd", _needs("monitors", "image")),
    "cinder": ("cinder", _cinder),
    "cephfs": ("cephfs", _needs("monitors")),
    "quobyte": ("quobyte", _quobyte),
    "fc": ("fc", _fc),
    "flexVolume": ("flexVolume", _flex),
    "azureFile": ("azureFile", _needs("secretName", "shareName")),
    "vsphereVolume": ("vsphereVolume", _needs("volumePath")),
    "photonPersistentDisk": ("photonPersistentDisk", _needs("pdID")),
    "portworxVolume": ("portworxVolume", _needs("volumeID")),
    "azureDisk": ("azureDisk", _azure_disk),
    "storageos": ("storageos", _storage_os),
    "scaleIO": ("scaleIO", _needs("gateway", "system", "volumeName")),
}
