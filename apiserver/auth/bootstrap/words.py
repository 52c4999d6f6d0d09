"""The words that bootstrap policy is written in: verbs, and rules as one line each.

`rule("get list", "apps core", "deployments pods")` reads as RBAC does; "core" is the group "".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

PolicyRule: TypeAlias = Mapping[str, Any]
Roles: TypeAlias = Mapping[str, Sequence[PolicyRule]]

READ = "get list watch"
LIST_WATCH = "list watch"
CHANGE = "patch update"
WRITE = "create delete deletecollection patch update"
OWN = "create delete get list patch update watch"
READ_WRITE = "create delete deletecollection get list patch update watch"


def rule(verbs: str, groups: str, resources: str, names: str = "") -> PolicyRule:
    """Return a rule about resources; every argument is words with blanks between."""
    made: dict[str, Any] = {
        "apiGroups": ["" if group == "core" else group for group in groups.split()],
        "resources": resources.split(),
        "verbs": verbs.split(),
    }
    if names:
        made["resourceNames"] = names.split()
    return made


def with_features(roles: Roles, more: Mapping[str, Roles], on: Collection[str]) -> Roles:
    """Return roles with what comes to them where features are on."""
    found = dict(roles)
    for feature, brought in more.items():
        if feature in on:
            for name, rules in brought.items():
                found[name] = (*found.get(name, ()), *rules)
    return found


def paths(verbs: str, urls: str) -> PolicyRule:
    """Return a rule about paths."""
    return {"nonResourceURLs": urls.split(), "verbs": verbs.split()}


RECORD_EVENTS = rule("create patch update", "core events.k8s.io", "events")
