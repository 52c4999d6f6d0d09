"""Attribute-based access control: a file of policies, each a line of JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from apiserver.auth.attributes import Attributes, Decision
from apiserver.auth.user import AUTHENTICATED, User

BY = "ABAC"
VERSION = "abac.authorization.kubernetes.io/v1beta1"
ALL = "*"
_READS = frozenset({"get", "list", "watch"})
_NO_OPINION = Decision(False, "No policy matched.", BY)
_ALLOW = Decision(True, "", BY)


@dataclass(frozen=True, slots=True)
class Policy:
    """One line: who may do what. Empty parts match nothing, "*" everything."""

    user: str = ""
    group: str = ""
    namespace: str = ""
    resource: str = ""
    api_group: str = ""
    path: str = ""
    readonly: bool = False

    def allows(self, wanted: Attributes) -> bool:
        """Tell whether the line covers a request."""
        if not self.means(wanted.user) or (self.readonly and wanted.verb not in _READS):
            return False
        if not wanted.resource_request:
            return _matches_path(self.path, wanted.path)
        return all(
            said in (ALL, asked)
            for said, asked in (
                (self.namespace, wanted.namespace),
                (self.resource, wanted.resource),
                (self.api_group, wanted.group),
            )
        )

    def means(self, user: User) -> bool:
        """Tell whether the line is about the user; "*" is everybody who is known."""
        if self.user and self.user not in (ALL, user.name):
            return False
        if self.group and self.group != ALL and self.group not in user.groups:
            return False
        if ALL in (self.user, self.group) and AUTHENTICATED not in user.groups:
            return False
        return bool(self.user or self.group)


def _matches_path(said: str, asked: str) -> bool:
    if said in (ALL, asked):
        return True
    return said.endswith(ALL) and asked.startswith(said.rstrip(ALL))


class AbacAuthorizer:
    """Allows what a line of the file covers."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self._policies = policies

    def decide(self, wanted: Attributes) -> Decision:
        return _ALLOW if any(each.allows(wanted) for each in self._policies) else _NO_OPINION

    def rules(self, user: User, namespace: str) -> Iterable[dict[str, Any]]:
        """Yield what the user may do in a namespace, as rules of a role."""
        for each in self._policies:
            if not each.means(user):
                continue
            verbs = sorted(_READS) if each.readonly else [ALL]
            if each.resource and each.namespace in (ALL, namespace):
                yield {"verbs": verbs, "apiGroups": [each.api_group], "resources": [each.resource]}
            if each.path:
                yield {"verbs": verbs, "nonResourceURLs": [each.path]}


def read_policies(path: str) -> tuple[Policy, ...]:
    """Return the lines of a file. Raises ValueError."""
    try:
        lines = Path(path).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from error
    found = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text and not text.startswith("#"):
            found.append(_policy(path, number, text))
    return tuple(found)


def _policy(path: str, number: int, text: str) -> Policy:
    where = f"error reading policy file {path}, line {number}: {text}"
    try:
        line = orjson.loads(text)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    if (
        not isinstance(line, dict)
        or line.get("apiVersion") != VERSION
        or line.get("kind") != "Policy"
    ):
        raise ValueError(f"{where}: it is no Policy of {VERSION}")
    spec = line.get("spec") or {}
    fields = ("user", "group", "namespace", "resource", "apiGroup", "nonResourcePath")
    user, group, namespace, resource, api_group, url = (str(spec.get(f) or "") for f in fields)
    return Policy(user, group, namespace, resource, api_group, url, bool(spec.get("readonly")))
