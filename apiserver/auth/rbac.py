"""RBAC: who was granted what, kept up to date change by change.

The index holds compiled roles and bindings of one cluster. A user's grants in a namespace are
gathered once and kept until a role or binding changes, so that a decision is one look-up and a
walk over the few grants that the user has. Nothing but grants exists: what no rule allows is not
RBAC's to refuse, it has no opinion.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from apimachinery.meta import Obj
from apiserver.auth.attributes import Attributes, Decision, quote
from apiserver.auth.rules import Rules, compile_rules
from apiserver.auth.user import User, service_account_user

ROLES = "roles.rbac.authorization.k8s.io"
CLUSTER_ROLES = "clusterroles.rbac.authorization.k8s.io"
ROLE_BINDINGS = "rolebindings.rbac.authorization.k8s.io"
CLUSTER_ROLE_BINDINGS = "clusterrolebindings.rbac.authorization.k8s.io"
RESOURCES = (ROLES, CLUSTER_ROLES, ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS)

BY = "RBAC"
# Distinct (user, groups, namespace) whose grants are kept; each costs some 200 bytes.
MAX_GATHERED = 4096


class Subject(NamedTuple):
    """Whom a binding names: as the user or group that it means, and as it is printed."""

    user: str
    group: str
    shown: str

    def means(self, user: User) -> bool:
        """Tell whether the user is whom the binding names."""
        if self.user:
            return user.name == self.user
        return self.group in user.groups if self.group else False


class Binding(NamedTuple):
    """A role handed to subjects. `namespace` is "" for a ClusterRoleBinding."""

    namespace: str
    name: str
    role_kind: str
    role_name: str
    subjects: tuple[Subject, ...]

    @property
    def role_key(self) -> tuple[str, str]:
        return (self.namespace if self.role_kind == "Role" else "", self.role_name)

    def reason(self, subject: Subject) -> str:
        """Say which binding allowed it, as the audit log does."""
        if self.namespace:
            binding = f"RoleBinding {quote(f'{self.name}/{self.namespace}')}"
        else:
            binding = f"ClusterRoleBinding {quote(self.name)}"
        role = f"{self.role_kind} {quote(self.role_name)}"
        return f"RBAC: allowed by {binding} of {role} to {subject.shown}"


class Grant(NamedTuple):
    """A user's share in one binding: the rules, or what is wrong with them, and the words."""

    rules: Rules | None
    problem: str
    # The answer to whatever the rules cover, made once: reasons are kept for every request.
    allowed: Decision


class RoleIndex:
    """Roles and bindings of one cluster, ready to decide."""

    def __init__(self) -> None:
        self._roles: dict[tuple[str, str], Rules] = {}
        # namespace -> name -> binding; "" holds the ClusterRoleBindings.
        self._bindings: dict[str, dict[str, Binding]] = {}
        self._gathered: dict[tuple[str, tuple[str, ...], str], tuple[Grant, ...]] = {}

    def put(self, resource: str, obj: Obj) -> None:
        """Take in a role or binding as it now is."""
        metadata = obj["metadata"]
        namespace, name = metadata.get("namespace") or "", metadata["name"]
        if resource in {ROLES, CLUSTER_ROLES}:
            rules = compile_rules(obj.get("rules"))
            if self._roles.get((namespace, name)) is rules:
                return
            self._roles[namespace, name] = rules
        else:
            self._bindings.setdefault(namespace, {})[name] = _binding(namespace, name, obj)
        self._gathered.clear()

    def remove(self, resource: str, namespace: str, name: str) -> None:
        """Forget a role or binding."""
        if resource in {ROLES, CLUSTER_ROLES}:
            self._roles.pop((namespace, name), None)
        else:
            kept = self._bindings.get(namespace, {})
            kept.pop(name, None)
            if not kept:
                self._bindings.pop(namespace, None)
        self._gathered.clear()

    def role(self, kind: str, namespace: str, name: str) -> Rules | None:
        """Return the rules of a Role of the namespace, or of a ClusterRole."""
        return self._roles.get((namespace if kind == "Role" else "", name))

    def roles(self) -> Iterator[tuple[tuple[str, str], Rules]]:
        """Yield every role by namespace ("" for ClusterRoles) and name."""
        yield from sorted(self._roles.items(), key=lambda item: item[0])

    def bindings(self) -> Iterator[Binding]:
        """Yield every binding, ClusterRoleBindings first."""
        for _, named in sorted(self._bindings.items()):
            yield from (binding for _, binding in sorted(named.items()))

    def grants(self, user: User, namespace: str) -> tuple[Grant, ...]:
        """Return the user's grants: everywhere first, then those of the namespace."""
        key = (user.name, user.groups, namespace)
        found = self._gathered.get(key)
        if found is None:
            if len(self._gathered) >= MAX_GATHERED:
                self._gathered.clear()
            found = self._gathered[key] = tuple(self._gather(user, namespace))
        return found

    def bindings_of(self, user: User, namespace: str) -> Iterator[tuple[Binding, Subject]]:
        """Yield the bindings that mean the user, with whom they name: everywhere ones first."""
        for scope in dict.fromkeys(("", namespace)):
            for _, binding in sorted(self._bindings.get(scope, {}).items()):
                subject = next((s for s in binding.subjects if s.means(user)), None)
                if subject is not None:
                    yield binding, subject

    def subjects(self, namespace: str) -> list[Subject]:
        """Return whom the bindings of a namespace and those of the cluster name, by name."""
        found = {
            subject.shown: subject
            for scope in dict.fromkeys(("", namespace))
            for binding in self._bindings.get(scope, {}).values()
            for subject in binding.subjects
        }
        return [found[shown] for shown in sorted(found)]

    def decide(self, wanted: Attributes) -> Decision:
        """Allow what a grant covers; otherwise report the bindings whose role is missing."""
        grants = self.grants(wanted.user, wanted.namespace if wanted.resource_request else "")
        for grant in grants:
            if grant.rules is not None and grant.rules.allow(wanted):
                return grant.allowed
        problems = list(dict.fromkeys(grant.problem for grant in grants if grant.problem))
        if not problems:
            return NO_OPINION
        told = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        return Decision(False, f"RBAC: {told}", BY)

    def rules_for(self, user: User, namespace: str) -> Iterator[Mapping[str, Any]]:
        """Yield every rule that the user holds in the namespace, as the roles have them."""
        for grant in self.grants(user, namespace):
            if grant.rules is not None:
                yield from grant.rules.source

    def _gather(self, user: User, namespace: str) -> Iterator[Grant]:
        for binding, subject in self.bindings_of(user, namespace):
            yield self._grant(binding, subject)

    def _grant(self, binding: Binding, subject: Subject) -> Grant:
        rules = self._roles.get(binding.role_key)
        problem = "" if rules is not None else missing_role(binding.role_kind, binding.role_name)
        return Grant(rules, problem, Decision(True, binding.reason(subject), BY))


NO_OPINION = Decision(False, "", BY)


def missing_role(kind: str, name: str) -> str:
    """Say that a binding's role is not there."""
    return f"{kind.lower()}.rbac.authorization.k8s.io {quote(name)} not found"


def _binding(namespace: str, name: str, obj: Obj) -> Binding:
    role = obj.get("roleRef") or {}
    subjects = tuple(_subject(each, namespace) for each in obj.get("subjects") or ())
    return Binding(namespace, name, role.get("kind", ""), role.get("name", ""), subjects)


def _subject(subject: Mapping[str, Any], namespace: str) -> Subject:
    kind, name = subject.get("kind", ""), subject.get("name", "")
    if kind == "ServiceAccount":
        home = subject.get("namespace") or namespace
        user = service_account_user(home, name) if home else ""
        return Subject(user, "", f"{kind} {quote(f'{name}/{home}')}")
    shown = f"{kind} {quote(name)}"
    return Subject("", name, shown) if kind == "Group" else Subject(name, "", shown)
