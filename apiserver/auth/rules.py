"""RBAC policy rules, compiled once for each distinct list of rules and shared by all clusters.

Fifty idle clusters hold the same seventy ClusterRoles; they share one compiled form, which lives
as long as some cluster's index points at it. Matching follows k8s.io/api rbac/v1 evaluation:
"*" matches everything, "*/scale" the subresource of any resource, "/healthz/*" a path's prefix.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from apiserver.auth.attributes import Attributes

ALL = "*"


class ResourceRule(NamedTuple):
    """One rule about resources; None stands for "every one"."""

    verbs: frozenset[str] | None
    groups: frozenset[str] | None
    names: frozenset[str] | None

    def allows(self, verb: str, group: str, name: str) -> bool:
        """Tell whether the rule, found by its resource, covers the rest of the request."""
        return (
            (self.verbs is None or verb in self.verbs)
            and (self.groups is None or group in self.groups)
            and (self.names is None or name in self.names)
        )


class PathRule(NamedTuple):
    """One rule about paths: those named exactly, and the beginnings of those with a "*"."""

    verbs: frozenset[str] | None
    paths: frozenset[str]
    prefixes: tuple[str, ...]

    def allows(self, verb: str, path: str) -> bool:
        """Tell whether the rule lets the verb be used on the path."""
        if self.verbs is not None and verb not in self.verbs:
            return False
        return path in self.paths or path.startswith(self.prefixes)


class Rules:
    """The compiled rules of a role."""

    __slots__ = ("__weakref__", "_any_resource", "_by_resource", "_paths", "source")

    def __init__(self, source: Sequence[Mapping[str, Any]]) -> None:
        self.source = source
        by_resource: dict[str, list[ResourceRule]] = {}
        for rule in source:
            compiled = ResourceRule(
                _matcher(rule.get("verbs")),
                _matcher(rule.get("apiGroups")),
                frozenset(rule["resourceNames"]) if rule.get("resourceNames") else None,
            )
            for resource in rule.get("resources") or ():
                by_resource.setdefault(resource, []).append(compiled)
        self._any_resource = tuple(by_resource.pop(ALL, ()))
        self._by_resource = {resource: tuple(found) for resource, found in by_resource.items()}
        self._paths = tuple(_path_rule(rule) for rule in source if rule.get("nonResourceURLs"))

    def allow(self, wanted: Attributes) -> bool:
        """Tell whether any rule covers the request."""
        if not wanted.resource_request:
            return any(rule.allows(wanted.verb, wanted.path) for rule in self._paths)
        verb, group, name = wanted.verb, wanted.group, wanted.name
        for rule in self._any_resource:
            if rule.allows(verb, group, name):
                return True
        index = self._by_resource
        if not wanted.subresource:
            return _any(index.get(wanted.resource), verb, group, name)
        subresource = wanted.subresource
        return _any(index.get(f"{wanted.resource}/{subresource}"), verb, group, name) or _any(
            index.get(f"*/{subresource}"), verb, group, name
        )


def _any(rules: tuple[ResourceRule, ...] | None, verb: str, group: str, name: str) -> bool:
    if rules:
        for rule in rules:
            if rule.allows(verb, group, name):
                return True
    return False


def _matcher(values: Iterable[str] | None) -> frozenset[str] | None:
    found = frozenset(values or ())
    return None if ALL in found else found


def _path_rule(rule: Mapping[str, Any]) -> PathRule:
    urls: list[str] = rule["nonResourceURLs"]
    prefixes = tuple(url.rstrip(ALL) for url in urls if url.endswith(ALL))
    return PathRule(_matcher(rule.get("verbs")), frozenset(urls), prefixes)


_shared: weakref.WeakValueDictionary[bytes, Rules] = weakref.WeakValueDictionary()


def compile_rules(source: Sequence[Mapping[str, Any]] | None) -> Rules:
    """Return the compiled form of a role's rules; the same rules give the same object."""
    content = orjson.dumps(source or [], option=orjson.OPT_SORT_KEYS)
    found = _shared.get(content)
    if found is None:
        found = _shared[content] = Rules(tuple(source or ()))
    return found
