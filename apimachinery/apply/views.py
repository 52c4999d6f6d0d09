"""The same object in the versions in which its managers own its fields.

A manager's fields are those of the version in which it wrote, so what it loses is worked out in
that version. Of most kinds there is but one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

from apimachinery.apply import fieldset, walk
from apimachinery.apply.fieldset import Set
from apimachinery.apply.plans import Plan
from apimachinery.meta import Obj


@dataclass(frozen=True, slots=True)
class View:
    """A version: how its objects are walked, and how they come to be from the stored ones."""

    plan: Plan
    from_storage: Callable[[Obj], Obj]
    to_storage: Callable[[Obj], Obj]


# What changed, as a version of the object shows it.
Compare = Callable[[str], walk.Comparison]


@dataclass(slots=True)
class Views:
    """A version that is written in, and others that managers may own fields in.

    A version that is not among them is walked as the one that is written in. What is `ignored` is
    taken from elsewhere, so that a write of it changes nobody's ownership.
    """

    version: str
    plan: Plan
    ignored: Set = field(default_factory=dict)
    others: Mapping[str, View] = field(default_factory=dict)

    def plan_of(self, version: str) -> Plan:
        other = self.others.get(version)
        return self.plan if other is None else other.plan

    def convert(self, obj: Obj, version: str, into: str) -> Obj:
        """Return an object of one version in another one."""
        source, target = self.others.get(version), self.others.get(into)
        if version == into or source is None or target is None:
            return obj
        return target.from_storage(source.to_storage(obj))

    def comparing(self, found: walk.Comparison, old: Obj, new: Obj) -> Compare:
        """Return what compares two objects in any version; `found` is how they do in their own."""
        counted = self.counted(found)
        if not self.others:
            return lambda _: counted

        @cache
        def compare(version: str) -> walk.Comparison:
            if version == self.version or version not in self.others:
                return counted
            shown = (self.convert(obj, self.version, version) for obj in (old, new))
            return self.counted(walk.compare(self.plan_of(version), *shown))

        return compare

    def counted(self, found: walk.Comparison) -> walk.Comparison:
        """Return what counts of a comparison: all but what is ignored."""
        if not self.ignored or found.same:
            return found
        return walk.Comparison(
            fieldset.recursive_difference(found.changed, self.ignored),
            fieldset.recursive_difference(found.removed, self.ignored),
        )
