"""Roles and bindings that features bring, in a cluster from before these were switched on.

As in Kubernetes, a role gets the rules that it lacks unless its annotation
`rbac.authorization.kubernetes.io/autoupdate` says no, and keeps those that it has besides.
"""

from __future__ import annotations

import logging

from apimachinery.errors import ApiError
from apimachinery.meta import Obj, annotations_of, name_of
from apiserver.auth.bootstrap.rbac import AUTOUPDATE, rbac_objects_of_features
from apiserver.auth.user import User
from apiserver.endpoints.api import ClusterApi
from apiserver.endpoints.local import LocalTransport, OwnCall
from apiserver.registry.rbac.clusterrolebindings import CLUSTERROLEBINDINGS
from apiserver.registry.rbac.clusterroles import CLUSTERROLES
from apiserver.registry.resource import Resource
from apiserver.storage import Key

logger = logging.getLogger(__name__)

_RESOURCES = {one.kind.kind: one for one in (CLUSTERROLES, CLUSTERROLEBINDINGS)}


async def bring_roles(api: ClusterApi, user: User) -> None:
    """Make what is missing, and add to the roles that are there."""
    transport = LocalTransport(api, user, "kube-apiserver")
    for wanted in rbac_objects_of_features():
        resource = _RESOURCES[wanted["kind"]]
        entry = api.store.get(Key(resource.key, "", name_of(wanted)))
        if entry is None:
            call = _call("create", resource, "", {**wanted, "metadata": dict(wanted["metadata"])})
        elif (more := _with_rules(entry.obj(), wanted)) is not None:
            call = _call("update", resource, name_of(wanted), more)
        else:
            continue
        try:
            await transport.call(call)
        except ApiError as error:
            logger.warning("%s %s %s: %s", call.verb, call.resource, call.name, error.message)


def _with_rules(found: Obj, wanted: Obj) -> Obj | None:
    """Return a role with the rules that it lacks; None where it lacks none, or is left alone."""
    has = found.get("rules") or []
    lacks = [rule for rule in wanted.get("rules") or () if rule not in has]
    if not lacks or annotations_of(found).get(AUTOUPDATE) != "true":
        return None
    return {**found, "rules": [*has, *lacks]}


def _call(verb: str, resource: Resource, name: str, body: Obj) -> OwnCall:
    return OwnCall(verb, resource.kind, resource.plural, name, body)
