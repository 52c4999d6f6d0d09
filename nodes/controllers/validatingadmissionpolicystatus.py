"""ValidatingAdmissionPolicies are type-checked against the kinds that they are about."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from apimachinery.cel.builtin import type_of_builtin
from apimachinery.cel.schema import type_of_schema
from apimachinery.cel.typechecking import type_warnings
from apimachinery.cel.types import Type
from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj, name_of
from apimachinery.schema import types
from nodes.client.controller import DONE, Result
from nodes.client.lister import Key
from nodes.client.resources import VALIDATINGADMISSIONPOLICIES
from nodes.controllers.common.base import ManagedController

_MANAGER = "validatingadmissionpolicy-status"


class ValidatingAdmissionPolicyStatusController(ManagedController):
    """Keys are ValidatingAdmissionPolicies. Each generation is checked once, as in Kubernetes."""

    name = "validatingadmissionpolicy-status-controller"
    service_account = "validatingadmissionpolicy-status-controller"
    component = "validatingadmissionpolicy-status-controller"
    reconciles = VALIDATINGADMISSIONPOLICIES

    async def reconcile(self, key: Key) -> Result:
        policy = self.informer(VALIDATINGADMISSIONPOLICIES).get(*key)
        if policy is None or not _is_due(policy):
            return DONE
        warnings = type_warnings(policy, self._type_of, self._kinds_of)
        status: Obj = {
            "observedGeneration": policy["metadata"]["generation"],
            "typeChecking": {"expressionWarnings": warnings} if warnings else {},
        }
        res = VALIDATINGADMISSIONPOLICIES
        body = {
            "apiVersion": res.api_version,
            "kind": res.kind,
            "metadata": {"name": name_of(policy)},
            "status": status,
        }
        await self.client.apply(res, body, _MANAGER, subresource="status")
        return DONE

    def _kinds_of(self, group: str, version: str, plural: str) -> Iterable[GroupVersionKind]:
        named = _built_in().get((group, version, plural))
        if named is not None:
            yield named
        for res in self.manager.served.resources():
            kind = GroupVersionKind(group, version, res.kind)
            if (res.group, res.plural) == (group, plural) and kind != named:
                yield kind

    def _type_of(self, kind: GroupVersionKind) -> Type | None:
        schema = types().type_of(kind)
        if schema is not None:
            return type_of_builtin(schema, kind.kind)
        node = self.manager.served.schema_of(kind)
        return None if node is None else type_of_schema(node, root=True, name=kind.kind)


@cache
def _built_in() -> dict[tuple[str, str, str], GroupVersionKind]:
    """Return the built-in kinds by group, version and plural."""
    return {(kind.group, kind.version, _plural(kind.kind)): kind for kind in types().kinds()}


def _plural(kind: str) -> str:
    name = kind.lower()
    if name == "endpoints":
        return name
    if name.endswith("y"):
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith("s") else f"{name}s"


def _is_due(policy: Obj) -> bool:
    seen = (policy.get("status") or {}).get("observedGeneration") or 0
    return bool((policy["metadata"].get("generation") or 0) > seen)
