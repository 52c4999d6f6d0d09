"""The five kinds of metrics that a spec may list: what each proposes, and how status tells of it.

Every function gives a `Found` or raises `Failed` with the words that kube-controller-manager has
for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from apimachinery.meta import Obj
from apimachinery.quantity import Quantity, parse
from nodes.client.resources import Res
from nodes.controllers.podautoscaler.calculator import Calculator, NotComputable, Proposal
from nodes.controllers.podautoscaler.metrics import Metrics

_NANO_PER_MILLI = 1_000_000
_NO_AIM = (
    "invalid resource metric source: neither an average utilization target"
    " nor an average value (usage) target was set"
)


class Failed(Exception):
    """A metric that gives no number: the reason of the condition, and two messages.

    message: what event and condition say. whole: what is said where all metrics are told of.
    """

    def __init__(self, reason: str, message: str, whole: str) -> None:
        super().__init__(message)
        self.reason, self.message, self.whole = reason, message, whole


class Found(NamedTuple):
    """A number of pods, the name of what it follows from, and the metric as status tells it."""

    replicas: int
    name: str
    status: Obj


@dataclass(frozen=True, slots=True)
class Target:
    """What is scaled: where its pods are, how they are selected, and how many it says it has."""

    namespace: str
    selector: str
    current: int
    calculator: Calculator
    resource_of: Callable[[Obj], Res]


async def propose(metric: Obj, target: Target, metrics: Metrics) -> Found:
    """Return what one metric of a spec proposes. Raises Failed."""
    source = _SOURCES.get(metric.get("type") or "")
    if source is None:
        why = f'unknown metric source type "{metric.get("type") or ""}"'
        raise Failed("InvalidMetricSourceType", why, why)
    return await source(metric, target, metrics)


async def _resource(metric: Obj, target: Target, metrics: Metrics) -> Found:
    asked = metric["resource"]
    name = asked["name"]
    with _failing("FailedGetResourceMetric", f"failed to get {name} resource metric value"):
        proposal, followed = await _by_resource(asked, target, metrics, "")
    status = {"name": name, "current": _current(proposal, "averageValue")}
    return Found(proposal.replicas, followed, {"type": "Resource", "resource": status})


async def _container(metric: Obj, target: Target, metrics: Metrics) -> Found:
    asked = metric["containerResource"]
    name, container = asked["name"], asked["container"]
    with _failing(
        "FailedGetContainerResourceMetric", f"failed to get {name} container metric value"
    ):
        proposal, followed = await _by_resource(asked, target, metrics, container)
    current = _current(proposal, "averageValue")
    status = {"name": name, "container": container, "current": current}
    told = {"type": "ContainerResource", "containerResource": status}
    return Found(proposal.replicas, followed, told)


async def _by_resource(
    asked: Obj, target: Target, metrics: Metrics, container: str
) -> tuple[Proposal, str]:
    resource, aim = asked["name"], asked.get("target") or {}
    average, utilization = aim.get("averageValue"), aim.get("averageUtilization")
    if average is None and utilization is None:
        raise NotComputable(_NO_AIM)
    with _saying(f"failed to get {resource} {'usage' if utilization is None else 'utilization'}"):
        with _saying(f"unable to get metrics for resource {resource}"):
            samples = await metrics.of_resource(
                resource, target.namespace, target.selector, container
            )
        if utilization is None:
            proposal = target.calculator.by_value(samples, _milli(average), resource)
            return proposal, f"{resource} resource"
        proposal = target.calculator.by_utilization(samples, utilization, resource, container)
        return proposal, f"{resource} resource utilization (percentage of request)"


async def _pods(metric: Obj, target: Target, metrics: Metrics) -> Found:
    asked = metric["pods"]
    identity = asked["metric"]
    name, selector = identity["name"], identity.get("selector")
    with _failing("FailedGetPodsMetric", "failed to get pods metric value"):
        with _saying(f"unable to get metric {name}"):
            samples = await metrics.of_pods(name, target.namespace, target.selector, selector)
        proposal = target.calculator.by_value(samples, _milli(asked["target"]["averageValue"]))
    status = {"metric": identity, "current": _current(proposal, "averageValue")}
    return Found(proposal.replicas, f"pods metric {name}", {"type": "Pods", "pods": status})


async def _object(metric: Obj, target: Target, metrics: Metrics) -> Found:
    asked = metric["object"]
    identity, described, aim = asked["metric"], asked["describedObject"], asked.get("target") or {}
    name, selector = identity["name"], identity.get("selector")
    with _failing("FailedGetObjectMetric", "failed to get object metric value"):
        field = _field(aim, "object")
        # Kubernetes puts the reason where the name of the object belongs, and so it is said.
        where = f"{described['kind']} on {target.namespace} {described['name']}"
        with _saying(f"unable to get metric {name}: {where}", "/"):
            resource = target.resource_of(described)
            value = await metrics.of_object(
                name, target.namespace, resource, described["name"], selector
            )
        proposal = _of_value(field, aim, value, target)
    status = {
        "metric": identity,
        "describedObject": described,
        "current": _current(proposal, field),
    }
    followed = f"{described['kind']} metric {name}"
    if field == "averageValue":
        followed = f"external metric {name}({shown_selector(selector)})"
    return Found(proposal.replicas, followed, {"type": "Object", "object": status})


async def _external(metric: Obj, target: Target, metrics: Metrics) -> Found:
    asked = metric["external"]
    identity, aim = asked["metric"], asked.get("target") or {}
    name, selector = identity["name"], identity.get("selector")
    with _failing("FailedGetExternalMetric", f"failed to get {name} external metric value"):
        field = _field(aim, "external")
        what = f"external metric {name}" if field == "value" else f"{name} external metric"
        with _saying(f"failed to get {what}"):
            where = f"{target.namespace}/{name}/{shown_selector(selector)}"
            with _saying(f"unable to get external metric {where}"):
                value = await metrics.external(name, target.namespace, selector)
            proposal = _of_value(field, aim, value, target)
    status = {"metric": identity, "current": _current(proposal, field)}
    followed = f"external metric {name}({shown_selector(selector)})"
    return Found(proposal.replicas, followed, {"type": "External", "external": status})


@contextmanager
def _saying(what: str, joint: str = ": ") -> Iterator[None]:
    """Say what could not be had before why."""
    try:
        yield
    except NotComputable as error:
        raise NotComputable(f"{what}{joint}{error}") from error


@contextmanager
def _failing(reason: str, what: str) -> Iterator[None]:
    """Give up this metric."""
    try:
        yield
    except NotComputable as error:
        raise Failed(reason, str(error), f"{what}: {error}") from error


def _field(aim: Obj, kind: str) -> str:
    """Return which of the two targets is set. Raises NotComputable."""
    for field in ("averageValue", "value"):
        if aim.get(field) is not None:
            return field
    why = "neither a value target nor an average value target was set"
    raise NotComputable(f"invalid {kind} metric source: {why}")


def _of_value(field: str, aim: Obj, value: int, target: Target) -> Proposal:
    if field == "value":
        return target.calculator.by_total(value, _milli(aim["value"]))
    return target.calculator.by_share(value, _milli(aim["averageValue"]), target.current)


def _current(proposal: Proposal, field: str) -> Obj:
    shown: Obj = {field: str(Quantity(proposal.value * _NANO_PER_MILLI))}
    if proposal.utilization is not None:
        shown["averageUtilization"] = proposal.utilization
    return shown


def _milli(amount: str | float | None) -> int:
    return parse(amount).milli_value()


def shown_selector(selector: Obj | None) -> str:
    """Return a LabelSelector as Go prints a pointer to one."""
    if selector is None:
        return "nil"
    labels = "".join(f"{k}: {v}," for k, v in sorted((selector.get("matchLabels") or {}).items()))
    wanted = "".join(
        f"LabelSelectorRequirement{{Key:{one['key']},Operator:{one['operator']},"
        f"Values:[{' '.join(one.get('values') or ())}],}},"
        for one in selector.get("matchExpressions") or ()
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{wanted}}},}}"
    )


_SOURCES: Mapping[str, Callable[[Any, Target, Metrics], Awaitable[Found]]] = {
    "ContainerResource": _container,
    "External": _external,
    "Object": _object,
    "Pods": _pods,
    "Resource": _resource,
}
