"""Typed calls on one transport: what a worker says to the API, in Kubernetes' verbs.

Answers are shared objects: never change them. Refusals are ApiErrors, as the API gave them.
"""

from __future__ import annotations

from typing import Any

from apimachinery.errors import ApiError, NotFound
from apimachinery.meta import Obj, name_of, namespace_of, revision_of
from nodes.client import resources
from nodes.client.resources import Res
from nodes.client.transport import Call, Transport

MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


class Client:
    """Calls as one user; `user_agent` is the manager that its changes are noted under."""

    def __init__(self, transport: Transport, user_agent: str = "") -> None:
        self.transport = transport
        self.user_agent = user_agent
        self._manager = {"fieldManager": user_agent} if user_agent else {}

    async def get(self, resource: Res, namespace: str, name: str, subresource: str = "") -> Obj:
        """Read an object, or a part of it, as it is now. Raises NotFound."""
        return await self.transport.call(_call("get", resource, namespace, name, subresource))

    async def find(self, resource: Res, namespace: str, name: str) -> Obj | None:
        """Read an object as it is now, or None where there is none."""
        try:
            return await self.get(resource, namespace, name)
        except NotFound:
            return None

    async def list(
        self,
        resource: Res,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
    ) -> tuple[list[Obj], int]:
        """Return the objects and the revision at which this was so."""
        call = list_call(
            resource, namespace, label_selector=label_selector, field_selector=field_selector
        )
        answer = await self.transport.call(call)
        return answer.get("items") or [], revision_of(answer)

    async def create(
        self, obj: Obj, resource: Res | None = None, *, subresource: str = "", name: str = ""
    ) -> Obj:
        """Create an object, or with `subresource` and `name` post to that part of one."""
        res = resource if resource is not None else resources.of(obj)
        call = _call("create", res, namespace_of(obj), name, subresource)
        call.body, call.params = obj, dict(self._manager)
        return await self.transport.call(call)

    async def update(self, obj: Obj, subresource: str = "", resource: Res | None = None) -> Obj:
        """Replace an object (or its status). Raises Conflict if it has changed meanwhile."""
        res = resource if resource is not None else resources.of(obj)
        call = _call("update", res, namespace_of(obj), name_of(obj), subresource)
        call.body, call.params = obj, dict(self._manager)
        return await self.transport.call(call)

    async def update_status(self, obj: Obj, resource: Res | None = None) -> Obj:
        return await self.update(obj, "status", resource)

    async def patch(
        self,
        resource: Res,
        namespace: str,
        name: str,
        body: Any,
        content_type: str = MERGE_PATCH,
        subresource: str = "",
    ) -> Obj:
        call = _call("patch", resource, namespace, name, subresource)
        call.body, call.content_type, call.params = body, content_type, dict(self._manager)
        return await self.transport.call(call)

    async def apply(self, resource: Res, body: Obj, manager: str, *, subresource: str = "") -> Obj:
        """Apply an object, or a part of one, in the name of a manager that wins each conflict."""
        call = _call("patch", resource, namespace_of(body), name_of(body), subresource)
        call.body, call.content_type = body, APPLY_PATCH
        call.params = {"fieldManager": manager, "force": "true"}
        return await self.transport.call(call)

    async def delete(
        self,
        resource: Res,
        namespace: str,
        name: str,
        *,
        uid: str = "",
        revision: str = "",
        grace: int | None = None,
        propagation: str = "",
    ) -> Obj:
        """Delete an object, if it still has the `uid` and `revision` given."""
        call = _call("delete", resource, namespace, name)
        call.body = delete_options(uid=uid, revision=revision, grace=grace, propagation=propagation)
        return await self.transport.call(call)

    async def delete_collection(self, resource: Res, namespace: str, propagation: str = "") -> Obj:
        call = _call("deletecollection", resource, namespace)
        call.body = delete_options(propagation=propagation)
        return await self.transport.call(call)


def delete_options(
    *, uid: str = "", revision: str = "", grace: int | None = None, propagation: str = ""
) -> Obj:
    """Build DeleteOptions with only what is given."""
    options: Obj = {"apiVersion": "v1", "kind": "DeleteOptions"}
    preconditions = {k: v for k, v in (("uid", uid), ("resourceVersion", revision)) if v}
    if preconditions:
        options["preconditions"] = preconditions
    if grace is not None:
        options["gracePeriodSeconds"] = grace
    if propagation:
        options["propagationPolicy"] = propagation
    return options


def list_call(
    resource: Res, namespace: str = "", *, label_selector: str = "", field_selector: str = ""
) -> Call:
    """Build the call that lists, or watches, a resource."""
    call = _call("list", resource, namespace)
    if label_selector:
        call.params["labelSelector"] = label_selector
    if field_selector:
        call.params["fieldSelector"] = field_selector
    return call


def _call(
    verb: str, resource: Res, namespace: str = "", name: str = "", subresource: str = ""
) -> Call:
    return Call(
        verb, resource.group, resource.version, resource.plural, namespace, name, subresource
    )


def may_pass(error: ApiError) -> bool:
    """Tell whether the same request may be answered later."""
    return error.code >= 500 or error.code == 429
