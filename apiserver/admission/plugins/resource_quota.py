"""ResourceQuota: a namespace gets no more than its quotas allow.

The quota controller writes what is used into each quota's status. What has been let through since
then is remembered here until the status has caught up, so that a burst of creations cannot slip
past a status that lags behind.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from apimachinery.meta import Obj, name_of, revision_of, uid_of
from apimachinery.quantity import ZERO, Quantity, parse
from apimachinery.quota.scopes import in_scope
from apimachinery.quota.usage import CAN_GROW, Usage, concerns, unsaid, usage_of
from apiserver.admission.interfaces import (
    ANY,
    CREATE,
    UPDATE,
    AdmissionRequest,
    NotYet,
    Rule,
)
from apiserver.registry.strategy import ObjectReader

QUOTAS = "resourcequotas"
# How many writes of the status a charge outlives while its object is not there: the first may
# have been computed before the object was stored, after the second it will not come any more.
PATIENCE = 2


@dataclass(slots=True)
class _Charge:
    """Usage let through and not yet seen in the quota's status."""

    key: tuple[str, str, str]
    usage: Usage
    writes: int = 0


@dataclass(slots=True)
class _Ledger:
    """The charges on one quota since its status was last written, at `revision`."""

    revision: int = 0
    charges: list[_Charge] = field(default_factory=list)


class ResourceQuota:
    """Refuses what would exceed a quota, or leaves out what a quota counts."""

    name = "ResourceQuota"
    handles = Rule((ANY,), (CREATE, UPDATE), ("", "resize"))

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects
        self._ledgers: dict[str, _Ledger] = {}

    def validate(self, request: AdmissionRequest) -> None:
        obj, resource = request.object, str(request.resource)
        if not request.namespace or obj is None or resource == "namespaces":
            return
        if request.operation is UPDATE and resource not in CAN_GROW:
            return
        if resource == "pods" and (request.operation is UPDATE) != bool(request.subresource):
            return
        quotas = self._objects.list(QUOTAS, request.namespace)
        if not quotas:
            return
        concerned = list(self._concerned(request, quotas, resource, obj))
        asked = usage_of(resource, obj)
        if request.old_object is not None:
            asked = _more(asked, usage_of(resource, request.old_object))
        charges = [(quota, self._check(request, quota, names, asked)) for quota, names in concerned]
        self._charge(request, resource, obj, charges)

    def _concerned(
        self, request: AdmissionRequest, quotas: Iterable[Obj], resource: str, obj: Obj
    ) -> Iterable[tuple[Obj, set[str]]]:
        for quota in quotas:
            status = quota.get("status") or {}
            names = {name for name in status.get("hard") or () if concerns(resource, name)}
            if not names or not in_scope(quota, resource, obj):
                continue
            if resource == "pods" and (words := unsaid(obj, names)):
                raise request.refusal(f"failed quota: {name_of(quota)}: {words}")
            if unknown := names - (status.get("used") or {}).keys():
                listed = ",".join(sorted(unknown))
                words = f"status unknown for quota: {name_of(quota)}, resources: {listed}"
                raise request.refusal(words, NotYet)
            yield quota, names

    def _check(self, request: AdmissionRequest, quota: Obj, names: set[str], asked: Usage) -> Usage:
        wanted = {name: amount for name, amount in asked.items() if name in names and amount}
        used = self._used(quota)
        hard = {name: parse(given) for name, given in quota["status"]["hard"].items()}
        over = [name for name in wanted if used.get(name, ZERO) + wanted[name] > hard[name]]
        if over:
            raise request.refusal(
                f"exceeded quota: {name_of(quota)}, requested: {_print(wanted, over)}, "
                f"used: {_print(used, over)}, limited: {_print(hard, over)}"
            )
        return wanted

    def _used(self, quota: Obj) -> Usage:
        used = {name: parse(given) for name, given in quota["status"]["used"].items()}
        for charge in self._ledger(quota).charges:
            for name, amount in charge.usage.items():
                used[name] = used.get(name, ZERO) + amount
        return used

    def _ledger(self, quota: Obj) -> _Ledger:
        ledger = self._ledgers.setdefault(uid_of(quota), _Ledger())
        if ledger.revision != revision_of(quota):
            ledger.revision = revision_of(quota)
            for charge in ledger.charges:
                charge.writes += 1
            ledger.charges = [
                charge
                for charge in ledger.charges
                if charge.writes < PATIENCE and self._objects.get(*charge.key) is None
            ]
        return ledger

    def _charge(
        self,
        request: AdmissionRequest,
        resource: str,
        obj: Obj,
        charges: Iterable[tuple[Obj, Usage]],
    ) -> None:
        key = (resource, request.namespace, request.name or name_of(obj))
        exists = request.operation is CREATE and self._objects.get(*key) is not None
        if request.dry_run or exists:
            # Nothing will come of it, so nothing must stay charged.
            return
        for quota, usage in charges:
            if usage:
                self._ledger(quota).charges.append(_Charge(key, usage))


def _more(new: Usage, old: Usage) -> Usage:
    """Return by how much the new usage is larger."""
    grown = {name: amount - old.get(name, ZERO) for name, amount in new.items()}
    return {name: amount for name, amount in grown.items() if amount > ZERO}


def _print(amounts: dict[str, Quantity], names: Iterable[str]) -> str:
    return ",".join(f"{name}={amounts.get(name, ZERO)}" for name in sorted(names))
