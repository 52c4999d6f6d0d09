"""Devices as a node can have them: ResourceSlices gathered into the pools of their drivers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from apimachinery.cel.libs.quantities import Amount
from apimachinery.cel.libs.semvers import parse_semver
from apimachinery.meta import Obj
from apimachinery.nodes import matches_node_selector
from apimachinery.quantity import parse


class DeviceId(NamedTuple):
    """How a device is named in an allocation."""

    driver: str
    pool: str
    device: str


@dataclass(slots=True)
class Device:
    """A device that a node can have, with the slice that tells of it."""

    id: DeviceId
    obj: Obj
    slice: Obj

    def variables(self) -> dict[str, object]:
        """Return what a selector in CEL may ask: `device`."""
        driver = self.id.driver
        attributes: dict[str, dict[str, object]] = {}
        for name, value in (self.obj.get("attributes") or {}).items():
            domain, _, short = name.rpartition("/")
            attributes.setdefault(domain or driver, {})[short] = _value(value)
        capacity: dict[str, dict[str, object]] = {}
        for name, value in (self.obj.get("capacity") or {}).items():
            domain, _, short = name.rpartition("/")
            capacity.setdefault(domain or driver, {})[short] = Amount(parse(value["value"]))
        return {
            "driver": driver,
            "attributes": _Domains(attributes),
            "capacity": _Domains(capacity),
            "allowMultipleAllocations": bool(self.obj.get("allowMultipleAllocations")),
        }

    def attribute(self, name: str) -> object:
        """Return an attribute by its full name, None where the device has none."""
        given = self.obj.get("attributes") or {}
        found = given.get(name)
        domain, _, short = name.rpartition("/")
        if found is None and domain == self.id.driver:
            found = given.get(short)
        if found is None:
            return None
        ((kind, value),) = found.items()
        return kind, value


class _Domains(dict[str, dict[str, object]]):
    """Of a domain that a device says nothing of, it has nothing: that is no error."""

    def __missing__(self, domain: str) -> dict[str, object]:
        return {}

    def __contains__(self, domain: object) -> bool:
        return True

    def get(self, domain: str, default: object = None) -> dict[str, object]:
        return self[domain]


def _value(given: Mapping[str, object]) -> object:
    ((kind, value),) = given.items()
    return parse_semver(str(value)) if kind == "version" else value


@dataclass(slots=True)
class Pool:
    """The slices of one generation of a driver's pool."""

    driver: str
    name: str
    generation: int
    slices: list[Obj] = field(default_factory=list)

    @property
    def id(self) -> str:
        return f"{self.driver}/{self.name}"

    @property
    def complete(self) -> bool:
        return bool(len(self.slices) == self.slices[0]["spec"]["pool"]["resourceSliceCount"])

    @property
    def valid(self) -> bool:
        """Tell whether each device has its name for itself."""
        names = [one["name"] for each in self.slices for one in each["spec"].get("devices") or ()]
        return len(names) == len(set(names))

    def counters(self) -> dict[tuple[str, str], int]:
        """Return what devices of the pool share: (set, counter) -> nano-units."""
        return {
            (each["name"], name): parse(counter["value"]).nano
            for one in self.slices
            for each in one["spec"].get("sharedCounters") or ()
            for name, counter in (each.get("counters") or {}).items()
        }

    def on(self, node: Obj) -> Iterator[Device]:
        """Yield the devices that a node can have."""
        for one in self.slices:
            yield from devices_on(one, node)


def devices_on(one: Obj, node: Obj) -> Iterator[Device]:
    """Yield the devices of a slice that a node can have."""
    spec = one["spec"]
    each = bool(spec.get("perDeviceNodeSelection"))
    if not each and not _reaches(spec, node):
        return
    for device in spec.get("devices") or ():
        if not each or _reaches(device, node):
            yield Device(
                DeviceId(spec["driver"], spec["pool"]["name"], device["name"]), device, one
            )


def gathered(slices: Iterable[Obj]) -> list[Pool]:
    """Return the newest generation of each pool, in the order of names."""
    found: dict[tuple[str, str], Pool] = {}
    for one in slices:
        spec = one["spec"]
        pool = spec["pool"]
        key, generation = (spec["driver"], pool["name"]), pool["generation"]
        known = found.get(key)
        if known is None or known.generation < generation:
            known = found[key] = Pool(*key, generation)
        if known.generation == generation:
            known.slices.append(one)
    for each in found.values():
        each.slices.sort(key=lambda one: str(one["metadata"]["name"]))
    return [found[key] for key in sorted(found)]


def _reaches(where: Mapping[str, object], node: Obj) -> bool:
    if where.get("allNodes"):
        return True
    if name := where.get("nodeName"):
        return bool(name == node["metadata"]["name"])
    selector = where.get("nodeSelector")
    return isinstance(selector, dict) and matches_node_selector(selector, node)
