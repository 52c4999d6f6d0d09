"""What an action will touch, told before it is done: warnings in words, and what a form needs.

A plan only reads. It promises nothing about what happens between it and the action; the API's
answers say what was done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from playground.objects import facts
from playground.objects.actions import deleting, draining, rollback
from playground.objects.actions.requests import Target
from playground.objects.actions.warnings import Notice, info, named, warn
from playground.objects.reading import Object, Reader

# So many objects are read one by one, more as a list.
LOOKED_AT = 5


@dataclass(slots=True)
class Plan:
    """What to tell, and what the form of the action shows."""

    warnings: list[Notice] = field(default_factory=list)
    form: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the plan as a document."""
        return {"warnings": [one.as_json() for one in self.warnings], "form": self.form}


def make(action: str, targets: Sequence[Target], reader: Reader) -> Plan:
    """Return the plan of an action on objects of one kind."""
    plan = Plan()
    work = _PLANS.get(action)
    if work is not None and targets:
        work(plan, targets, reader)
    for text in dict.fromkeys(reader.refusals):
        plan.warnings.append(info(_("Not everything could be looked at:"), [text]))
    return plan


def _delete(plan: Plan, targets: Sequence[Target], reader: Reader) -> None:
    plan.warnings.extend(deleting.warnings(targets, reader))


def _evict(plan: Plan, targets: Sequence[Target], reader: Reader) -> None:
    plan.warnings.extend(deleting.warnings(targets, reader, evict=True))


def _cordon(plan: Plan, targets: Sequence[Target], reader: Reader) -> None:
    plan.warnings.append(info(_("Pods that run there stay; new ones go to other nodes.")))
    plan.warnings.extend(draining.nowhere_else(targets, reader))


def _drain(plan: Plan, targets: Sequence[Target], reader: Reader) -> None:
    pods, warnings = draining.plan(targets, reader)
    plan.form["pods"] = pods
    plan.warnings.extend([*warnings, *draining.nowhere_else(targets, reader)])


def _undo(plan: Plan, targets: Sequence[Target], reader: Reader) -> None:
    plan.form["revisions"] = rollback.revisions(targets[0], reader)


def _objects(targets: Sequence[Target], reader: Reader) -> list[Object]:
    """Return the targets as they are; many are read as one list."""
    if len(targets) <= LOOKED_AT:
        found = [reader.maybe(target.path) for target in targets]
        return [item for item in found if item is not None]
    wanted = {(target.namespace, target.name) for target in targets}
    spaces = {target.namespace for target in targets}
    space = spaces.pop() if len(spaces) == 1 else ""
    items = reader.items(targets[0].resource.title, space)
    return [item for item in items if (facts.namespace(item), facts.name(item)) in wanted]


def counts_of(targets: Sequence[Target], items: Sequence[Object], reader: Reader) -> set[int]:
    """Return how many replicas are wanted; a kind of its own says so where its scale is."""
    if all("replicas" in facts.spec(item) for item in items):
        return {facts.spec(item)["replicas"] for item in items}
    scales = [reader.maybe(f"{target.path}/scale") for target in targets[:LOOKED_AT]]
    return {int(facts.spec(one).get("replicas") or 0) for one in scales if one is not None}


def _scale(plan: Plan, targets: Sequence[Target], reader: Reader) -> None:
    items = _objects(targets, reader)
    counts = counts_of(targets, items, reader)
    if len(counts) == 1:
        plan.form["replicas"] = counts.pop()
    kind = targets[0].resource.kind
    wanted = {(facts.namespace(item), facts.name(item)) for item in items}
    for space in {target.namespace for target in targets}:
        for scaler in reader.items("horizontalpodautoscalers.autoscaling", space):
            ref = facts.spec(scaler).get("scaleTargetRef") or {}
            if ref.get("kind") == kind and (space, ref.get("name")) in wanted:
                text = _("HorizontalPodAutoscaler %(scaler)s scales %(name)s and will set it back.")
                given = {"scaler": facts.name(scaler), "name": ref.get("name")}
                plan.warnings.append(warn(text % given))
    for item in items:
        if owner := facts.controller(item):
            text = _("%(owner)s owns %(name)s and will set it back.")
            given = {"owner": f"{owner['kind']} {owner['name']}", "name": facts.name(item)}
            plan.warnings.append(warn(text % given))
    if kind == "StatefulSet":
        text = _("Volume claims of pods that go stay, unless its retention policy says otherwise.")
        plan.warnings.append(info(text))


def _restart(plan: Plan, targets: Sequence[Target], reader: Reader) -> None:
    items = _objects(targets, reader)
    if paused := [item for item in items if facts.spec(item).get("paused")]:
        text = _("Paused: the new pods come when the rollout is resumed.")
        plan.warnings.append(warn(text, named(paused)))
    by_hand = [
        item
        for item in items
        if (facts.spec(item).get("updateStrategy") or {}).get("type") == "OnDelete"
    ]
    if by_hand:
        text = _("Its update strategy is OnDelete: each pod changes when you delete it.")
        plan.warnings.append(warn(text, named(by_hand)))
    alone = [
        item
        for item in items
        if facts.spec(item).get("replicas", 1) == 1
        and (facts.spec(item).get("strategy") or {}).get("type") == "Recreate"
    ]
    if alone:
        text = _("With the strategy Recreate nothing serves until the new pod is ready.")
        plan.warnings.append(warn(text, named(alone)))


def _suspend(plan: Plan, targets: Sequence[Target], reader: Reader) -> None:
    if targets[0].resource.kind == "Job":
        plan.warnings.append(warn(_("A suspended Job deletes its running pods.")))


def _trigger(plan: Plan, targets: Sequence[Target], reader: Reader) -> None:
    taken = {
        facts.name(one) for one in reader.items("jobs.batch", targets[0].namespace, metadata=True)
    }
    # 63 characters are a label's length, which the Job's pods need of its name.
    base = f"{targets[0].name[:48]}-manual"
    number = next(n for n in range(1, len(taken) + 2) if f"{base}-{n}" not in taken)
    plan.form["jobName"] = f"{base}-{number}"


_PLANS: dict[str, Callable[[Plan, Sequence[Target], Reader], None]] = {
    "delete": _delete,
    "evict": _evict,
    "cordon": _cordon,
    "drain": _drain,
    "undo": _undo,
    "scale": _scale,
    "restart": _restart,
    "suspend": _suspend,
    "trigger": _trigger,
}
