"""An audit policy: the first rule that matches a request says how much of it is written down.

Follows k8s.io/apiserver pkg/audit/policy and pkg/apis/audit/validation, also in what is wrong with
a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path as FilePath
from typing import Any, NamedTuple

import yaml

from apimachinery.validation.field import (
    FieldErrors,
    Path,
    invalid,
    not_supported,
    required,
)
from apimachinery.validation.names import is_dns1123_subdomain

VERSION, KIND = "audit.k8s.io/v1", "Policy"


class Level(IntEnum):
    """How much of a request is written down; each holds the one before it."""

    NONE = 0
    METADATA = 1
    REQUEST = 2
    REQUEST_RESPONSE = 3


_LEVELS = {
    "None": Level.NONE,
    "Metadata": Level.METADATA,
    "Request": Level.REQUEST,
    "RequestResponse": Level.REQUEST_RESPONSE,
}
LEVEL_NAMES = {level: name for name, level in _LEVELS.items()}
RECEIVED, STARTED = "RequestReceived", "ResponseStarted"
COMPLETE, PANIC = "ResponseComplete", "Panic"
STAGES = (RECEIVED, STARTED, COMPLETE, PANIC)


class Asked(NamedTuple):
    """A request as a policy sees it. `resource` has the subresource with it."""

    user: str
    groups: Sequence[str]
    verb: str
    is_resource: bool
    group: str
    resource: str
    subresource: str
    namespace: str
    name: str
    path: str


class Verdict(NamedTuple):
    """What is written down of a request."""

    level: Level
    omit_stages: frozenset[str]
    omit_managed_fields: bool


Test = Callable[[Asked], bool]


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules, in order."""

    rules: tuple[tuple[Test, Verdict], ...]

    def verdict(self, asked: Asked) -> Verdict | None:
        """Return what the first matching rule says, None where nothing is written."""
        for matches, verdict in self.rules:
            if matches(asked):
                return verdict if verdict.level else None
        return None


def load_policy(path: str) -> Policy:
    """Read a policy file. Raises ValueError in kube-apiserver's words."""
    try:
        text = FilePath(path).read_text()
    except OSError as error:
        why = f"open {path}: {(error.strerror or '').lower()}"
        raise ValueError(f'failed to read file path "{path}": {why}') from error
    try:
        return read_policy(text)
    except ValueError as error:
        raise ValueError(f"{error}: from file {path}") from error


def read_policy(text: str) -> Policy:
    """Read a policy. Raises ValueError."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"failed decoding: {error}") from error
    if not isinstance(found, dict) or not found.get("kind"):
        raise ValueError(f"failed decoding: Object 'Kind' is missing in '{text}'")
    version, kind = found.get("apiVersion") or "", found["kind"]
    if (version, kind) != (VERSION, KIND):
        raise ValueError(
            f'failed decoding: no kind "{kind}" is registered for version "{version}" in scheme '
            '"k8s.io/apiserver/pkg/audit/scheme.go"'
        )
    try:
        if errors := [str(error) for error in _errors(found)]:
            raise ValueError(errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]")
        rules = found.get("rules") or ()
        if not rules:
            raise ValueError("loaded illegal policy with 0 rules")
        return Policy(tuple((_test(rule), _verdict(rule, found)) for rule in rules))
    except (AttributeError, TypeError) as error:
        raise ValueError(f"failed decoding: {error}") from error


def _verdict(rule: Mapping[str, Any], policy: Mapping[str, Any]) -> Verdict:
    omitted = frozenset((*(policy.get("omitStages") or ()), *(rule.get("omitStages") or ())))
    managed = rule.get("omitManagedFields")
    if managed is None:
        managed = policy.get("omitManagedFields")
    return Verdict(_LEVELS[rule["level"]], omitted, bool(managed))


# -- matching ------------------------------------------------------------------------------------


def _test(rule: Mapping[str, Any]) -> Test:
    users, groups = frozenset(rule.get("users") or ()), frozenset(rule.get("userGroups") or ())
    verbs, urls = frozenset(rule.get("verbs") or ()), tuple(rule.get("nonResourceURLs") or ())
    namespaces = frozenset(rule.get("namespaces") or ())
    resources = [_resource_test(one) for one in rule.get("resources") or ()]

    def matches(asked: Asked) -> bool:
        if users and asked.user not in users:
            return False
        if groups and groups.isdisjoint(asked.groups):
            return False
        if verbs and asked.verb not in verbs:
            return False
        if namespaces or resources:
            if not asked.is_resource or (namespaces and asked.namespace not in namespaces):
                return False
            return not resources or any(test(asked) for test in resources)
        return not urls or (not asked.is_resource and any(_is_at(asked.path, url) for url in urls))

    return matches


def _is_at(path: str, url: str) -> bool:
    return url in ("*", path) or (url.endswith("*") and path.startswith(url.rstrip("*")))


def _resource_test(rule: Mapping[str, Any]) -> Test:
    group = rule.get("group") or ""
    wanted = tuple(rule.get("resources") or ())
    names = frozenset(rule.get("resourceNames") or ())

    def matches(asked: Asked) -> bool:
        if asked.group != group:
            return False
        if not wanted:
            return True
        if names and asked.name not in names:
            return False
        return any(_is_resource(one, asked) for one in wanted)

    return matches


def _is_resource(wanted: str, asked: Asked) -> bool:
    """Tell whether `pods`, `pods/log`, `pods/*`, `*/scale` or `*` is what is asked for."""
    part = asked.subresource
    whole = f"{asked.resource}/{part}" if part else asked.resource
    if wanted in ("*", whole):
        return True
    if part and wanted == f"*/{part}":
        return True
    return wanted == f"{asked.resource}/*"


# -- validation ----------------------------------------------------------------------------------


def _errors(policy: Mapping[str, Any]) -> FieldErrors:
    yield from _stage_errors(policy.get("omitStages") or (), Path("omitStages"))
    for at, rule in enumerate(policy.get("rules") or ()):
        path = Path("rules")[at]
        level = rule.get("level") or ""
        if not level:
            yield required(path / "level")
        elif level not in _LEVELS:
            yield not_supported(path / "level", level, tuple(_LEVELS))
        urls = rule.get("nonResourceURLs") or ()
        yield from _url_errors(urls, path / "nonResourceURLs")
        yield from _resource_errors(rule.get("resources") or (), path / "resources")
        yield from _stage_errors(rule.get("omitStages") or (), path / "omitStages")
        if urls and (rule.get("resources") or rule.get("namespaces")):
            why = "rules cannot apply to both regular resources and non-resource URLs"
            yield invalid(path / "nonResourceURLs", list(urls), why)


def _url_errors(urls: Sequence[str], path: Path) -> FieldErrors:
    for at, url in enumerate(urls):
        if url == "*":
            continue
        if not url.startswith("/"):
            why = "non-resource URL rules must begin with a '/' character"
            yield invalid(path[at], url, why)
        if "*" in url[:-1]:
            why = "non-resource URL wildcards '*' must be the final character of the rule"
            yield invalid(path[at], url, why)


def _resource_errors(resources: Sequence[Mapping[str, Any]], path: Path) -> FieldErrors:
    for one in resources:
        group = one.get("group") or ""
        if group and (messages := list(is_dns1123_subdomain(group))):
            yield invalid(path / "group", group, ",".join(messages))
        names = one.get("resourceNames") or ()
        if names and not one.get("resources"):
            why = "using resourceNames requires at least one resource"
            yield invalid(path / "resourceNames", list(names), why)


def _stage_errors(stages: Sequence[str], path: Path) -> FieldErrors:
    for at, stage in enumerate(stages):
        if stage not in STAGES:
            yield invalid(path[at], stage, "allowed stages are " + ",".join(STAGES))
