"""An attempt of the scheduler in words: how many nodes each plugin left, and what decided.

    3 nodes → 2 after NodeResourcesFit → 1 by score
    1 node: Insufficient cpu (NodeResourcesFit): node-3
    node-2 has 283 points, node-1 260. NodeResourcesAllocatable made the difference.

The Event's own sentence stands beside it, word for word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

Attempt: TypeAlias = Mapping[str, Any]
# Nodes and reasons that are named.
NAMED, REASONS = 3, 8


@dataclass(frozen=True, slots=True)
class Step:
    """How many nodes were left after a plugin; the first step is all of them."""

    plugin: str
    left: int


def funnel(attempt: Attempt, filters: Sequence[str]) -> list[Step]:
    """Return how many nodes were left after each plugin that refused some."""
    refused = [plugin for plugin, _reasons in attempt["refused"].values()]
    left = int(attempt["evaluated"])
    steps = [Step("", left)]
    order = {name: place for place, name in enumerate(filters)}
    for plugin in sorted(set(refused), key=lambda name: (order.get(name, -1), name)):
        left -= refused.count(plugin)
        steps.append(Step(plugin, left))
    return steps


def sentences(attempt: Attempt, filters: Sequence[str]) -> list[str]:
    """Return what there is to say of an attempt."""
    said = [_line(attempt, funnel(attempt, filters)), *_reasons(attempt)]
    said += [*_devices(attempt), *_because(attempt)]
    for extender in sorted(set(attempt["spared"].values())):
        nodes = [node for node, who in attempt["spared"].items() if who == extender]
        text = _("%(extender)s wants no pods sent away from %(nodes)s.")
        said.append(text % {"extender": extender, "nodes": _names(nodes)})
    unseen = _unseen(attempt)
    if unseen > 0:
        text = ngettext(
            "%(count)d node was not looked at: enough had been found.",
            "%(count)d nodes were not looked at: enough had been found.",
            unseen,
        )
        said.append(text % {"count": unseen})
    if attempt["node"]:
        said.append(_choice(attempt))
    elif attempt.get("heldBack"):
        text = _(
            "It would fit, and gets no node because the PodGroup %(name)s as a whole does not."
        )
        said.append(text % {"name": attempt["group"]})
    return said


def event_of(attempt: Attempt) -> str:
    """Return the sentence of the Event that the attempt ended with."""
    if attempt["node"] and not attempt["message"]:
        return f"Successfully assigned {attempt['pod']} to {attempt['node']}"
    return str(attempt["message"])


def forgotten() -> str:
    """Say why there is no attempt."""
    return _(
        "The scheduler remembers no attempt at this pod: it was made with a node, somebody else "
        "bound it, or it was placed before the cluster was started last."
    )


def _unseen(attempt: Attempt) -> int:
    if not attempt["node"]:
        return 0
    return int(attempt["evaluated"]) - len(attempt["refused"]) - int(attempt["fitting"])


def _line(attempt: Attempt, steps: Sequence[Step]) -> str:
    total = steps[0].left
    parts = [ngettext("%(count)d node", "%(count)d nodes", total) % {"count": total}]
    for step in steps[1:]:
        text = _("%(count)d after %(plugin)s")
        parts.append(text % {"count": step.left, "plugin": step.plugin})
    if (unseen := _unseen(attempt)) > 0:
        parts.append(_("%(count)d looked at") % {"count": steps[-1].left - unseen})
    if attempt["node"] and int(attempt["fitting"]) > 1:
        parts.append(_("1 by score"))
    return " → ".join(parts)


def _reasons(attempt: Attempt) -> list[str]:
    """Say why nodes were refused, those with the same reasons together."""
    groups: dict[tuple[str, str], list[str]] = {}
    for node, (plugin, reasons) in attempt["refused"].items():
        groups.setdefault((plugin, ", ".join(reasons)), []).append(node)
    found = []
    for (plugin, reason), nodes in sorted(groups.items(), key=lambda one: -len(one[1]))[:REASONS]:
        text = ngettext(
            "%(count)d node: %(reason)s (%(plugin)s): %(nodes)s",
            "%(count)d nodes: %(reason)s (%(plugin)s): %(nodes)s",
            len(nodes),
        )
        given = {"count": len(nodes), "reason": reason, "plugin": plugin, "nodes": _names(nodes)}
        found.append(text % given)
    return found


def _devices(attempt: Attempt) -> list[str]:
    """Say which devices are missing, of some of the nodes that lack some."""
    groups: dict[str, list[str]] = {}
    for node, lacks in attempt["lacks"].items():
        for lack in lacks:
            groups.setdefault(_lack(lack), []).append(node)
    text = _("%(nodes)s: %(lack)s")
    return [text % {"nodes": _names(nodes), "lack": lack} for lack, nodes in groups.items()]


def _lack(lack: Mapping[str, Any]) -> str:
    if not lack["request"]:
        return _("each request for devices could have its own, but not all of them together.")
    labels = {
        "unfinished": _("of a pool that is being updated"),
        "unselected": _("not what is asked for"),
        "tainted": _("tainted"),
        "small": _("too small"),
        "taken": _("taken"),
        "full": _("too little left"),
        "counters": _("too little left of what devices share"),
    }
    why = [f"{label}: {lack['why'][key]}" for key, label in labels.items() if key in lack["why"]]
    text = _(
        "request %(request)s of claim %(claim)s asks for %(asked)d, devices that it can have: "
        "%(free)d (%(why)s)."
    )
    return text % {**lack, "why": ", ".join(why) or _("there are no others")}


def _because(attempt: Attempt) -> list[str]:
    """Say why it was tried again."""
    because = attempt["because"]
    if because["event"] == "ScheduleAttemptFailure" and attempt.get("group"):
        text = _("It was tried again with its PodGroup %(name)s, after a wait.")
        return [text % {"name": attempt["group"]}]
    if because["event"] == "ScheduleAttemptFailure":
        return [_("It was tried again because the attempt before had gone wrong.")]
    if because["event"] == "UnschedulableTimeout":
        return [_("It was tried again because no event had helped for five minutes.")]
    if not because["plugin"]:
        return []
    if not because["obj"]:
        return [_("It was tried again after %(event)s, which %(plugin)s waited for.") % because]
    text = _("It was tried again after %(event)s of %(obj)s, which %(plugin)s waited for.")
    return [text % because]


def _names(nodes: Sequence[str]) -> str:
    named = ", ".join(nodes[:NAMED])
    left = len(nodes) - NAMED
    return named if left <= 0 else _("%(names)s and %(n)d more") % {"names": named, "n": left}


def _choice(attempt: Attempt) -> str:
    """Say why this node and none of the others that fit."""
    node, scores = str(attempt["node"]), attempt["scores"]
    if node not in scores:
        return _("%(node)s was the only node that fits.") % {"node": node}
    totals = {name: _total(table) for name, table in scores.items()}
    tied = [name for name in attempt["tied"] if name != node]
    if tied:
        text = _("%(node)s has %(points)d points, as many as %(nodes)s: chance has decided.")
        return text % {"node": node, "points": totals[node], "nodes": _names(tied)}
    others = sorted((name for name in totals if name != node), key=lambda name: -totals[name])
    given: dict[str, Any] = {"node": node, "points": totals[node]}
    if not others:
        return _("%(node)s has %(points)d points.") % given
    second = others[0]
    given |= {"second": second, "fewer": totals[second]}
    made = _difference(scores[node], scores[second])
    if not made:
        return _("%(node)s has %(points)d points, %(second)s %(fewer)d.") % given
    given["plugins"] = ", ".join(made)
    text = _("%(node)s has %(points)d points, %(second)s %(fewer)d; what counts: %(plugins)s.")
    return text % given


def _total(table: Mapping[str, Sequence[int]]) -> int:
    return sum(weighted for _raw, _even, weighted in table.values())


def _difference(
    best: Mapping[str, Sequence[int]], second: Mapping[str, Sequence[int]]
) -> list[str]:
    """Return the plugins that the best has more points of, the largest difference first."""
    more = {name: best[name][2] - second[name][2] for name in best if name in second}
    ranked = sorted((name for name in more if more[name] > 0), key=lambda name: -more[name])
    return [f"{name} +{more[name]}" for name in ranked]
