"""Requests and limits of containers and of whole pods."""

from __future__ import annotations

from collections.abc import Callable, Collection

from apimachinery.meta import Obj
from apimachinery.quantity import QuantityError, parse
from apimachinery.validation.field import (
    ErrorType,
    FieldError,
    FieldErrors,
    Path,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
)
from apimachinery.validation.names import is_dns1123_label
from apiserver.registry.podspec.checks import obey
from apiserver.registry.podspec.podresources import aggregate, supported_for_pods
from apiserver.registry.podspec.quantities import (
    container_resource_name_errors,
    is_hugepages,
    is_overcommit_allowed,
    quantity_value_errors,
    resource_name_errors,
)
from apiserver.registry.podspec.systems import is_windows

NameRule = Callable[[str, Path], FieldErrors]
_COMPUTE = ("cpu", "memory")


def container_resource_errors(resources: Obj, claims: Collection[str], path: Path) -> FieldErrors:
    """Yield what is wrong with the resources of one container."""
    yield from _requirement_errors(resources, container_resource_name_errors, path)
    if named := resources.get("claims"):
        yield from _claim_errors(named, claims, path / "claims")


def _requirement_errors(resources: Obj, rule: NameRule, path: Path) -> FieldErrors:
    limits = resources.get("limits") or {}
    requests = resources.get("requests") or {}
    for name, amount in limits.items():
        yield from _amount_errors(name, amount, rule, (path / "limits").key(name))
    for name, amount in requests.items():
        yield from _amount_errors(name, amount, rule, (path / "requests").key(name))
        yield from _against_limit(name, amount, limits.get(name), path)
    if not any(name in limits or name in requests for name in _COMPUTE) and any(
        is_hugepages(name) for name in (*limits, *requests)
    ):
        yield forbidden(path, "HugePages require cpu or memory")


def _amount_errors(name: str, amount: str, rule: NameRule, path: Path) -> FieldErrors:
    if name not in _COMPUTE:
        yield from rule(name, path)
    yield from quantity_value_errors(name, amount, path)
    if is_hugepages(name) and not _divisible(name, amount):
        yield invalid(path, str(amount), f"{amount} is not positive integer multiple of {name}")


def _divisible(name: str, amount: str) -> bool:
    try:
        page = parse(name.removeprefix("hugepages-")).value()
    except QuantityError:
        return False
    value = parse(amount).value()
    return page > 0 and value >= 0 and value % page == 0


def _against_limit(name: str, amount: str, limit: str | None, path: Path) -> FieldErrors:
    overcommit = is_overcommit_allowed(name)
    if limit is None:
        if not overcommit:
            yield required(path / "limits", "Limit must be set for non overcommitable resources")
        return
    if amount == limit:
        return
    wanted, most = parse(amount), parse(limit)
    if not overcommit and wanted != most:
        yield invalid(path / "requests", str(amount), f"must be equal to {name} limit of {limit}")
    elif wanted > most:
        yield invalid(
            path / "requests", str(amount), f"must be less than or equal to {name} limit of {limit}"
        )


def _claim_errors(named: list[Obj], claims: Collection[str], path: Path) -> FieldErrors:
    seen: set[str] = set()
    for at, claim in enumerate(named):
        name, request = claim.get("name") or "", claim.get("request") or ""
        if not name:
            yield required(path[at])
            continue
        key = f"{name}/{request}" if request else name
        if name in seen:
            yield duplicate(path[at], name)
        else:
            if request:
                yield from obey(is_dns1123_label, request, path[at] / "request")
            if key in seen:
                yield duplicate(path[at], key)
            elif not request and any(other.partition("/")[0] == name for other in seen):
                yield duplicate(path[at], name)
            seen.add(key)
        if name not in claims:
            known = f": {', '.join(sorted(claims))}" if claims else " which is empty"
            yield FieldError(
                ErrorType.NOT_FOUND,
                str(path[at]),
                name,
                f"must be one of the names in pod.spec.resourceClaims{known}",
            )


def overhead_errors(overhead: dict[str, str], path: Path) -> FieldErrors:
    """Yield what is wrong with what a runtime class adds to a pod."""
    yield from _requirement_errors({"limits": overhead}, container_resource_name_errors, path)


def pod_resource_errors(spec: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with the resources of a pod as a whole."""
    resources = spec["resources"]
    if is_windows(spec):
        yield forbidden(path, "may not be set for a windows pod")
        return
    if resources.get("claims") is not None:
        yield forbidden(path / "claims", "claims may not be set for Resources at pod-level")
    yield from _requirement_errors(resources, _pod_resource_name, path)
    yield from _consistency_errors(spec, resources, path)


def _pod_resource_name(name: str, path: Path) -> FieldErrors:
    wrong = list(resource_name_errors(name, path))
    yield from wrong
    if not wrong and not supported_for_pods(name):
        yield not_supported(path, name, ("cpu", "hugepages-", "memory"))


def _too_little(name: str, amount: str, what: str, path: Path) -> FieldError:
    why = f"must be greater than or equal to aggregate container {what}"
    return invalid(path.key(name), str(amount), why)


def _consistency_errors(spec: Obj, resources: Obj, path: Path) -> FieldErrors:
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    for name, total in aggregate(spec, "requests").items():
        if name in requests and total > parse(requests[name]):
            yield _too_little(name, requests[name], f"requests of {total}", path / "requests")
    for name, total in aggregate(spec, "limits").items():
        if is_hugepages(name) and name in limits and total > parse(limits[name]):
            yield _too_little(name, limits[name], f"limits of {total}", path / "limits")
    for at, container in enumerate(spec.get("containers") or ()):
        for name, limit in ((container.get("resources") or {}).get("limits") or {}).items():
            if name in limits and parse(limit) > parse(limits[name]):
                yield invalid(
                    (path / "containers")[at].key(name) / "limits",
                    str(limit),
                    f"must be less than or equal to pod limits of {limits[name]}",
                )
