"""A node in words: what it has, what its pods asked for, and what keeps pods away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apimachinery import quantity
from playground.objects import facts
from playground.objects.facts import condition
from playground.objects.reading import Object
from playground.objects.summary.parts import (
    Context,
    Parts,
    Rows,
    Sentence,
    code,
    joined,
    known,
    pod_rows,
    text,
)

SHOWN_RESOURCES = ("cpu", "memory", "ephemeral-storage", "pods")


def summary(node: Object, context: Context) -> Parts:
    """Yield the summary of a node."""
    name, status = facts.name(node), facts.status(node)
    pods = context.items("pods", fieldSelector=f"spec.nodeName={name}")
    running = [pod for pod in pods if not facts.ended(pod)]
    yield _sentence(node, running)
    info = status.get("nodeInfo") or {}
    labels = facts.meta(node).get("labels") or {}
    yield known(
        (_("Roles"), joined(roles(labels))),
        (
            _("Addresses"),
            joined(
                [f"{one.get('type')} {one.get('address')}" for one in status.get("addresses") or ()]
            ),
        ),
        (_("Zone"), text(labels.get("topology.kubernetes.io/zone"))),
        (_("Kubelet"), text(info.get("kubeletVersion"))),
        (_("System"), text(info.get("osImage"), remark=str(info.get("architecture") or ""))),
        (_("Container runtime"), text(info.get("containerRuntimeVersion"))),
        (_("Pod addresses"), joined(facts.spec(node).get("podCIDRs"))),
    )
    yield _resources(status, running)
    yield from _taints(facts.spec(node))
    yield pod_rows(_("Pods"), pods, context, _("No pods run here."), q=f"spec.nodeName={name}")


def _sentence(node: Object, pods: list[Object]) -> Sentence:
    ready = condition(node, "Ready")
    count = ngettext("%(n)d pod runs here.", "%(n)d pods run here.", len(pods)) % {"n": len(pods)}
    if ready.get("status") != "True":
        told = _("It is not ready: its pods are moved away after a while.")
        return Sentence(told, "bad", str(ready.get("message") or ""))
    if facts.spec(node).get("unschedulable"):
        told = _("It is ready but cordoned: no new pods come.")
        return Sentence(f"{told} {count}", "waiting")
    return Sentence(f"{_('It is ready.')} {count}", "good")


def roles(labels: Mapping[str, str]) -> list[str]:
    """Return a node's roles, from its labels."""
    prefix = "node-role.kubernetes.io/"
    return [key.removeprefix(prefix) for key in labels if key.startswith(prefix)]


def _resources(status: Mapping[str, Any], pods: list[Object]) -> Rows:
    capacity, allocatable = status.get("capacity") or {}, status.get("allocatable") or {}
    others = sorted(set(allocatable) - set(SHOWN_RESOURCES))
    rows = []
    for name in (*SHOWN_RESOURCES, *others):
        if name not in allocatable:
            continue
        has = _amount(allocatable[name])
        asked = float(len(pods)) if name == "pods" else requested(pods, name, "requests")
        limit = 0.0 if name == "pods" else requested(pods, name, "limits")
        share = f"{round(100 * asked / has)} %" if has else ""
        rows.append(
            (
                text(name),
                text(capacity.get(name)),
                text(allocatable[name]),
                text(_print(asked, name), remark=share),
                text(_print(limit, name) if limit else ""),
            )
        )
    headings = (_("Resource"), _("Capacity"), _("Allocatable"), _("Requested"), _("Limits"))
    return Rows(_("Resources"), headings, tuple(rows))


def requested(pods: Iterable[Object], name: str, field: str) -> float:
    """Return how much of a resource pods ask for in all: containers, or the largest init one."""
    total = 0.0
    for pod in pods:
        spec = facts.spec(pod)
        main = _sum(spec.get("containers") or (), name, field)
        inits = [_sum([one], name, field) for one in spec.get("initContainers") or ()]
        total += max([main, *inits]) + _amount((spec.get("overhead") or {}).get(name, 0))
    return total


def _sum(containers: Iterable[Mapping[str, Any]], name: str, field: str) -> float:
    return sum(
        _amount(((one.get("resources") or {}).get(field) or {}).get(name, 0)) for one in containers
    )


def _amount(value: Any) -> float:
    try:
        return quantity.parse(value).nano / 1e9
    except (quantity.QuantityError, TypeError):
        return 0.0


def _print(value: float, name: str) -> str:
    if name in ("memory", "ephemeral-storage"):
        for unit, size in (("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10)):
            if value >= size:
                return f"{value / size:.1f}".removesuffix(".0") + unit
        return str(int(value))
    return f"{round(value * 1000)}m" if value % 1 else str(int(value))


def _taints(spec: Mapping[str, Any]) -> Parts:
    effects = {
        "NoSchedule": _("new pods without a toleration stay away"),
        "PreferNoSchedule": _("new pods without a toleration go elsewhere if they can"),
        "NoExecute": _("pods without a toleration are evicted"),
    }
    rows = tuple(
        (
            code(f"{one.get('key')}{'=' + one['value'] if one.get('value') else ''}"),
            text(one.get("effect"), remark=effects.get(str(one.get("effect")), "")),
        )
        for one in spec.get("taints") or ()
    )
    if rows:
        yield Rows(_("Taints"), (_("Taint"), _("Effect")), rows)
