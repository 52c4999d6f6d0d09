"""FlowSchemas: which of them a request matches, and which flow of it the request belongs to.

Follows k8s.io/apiserver pkg/util/flowcontrol/rule.go. Schemas are compiled once for each version
of the object; a request is tried against them in the order of precedence, then of name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from apimachinery.meta import Obj
from apiserver.flowcontrol.digest import Digest

ANY = "*"
# Rules of a FlowSchema in JSON: the longest of the bootstrap objects has 2 KB.
_LONGEST_SHARED = 4096
_ACCOUNT = "system:serviceaccount:"

Test = Callable[[Digest], bool]


@dataclass(frozen=True, slots=True)
class Schema:
    """A FlowSchema, read."""

    name: str
    uid: str
    precedence: int
    level: str
    matches: Test
    # "ByUser", "ByNamespace", or "" where all requests are one flow.
    distinguisher: str

    def flow_of(self, digest: Digest) -> str:
        """Return what tells the request's flow from others of the schema."""
        if self.distinguisher == "ByUser":
            return digest.user
        return digest.namespace if self.distinguisher == "ByNamespace" else ""

    @property
    def order(self) -> tuple[int, str]:
        return self.precedence, self.name


def read_schema(obj: Obj) -> Schema:
    """Read a FlowSchema object."""
    meta, spec = obj["metadata"], obj.get("spec") or {}
    rules = spec.get("rules") or ()
    text = orjson.dumps(rules)
    # Every cluster has the same to begin with; what tenants make up at length is not kept.
    matches = _shared(text) if len(text) <= _LONGEST_SHARED else _any_of(rules)
    return Schema(
        name=meta["name"],
        uid=meta.get("uid") or "",
        precedence=spec.get("matchingPrecedence") or 0,
        level=(spec.get("priorityLevelConfiguration") or {}).get("name") or "",
        matches=matches,
        distinguisher=(spec.get("distinguisherMethod") or {}).get("type") or "",
    )


@lru_cache(maxsize=128)
def _shared(text: bytes) -> Test:
    return _any_of(orjson.loads(text))


def _any_of(rules: Sequence[Mapping[str, Any]]) -> Test:
    tests = [_rule(rule) for rule in rules]
    return lambda digest: any(test(digest) for test in tests)


def _rule(rule: Mapping[str, Any]) -> Test:
    subjects = [_subject(one) for one in rule.get("subjects") or ()]
    resources = [_resource_rule(one) for one in rule.get("resourceRules") or ()]
    paths = [_path_rule(one) for one in rule.get("nonResourceRules") or ()]

    def matches(digest: Digest) -> bool:
        wanted = resources if digest.is_resource else paths
        return any(test(digest) for test in subjects) and any(test(digest) for test in wanted)

    return matches


def _subject(subject: Mapping[str, Any]) -> Test:
    kind = subject.get("kind")
    if kind == "User":
        name = (subject.get("user") or {}).get("name") or ""
        return lambda digest: name in (ANY, digest.user)
    if kind == "Group":
        name = (subject.get("group") or {}).get("name") or ""
        return lambda digest: name == ANY or name in digest.groups
    account = subject.get("serviceAccount") or {}
    name, prefix = account.get("name") or "", f"{_ACCOUNT}{account.get('namespace') or ''}:"
    if name == ANY:
        return lambda digest: digest.user.startswith(prefix)
    return lambda digest: digest.user == prefix + name


def _resource_rule(rule: Mapping[str, Any]) -> Test:
    verbs, groups = _words(rule, "verbs"), _words(rule, "apiGroups")
    resources, namespaces = _words(rule, "resources"), _words(rule, "namespaces")
    cluster = bool(rule.get("clusterScope"))

    def matches(digest: Digest) -> bool:
        if not (_has(verbs, digest.verb) and _has(groups, digest.group)):
            return False
        if not _has(resources, digest.resource):
            return False
        return _has(namespaces, digest.namespace) if digest.namespace else cluster

    return matches


def _path_rule(rule: Mapping[str, Any]) -> Test:
    verbs, urls = _words(rule, "verbs"), _words(rule, "nonResourceURLs")
    prefixes = tuple(url.removesuffix(ANY) for url in urls if url.endswith("/*"))

    def matches(digest: Digest) -> bool:
        if not _has(verbs, digest.verb):
            return False
        return _has(urls, digest.path) or digest.path.startswith(prefixes)

    return matches


def _words(rule: Mapping[str, Any], name: str) -> frozenset[str]:
    return frozenset(rule.get(name) or ())


def _has(words: frozenset[str], word: str) -> bool:
    return word in words or ANY in words
