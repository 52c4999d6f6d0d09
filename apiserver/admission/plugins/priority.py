"""Priority: a number comes from a class, never from a pod or group; one class is the default."""

from __future__ import annotations

from typing import Any, NamedTuple

from apimachinery import features
from apimachinery.meta import Obj, name_of
from apiserver.admission.interfaces import CREATE, UPDATE, AdmissionRequest, Rule
from apiserver.registry import gates
from apiserver.registry.strategy import ObjectReader

CLASSES = "priorityclasses.scheduling.k8s.io"
PODGROUPS, WORKLOADS = "podgroups.scheduling.k8s.io", "workloads.scheduling.k8s.io"
PREEMPT = "PreemptLowerPriority"
_GROUPS = ("podgroups", "workloads")


class _Computed(NamedTuple):
    class_name: str
    priority: int
    policy: str


class Priority:
    """Resolves pods' priority classes, and keeps a second default class out."""

    name = "Priority"
    handles = Rule(("pods", CLASSES, PODGROUPS, WORKLOADS), (CREATE, UPDATE))

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects

    def admit(self, request: AdmissionRequest) -> None:
        if request.object is None:
            return
        if request.resource.resource in _GROUPS:
            self._admit_groups(request, request.object)
        if request.resource.resource != "pods":
            return
        spec: dict[str, Any] = request.object.setdefault("spec", {})
        if request.operation is UPDATE:
            _keep(spec, (request.old_object or {}).get("spec") or {})
        else:
            self._resolve(request, spec)

    def _admit_groups(self, request: AdmissionRequest, made: Obj) -> None:
        """Resolve the class of a new PodGroup, or of each template of a Workload."""
        if request.operation is not CREATE or not gates.enabled(features.GROUP_PREEMPTION):
            return
        spec = made.get("spec") or {}
        groups = spec.get("podGroupTemplates") or () if _is_workload(request) else (spec,)
        for group in groups:
            computed = self._compute(request, group.get("priorityClassName") or "")
            _refuse_other(request, "pod group", group.get("priority"), computed.priority)
            if computed.class_name:
                group["priorityClassName"] = computed.class_name
            group["priority"] = computed.priority

    def validate(self, request: AdmissionRequest) -> None:
        new = request.object
        about_classes = request.resource.resource == "priorityclasses"
        if not about_classes or new is None or not new.get("globalDefault"):
            return
        default = self._default()
        if default is None:
            return
        name = name_of(default)
        if request.operation is CREATE or name != name_of(new):
            raise request.refusal(
                f"PriorityClass {name} is already marked as default. Only one default can exist"
            )

    def _resolve(self, request: AdmissionRequest, spec: dict[str, Any]) -> None:
        computed = self._compute(request, spec.get("priorityClassName") or "")
        _refuse_other(request, "pod", spec.get("priority"), computed.priority)
        policy = spec.get("preemptionPolicy")
        if policy is not None and policy != computed.policy:
            raise request.refusal(
                f"the string value of PreemptionPolicy ({policy}) must not be provided in pod "
                f"spec; priority admission controller computed {computed.policy} from the given "
                "PriorityClass name"
            )
        if computed.class_name:
            spec["priorityClassName"] = computed.class_name
        spec["priority"] = computed.priority
        spec["preemptionPolicy"] = computed.policy

    def _compute(self, request: AdmissionRequest, name: str) -> _Computed:
        found = self._objects.get(CLASSES, "", name) if name else self._default()
        if found is None:
            if name:
                raise request.refusal(f"no PriorityClass with name {name} was found")
            return _Computed("", 0, PREEMPT)
        value, policy = found.get("value") or 0, found.get("preemptionPolicy") or PREEMPT
        return _Computed(name_of(found), value, policy)

    def _default(self) -> Obj | None:
        # Two defaults can only come of a race; the lower one counts then.
        defaults = [each for each in self._objects.list(CLASSES) if each.get("globalDefault")]
        return min(defaults, key=lambda each: each.get("value") or 0, default=None)


def _is_workload(request: AdmissionRequest) -> bool:
    return request.resource.resource == "workloads"


def _refuse_other(request: AdmissionRequest, what: str, given: int | None, computed: int) -> None:
    if given is not None and given != computed:
        raise request.refusal(
            f"the integer value of priority ({given}) must not be provided in {what} spec; "
            f"priority admission controller computed {computed} from the given PriorityClass name"
        )


def _keep(spec: dict[str, Any], old: dict[str, Any]) -> None:
    """Put back what a client left out of an update because it does not know of it."""
    for field in ("priority", "preemptionPolicy"):
        if spec.get(field) is None and old.get(field) is not None:
            spec[field] = old[field]
