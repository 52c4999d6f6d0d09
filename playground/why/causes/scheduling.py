"""Pods that no node takes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from django.utils.translation import gettext as _

from apimachinery import quantity
from apimachinery.volumes import claim_names
from playground.objects.facts import ended
from playground.why.causes.devices import claim_is_missing, claims_behind
from playground.why.causes.facts import (
    condition,
    name,
    namespace,
    ref,
    shown,
    spec,
    status,
    top_owner,
    words,
)
from playground.why.causes.groups import is_held_back
from playground.why.model import Cause, Fix, Object, Ref, World

_CLAIM = re.compile(r'persistentvolumeclaim "([^"]+)"')
_TAINT = re.compile(r"untolerated taint\(?s?\)? ?\{?([^}:,]*)")


def held_by_gates(pod: Object, world: World) -> Iterator[Cause]:
    """A pod with gates is not scheduled at all."""
    gates = [str(one.get("name")) for one in spec(pod).get("schedulingGates") or ()]
    if not gates or spec(pod).get("nodeName"):
        return
    yield Cause(
        _("It is held back by scheduling gates: %(names)s.") % {"names": ", ".join(gates)},
        condition=shown(condition(pod, "PodScheduled")),
        rule=_("The scheduler does not look at a pod before its list of gates is empty."),
        fixes=(
            Fix(
                _("Take the gates away."),
                f"kubectl patch pod {name(pod)} -n {namespace(pod)} --type=json"
                ' -p \'[{"op":"remove","path":"/spec/schedulingGates"}]\'',
                ref("pods", pod),
                {"spec": {"schedulingGates": None}},
            ),
        ),
    )


def fits_no_node(pod: Object, world: World) -> Iterator[Cause]:
    """The scheduler has tried, and says how many nodes each plugin refused."""
    found = condition(pod, "PodScheduled")
    if found.get("status") != "False" or found.get("reason") != "Unschedulable":
        return
    if is_held_back(pod):
        return  # it would fit: `groups.waits_for_its_group` says what is so
    if any(claim_is_missing(pod, world)):
        return  # no node was looked at
    said = words(found)
    yield Cause(
        _("The scheduler finds no node for it."),
        condition=shown(found),
        verbatim=said,
        rule=_("A pod is bound to a node that passes every filter of the scheduler."),
        fixes=tuple(_fixes(pod, world, said)),
        leads_to=tuple(_behind(pod, world, said)),
    )


def _behind(pod: Object, world: World, said: str) -> Iterator[Ref]:
    if "persistentvolumeclaim" in said.lower():
        claims = _CLAIM.findall(said) or claim_names(dict(pod))
        yield from (Ref("persistentvolumeclaims", namespace(pod), one) for one in claims)
    yield from claims_behind(pod, world)
    if "unschedulable" in said or "taint" in said:
        for node in world.items("nodes"):
            if spec(node).get("unschedulable") or spec(node).get("taints"):
                yield Ref("nodes", "", name(node))


def _fixes(pod: Object, world: World, said: str) -> Iterator[Fix]:
    for resource in ("cpu", "memory"):
        if f"Insufficient {resource}" in said:
            yield from _smaller(pod, world, resource)
    if "node affinity/selector" in said:
        wanted = spec(pod).get("nodeSelector") or {}
        labels = ",".join(f"{key}={value}" for key, value in wanted.items())
        node = next((name(one) for one in world.items("nodes")), "")
        yield Fix(
            _("Give a node the labels that the pod asks for, or ask for others."),
            f"kubectl label node {node} {labels.replace(',', ' ')}".rstrip(),
            Ref("nodes", "", node) if labels else None,
            {"metadata": {"labels": wanted}} if labels else None,
        )
    if "untolerated taint" in said:
        taint = (_TAINT.findall(said) or [""])[0].strip()
        yield Fix(
            _("Let the pod tolerate the taint %(taint)s, or take it from a node.")
            % {"taint": taint}
        )


def _smaller(pod: Object, world: World, resource: str) -> Iterator[Fix]:
    """Ask for what the roomiest node has left."""
    wanted = _asked(pod, resource)
    room = max(_rooms(world, resource), default=0)
    unit = "m" if resource == "cpu" else "Mi"
    fewer = room if resource == "cpu" else room // (1000 * 1024 * 1024)
    largest = f"{fewer}{unit}"
    text = _("Ask for no more %(resource)s than the roomiest node has left: %(room)s.")
    owner = top_owner(world, pod)
    containers = list(spec(pod).get("containers") or ())
    if owner is None or fewer <= 0 or len(containers) != 1 or wanted <= room:
        yield Fix(
            _("Make room: another node, or fewer pods that ask for %(resource)s.")
            % {"resource": resource}
        )
        return
    where, _obj = owner
    if where.title == "jobs.batch":
        again = _("Make the Job again with no more %(resource)s than a node has left: %(room)s.")
        yield Fix(again % {"resource": resource, "room": largest})
        return
    change = {"name": containers[0]["name"], "resources": {"requests": {resource: largest}}}
    yield Fix(
        text % {"resource": resource, "room": largest},
        f"kubectl set resources {where.title.partition('.')[0]}/{where.name}"
        f" -n {where.namespace} --requests={resource}={largest}",
        where,
        {"spec": {"template": {"spec": {"containers": [change]}}}},
    )


def _asked(pod: Object, resource: str) -> int:
    found = [
        ((one.get("resources") or {}).get("requests") or {}).get(resource)
        for one in spec(pod).get("containers") or ()
    ]
    return sum(quantity.parse(one).milli_value() for one in found if one is not None)


def _rooms(world: World, resource: str) -> Iterator[int]:
    """Yield, in thousandths, what is left on each node that takes pods."""
    taken: Counter[str] = Counter()
    for pod in world.items("pods"):
        if not ended(pod):
            taken[str(spec(pod).get("nodeName") or "")] += _asked(pod, resource)
    for node in world.items("nodes"):
        whole = (status(node).get("allocatable") or {}).get(resource)
        if whole is not None and not (spec(node).get("unschedulable") or spec(node).get("taints")):
            yield quantity.parse(whole).milli_value() - taken[name(node)]
