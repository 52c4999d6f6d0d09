"""The default roles and bindings as objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from apimachinery.meta import Obj
from apiserver.auth.bootstrap.bindings import CLUSTER_ROLE_BINDINGS, ROLE_BINDINGS, Bound, account
from apiserver.auth.bootstrap.controllers import controller_roles
from apiserver.auth.bootstrap.policy import (
    AGGREGATED,
    AGGREGATES_TO,
    ROLES,
    aggregated_rules,
    cluster_roles,
)
from apiserver.auth.bootstrap.words import PolicyRule
from apiserver.registry import gates

GROUP = "rbac.authorization.k8s.io"
API_VERSION = f"{GROUP}/v1"
_LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}
AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"
_ANNOTATIONS = {AUTOUPDATE: "true"}


def rbac_objects() -> tuple[Obj, ...]:
    """Return every default role and binding, made once: never change them."""
    return _objects(gates.all_on())


def rbac_objects_of_features() -> list[Obj]:
    """Return the ClusterRoles, and their bindings, that are there, or have more rules, because of
    features that are on.
    """
    usual = _objects(gates.USUAL)
    return [one for one in rbac_objects() if one not in usual]


@cache
def _objects(on: frozenset[str]) -> tuple[Obj, ...]:
    bindings = (*_cluster_role_bindings(on), *_role_bindings())
    return (*_cluster_roles(on), *_roles(), *bindings)


def _cluster_roles(on: frozenset[str]) -> Iterator[Obj]:
    for name, rules in cluster_roles(on).items():
        yield _cluster_role(name, rules)
    for name in AGGREGATED:
        selector = {"matchLabels": {f"{GROUP}/aggregate-to-{name}": "true"}}
        role = _cluster_role(name, aggregated_rules(name))
        yield {**role, "aggregationRule": {"clusterRoleSelectors": [selector]}}
    for name, rules in controller_roles(on).items():
        yield _cluster_role(f"system:controller:{name}", rules)


def _cluster_role(name: str, rules: Iterable[PolicyRule]) -> Obj:
    labels = dict(_LABELS)
    if target := AGGREGATES_TO.get(name):
        labels[f"{GROUP}/aggregate-to-{target}"] = "true"
    return _object("ClusterRole", "", name, labels) | {"rules": [dict(rule) for rule in rules]}


def _roles() -> Iterator[Obj]:
    for (namespace, name), rules in ROLES.items():
        role = _object("Role", namespace, name, _LABELS)
        yield role | {"rules": [dict(rule) for rule in rules]}


def _cluster_role_bindings(on: frozenset[str]) -> Iterator[Obj]:
    given = {f"system:controller:{name}": (account(name),) for name in controller_roles(on)}
    for name, subjects in (CLUSTER_ROLE_BINDINGS | given).items():
        binding = _object("ClusterRoleBinding", "", name, _LABELS)
        yield binding | _grant("ClusterRole", name, subjects)


def _role_bindings() -> Iterator[Obj]:
    for (namespace, name), (role, subjects) in ROLE_BINDINGS.items():
        binding = _object("RoleBinding", namespace, name, _LABELS)
        yield binding | _grant("Role", role, subjects)


def _object(kind: str, namespace: str, name: str, labels: dict[str, str]) -> Obj:
    metadata: Obj = {"name": name, "labels": labels, "annotations": _ANNOTATIONS}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata}


def _grant(kind: str, role: str, subjects: Sequence[Bound]) -> Obj:
    grant: dict[str, Any] = {"roleRef": {"apiGroup": GROUP, "kind": kind, "name": role}}
    if subjects:
        grant["subjects"] = [_subject(subject) for subject in subjects]
    return grant


def _subject(subject: Bound) -> Obj:
    if subject.kind == "ServiceAccount":
        return {"kind": subject.kind, "name": subject.name, "namespace": "kube-system"}
    return {"kind": subject.kind, "apiGroup": GROUP, "name": subject.name}
