"""What the status of a pod may say of its containers and of its resource claims."""

from __future__ import annotations

from apimachinery.meta import Obj
from apimachinery.restarts import may_restart_everything, restarts
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    duplicate,
    forbidden,
    invalid,
    required,
    too_long,
)
from apimachinery.validation.names import is_dns1123_label, is_dns1123_subdomain, is_id
from apiserver.registry.podspec.checks import name_or_required, obey, one_of
from apiserver.registry.podspec.systems import is_windows
from apiserver.registry.rules.claimstatuses import made_claim_errors

_STATUS = Path("status")
_LISTS = (
    ("containerStatuses", "containers"),
    ("initContainerStatuses", "initContainers"),
    ("ephemeralContainerStatuses", ""),
)
_HEALTH = ("Healthy", "Unhealthy", "Unknown")
_MAX_MESSAGE = 256


# --- containers that have ended --------------------------------------------------------------


def container_status_errors(status: Obj, before: Obj, spec: Obj) -> FieldErrors:
    """Yield which containers have ended for good and are said to go on."""
    everything = may_restart_everything(spec)
    for name, containers in _LISTS:
        if not before.get(name) or (everything and containers):
            continue
        known = {c.get("name"): c for c in spec.get(containers) or ()}
        now = {one.get("name"): one for one in reversed(status.get(name) or ())}
        for at, was in enumerate(before[name]):
            ended = (was.get("state") or {}).get("terminated")
            new = now.get(was.get("name"))
            if ended is None or new is None or (new.get("state") or {}).get("terminated"):
                continue
            container = known.get(was.get("name"))
            if container is None or not restarts(
                container, spec.get("restartPolicy") or "", ended.get("exitCode") or 0
            ):
                why = "may not be transitioned to non-terminated state"
                yield forbidden((_STATUS / name)[at] / "state", why)


# --- users and devices -----------------------------------------------------------------------


def user_errors(status: Obj, spec: Obj) -> FieldErrors:
    """Yield which containers run as a user that their system cannot have."""
    windows = is_windows(spec)
    for name, _ in _LISTS:
        for at, one in enumerate(status.get(name) or ()):
            user = (one.get("user") or {}).get("linux")
            if user is None:
                continue
            path = (_STATUS / name)[at] / "user" / "linux"
            if windows:
                yield forbidden(path, "cannot be set for a windows pod")
            else:
                yield from _linux_user_errors(user, path)


def _linux_user_errors(user: Obj, path: Path) -> FieldErrors:
    for name in ("uid", "gid"):
        for message in is_id(user.get(name) or 0):
            yield invalid(path / name, user[name], message)
    for at, group in enumerate(user.get("supplementalGroups") or ()):
        for message in is_id(group):
            yield invalid((path / "supplementalGroups")[at], group, message)


def allocated_errors(status: Obj, spec: Obj) -> FieldErrors:
    """Yield what is wrong with the devices that containers are said to have."""
    for name, containers in _LISTS:
        known = {c.get("name"): c for c in reversed(spec.get(containers) or ())}
        for at, one in enumerate(status.get(name) or ()):
            allocated = one.get("allocatedResourcesStatus")
            if not allocated:
                continue
            path = (_STATUS / name)[at] / "allocatedResourcesStatus"
            if not containers:
                yield forbidden(path, "must not be specified in container status")
                continue
            container = known.get(one.get("name"))
            for index, resource in enumerate(allocated):
                if container is not None:
                    yield from _requested(resource.get("name") or "", container, path[index])
                yield from _health_errors(resource, path[index] / "resources")


def _requested(name: str, container: Obj, path: Path) -> FieldErrors:
    resources = container.get("resources") or {}
    if name.startswith("claim:"):
        claims = resources.get("claims") or ()
        found = name in {
            "/".join(filter(None, (f"claim:{c.get('name')}", c.get("request")))) for c in claims
        }
        why = (
            "must match one of the container's resource claims in a format "
            "'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty"
        )
    else:
        found = name in (resources.get("requests") or ())
        why = "must match one of the container's resource requests"
    if not found:
        yield invalid(path / "name", name, why)


def _health_errors(resource: Obj, path: Path) -> FieldErrors:
    seen: set[str] = set()
    for at, device in enumerate(resource.get("resources") or ()):
        yield from one_of(device.get("health") or "", _HEALTH, path[at] / "health")
        message, identity = device.get("message"), device.get("resourceID") or ""
        if message == "":
            yield required(path[at] / "message", "must be non-empty if specified")
        elif message and len(message.encode()) > _MAX_MESSAGE:
            yield too_long(path[at] / "message", message, _MAX_MESSAGE)
        if identity in seen:
            yield duplicate(path[at] / "resourceID", identity)
        seen.add(identity)


# --- resource claims -------------------------------------------------------------------------


def claim_status_errors(status: Obj, spec: Obj) -> FieldErrors:
    """Yield what is wrong with the claims that were made for the pod."""
    if claims := status.get("resourceClaimStatuses"):
        yield from made_claim_errors(claims, spec, _STATUS / "resourceClaimStatuses")
    extended = status.get("extendedResourceClaimStatus")
    if extended is not None:
        yield from _extended_errors(extended, spec, _STATUS / "extendedResourceClaimStatus")


def _extended_errors(status: Obj, spec: Obj, path: Path) -> FieldErrors:
    containers = {
        container.get("name") or "": container
        for name in ("initContainers", "containers")
        for container in spec.get(name) or ()
    }
    mappings, where = status.get("requestMappings") or (), path / "requestMappings"
    if not mappings:
        yield required(where, "at least one request mapping is required")
    seen: set[tuple[str, ...]] = set()
    for at, mapping in enumerate(mappings):
        names = ("containerName", "resourceName", "requestName")
        key = tuple(mapping.get(name) or "" for name in names)
        yield from _mapping_errors(key, containers, where[at])
        yield from obey(is_dns1123_label, key[2], path / "requestName")
        if key in seen:
            for name, value in zip(names, key, strict=True):
                yield duplicate(where[at] / name, value)
        seen.add(key)
    claim = status.get("resourceClaimName") or ""
    yield from name_or_required(is_dns1123_subdomain, claim, path / "resourceClaimName")


def _mapping_errors(key: tuple[str, ...], containers: dict[str, Obj], path: Path) -> FieldErrors:
    lists = "spec.initContainers.{0} or spec.containers.{0}"
    container = containers.get(key[0])
    if container is None:
        why = f"must match the name of an entry in {lists.format('name')}"
        yield invalid(path / "containerName", key[0], why)
    elif key[1] not in ((container.get("resources") or {}).get("requests") or ()):
        what = lists.format("resources.requests")
        why = f"must match the extended resource name of an entry in {what}"
        yield invalid(path / "resourceName", key[1], why)
