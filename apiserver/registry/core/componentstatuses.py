"""ComponentStatuses: a deprecated view of the control plane, computed when it is read."""

from __future__ import annotations

from apimachinery.gvk import CORE_V1
from apimachinery.meta import Obj
from apiserver.registry.resource import Column, Resource
from apiserver.registry.strategy import Strategy
from apiserver.registry.table import NAME, Value

WARNING = "v1 ComponentStatus is deprecated in v1.19+"
_COMPONENTS = (("scheduler", "ok"), ("controller-manager", "ok"), ("etcd-0", "ok"))


class ComponentStatusStrategy(Strategy):
    """Nothing is stored, so there is nothing to check."""


def computed() -> list[Obj]:
    """Return the list as it is now: all parts run in this process, so they are well."""
    return [
        {
            "apiVersion": "v1",
            "kind": "ComponentStatus",
            "metadata": {"name": name},
            "conditions": [{"type": "Healthy", "status": "True", "message": message}],
        }
        for name, message in _COMPONENTS
    ]


async def read(namespace: str, name: str) -> list[Obj]:
    """Return the one that is named, or all of them."""
    return [one for one in computed() if name in ("", one["metadata"]["name"])]


def _healthy(obj: Obj) -> Obj | None:
    return next((c for c in obj.get("conditions") or () if c.get("type") == "Healthy"), None)


def _status(obj: Obj, now: float) -> str:
    condition = _healthy(obj)
    if condition is None:
        return "Unknown"
    return "Healthy" if condition.get("status") == "True" else "Unhealthy"


def _of(key: str) -> Value:
    def read(obj: Obj, now: float) -> str:
        return (_healthy(obj) or {}).get(key) or ""

    return read


COMPONENTSTATUSES = Resource(
    kind=CORE_V1.kind("ComponentStatus"),
    plural="componentstatuses",
    namespaced=False,
    short=("cs",),
    verbs=("get", "list"),
    strategy=ComponentStatusStrategy(),
    columns=(
        NAME,
        Column("Status", _status),
        Column("Message", _of("message")),
        Column("Error", _of("error")),
    ),
)
