"""What autoscalers measure by: the resource, custom and external metrics APIs, asked as a client.

These APIs are served by whatever an APIService names; where nothing serves one, the answer is
the API's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apimachinery.clock import parse_time
from apimachinery.duration import parse_duration
from apimachinery.errors import ApiError, NotFound
from apimachinery.labels import from_label_selector
from apimachinery.meta import Obj, name_of, namespace_of
from apimachinery.quantity import parse
from nodes.client.resources import Res
from nodes.client.rest import Client
from nodes.client.transport import Call
from nodes.controllers.podautoscaler.calculator import NotComputable, Sample

_POD_METRICS = Res("metrics.k8s.io", "v1beta1", "pods", "PodMetrics")
_CUSTOM, _CUSTOM_VERSION = "custom.metrics.k8s.io", "v1beta2"
_EXTERNAL, _EXTERNAL_VERSION = "external.metrics.k8s.io", "v1beta1"
# Over how many seconds a metric is measured that does not say so.
_WINDOW = 60.0


class Metrics:
    """Reads with one client. Everything here raises NotComputable where nothing is to be had."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def of_resource(
        self, resource: str, namespace: str, selector: str, container: str = ""
    ) -> dict[str, Sample]:
        """Return what pods use of a resource, in one container or in all."""
        try:
            items, _ = await self._client.list(_POD_METRICS, namespace, label_selector=selector)
        except ApiError as error:
            why = _told(error, "get pods.metrics.k8s.io")
            raise NotComputable(
                f"unable to fetch metrics from resource metrics API: {why}"
            ) from error
        if not items:
            raise NotComputable("no metrics returned from resource metrics API")
        found = ((name_of(item), _usage(item, resource, container)) for item in items)
        return {name: sample for name, sample in found if sample is not None}

    async def of_pods(
        self, metric: str, namespace: str, selector: str, metric_selector: Obj | None
    ) -> dict[str, Sample]:
        """Return a custom metric of each pod."""
        items = await self._custom("pods", namespace, "*", metric, selector, metric_selector)
        return {item["describedObject"]["name"]: _sample(item) for item in items}

    async def of_object(
        self, metric: str, namespace: str, target: Res, name: str, metric_selector: Obj | None
    ) -> int:
        """Return a custom metric of one object, in thousandths."""
        of, inside = (f"{target.plural}.{target.group}".rstrip("."), namespace)
        if target.plural == "namespaces" and not target.group:
            of, inside = "metrics", name
        items = await self._custom(of, inside, name, metric, "", metric_selector)
        return _milli(items[0]["value"])

    async def external(self, metric: str, namespace: str, selector: Obj | None) -> int:
        """Return the sum of all series of an external metric, in thousandths."""
        call = Call("list", _EXTERNAL, _EXTERNAL_VERSION, metric, namespace)
        if selector is not None:
            call.params["labelSelector"] = str(from_label_selector(selector))
        items = await self._items(call, "external", f"get {metric}.{_EXTERNAL}")
        return sum(_milli(item["value"]) for item in items)

    async def _custom(
        self,
        plural: str,
        namespace: str,
        name: str,
        metric: str,
        selector: str,
        metric_selector: Obj | None,
    ) -> list[Obj]:
        call = Call("get", _CUSTOM, _CUSTOM_VERSION, plural, namespace, name, metric)
        if selector:
            call.params["labelSelector"] = selector
        if metric_selector is not None:
            call.params["metricLabelSelector"] = str(from_label_selector(metric_selector))
        return await self._items(call, "custom", f"get {plural}.{_CUSTOM} {name}")

    async def _items(self, call: Call, api: str, request: str) -> list[Obj]:
        try:
            answer = await self._client.transport.call(call)
        except ApiError as error:
            why = _told(error, request)
            raise NotComputable(f"unable to fetch metrics from {api} metrics API: {why}") from error
        if not (items := list(answer.get("items") or ())):
            raise NotComputable(f"no metrics returned from {api} metrics API")
        return items


def _told(error: ApiError, request: str) -> str:
    """Return what a client says of a refusal: where nothing is served, also what it asked for."""
    if isinstance(error, NotFound) and "requested resource" in error.message:
        return f"{error.message} ({request})"
    return error.message


def _usage(item: Obj, resource: str, container: str) -> Sample | None:
    """Return what a PodMetrics says; None where a container says nothing of the resource."""
    usages: Mapping[str, Any] = {
        one["name"]: one.get("usage") or {} for one in item.get("containers") or ()
    }
    if container:
        if container not in usages:
            where = f"{namespace_of(item)}/{name_of(item)}"
            raise NotComputable(f"container {container} not present in metrics for pod {where}")
        usages = {container: usages[container]}
    amounts = [usage.get(resource) for usage in usages.values()]
    if None in amounts:
        return None
    value = sum(_milli(amount) for amount in amounts)
    window = parse_duration(item["window"]) if item.get("window") else _WINDOW
    return Sample(value, parse_time(item["timestamp"]).timestamp(), window)


def _sample(item: Obj) -> Sample:
    window = item.get("windowSeconds")
    at = parse_time(item["timestamp"]).timestamp()
    return Sample(_milli(item["value"]), at, _WINDOW if window is None else float(window))


def _milli(amount: str | float | None) -> int:
    return parse(amount).milli_value()
