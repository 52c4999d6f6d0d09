"""The actions on objects, in the order of the menus: for which kinds, and which rights they take.

A right is `(verb, subresource)` on the kind itself, or `(verb, subresource, group, plural)` on
another one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from playground.objects import facts
from playground.objects.discovery import Resource
from playground.objects.facts import Object

Right = tuple[str, str] | tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that one may do."""

    name: str
    label: str | Promise
    needs: tuple[Right, ...]
    fits: Callable[[Resource], bool] = field(default=lambda _: True)
    # Whether it makes sense for many objects at once.
    bulk: bool = True
    # Whether it would change anything about an object as it is.
    suits: Callable[[Object], bool] = field(default=lambda _: True)


def _any_of(*titles: str) -> Callable[[Resource], bool]:
    wanted = frozenset(titles)
    return lambda resource: resource.title in wanted


def _with_verb(verb: str) -> Callable[[Resource], bool]:
    return lambda resource: verb in resource.verbs


def _has(key: str) -> Callable[[Object], bool]:
    return lambda item: bool(facts.spec(item).get(key))


def _has_not(key: str) -> Callable[[Object], bool]:
    return lambda item: not facts.spec(item).get(key) and not facts.over(item)


_DEPLOYMENTS = _any_of("deployments.apps")
_ROLLED = _any_of("deployments.apps", "statefulsets.apps", "daemonsets.apps")
_SUSPENDED = _any_of("cronjobs.batch", "jobs.batch")
_NODES = _any_of("nodes")
_PATCH: Right = ("patch", "")

ACTIONS = (
    Action(
        "scale",
        _("Scale"),
        (("patch", "scale"),),
        lambda resource: "scale" in resource.subresources,
    ),
    Action("restart", _("Restart"), (_PATCH,), _ROLLED),
    Action(
        "undo",
        _("Roll back"),
        (_PATCH, ("list", "", "apps", "replicasets")),
        _ROLLED,
        bulk=False,
    ),
    Action("pause", _("Pause rollout"), (_PATCH,), _DEPLOYMENTS, suits=_has_not("paused")),
    Action("resume", _("Resume rollout"), (_PATCH,), _DEPLOYMENTS, suits=_has("paused")),
    Action(
        "trigger",
        _("Run now"),
        (("create", "", "batch", "jobs"),),
        _any_of("cronjobs.batch"),
        bulk=False,
    ),
    Action("suspend", _("Suspend"), (_PATCH,), _SUSPENDED, suits=_has_not("suspend")),
    Action("unsuspend", _("Resume"), (_PATCH,), _SUSPENDED, suits=_has("suspend")),
    Action("cordon", _("Cordon"), (_PATCH,), _NODES, suits=_has_not("unschedulable")),
    Action("uncordon", _("Uncordon"), (_PATCH,), _NODES, suits=_has("unschedulable")),
    Action(
        "drain",
        _("Drain"),
        (_PATCH, ("list", "", "", "pods"), ("create", "eviction", "", "pods")),
        _NODES,
    ),
    Action("evict", _("Evict"), (("create", "eviction"),), _any_of("pods")),
    Action("label", _("Label"), (_PATCH,), _with_verb("patch")),
    Action("annotate", _("Annotate"), (_PATCH,), _with_verb("patch")),
    Action("delete", _("Delete"), (("delete", ""),), _with_verb("delete")),
)
# What opening a shell takes; on a node it is a pod of `kubectl debug`, in the namespace default.
SHELLS: dict[str, tuple[Right, ...]] = {
    "pods": (("create", "exec"), ("get", "exec")),
    "nodes": (("create", "", "", "pods"), ("get", "attach", "", "pods")),
}
DEBUG_NAMESPACE = "default"
BY_NAME = {action.name: action for action in ACTIONS}


def fitting(resource: Resource) -> list[Action]:
    """Return the actions that make sense for a kind."""
    return [action for action in ACTIONS if action.fits(resource)]


def idle(resource: Resource, item: Object) -> list[str]:
    """Return the names of a kind's actions that would change nothing about an object now."""
    return [action.name for action in fitting(resource) if not action.suits(item)]


def attributes(right: Right, resource: Resource, namespace: str, name: str) -> dict[str, Any]:
    """Return the right as the resourceAttributes of an access review."""
    verb, subresource = right[0], right[1]
    group, plural = (right[2], right[3]) if len(right) == 4 else (resource.group, resource.plural)
    found = {"verb": verb, "group": group, "resource": plural}
    if subresource:
        found["subresource"] = subresource
    if namespace:
        found["namespace"] = namespace
    if name and len(right) == 2:
        found["name"] = name
    return found


def in_words(attributes: dict[str, Any]) -> str:
    """Return what to ask an administrator for: "patch on deployments.apps in default"."""
    target = attributes["resource"]
    if attributes.get("group"):
        target = f"{target}.{attributes['group']}"
    if attributes.get("subresource"):
        target = f"{target}/{attributes['subresource']}"
    where = attributes.get("namespace")
    text = _("%(verb)s on %(target)s in %(where)s") if where else _("%(verb)s on %(target)s")
    return str(text) % {"verb": attributes["verb"], "target": target, "where": where}
