"""Control API: who may do what in a cluster, and why; kubeconfigs for whom one chooses.

Answers come from the cluster's own authorizers. Who asks must be allowed to read roles and
bindings, as for reading them through the API.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apimachinery.errors import ApiError, BadRequest
from apimachinery.meta import name_of, namespace_of
from apiserver.auth.attributes import Attributes, forbidden
from apiserver.auth.explaining import explain
from apiserver.auth.impersonation import service_account_name
from apiserver.auth.rbac import RESOURCES, Subject
from apiserver.auth.user import (
    ANONYMOUS,
    AUTHENTICATED,
    UNAUTHENTICATED,
    User,
    service_account_groups,
    service_account_user,
)
from playground.cluster import RunningCluster
from playground.control_call import SUCCESS, Answer, Call, Routes
from playground.control_viewer import Viewer

VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
# What some resources and subresources are asked for besides.
_MORE_VERBS = {
    "serviceaccounts": ("impersonate",),
    "users": ("impersonate",),
    "groups": ("impersonate",),
    "roles": ("bind", "escalate"),
    "clusterroles": ("bind", "escalate"),
}
_SYSTEM = "system:"
MOST_ROWS = 2000
_LONGEST_DAYS = 365


async def grid(call: Call) -> Answer:
    """Return, for each subject, which verbs it may use on a resource of a namespace."""
    cluster = call.cluster()
    _require_reader(call, cluster)
    asked = _asked(call, cluster)
    verbs = [*VERBS, *_MORE_VERBS.get(asked.resource, ())]
    system, words = call.text("system") == "1", call.text("q").lower()
    found = [
        (subject, user)
        for subject, user in _subjects(cluster, asked.namespace)
        if (system or not _is_system(subject)) and words in subject.shown.lower()
    ]
    return 200, {
        "resource": call.text("resource", "pods"),
        "namespace": asked.namespace,
        "verbs": verbs,
        "total": len(found),
        "items": [_row(cluster, asked, verbs, *one) for one in found[:MOST_ROWS]],
        "namespaces": [entry.key.name for entry in cluster.store.list("namespaces")],
        "resources": sorted(resource.key for resource in cluster.api.catalog),
    }


async def why(call: Call) -> Answer:
    """Say whether a user may use a verb, and what lets them or is missing."""
    cluster = call.cluster()
    _require_reader(call, cluster)
    name = call.text("user")
    groups = tuple(call.query.get("group") or ())
    if not name and not groups:
        raise BadRequest("user or group is required")
    asked = _asked(call, cluster, _with_groups(name, groups), call.text("verb", "get"))
    told = explain(cluster.auth, asked)
    return 200, {
        "allowed": told.decision.allowed,
        "reason": told.decision.reason,
        "by": told.decision.by,
        "sentence": told.sentence,
        "chains": [link.as_json() for link in told.chains],
        "nearest": [link.as_json() for link in told.nearest],
    }


async def kubeconfig(call: Call) -> Answer:
    """Return a kubeconfig for a user of groups, good for some days; or one with a token."""
    cluster, wanted = call.cluster(), call.json()
    user, groups, days = wanted.get("user"), wanted.get("groups"), wanted.get("days", 365)
    token, holder = wanted.get("token", ""), wanted.get("holder", "")
    if not isinstance(user, str) or not user or not isinstance(token, str):
        raise BadRequest("user is required, and token is a text")
    if not isinstance(holder, str):
        raise BadRequest("holder is a name")
    if not isinstance(groups, list) or not all(isinstance(one, str) and one for one in groups):
        raise BadRequest("groups is a list of names")
    if isinstance(days, bool) or not isinstance(days, int | float):
        raise BadRequest("days is a number")
    if not 0 < days <= _LONGEST_DAYS:
        raise BadRequest(f"days must be more than 0, and at most {_LONGEST_DAYS}")
    made = cluster.kubeconfig_for(user, groups, float(days), token, holder)
    return 200, {"kubeconfig": made}


async def revoke(call: Call) -> Answer:
    """Let certificates that a holder was given count no more; without one, those of everybody."""
    holder = call.json().get("holder", "")
    if not isinstance(holder, str):
        raise BadRequest("holder is a name")
    await call.fleet.revoke(call.record(), holder)
    return 200, SUCCESS


def _require_reader(call: Call, cluster: RunningCluster) -> None:
    """Raise Forbidden to who may not read roles and bindings everywhere."""
    viewer = Viewer.of(call, cluster)
    for resource in RESOURCES:
        if not viewer.may_list(resource):
            plural, _, group = resource.partition(".")
            who = next((v.decode() for k, v in call.headers if k == b"impersonate-user"), "")
            raise forbidden(Attributes(User(who), "list", group, "v1", plural))


def _asked(call: Call, cluster: RunningCluster, user: User | None = None, verb: str = "") -> Any:
    """Return what a call asks about, with the user and verb to be filled in."""
    who = user or User("")
    named = call.text("resource", "pods")
    if named.startswith("/"):
        return Attributes(who, verb, path=named, resource_request=False)
    full, _, subresource = named.partition("/")
    plural, _, group = full.partition(".")
    known = cluster.api.catalog.get(full)
    version = known.kind.version if known is not None else "*"
    namespace = call.text("namespace")
    if known is not None and not known.namespaced:
        namespace = ""
    return Attributes(who, verb, group, version, plural, subresource, namespace, call.text("name"))


def _subjects(cluster: RunningCluster, namespace: str) -> Iterator[tuple[Subject, User]]:
    """Yield whom bindings name, and the namespace's service accounts that none names."""
    seen = set()
    for subject in cluster.auth.roles.subjects(namespace):
        user = _with_groups(subject.user, (subject.group,) if subject.group else ())
        seen.add(subject.user)
        yield subject, user
    if namespace:
        for account in cluster.api.objects.list("serviceaccounts", namespace):
            space, name = namespace_of(account), name_of(account)
            named = service_account_user(space, name)
            if named not in seen:
                shown = f'ServiceAccount "{name}/{space}"'
                yield Subject(named, "", shown), _with_groups(named, ())


def _with_groups(name: str, groups: tuple[str, ...]) -> User:
    """Return a user with the groups that authentication would give."""
    account = service_account_name(name)
    added: tuple[str, ...] = ()
    if account:
        added = service_account_groups(account[0])
    elif name == ANONYMOUS:
        added = (UNAUTHENTICATED,)
    elif name:
        added = (AUTHENTICATED,)
    return User(name, tuple(dict.fromkeys((*groups, *added))))


def _is_system(subject: Subject) -> bool:
    """Tell whether a subject is Kubernetes' own: of its bootstrap policy, or of kube-system."""
    account = service_account_name(subject.user)
    if account:
        return account[0] == "kube-system"
    return (subject.user or subject.group).startswith(_SYSTEM)


def _row(
    cluster: RunningCluster, asked: Any, verbs: list[str], subject: Subject, user: User
) -> dict[str, Any]:
    may = []
    for verb in verbs:
        wanted = Attributes(
            user,
            verb,
            asked.group,
            asked.version,
            asked.resource,
            asked.subresource,
            asked.namespace,
            asked.name,
            asked.path,
            asked.resource_request,
        )
        may.append(_decide(cluster, wanted))
    kind, _, name = subject.shown.partition(" ")
    return {
        "kind": kind,
        "name": name.strip('"'),
        "user": subject.user,
        "group": subject.group,
        "may": may,
    }


def _decide(cluster: RunningCluster, wanted: Attributes) -> bool:
    try:
        return cluster.auth.authorize(wanted).allowed
    except ApiError:
        return False


ROUTES: Routes = {
    ("GET", 2, "access"): grid,
    ("GET", 2, "why"): why,
    ("POST", 2, "kubeconfig"): kubeconfig,
    ("POST", 2, "revoke"): revoke,
}
