"""ResourceQuota: a namespace gets no more than its quotas allow.

The quota controller writes what is used into each quota's status. What has been let through since
then is remembered here until the status has caught up, so that a burst of creations cannot slip
past a status that lags behind. A status may lag even when it is written: it was counted before.
So a charge outlives the first count after it, unless that shows it; and before something is
refused for charges that may be in the status already, what is stored is counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from apimachinery.meta import Obj, name_of, uid_of
from apimachinery.quantity import ZERO, Quantity, parse
from apimachinery.quota.scopes import in_scope
from apimachinery.quota.totals import total
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
# With how many counts in the status a charge ends: the first may have been made before the object
# was stored; the second shows it, or it does not come any more.
PATIENCE = 2


@dataclass(slots=True)
class _Charge:
    """Usage let through and not yet seen in the quota's status."""

    key: tuple[str, str, str]
    usage: Usage
    # It is for what an object that was there will use more.
    grows: bool = False
    counts: int = 0


@dataclass(slots=True)
class _Ledger:
    """The charges on one quota, and what its status said when they were last gone through."""

    used: dict[str, str] = field(default_factory=dict)
    charges: list[_Charge] = field(default_factory=list)

    def with_(self, charges: Iterable[_Charge]) -> Usage:
        """Add charges to what the status says."""
        return _added({name: parse(given) for name, given in self.used.items()}, charges)


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
        hard = {name: parse(given) for name, given in quota["status"]["hard"].items()}
        ledger = self._ledger(quota)
        used = ledger.with_(ledger.charges)
        over = _over(wanted, used, hard)
        if over and ledger.charges:
            used = self._counted(ledger, quota, request, names)
            over = _over(wanted, used, hard)
        if over:
            raise request.refusal(
                f"exceeded quota: {name_of(quota)}, requested: {_print(wanted, over)}, "
                f"used: {_print(used, over)}, limited: {_print(hard, over)}"
            )
        return wanted

    def _ledger(self, quota: Obj) -> _Ledger:
        """Return the charges that are left, now that the status says what it says."""
        ledger = self._ledgers.setdefault(uid_of(quota), _Ledger(quota["status"]["used"]))
        if ledger.used != (used := quota["status"]["used"]):
            stored, coming = list[_Charge](), list[_Charge]()
            for charge in ledger.charges:
                charge.counts += 1
                (stored if self._is_stored(charge) else coming).append(charge)
            expected = ledger.with_(stored)
            ledger.used = used
            shown = ledger.with_(())
            if all(shown.get(name, ZERO) >= amount for name, amount in expected.items()):
                stored = []
            ledger.charges = [one for one in (*stored, *coming) if one.counts < PATIENCE]
        return ledger

    def _counted(
        self, ledger: _Ledger, quota: Obj, request: AdmissionRequest, names: set[str]
    ) -> Usage:
        """Return what is used, from what is stored and what is on its way there."""
        resource = str(request.resource)
        stored = self._objects.list(resource, request.namespace)
        counted = total(quota, resource, stored, names)
        shown = ledger.with_(())
        most = {name: max(shown.get(name, ZERO), amount) for name, amount in counted.items()}
        coming = (one for one in ledger.charges if one.grows or not self._is_stored(one))
        return _added(most, coming)

    def _is_stored(self, charge: _Charge) -> bool:
        return self._objects.get(*charge.key) is not None

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
                self._ledger(quota).charges.append(_Charge(key, usage, request.operation is UPDATE))


def _over(wanted: Usage, used: Usage, hard: Usage) -> list[str]:
    """Return the names of which more would be used than there may be."""
    return [name for name in wanted if used.get(name, ZERO) + wanted[name] > hard[name]]


def _added(usage: Usage, charges: Iterable[_Charge]) -> Usage:
    """Add charges to a usage, which is changed."""
    for charge in charges:
        for name, amount in charge.usage.items():
            usage[name] = usage.get(name, ZERO) + amount
    return usage


def _more(new: Usage, old: Usage) -> Usage:
    """Return by how much the new usage is larger."""
    grown = {name: amount - old.get(name, ZERO) for name, amount in new.items()}
    return {name: amount for name, amount in grown.items() if amount > ZERO}


def _print(amounts: dict[str, Quantity], names: Iterable[str]) -> str:
    return ",".join(f"{name}={amounts.get(name, ZERO)}" for name in sorted(names))
