"""Why somebody may do something: which binding hands them which role, and by which of its rules.

It asks the same index that decides, rule by rule, so it cannot tell another story. It is asked for
pages, not for requests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apiserver.auth.attributes import Attributes, Decision, describe
from apiserver.auth.cluster import ClusterAuth
from apiserver.auth.rbac import Binding, Subject, missing_role
from apiserver.auth.rules import Rules, compile_rules
from apiserver.auth.user import MASTERS

Rule = Mapping[str, Any]
# Roles that are shown as near to what was asked for.
MOST_NEAREST = 5


@dataclass(frozen=True, slots=True)
class Link:
    """A chain from a subject over a binding and a role to the rules that cover the request."""

    binding: Binding
    subject: Subject
    # Those that cover the request; of a role that is only near, those about the same resource.
    rules: tuple[Rule, ...]
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as pages read it."""
        bound = self.binding
        return {
            "binding": {
                "kind": "RoleBinding" if bound.namespace else "ClusterRoleBinding",
                "namespace": bound.namespace,
                "name": bound.name,
            },
            "subject": self.subject.shown,
            "role": {
                "kind": bound.role_kind,
                "namespace": bound.role_key[0],
                "name": bound.role_name,
            },
            "rules": [dict(rule) for rule in self.rules],
            "problem": self.problem,
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """An answer with its reasons: chains that allow, or those that come near."""

    decision: Decision
    sentence: str
    chains: tuple[Link, ...]
    nearest: tuple[Link, ...]


def explain(auth: ClusterAuth, wanted: Attributes) -> Explanation:
    """Decide as for a request, and say why."""
    decision = auth.authorize(wanted)
    if MASTERS in wanted.user.groups:
        return Explanation(decision, "", (), ())
    held = list(_held(auth, wanted))
    chains = tuple(link for link in held if link.rules)
    near = () if decision.allowed else tuple(_nearest(auth, wanted))[:MOST_NEAREST]
    broken = tuple(link for link in held if link.problem)
    return Explanation(decision, describe(wanted), chains, (*broken, *near))


def _held(auth: ClusterAuth, wanted: Attributes) -> Iterator[Link]:
    """Yield the user's bindings, each with the rules that cover the request."""
    space = wanted.namespace if wanted.resource_request else ""
    for binding, subject in auth.roles.bindings_of(wanted.user, space):
        rules = auth.roles.role(binding.role_kind, *binding.role_key)
        if rules is None:
            problem = missing_role(binding.role_kind, binding.role_name)
            yield Link(binding, subject, (), problem)
        else:
            covering = tuple(rule for rule in rules.source if compile_rules([rule]).allow(wanted))
            yield Link(binding, subject, covering)


def _nearest(auth: ClusterAuth, wanted: Attributes) -> Iterator[Link]:
    """Yield the user's bindings that say something of the resource, though not enough."""
    space = wanted.namespace if wanted.resource_request else ""
    for binding, subject in auth.roles.bindings_of(wanted.user, space):
        rules = auth.roles.role(binding.role_kind, *binding.role_key)
        if rules is not None and (near := tuple(_about(rules, wanted))):
            yield Link(binding, subject, near)


def _about(rules: Rules, wanted: Attributes) -> Iterator[Rule]:
    names = {wanted.resource, f"{wanted.resource}/{wanted.subresource}", "*"}
    for rule in rules.source:
        groups = rule.get("apiGroups") or ()
        if names & set(rule.get("resources") or ()) and {wanted.group, "*"} & set(groups):
            yield rule
