"""Nobody hands out rights that they do not hold: the checks on writing roles and bindings.

A user may write a role if they hold every rule of it, or may `escalate` roles; a binding, if they
hold every rule of the role, or may `bind` it. The checks run on the object as it will be stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from apimachinery.errors import Forbidden, NotFound
from apimachinery.gvk import GroupResource
from apimachinery.meta import Obj, name_of
from apiserver.auth.attributes import Attributes, quote
from apiserver.auth.cluster import ClusterAuth
from apiserver.auth.rbac import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES
from apiserver.auth.tokens import go_strings
from apiserver.auth.user import MASTERS, User

ALL = "*"
GROUP = "rbac.authorization.k8s.io"
# Rights, and rules that they are compared with: half a second. Lists of a rule multiply, and nobody
# else is served meanwhile; who has to grant more at once may `escalate`.
_MOST_COMPARISONS, _LINE = 500_000, 50
_EVERYTHING: Sequence[Mapping[str, Any]] = (
    {"verbs": [ALL], "apiGroups": [ALL], "resources": [ALL]},
    {"verbs": [ALL], "nonResourceURLs": [ALL]},
)


class Right(NamedTuple):
    """One verb on one resource (of one name, or of all: ""), or on one path."""

    verb: str
    group: str = ""
    resource: str = ""
    name: str = ""
    path: str = ""


def check_escalation(
    auth: ClusterAuth,
    user: User,
    resource: str,
    new: Obj,
    old: Obj | None = None,
    namespace: str = "",
) -> None:
    """Refuse a write of a role or binding that would grant what the user does not hold.

    `resource` is str(GroupResource); others than those of RBAC pass. `old` is None on creation.
    Raises Forbidden, or NotFound for a binding to a role that is not there.
    """
    if MASTERS in user.groups:
        return
    if resource in {ROLES, CLUSTER_ROLES}:
        _check_role(auth, user, resource, new, old, namespace)
    elif resource in {ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS}:
        _check_binding(auth, user, resource, new, old, namespace)


def _check_role(
    auth: ClusterAuth, user: User, resource: str, new: Obj, old: Obj | None, namespace: str
) -> None:
    if old is not None and all(
        (new.get(field) or None) == (old.get(field) or None)
        for field in ("rules", "aggregationRule")
    ):
        return
    about = GroupResource.parse(resource)
    asked = Attributes(user, "escalate", GROUP, "v1", about.resource, "", namespace, name_of(new))
    if auth.authorize(asked).allowed:
        return
    if words := _missing(auth, user, new.get("rules") or (), namespace):
        raise Forbidden(about, name_of(new), words)
    gathers = any("aggregationRule" in each for each in (new, old or {}))
    if gathers and _missing(auth, user, _EVERYTHING, namespace):
        words = "must have cluster-admin privileges to use an aggregationRule"
        raise Forbidden(about, name_of(new), words)


def _check_binding(
    auth: ClusterAuth, user: User, resource: str, new: Obj, old: Obj | None, namespace: str
) -> None:
    if old is not None and all(
        (new.get(field) or None) == (old.get(field) or None) for field in ("roleRef", "subjects")
    ):
        return
    ref = new.get("roleRef") or {}
    kind, name = ref.get("kind") or "", ref.get("name") or ""
    roles = GroupResource(GROUP, "roles" if kind == "Role" else "clusterroles")
    asked = Attributes(
        user, "bind", ref.get("apiGroup") or "", ALL, roles.resource, "", namespace, name
    )
    if auth.authorize(asked).allowed:
        return
    rules = auth.roles.role(kind, namespace, name)
    if rules is None:
        raise NotFound(roles, name)
    if words := _missing(auth, user, rules.source, namespace):
        raise Forbidden(GroupResource.parse(resource), name_of(new), words)


def _missing(
    auth: ClusterAuth, user: User, wanted: Iterable[Mapping[str, Any]], namespace: str
) -> str:
    """Say which of the rules the user does not hold; "" if they hold all."""
    grants = auth.roles.grants(user, namespace)
    held = _Held(rule for grant in grants if grant.rules is not None for rule in grant.rules.source)
    who = f"user {quote(user.name)} (groups={go_strings(user.groups)})"
    try:
        missing = [right for rule in wanted for right in rights(rule) if not held.cover(right)]
    except _TooManyError:
        return f"{who} is attempting to grant more RBAC permissions at once than can be compared"
    if not missing:
        return ""
    lines = "\n".join(sorted(set(_describe(missing))))
    words = f"{who} is attempting to grant RBAC permissions not currently held:\n{lines}"
    problems = list(dict.fromkeys(grant.problem for grant in grants if grant.problem))
    if problems:
        told = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        words = f"{words}; resolution errors: [{told}]"
    return words


class _TooManyError(Exception):
    """The rights are so many that comparing them would hold others up."""


class _Rule(NamedTuple):
    """A rule, with its lists as sets."""

    verbs: frozenset[str]
    groups: frozenset[str]
    names: frozenset[str]

    def has(self, right: Right) -> bool:
        """Tell whether the rule includes a right on one of its resources or paths."""
        if right.verb not in self.verbs and ALL not in self.verbs:
            return False
        if right.path:
            return True
        if right.group not in self.groups and ALL not in self.groups:
            return False
        return not self.names or right.name in self.names


class _Held:
    """The rules that a user holds, found by what they are about: both sides may be thousands."""

    def __init__(self, rules: Iterable[Mapping[str, Any]]) -> None:
        self._left = _MOST_COMPARISONS
        self._resources: dict[str, list[_Rule]] = {}
        self._paths: dict[str, list[_Rule]] = {}
        for rule in rules:
            lists = (rule.get(key) or () for key in ("verbs", "apiGroups", "resourceNames"))
            read = _Rule(*map(frozenset, lists))
            for resource in set(rule.get("resources") or ()):
                self._resources.setdefault(resource, []).append(read)
            for path in set(rule.get("nonResourceURLs") or ()):
                self._paths.setdefault(path, []).append(read)
        self._wild = [path for path in self._paths if path.endswith(ALL)]

    def cover(self, right: Right) -> bool:
        """Tell whether one of the rules includes the right. Raises _TooManyError."""
        self._left -= 1
        if right.path:
            self._left -= len(self._wild)
            paths = (path for path in self._wild if _covers_path(path, right.path))
            found = [rule for path in (right.path, *paths) for rule in self._paths.get(path, ())]
        else:
            names = _names(right.resource)
            found = [rule for name in names for rule in self._resources.get(name, ())]
        covered = any(rule.has(right) for rule in found)
        # What is missing is told, and a line takes longer than a comparison.
        self._left -= len(found) + (0 if covered else _LINE)
        if self._left < 0:
            raise _TooManyError
        return covered


def rights(rule: Mapping[str, Any]) -> Iterator[Right]:
    """Take a rule apart into single rights."""
    verbs = rule.get("verbs") or ()
    for group in rule.get("apiGroups") or ():
        for resource in rule.get("resources") or ():
            for verb in verbs:
                for name in rule.get("resourceNames") or ("",):
                    yield Right(verb, group, resource, name)
    for path in rule.get("nonResourceURLs") or ():
        for verb in verbs:
            yield Right(verb, path=path)


def _names(resource: str) -> tuple[str, ...]:
    """Return what rules may call a resource."""
    _, slash, subresource = resource.partition("/")
    return (resource, ALL, f"*/{subresource}") if slash else (resource, ALL)


def _covers_path(held: str, wanted: str) -> bool:
    if held == wanted:
        return True
    return held.endswith(ALL) and wanted.startswith(held.rstrip(ALL))


def _describe(missing: Sequence[Right]) -> Iterator[str]:
    """Print the rights, with the verbs on the same resource in one line."""
    verbs: dict[Right, list[str]] = {}
    for right in missing:
        if right.path:
            shown = go_strings([right.path])
            yield f"{{NonResourceURLs:{shown}, Verbs:{go_strings([right.verb])}}}"
        else:
            known = verbs.setdefault(right._replace(verb=""), [])
            if right.verb not in known:
                known.append(right.verb)
    for right, listed in verbs.items():
        names = f"ResourceNames:{go_strings([right.name])}, " if right.name else ""
        yield (
            f"{{APIGroups:{go_strings([right.group])}, Resources:{go_strings([right.resource])}, "
            f"{names}Verbs:{go_strings(listed)}}}"
        )
