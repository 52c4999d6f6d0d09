"""Environment variables of containers, and the fields of a pod that they may show."""

from __future__ import annotations

from collections.abc import Collection

from apimachinery.meta import Obj
from apimachinery.quantity import ZERO, parse
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    invalid,
    not_found,
    not_supported,
    required,
)
from apimachinery.validation.names import (
    is_config_map_key,
    is_dns1123_label,
    is_dns1123_subdomain,
    is_qualified_name,
    is_relaxed_env_var_name,
)
from apiserver.registry.podspec.checks import name_or_required, obey
from apiserver.registry.podspec.paths import no_backsteps
from apiserver.registry.podspec.systems import containers_of, visit

_ENV_FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
VOLUME_FIELDS = (
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
)
# Every field label that pods have; others cannot even be converted.
_LABELS = {*_ENV_FIELDS, *VOLUME_FIELDS, "spec.restartPolicy", "spec.schedulerName", "status.phase"}
_RESOURCES = (
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
)
_HUGEPAGES = ("limits.hugepages-", "requests.hugepages-")
_UNITS = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei"
_SIZES = frozenset(_UNITS.split(", "))
_SOURCES = (
    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` "
    "or `fileKeyRef`"
)
_ONE = "may not have more than one field specified at a time"


def env_errors(variables: list[Obj], path: Path) -> FieldErrors:
    """Yield what is wrong with a container's `env`."""
    for at, variable in enumerate(variables):
        name = variable.get("name") or ""
        if not name:
            yield required(path[at] / "name")
        elif wrong := is_relaxed_env_var_name(name):
            for message in wrong:
                yield invalid(path[at] / "name", name, message)
        source = variable.get("valueFrom")
        if source is not None:
            yield from _source_errors(variable, source, path[at] / "valueFrom")


def _source_errors(variable: Obj, source: Obj, path: Path) -> FieldErrors:
    found = 0
    if (field := source.get("fieldRef")) is not None:
        found += 1
        yield from field_errors(field, _ENV_FIELDS, path / "fieldRef")
    if (resource := source.get("resourceFieldRef")) is not None:
        found += 1
        yield from resource_field_errors(resource, path / "resourceFieldRef", in_volume=False)
    for name in ("configMapKeyRef", "secretKeyRef"):
        if (key := source.get(name)) is not None:
            found += 1
            yield from _key_errors(key, path / name)
    if (file := source.get("fileKeyRef")) is not None:
        found += 1
        yield from _file_key_errors(file, path / "fileKeyRef")
    if not found:
        yield invalid(path, "", _SOURCES)
    elif variable.get("value"):
        yield invalid(path, "", "may not be specified when `value` is not empty")
    elif found > 1:
        yield invalid(path, "", _ONE)


def _key_errors(selector: Obj, path: Path) -> FieldErrors:
    yield from obey(is_dns1123_subdomain, selector.get("name") or "", path / "name")
    yield from name_or_required(is_config_map_key, selector.get("key") or "", path / "key")


def _file_key_errors(selector: Obj, path: Path) -> FieldErrors:
    yield from name_or_required(is_relaxed_env_var_name, selector.get("key") or "", path / "key")
    yield from name_or_required(
        is_dns1123_label, selector.get("volumeName") or "", path / "volumeName"
    )
    if not selector.get("path"):
        yield required(path / "path")
    else:
        yield from no_backsteps(selector["path"], path / "path")


def file_volume_errors(spec: Obj, path: Path) -> FieldErrors:
    """Yield which variables are read from files of volumes that are not there or not empty."""
    if not any(
        "fileKeyRef" in (variable.get("valueFrom") or ())
        for container in containers_of(spec)
        for variable in container.get("env") or ()
    ):
        return
    volumes = {volume.get("name") or "": volume for volume in spec.get("volumes") or ()}
    for container, where in visit(spec, path):
        for at, variable in enumerate(container.get("env") or ()):
            source = variable.get("valueFrom")
            if source is None or (file := source.get("fileKeyRef")) is None:
                continue
            name = file.get("volumeName") or ""
            place = (where / "env")[at] / "valueFrom" / "fileKeyRef" / "volumeName"
            if name not in volumes:
                yield not_found(place, name)
            elif volumes[name].get("emptyDir") is None:
                yield invalid(place, name, "referenced volume must be of type emptyDir")


def env_from_errors(sources: list[Obj], path: Path) -> FieldErrors:
    """Yield what is wrong with a container's `envFrom`."""
    for at, source in enumerate(sources):
        if prefix := source.get("prefix"):
            yield from obey(is_relaxed_env_var_name, prefix, path[at] / "prefix")
        found = 0
        for name in ("configMapRef", "secretRef"):
            reference = source.get(name)
            if reference is not None:
                found += 1
                yield from name_or_required(
                    is_dns1123_subdomain, reference.get("name") or "", path[at] / name / "name"
                )
        if not found:
            yield invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif found > 1:
            yield invalid(path, "", _ONE)


def field_errors(reference: Obj, allowed: Collection[str], path: Path) -> FieldErrors:
    """Yield what is wrong with a reference to a field of the pod itself."""
    for name in ("apiVersion", "fieldPath"):
        if not reference.get(name):
            yield required(path / name)
            return
    label = reference["fieldPath"]
    if reference["apiVersion"] != "v1":
        yield invalid(
            path / "fieldPath",
            label,
            f"error converting fieldPath: unsupported pod version: {reference['apiVersion']}",
        )
        return
    outer, bracket, rest = label.partition("[")
    if bracket and rest.startswith("'") and rest.endswith("']"):
        yield from _subscript_errors(outer, rest[1:-2], label, path)
    elif label not in _LABELS:
        yield invalid(
            path / "fieldPath",
            label,
            f"error converting fieldPath: field label not supported: {label}",
        )
    elif label not in allowed:
        yield not_supported(path / "fieldPath", label, allowed)


def _subscript_errors(outer: str, key: str, label: str, path: Path) -> FieldErrors:
    if outer == "metadata.annotations":
        yield from obey(is_qualified_name, key.lower(), path)
    elif outer == "metadata.labels":
        yield from obey(is_qualified_name, key, path)
    else:
        yield invalid(
            path / "fieldPath",
            label,
            f"error converting fieldPath: field label does not support subscript: {label}",
        )


def resource_field_errors(reference: Obj, path: Path, *, in_volume: bool) -> FieldErrors:
    """Yield what is wrong with a reference to a container's request or limit."""
    resource = reference.get("resource") or ""
    if in_volume and not reference.get("containerName"):
        yield required(path / "containerName")
    elif not resource:
        yield required(path / "resource")
    elif resource not in _RESOURCES and not resource.startswith(_HUGEPAGES):
        yield not_supported(path / "resource", resource, _RESOURCES)
    yield from _divisor_errors(resource, reference.get("divisor"), path / "divisor")


def _divisor_errors(resource: str, divisor: str | None, path: Path) -> FieldErrors:
    if not divisor or parse(divisor) == ZERO:
        return
    printed = str(parse(divisor))
    for suffix, allowed, units, kind in _DIVISORS:
        if resource.startswith(("limits.", "requests.")) and suffix in resource:
            if printed not in allowed:
                only = f"only divisor's values {units} are supported with the {kind} resource"
                yield invalid(path, resource, only)
            return


_DIVISORS = (
    (".cpu", ("1m", "1"), "1m and 1", "cpu"),
    (".memory", _SIZES, _UNITS, "memory"),
    (".ephemeral-storage", _SIZES, _UNITS, "local ephemeral storage"),
    (".hugepages-", _SIZES, _UNITS, "hugepages"),
)
