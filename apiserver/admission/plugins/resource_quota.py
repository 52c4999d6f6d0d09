"""ResourceQuota: a namespace gets no more than its quotas allow.

The quota controller writes what is used into each quota's status, from a cache that may lag behind
by any time: Kubernetes, which adds to that status what it lets through, exceeds a quota when the
controller then counts too few. So here the status can only refuse. What may be let through is known
from what is stored: it is counted once, what is let through from then on is added, and it is
counted again only when that sum comes to the limit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from apimachinery.clock import Clock
from apimachinery.meta import Obj, name_of, uid_of
from apimachinery.quantity import ZERO, Quantity, parse
from apimachinery.quota.devices import Usage
from apimachinery.quota.scopes import in_scope
from apimachinery.quota.totals import total
from apimachinery.quota.usage import CAN_GROW, beyond, concerns, sharing, unsaid, usage_of
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
# With how many counts in the status a charge ends of which nothing came.
PATIENCE = 2


@dataclass(slots=True)
class _Charge:
    """Usage let through that is not known to be stored."""

    key: tuple[str, str, str]
    usage: Usage
    # What an object will use in the end that was there and uses more now.
    grown: Usage
    counts: int = 0


@dataclass(slots=True)
class _Ledger:
    """What there may be under one quota."""

    # The status when the charges were last gone through.
    hard: dict[str, str]
    used: dict[str, str]
    # What was stored when it was counted, and all let through since. What goes is not taken off.
    most: Usage = field(default_factory=dict)
    charges: list[_Charge] = field(default_factory=list)

    @property
    def shown(self) -> Usage:
        return {name: parse(given) for name, given in self.used.items()}


class ResourceQuota:
    """Refuses what would exceed a quota, or leaves out what a quota counts."""

    name = "ResourceQuota"
    handles = Rule((ANY,), (CREATE, UPDATE), ("", "resize"))

    def __init__(self, objects: ObjectReader, clock: Clock) -> None:
        self._objects, self._clock = objects, clock
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
        asked = usage_of(resource, obj, self._objects)
        if request.old_object is not None:
            asked = beyond(asked, usage_of(resource, request.old_object, self._objects))
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
        used = ledger.shown
        over = _over(wanted, used, hard)
        if not over and (wanted.keys() - ledger.most.keys() or _over(wanted, ledger.most, hard)):
            self._count(ledger, quota, request, names)
            used |= {name: max(used[name], ledger.most[name]) for name in names}
            over = _over(wanted, used, hard)
        if over:
            raise request.refusal(
                f"exceeded quota: {name_of(quota)}, requested: {_print(wanted, over)}, "
                f"used: {_print(used, over)}, limited: {_print(hard, over)}"
            )
        return wanted

    def _ledger(self, quota: Obj) -> _Ledger:
        """Return the ledger of a quota, without the charges that have ended."""
        hard, used = quota["status"]["hard"], quota["status"]["used"]
        ledger = self._ledgers.get(uid_of(quota))
        if ledger is None:
            self._forget_deleted()
            ledger = self._ledgers[uid_of(quota)] = _Ledger(hard, used)
        if ledger.hard.keys() != hard.keys():
            # Of what it did not limit meanwhile nothing was added.
            ledger.hard, ledger.most = hard, {}
        if ledger.used != used:
            ledger.used = used
            for charge in ledger.charges:
                charge.counts += 1
            ledger.charges = [
                one for one in ledger.charges if one.counts < PATIENCE and not self._is_stored(one)
            ]
        return ledger

    def _forget_deleted(self) -> None:
        there = {uid_of(quota) for quota in self._objects.list(QUOTAS)}
        self._ledgers = {uid: kept for uid, kept in self._ledgers.items() if uid in there}

    def _count(
        self, ledger: _Ledger, quota: Obj, request: AdmissionRequest, names: set[str]
    ) -> None:
        """Count what is stored, and what is on its way there."""
        ledger.charges = [one for one in ledger.charges if not self._is_stored(one)]
        counted = dict.fromkeys(names, ZERO)
        for resource in sharing(str(request.resource), names):
            _add(counted, total(quota, resource, names, self._objects, self._clock.seconds()))
        for charge in ledger.charges:
            _add(counted, charge.usage)
        ledger.most |= {name: counted[name] for name in names}

    def _is_stored(self, charge: _Charge) -> bool:
        obj = self._objects.get(*charge.key)
        if obj is None:
            return False
        uses = usage_of(charge.key[0], obj, self._objects) if charge.grown else {}
        return all(uses.get(name, ZERO) >= amount for name, amount in charge.grown.items())

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
        updated = request.operation is UPDATE
        uses = usage_of(resource, obj, self._objects) if updated else {}
        for quota, usage in charges:
            if usage:
                ledger = self._ledger(quota)
                grown = {name: uses[name] for name in usage} if uses else {}
                ledger.charges.append(_Charge(key, usage, grown))
                _add(ledger.most, usage)


def _over(wanted: Usage, used: Usage, hard: Usage) -> list[str]:
    """Return the names of which more would be used than there may be."""
    return [name for name in wanted if used.get(name, ZERO) + wanted[name] > hard[name]]


def _add(usage: Usage, more: Usage) -> None:
    for name, amount in more.items():
        usage[name] = usage.get(name, ZERO) + amount


def _print(amounts: dict[str, Quantity], names: Iterable[str]) -> str:
    return ",".join(f"{name}={amounts.get(name, ZERO)}" for name in sorted(names))
