"""Gateways and HTTPRoutes get the conditions that a real controller would give them.

Only where somebody has installed the Gateway API's kinds, and for classes whose controller is
`kubeground.io/gateway`. The address is that of Ingresses; nothing serves there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, NamedTuple

from apimachinery.meta import Obj, is_deleting, name_of, namespace_of
from nodes.client.controller import DONE, Loop, Result
from nodes.client.informer import Handler, Informer
from nodes.client.resources import (
    CONFIGMAPS,
    CUSTOMRESOURCEDEFINITIONS,
    NODES,
    SERVICES,
    Res,
)
from nodes.controllers.common import balanceraddresses as addresses
from nodes.controllers.common.base import ManagerContext
from nodes.controllers.common.conditions import condition, find, put_in_place
from nodes.controllers.gateway import routes
from nodes.controllers.gateway.routes import Fact

CONTROLLER = "kubeground.io/gateway"
ACCOUNT = "simulated-gateway-controller"
GROUP = "gateway.networking.k8s.io"
CLASSES = Res(GROUP, "v1", "gatewayclasses", "GatewayClass", False)
GATEWAYS = Res(GROUP, "v1", "gateways", "Gateway")
ROUTES = Res(GROUP, "v1", "httproutes", "HTTPRoute")
_OURS = (CLASSES, GATEWAYS, ROUTES)
STATUSES = tuple(f"{one.plural}/status" for one in _OURS)
_HTTP = ("HTTP", "HTTPS")


class Task(NamedTuple):
    """What to look at: an object of a kind, or ("", "", "") which kinds there are."""

    plural: str
    namespace: str
    name: str


class GatewayController:
    """Follows the kinds of the Gateway API as they come and go."""

    name: ClassVar[str] = "simulated-gateway-controller"
    service_account: ClassVar[str] = ACCOUNT
    component: ClassVar[str] = "simulated-gateway-controller"

    def __init__(self, context: ManagerContext) -> None:
        self._context, self._client = context, context.client
        self._loop: Loop[Task] = Loop(self.name, context, self._handle, workers=1)
        self._following: set[Res] = set()

    @property
    def idle(self) -> bool:
        return self._loop.idle

    def start(self) -> None:
        kinds = self._context.informers.get(CUSTOMRESOURCEDEFINITIONS, whole=False)
        kinds.on_change(self._on_kind)
        for resource in (CONFIGMAPS, NODES):
            self._informer(resource)
        self._informer(SERVICES).on_change(lambda old, new: self._wake(ROUTES))

    def release(self) -> None:
        self._loop.release()

    def stop(self) -> None:
        self._loop.stop()

    def _informer(self, resource: Res) -> Informer:
        return self._context.informers.get(resource)

    # What wakes it.

    def _on_kind(self, old: Obj | None, new: Obj | None) -> None:
        kind = new if new is not None else old
        if kind is not None and name_of(kind).endswith(f".{GROUP}"):
            # The kind is served a moment after its definition is there.
            self._loop.queue.add_after(Task("", "", ""), 0.1)

    def _follow_all(self) -> None:
        served = set(self._context.served.resources())
        self._following &= served
        for resource in _OURS:
            if resource in served and resource not in self._following:
                self._following.add(resource)
                self._informer(resource).on_change(self._handler(resource))

    def _handler(self, resource: Res) -> Handler:
        def changed(old: Obj | None, new: Obj | None) -> None:
            obj = new if new is not None else old
            if obj is not None:
                self._loop.queue.add(Task(resource.plural, namespace_of(obj), name_of(obj)))
            # What depends on it: gateways count their routes, and routes ask for their gateways.
            for other in (GATEWAYS, ROUTES):
                if other is not resource:
                    self._wake(other)

        return changed

    def _wake(self, resource: Res) -> None:
        for obj in self._all(resource):
            self._loop.queue.add(Task(resource.plural, namespace_of(obj), name_of(obj)))

    def _all(self, resource: Res) -> list[Obj]:
        return self._informer(resource).list() if resource in self._following else []

    # What is to be said of each.

    async def _handle(self, task: Task) -> Result:
        if not task.plural:
            self._follow_all()
            return DONE
        says: dict[str, Callable[[Obj], Obj | None]] = {
            CLASSES.plural: self._of_class,
            GATEWAYS.plural: self._of_gateway,
            ROUTES.plural: self._of_route,
        }
        resource = next(one for one in _OURS if one.plural == task.plural)
        if resource not in self._following:
            return DONE
        obj = self._informer(resource).get(task.namespace, task.name)
        if obj is None or is_deleting(obj):
            return DONE
        status = says[task.plural](obj)
        if status is not None and status != {k: (obj.get("status") or {}).get(k) for k in status}:
            body = {"status": status}
            at = (task.namespace, task.name)
            await self._client.patch(resource, *at, body, subresource="status")
        return DONE

    def _of_class(self, obj: Obj) -> Obj | None:
        if obj["spec"].get("controllerName") != CONTROLLER:
            return None
        before = (obj.get("status") or {}).get("conditions") or []
        return {"conditions": self._said(obj, before, [Fact("Accepted", True, "Accepted")])}

    def _of_gateway(self, obj: Obj) -> Obj | None:
        if not self._is_ours(obj):
            return None
        status = obj.get("status") or {}
        address = self._address()
        missing = "no address is free"
        facts = [
            Fact("Accepted", True, "Accepted"),
            Fact("Programmed", True, "Programmed")
            if address
            else Fact("Programmed", False, "AddressNotAssigned", missing),
        ]
        known = {one["name"]: one for one in status.get("listeners") or ()}
        return {
            "addresses": [{"type": "IPAddress", "value": address}] if address else [],
            "conditions": self._said(obj, status.get("conditions") or [], facts),
            "listeners": [
                self._listener(obj, one, known.get(one["name"]) or {})
                for one in obj["spec"].get("listeners") or ()
            ],
        }

    def _listener(self, gateway: Obj, listener: Obj, known: Obj) -> Obj:
        http = listener.get("protocol") in _HTTP
        facts = [
            Fact("Accepted", True, "Accepted")
            if http
            else Fact("Accepted", False, "UnsupportedProtocol", "only HTTP and HTTPS are served"),
            Fact("Programmed", http, "Programmed" if http else "Invalid"),
            Fact("ResolvedRefs", True, "ResolvedRefs"),
        ]
        attached = [
            route
            for route in self._all(ROUTES)
            for parent in route["spec"].get("parentRefs") or ()
            if self._parent(route, parent) is gateway
            and listener in routes.listeners_for(route, parent, gateway)
        ]
        return {
            "name": listener["name"],
            "supportedKinds": [{"group": GROUP, "kind": ROUTES.kind}] if http else [],
            "attachedRoutes": len({(namespace_of(one), name_of(one)) for one in attached}),
            "conditions": self._said(gateway, known.get("conditions") or [], facts),
        }

    def _of_route(self, obj: Obj) -> Obj | None:
        before = (obj.get("status") or {}).get("parents") or []
        others = [one for one in before if one.get("controllerName") != CONTROLLER]
        ours = []
        for parent in obj["spec"].get("parentRefs") or ():
            gateway = self._parent(obj, parent)
            if gateway is None or not self._is_ours(gateway):
                continue
            known: Obj = next((one for one in before if one.get("parentRef") == parent), {})
            facts = [routes.accepted(obj, parent, gateway), self._resolved(obj)]
            conditions = self._said(obj, known.get("conditions") or [], facts)
            ours.append(
                {"parentRef": parent, "controllerName": CONTROLLER, "conditions": conditions}
            )
        if not ours and len(others) == len(before):
            return None
        return {"parents": [*others, *ours]}

    def _resolved(self, route: Obj) -> Fact:
        """Say whether the backends of a route are there."""
        for backend in routes.backends(route):
            if backend.get("group") or backend.get("kind", "Service") != "Service":
                why = f"{backend.get('kind')} is no kind of backend"
                return Fact("ResolvedRefs", False, "InvalidKind", why)
            namespace = backend.get("namespace") or namespace_of(route)
            if namespace != namespace_of(route):
                why = f"Service {namespace}/{backend['name']} is in another namespace"
                return Fact("ResolvedRefs", False, "RefNotPermitted", why)
            if self._informer(SERVICES).get(namespace, backend["name"]) is None:
                why = f'Service "{backend["name"]}" not found'
                return Fact("ResolvedRefs", False, "BackendNotFound", why)
        return Fact("ResolvedRefs", True, "ResolvedRefs")

    def _parent(self, route: Obj, parent: Obj) -> Obj | None:
        if parent.get("kind", GATEWAYS.kind) != GATEWAYS.kind or GATEWAYS not in self._following:
            return None
        namespace = parent.get("namespace") or namespace_of(route)
        return self._informer(GATEWAYS).get(namespace, parent["name"])

    def _is_ours(self, gateway: Obj) -> bool:
        if CLASSES not in self._following:
            return False
        found = self._informer(CLASSES).get("", gateway["spec"].get("gatewayClassName") or "")
        return found is not None and found["spec"].get("controllerName") == CONTROLLER

    def _address(self) -> str:
        services = self._informer(SERVICES).list()
        return addresses.shared(
            self._informer(CONFIGMAPS), self._informer(NODES), map(addresses.address_of, services)
        )

    def _said(self, obj: Obj, before: list[Obj], facts: list[Fact]) -> list[Obj]:
        """Return conditions as they are now; what has not changed keeps its time."""
        generation = obj["metadata"].get("generation") or 1
        for fact in facts:
            at = self._context.clock.timestamp()
            holds = "True" if fact.holds else "False"
            new = condition(fact.type, holds, fact.reason, fact.message, at)
            old = find(before, fact.type) or {}
            new["observedGeneration"] = generation
            if all(old.get(k) == v for k, v in new.items() if k != "lastTransitionTime"):
                continue
            before = put_in_place(before, new)
        return before
