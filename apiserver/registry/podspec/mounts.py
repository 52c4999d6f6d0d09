"""Where containers see volumes: mounts and block devices."""

from __future__ import annotations

from collections.abc import Mapping

from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    forbidden,
    invalid,
    not_found,
    not_supported,
    required,
)
from apiserver.registry.podspec.paths import local_descending_path

_PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
_RECURSIVE = ("Disabled", "Enabled", "IfPossible")


def mount_errors(container: Obj, volumes: Mapping[str, Obj], path: Path) -> FieldErrors:
    """Yield what is wrong with a container's volumeMounts."""
    devices = {d.get("name"): d.get("devicePath") for d in container.get("volumeDevices") or ()}
    points: set[str] = set()
    for at, mount in enumerate(container["volumeMounts"]):
        name, point = mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            yield required(path[at] / "name")
        if name not in volumes:
            yield not_found(path[at] / "name", name)
        if not point:
            yield required(path[at] / "mountPath")
        if point in points:
            yield invalid(path[at] / "mountPath", point, "must be unique")
        points.add(point)
        if devices:
            yield from _overlap_errors(name, point, devices, path[at])
        yield from _sub_path_errors(mount, volumes.get(name) or {}, path[at], path)
        if mount.get("mountPropagation") is not None:
            yield from _propagation_errors(mount, container, path / "mountPropagation")
        if mount.get("recursiveReadOnly") is not None:
            yield from _read_only_errors(mount, path / "recursiveReadOnly")


def _overlap_errors(name: str, point: str, devices: Obj, path: Path) -> FieldErrors:
    if name in devices:
        yield invalid(path / "name", name, "must not already exist in volumeDevices")
    if point in devices.values():
        yield invalid(
            path / "mountPath", point, "must not already exist as a path in volumeDevices"
        )


def _sub_path_errors(mount: Obj, volume: Obj, path: Path, mounts: Path) -> FieldErrors:
    sub_path, expression = mount.get("subPath"), mount.get("subPathExpr")
    if volume.get("image") is not None and expression:
        yield invalid(path / "subPathExpr", expression, "not allowed in image volume sources")
    if sub_path:
        yield from local_descending_path(sub_path, mounts / "subPath")
    if expression:
        if sub_path:
            yield invalid(
                path / "subPathExpr", expression, "subPathExpr and subPath are mutually exclusive"
            )
        yield from local_descending_path(expression, mounts / "subPathExpr")


def _propagation_errors(mount: Obj, container: Obj, path: Path) -> FieldErrors:
    value = mount["mountPropagation"]
    if value not in _PROPAGATIONS:
        yield not_supported(path, value, _PROPAGATIONS)
    privileged = (container.get("securityContext") or {}).get("privileged")
    if value == "Bidirectional" and not privileged:
        yield forbidden(
            path, "Bidirectional mount propagation is available only to privileged containers"
        )


def _read_only_errors(mount: Obj, path: Path) -> FieldErrors:
    value = mount["recursiveReadOnly"]
    if value not in _RECURSIVE:
        yield not_supported(path, value, _RECURSIVE)
    elif value != "Disabled":
        if not mount.get("readOnly"):
            yield forbidden(path, "may only be specified when readOnly is true")
        if (mount.get("mountPropagation") or "None") != "None":
            yield forbidden(
                path, "may only be specified when mountPropagation is None or not specified"
            )


def device_errors(container: Obj, volumes: Mapping[str, Obj], path: Path) -> FieldErrors:
    """Yield what is wrong with a container's volumeDevices."""
    mounts = {m.get("name"): m.get("mountPath") for m in container.get("volumeMounts") or ()}
    names: set[str] = set()
    points: set[str] = set()
    for at, device in enumerate(container["volumeDevices"]):
        name, point = device.get("name") or "", device.get("devicePath") or ""
        yield from _device_name_errors(name, names, volumes, path[at] / "name")
        if not point:
            yield required(path[at] / "devicePath")
        if point in points:
            yield invalid(path[at] / "devicePath", point, "must be unique")
        if ".." in point.split("/"):
            yield invalid(path[at] / "devicePath", point, "can not contain backsteps ('..')")
        else:
            points.add(point)
        if name in mounts:
            yield invalid(path[at] / "name", name, "must not already exist in volumeMounts")
        if point in mounts.values():
            yield invalid(
                path[at] / "devicePath", point, "must not already exist as a path in volumeMounts"
            )
        if name:
            names.add(name)


def _device_name_errors(
    name: str, names: set[str], volumes: Mapping[str, Obj], path: Path
) -> FieldErrors:
    if not name:
        yield required(path)
    if name in names:
        yield invalid(path, name, "must be unique")
    volume = volumes.get(name)
    if volume is None:
        yield not_found(path, name)
    elif volume.get("persistentVolumeClaim") is None and volume.get("ephemeral") is None:
        yield invalid(
            path,
            name,
            "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode",
        )
