"""Which resources exist, and what an amount of one may be."""

from __future__ import annotations

from apimachinery.quantity import parse
from apimachinery.validation.field import FieldErrors, Path, invalid
from apimachinery.validation.names import is_qualified_name
from apiserver.registry.podspec.checks import nonnegative_quantity

STANDARD_CONTAINER = frozenset({"cpu", "memory", "ephemeral-storage"})
_OBJECTS = frozenset(
    {
        "pods",
        "services",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "services.nodeports",
        "services.loadbalancers",
    }
)
_STANDARD_QUOTA = _OBJECTS | {
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
}
STANDARD_RESOURCES = _STANDARD_QUOTA | {"storage"}
_NATIVE = "kubernetes.io/"


def is_native(name: str) -> bool:
    """Tell whether a resource is Kubernetes' own: without a prefix, or with ours."""
    return "/" not in name or _NATIVE in name


def is_extended(name: str) -> bool:
    """Tell whether a resource is somebody's device: `example.com/gpu`."""
    if is_native(name) or name.startswith("requests."):
        return False
    # Quotas name it with "requests." in front, and that too has to be a valid name.
    return not is_qualified_name(f"requests.{name}")


def is_hugepages(name: str) -> bool:
    return name.startswith("hugepages-")


def is_overcommit_allowed(name: str) -> bool:
    """Tell whether limits may exceed requests."""
    return is_native(name) and not is_hugepages(name)


def is_standard(name: str) -> bool:
    return name in STANDARD_RESOURCES or is_hugepages(name)


def is_standard_container_resource(name: str) -> bool:
    return name in STANDARD_CONTAINER or is_hugepages(name)


def is_standard_quota_resource(name: str) -> bool:
    return name in _STANDARD_QUOTA or is_hugepages(name) or name.startswith("requests.hugepages-")


def is_integer_resource(name: str) -> bool:
    return name in _OBJECTS or is_extended(name)


def resource_name_errors(name: str, path: Path) -> FieldErrors:
    """Yield that a resource is neither one of Kubernetes' own nor named after its owner."""
    wrong = is_qualified_name(name)
    for message in wrong:
        yield invalid(path, name, message)
    if not wrong and "/" not in name and not is_standard(name):
        yield invalid(path, name, "must be a standard resource type or fully qualified")


def container_resource_name_errors(name: str, path: Path) -> FieldErrors:
    """Yield that a container cannot ask for a resource of this name."""
    yield from resource_name_errors(name, path)
    if "/" not in name:
        if not is_standard_container_resource(name):
            yield invalid(path, name, "must be a standard resource for containers")
    elif not is_native(name) and not is_extended(name):
        yield invalid(path, name, "doesn't follow extended resource name standard")


def quantity_value_errors(name: str, amount: str, path: Path) -> FieldErrors:
    """Yield that an amount is negative, or broken where only whole ones exist."""
    yield from nonnegative_quantity(amount, path)
    if is_integer_resource(name) and parse(amount).milli_value() % 1000:
        yield invalid(path, str(amount), "must be an integer")
