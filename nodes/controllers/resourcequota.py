"""ResourceQuotas: what of each is used, counted from what there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from apimachinery.meta import Obj, namespace_of
from apimachinery.quantity import ZERO
from apimachinery.quota.devices import CLASSES, Usage, is_extended
from apimachinery.quota.scopes import same_scopes
from apimachinery.quota.totals import total
from apimachinery.quota.usage import CAN_GROW, NAMED, concerns, released_at, usage_of
from nodes.client.controller import DONE, Result
from nodes.client.informer import Informer
from nodes.client.lister import Key, key_of
from nodes.client.resources import DEVICECLASSES, RESOURCEQUOTAS
from nodes.controllers.common.base import ManagedController, ManagerContext

_COUNT = "count/"
# How long (seconds) after a moment it is surely over.
_PAST = 0.1


class ResourceQuotaController(ManagedController):
    """Keys are ResourceQuotas. Follows the resources that some quota counts, and no others."""

    name = "resourcequota-controller"
    service_account = "resourcequota-controller"
    component = "resourcequota-controller"
    reconciles = RESOURCEQUOTAS
    # To count again takes as long as there are objects: rather less often than after each.
    rest = 2.0

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self._followed: dict[str, Informer] = {}
        self._there = _There(self._followed)

    async def reconcile(self, key: Key) -> Result:
        quota = self.informer(RESOURCEQUOTAS).get(*key)
        if quota is None:
            return DONE
        hard: dict[str, str] = quota["spec"].get("hard") or {}
        used: Usage = {}
        now, again = self.clock.seconds(), None
        if any(is_extended(name) for name in hard):
            await self._follow_classes()
        counted = _by_resource(hard)
        # All before the first is counted: how many devices a claim counts depends on its pod.
        followed = [one for one in counted if await self._follow(one)]
        for resource in followed:
            found = total(quota, resource, counted[resource], self._there, now)
            used |= {name: used.get(name, ZERO) + amount for name, amount in found.items()}
        if "pods" in followed:
            again = _next_release(self._there.list("pods", key.namespace), now)
        before = quota.get("status") or {}
        status = {
            "hard": hard,
            "used": (before.get("used") or {}) | {name: str(used[name]) for name in used},
        }
        status["used"] = {name: amount for name, amount in status["used"].items() if name in hard}
        if status != {"hard": before.get("hard"), "used": before.get("used")}:
            await self.client.update_status({**quota, "status": status}, RESOURCEQUOTAS)
        return Result(requeue_after=again)

    async def _follow(self, resource: str) -> bool:
        """Know what there is of a resource; False if there is no such resource."""
        for served in self.manager.served.resources():
            if str(served.group_resource) == resource and served.namespaced:
                informer = self.informer(served)
                # An informer of a custom kind is another one once the kind was away.
                if self._followed.get(resource) is not informer:
                    self._followed[resource] = informer
                    informer.on_change(self._handler(resource))
                await informer.settled.wait()
                return True
        return False

    async def _follow_classes(self) -> None:
        informer = self.informer(DEVICECLASSES)
        if CLASSES not in self._followed:
            self._followed[CLASSES] = informer
            informer.on_change(self._class_changed)
        await informer.settled.wait()

    def _class_changed(self, _old: Obj | None, _new: Obj | None) -> None:
        """Have all counted again for which it matters what classes of devices stand for."""
        for quota in self.informer(RESOURCEQUOTAS).list():
            if any(is_extended(name) for name in quota["spec"].get("hard") or ()):
                self.queue.add(key_of(quota))

    def _handler(self, resource: str) -> Callable[[Obj | None, Obj | None], None]:
        def changed(old: Obj | None, new: Obj | None) -> None:
            obj = new if new is not None else old
            if obj is None:
                return
            quotas = self.informer(RESOURCEQUOTAS).list(namespace_of(obj))
            if not quotas or (
                old is not None and new is not None and self._same(resource, old, new)
            ):
                return
            for quota in quotas:
                if any(concerns(resource, name) for name in quota["spec"].get("hard") or ()):
                    self.queue.add(key_of(quota))

        return changed

    def _same(self, resource: str, old: Obj, new: Obj) -> bool:
        """Tell whether a change leaves an object's usage and its scopes as they were."""
        if resource not in CAN_GROW:
            return True
        before, now = (usage_of(resource, one, self._there) for one in (old, new))
        return same_scopes(resource, old, new) and before == now


class _There:
    """What there is of what is followed, and nothing of all else."""

    def __init__(self, followed: Mapping[str, Informer]) -> None:
        self._followed = followed

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        informer = self._followed.get(resource)
        return informer.get(namespace, name) if informer is not None else None

    def list(self, resource: str, namespace: str) -> Iterable[Obj]:
        informer = self._followed.get(resource)
        return informer.list(namespace) if informer is not None else ()


def _next_release(pods: Iterable[Obj], now: float) -> float | None:
    """Return in how many seconds the next pod counts no more although it is still there."""
    ends = [end for pod in pods if (end := released_at(pod)) is not None and end >= now]
    return min(ends) - now + _PAST if ends else None


def _by_resource(hard: dict[str, str]) -> dict[str, set[str]]:
    """Return the names of a quota by the resource that each is about."""
    counted = {name.removeprefix(_COUNT) for name in hard if name.startswith(_COUNT)}
    found: dict[str, set[str]] = {}
    for resource in sorted(NAMED | counted):
        names = {name for name in hard if concerns(resource, name)}
        if names:
            found[resource] = names
    return found
