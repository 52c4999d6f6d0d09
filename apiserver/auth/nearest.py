"""What comes nearest to a right that somebody does not have: for the page that explains a refusal.

Nobody decides by this. It walks all roles and bindings, so it is for questions of people alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from apiserver.auth.attributes import Attributes
from apiserver.auth.rbac import Binding, RoleIndex
from apiserver.auth.rules import ALL, Rules


class Nearest(NamedTuple):
    """The role that comes nearest, and how.

    how: "verbs": the user holds it, for other verbs on the resource. "names": for other names.
    "elsewhere": it is bound to the user in another namespace. "unbound": it would allow this, and
    is not bound to the user.
    """

    how: str
    kind: str
    namespace: str
    name: str
    verbs: tuple[str, ...] = ()
    # Where it is bound, and by which binding.
    bound_in: str = ""
    binding: str = ""

    def record(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**self._asdict(), "verbs": list(self.verbs)}


def nearest(roles: RoleIndex, wanted: Attributes) -> Nearest | None:
    """Return the role that comes nearest to allow a request for a resource, if any does."""
    if not wanted.resource_request:
        return None
    held = list(_held(roles, wanted))
    for binding, rules in held:
        if binding.namespace in ("", wanted.namespace):
            verbs, exact = _verbs_on(rules, wanted)
            if verbs:
                return _of(binding, "verbs" if exact else "names", verbs)
    for binding, rules in held:
        if binding.namespace not in ("", wanted.namespace) and rules.allow(wanted):
            return _of(binding, "elsewhere", _verbs_on(rules, wanted)[0])
    return _unbound(roles, wanted)


def _held(roles: RoleIndex, wanted: Attributes) -> Iterator[tuple[Binding, Rules]]:
    for binding in roles.bindings():
        if any(subject.means(wanted.user) for subject in binding.subjects):
            rules = roles.role(binding.role_kind, binding.namespace, binding.role_name)
            if rules is not None:
                yield binding, rules


def _of(binding: Binding, how: str, verbs: tuple[str, ...]) -> Nearest:
    namespace, name = binding.role_key
    return Nearest(how, binding.role_kind, namespace, name, verbs, binding.namespace, binding.name)


def _unbound(roles: RoleIndex, wanted: Attributes) -> Nearest | None:
    """Return the smallest role that would allow it, one of the namespace before any other.

    What is for components of the cluster comes last.
    """
    allowing = [
        (not namespace, name.startswith("system:"), _breadth(rules), name, namespace, rules)
        for (namespace, name), rules in roles.roles()
        if namespace in ("", wanted.namespace) and rules.allow(wanted)
    ]
    if not allowing:
        return None
    everywhere, _, _, name, namespace, rules = min(allowing, key=lambda one: one[:4])
    verbs = _verbs_on(rules, wanted)[0]
    return Nearest("unbound", "ClusterRole" if everywhere else "Role", namespace, name, verbs)


def _breadth(rules: Rules) -> int:
    """Return how much a role allows, roughly: verbs times resources, where "*" is very many."""
    return sum(
        _count(rule.get("verbs")) * _count(rule.get("resources")) * _count(rule.get("apiGroups"))
        for rule in rules.source
    )


def _count(values: Sequence[str] | None) -> int:
    return 100 if ALL in (values or ()) else len(values or ())


def _verbs_on(rules: Rules, wanted: Attributes) -> tuple[tuple[str, ...], bool]:
    """Return what rules let do with the resource, and whether the verb alone is missing."""
    verbs: dict[str, None] = {}
    exact = True
    for rule in rules.source:
        if _covers(rule, wanted):
            verbs.update(dict.fromkeys(rule.get("verbs") or ()))
            names = rule.get("resourceNames")
            if names and wanted.verb in (rule.get("verbs") or ()) and wanted.name not in names:
                exact = False
    return tuple(verbs), exact


def _covers(rule: Mapping[str, Any], wanted: Attributes) -> bool:
    resource = wanted.resource
    if wanted.subresource:
        resource = f"{resource}/{wanted.subresource}"
    groups, resources = rule.get("apiGroups") or (), rule.get("resources") or ()
    return (wanted.group in groups or ALL in groups) and (resource in resources or ALL in resources)
