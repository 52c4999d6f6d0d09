"""PodTolerationRestriction: a namespace says which taints its pods tolerate, and may tolerate.

Both are annotations of the namespace, lists of tolerations in JSON; where one is missing the
plugin's configuration counts. A pod that asked for memory also tolerates a node's memory pressure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from apimachinery import pods
from apimachinery.errors import ApiError, NotFound
from apimachinery.gvk import GroupResource
from apimachinery.meta import annotations_of
from apiserver.admission.interfaces import CREATE, UPDATE, AdmissionRequest, Rule
from apiserver.admission.tolerations import Toleration, covers, merge
from apiserver.registry.strategy import ObjectReader

DEFAULTS = "scheduler.alpha.kubernetes.io/defaultTolerations"
ALLOWED = "scheduler.alpha.kubernetes.io/tolerationsWhitelist"
MEMORY_PRESSURE = {
    "key": "node.kubernetes.io/memory-pressure",
    "operator": "Exists",
    "effect": "NoSchedule",
}


class PodTolerationRestriction:
    """Merges the namespace's tolerations into each pod's, and refuses those not on its list."""

    name = "PodTolerationRestriction"
    handles = Rule(("pods",), (CREATE, UPDATE))

    def __init__(
        self,
        objects: ObjectReader,
        default: Sequence[Toleration] = (),
        allowed: Sequence[Toleration] = (),
    ) -> None:
        self._objects = objects
        self._default, self._allowed = default, allowed

    def admit(self, request: AdmissionRequest) -> None:
        pod = request.object or {}
        spec = pod.setdefault("spec", {})
        final: Sequence[Toleration] = spec.get("tolerations") or []
        if request.operation is CREATE:
            given = self._of_namespace(request.namespace, DEFAULTS)
            final = merge(self._default if given is None else given, final)
        if pods.qos_class(pod) != "BestEffort":
            final = merge(final, [MEMORY_PRESSURE])
        if final:
            spec["tolerations"] = list(final)

    def validate(self, request: AdmissionRequest) -> None:
        tolerations = ((request.object or {}).get("spec") or {}).get("tolerations") or ()
        if not tolerations:
            return
        allowed, scope = self._of_namespace(request.namespace, ALLOWED), "namespace"
        if allowed is None:
            allowed, scope = list(self._allowed), "cluster"
        if allowed and not all(any(covers(a, each) for a in allowed) for each in tolerations):
            raise ApiError(
                f"pod tolerations (possibly merged with {scope} default tolerations) conflict "
                f"with its {scope} whitelist",
                reason="",
            )

    def _of_namespace(self, namespace: str, annotation: str) -> list[Toleration] | None:
        found = self._objects.get("namespaces", "", namespace)
        if found is None:
            raise NotFound(GroupResource("", "namespaces"), namespace)
        written = annotations_of(found).get(annotation)
        if written is None:
            return None
        try:
            listed: Any = orjson.loads(written) if written else []
        except ValueError as error:
            raise ApiError(str(error), reason="") from error
        if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
            raise ApiError(
                "json: cannot unmarshal a value that is no list of tolerations", reason=""
            )
        return listed
