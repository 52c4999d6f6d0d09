"""What is somebody's already: devices, parts of devices, and the counters that devices share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from apimachinery.meta import Obj
from apimachinery.quantity import parse
from nodes.scheduler.devices.capacities import Amounts, is_shared
from nodes.scheduler.devices.pools import Device, DeviceId, Pool

# One device's part in a choice: what is used of its capacities.
Part = tuple[Device, Amounts]
_CounterKey = tuple[str, str, str, str]


@dataclass(slots=True)
class Taken:
    """What claims have, in nano-units; a choice that is tried is taken, and given back."""

    devices: set[DeviceId] = field(default_factory=set)
    # How often a device is shared out, and how much of its capacities.
    shares: Counter[DeviceId] = field(default_factory=Counter)
    used: Counter[tuple[DeviceId, str]] = field(default_factory=Counter)
    counters: Counter[_CounterKey] = field(default_factory=Counter)
    limits: Mapping[_CounterKey, int] = field(default_factory=dict)

    @classmethod
    def by(cls, results: Iterable[Obj], pools: Sequence[Pool]) -> Taken:
        """Read what is taken off all allocations, but those for administrators."""
        limits = {
            (pool.driver, pool.name, *key): limit
            for pool in pools
            for key, limit in pool.counters().items()
        }
        found = cls(limits=limits)
        for one in results:
            found._note(one)
        for pool in pools:
            for each in pool.slices:
                for device in each["spec"].get("devices") or ():
                    id_ = DeviceId(pool.driver, pool.name, device["name"])
                    if id_ in found.devices or found.shares[id_]:
                        found.counters.update(_consumed(id_, device))
        return found

    def copy(self) -> Taken:
        """Return one in which a node's choices are tried."""
        return Taken(
            set(self.devices),
            Counter(self.shares),
            Counter(self.used),
            Counter(self.counters),
            self.limits,
        )

    def _note(self, result: Obj) -> None:
        id_ = DeviceId(result["driver"], result["pool"], result["device"])
        if result.get("shareID") is None:
            self.devices.add(id_)
            return
        self.shares[id_] += 1
        for name, amount in (result.get("consumedCapacity") or {}).items():
            self.used[id_, name] += parse(amount).nano

    def is_free(self, device: Device) -> bool:
        """Tell whether nobody has the device for himself."""
        return device.id not in self.devices

    def has_room(self, device: Device, amounts: Amounts) -> bool:
        """Tell whether so much is left of the capacities of a device that is shared."""
        capacities = device.obj.get("capacity") or {}
        return all(
            self.used[device.id, name] + amount.nano <= parse(capacities[name].get("value")).nano
            for name, amount in amounts.items()
        )

    def counters_suffice(self, devices: Iterable[Device]) -> bool:
        """Tell whether enough is left of what devices share; one in use counts already."""
        wanted: Counter[_CounterKey] = Counter()
        for device in devices:
            if not self.shares[device.id]:
                wanted.update(_consumed(device.id, device.obj))
        return all(
            self.counters[key] + amount <= self.limits.get(key, 0) for key, amount in wanted.items()
        )

    def take(self, parts: Iterable[Part]) -> None:
        for device, amounts in parts:
            if not self.shares[device.id]:
                self.counters.update(_consumed(device.id, device.obj))
            if not is_shared(device.obj):
                self.devices.add(device.id)
                continue
            self.shares[device.id] += 1
            for name, amount in amounts.items():
                self.used[device.id, name] += amount.nano

    def give_back(self, parts: Iterable[Part]) -> None:
        for device, amounts in parts:
            if is_shared(device.obj):
                self.shares[device.id] -= 1
                for name, amount in amounts.items():
                    self.used[device.id, name] -= amount.nano
            self.devices.discard(device.id)
            if not self.shares[device.id]:
                self.counters.subtract(_consumed(device.id, device.obj))


def _consumed(id_: DeviceId, device: Obj) -> dict[_CounterKey, int]:
    return {
        (id_.driver, id_.pool, each["counterSet"], name): parse(counter["value"]).nano
        for each in device.get("consumesCounters") or ()
        for name, counter in (each.get("counters") or {}).items()
    }
