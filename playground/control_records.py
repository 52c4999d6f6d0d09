"""Control API: how to reach a cluster, and who has asked it what."""

from __future__ import annotations

from itertools import islice

import orjson

from playground.control_call import Answer, Call, Routes


async def kubeconfig(call: Call) -> Answer:
    user = call.text("user", "kubernetes-admin")
    return 200, {"kubeconfig": call.cluster().admin_kubeconfig(user, holder=user)}


async def audit(call: Call) -> Answer:
    """Return the last audit events, the newest first; `limit` says how many."""
    found = call.cluster().api.audit
    limit = call.number("limit", 100)
    events = islice(found.memory, min(limit, len(found.memory))) if found else ()
    return 200, {"items": [orjson.Fragment(event) for event in events]}


async def connections(call: Call) -> Answer:
    return 200, {"first": call.cluster().first_client}


ROUTES: Routes = {
    ("GET", 2, "kubeconfig"): kubeconfig,
    ("GET", 2, "audit"): audit,
    ("GET", 2, "connections"): connections,
}
