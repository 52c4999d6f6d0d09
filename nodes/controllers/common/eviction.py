"""Ending a pod from above: first the condition that says why, then the deletion."""

from __future__ import annotations

from apimachinery.clock import Clock
from apimachinery.errors import NotFound
from apimachinery.meta import Obj, name_of, namespace_of, uid_of
from apimachinery.pods import is_terminal
from nodes.client.resources import PODS
from nodes.client.rest import Client
from nodes.controllers.common.conditions import condition, find, put_in_place


async def disrupt(
    client: Client,
    clock: Clock,
    pod: Obj,
    reason: str,
    message: str,
    *,
    grace: int | None = None,
    fail: bool = False,
) -> None:
    """Mark a pod as disrupted (as failed too, with `fail`) and delete it; gone is fine."""
    status = pod.get("status") or {}
    changes: Obj = {}
    present = find(status.get("conditions"), "DisruptionTarget")
    if present is None or present.get("reason") != reason:
        new = condition("DisruptionTarget", "True", reason, message, clock.timestamp())
        changes["conditions"] = put_in_place(status.get("conditions"), new)
    if fail and not is_terminal(pod):
        changes["phase"] = "Failed"
    namespace, name = namespace_of(pod), name_of(pod)
    try:
        if changes and not is_terminal(pod):
            await client.patch(PODS, namespace, name, {"status": changes}, subresource="status")
        await client.delete(PODS, namespace, name, uid=uid_of(pod), grace=grace)
    except NotFound:
        return
