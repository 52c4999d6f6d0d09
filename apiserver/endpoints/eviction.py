"""Evictions: deletions of pods that disruption budgets have a say in."""

from __future__ import annotations

from apimachinery.errors import BadRequest, Forbidden, TooManyRequests
from apimachinery.gvk import GroupResource, GroupVersionKind
from apimachinery.labels import from_label_selector
from apimachinery.meta import Obj, labels_of, name_of
from apimachinery.pods import is_ready
from apiserver.admission.interfaces import Operation
from apiserver.endpoints import body, write
from apiserver.endpoints.binding import created, with_condition
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.registry.deletion import DeleteOptions, check_preconditions
from apiserver.registry.store import Writing
from apiserver.registry.strategy import Strategy
from apiserver.storage import Key

_EVICTION = GroupVersionKind("policy", "v1", "Eviction")
_BUDGETS = "poddisruptionbudgets.policy"
_REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
# Seconds until the controller will have looked at a budget that has just changed.
_RETRY_AFTER = 10
# A budget counts running pods; one that has ended, or not begun, cannot be disrupted.
_MOST_DISRUPTED = 2000
_TOO_MANY_DISRUPTED = (
    "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
)
_ALLOWED = "DisruptionAllowed"
_EVICTED = {
    "type": "DisruptionTarget",
    "reason": "EvictionByEvictionAPI",
    "message": "Eviction API: evicting",
}
_TWO_BUDGETS = {
    "kind": "Status",
    "apiVersion": "v1",
    "metadata": {},
    "status": "Failure",
    "message": (
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not "
        "support."
    ),
    "code": 500,
}
_UNCOUNTED = ("Pending", "Succeeded", "Failed")


async def evict(request: ApiRequest) -> Answer:
    """Delete the pod if its budget allows. Raises TooManyRequests where it does not."""
    info, api = request.info, request.api
    eviction = body.read_object(request, _EVICTION)
    if name_of(eviction) != info.name:
        raise BadRequest("name in URL does not match name in Eviction object")
    change = write.begin(request, Operation.CREATE)
    change.admission.kind = _EVICTION
    pod = api.registry.get(request.resource, info.namespace, info.name).obj()
    await change.go_through(eviction)
    options = DeleteOptions.read(eviction.get("deleteOptions") or {})
    change.writing.ctx.dry_run = change.writing.ctx.dry_run or bool(options.dry_run)
    change.writing.check = lambda _new, _old: None
    budgets = [] if _is_free(pod) else _budgets(request, pod)
    if len(budgets) > 1:
        # So it is in Kubernetes: a failure in the body of an answer that is none.
        return Answer(201, obj=_TWO_BUDGETS, as_is=True)
    if budgets and not _is_unhealthy(pod, budgets[0]):
        await _take_disruption(request, budgets[0], name_of(pod), change.writing)
    await _say_why(request, options, change.writing)
    await api.registry.delete(request.resource, write.key_of(request), options, change.writing)
    request.trace.stage("storage")
    return Answer(201, obj=created(), as_is=True)


def _is_free(pod: Obj) -> bool:
    """Tell whether no budget counts the pod: it has ended, not begun, or is going."""
    phase = (pod.get("status") or {}).get("phase")
    return phase in _UNCOUNTED or bool(pod["metadata"].get("deletionTimestamp"))


def _is_unhealthy(pod: Obj, budget: Obj) -> bool:
    """Tell whether the pod serves nobody, and its budget lets such pods go."""
    if is_ready(pod):
        return False
    if (budget.get("spec") or {}).get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    wanted = status.get("desiredHealthy") or 0
    return (status.get("currentHealthy") or 0) >= wanted > 0


async def _take_disruption(request: ApiRequest, budget: Obj, pod: str, how: Writing) -> None:
    resource = request.api.catalog.get(_BUDGETS)
    if resource is None:
        return
    key = Key(_BUDGETS, request.info.namespace, name_of(budget))
    now = request.api.clock.timestamp()
    await request.api.registry.update(
        resource, _PartStrategy(), key, lambda old: _spend(old or {}, pod, now), how
    )


async def _say_why(request: ApiRequest, options: DeleteOptions, how: Writing) -> None:
    """Note in the pod's status that it is evicted, as long as it is still there to be read."""
    if how.ctx.dry_run:
        return
    now = request.api.clock.timestamp()

    def make(old: Obj | None) -> Obj:
        pod = old or {}
        check_preconditions(options, pod, request.resource.kind)
        status = pod.get("status") or {}
        conditions = with_condition(status.get("conditions") or [], now, **_EVICTED)
        metadata = {k: v for k, v in pod["metadata"].items() if k != "resourceVersion"}
        return {**pod, "metadata": metadata, "status": {**status, "conditions": conditions}}

    stored = await request.api.registry.update(
        request.resource, _PartStrategy(), write.key_of(request), make, how
    )
    if options.resource_version:
        options.resource_version = stored.obj["metadata"]["resourceVersion"]


class _PartStrategy(Strategy):
    """Nothing but the status is written, and that by the server itself."""

    counts_changes = False


def _budgets(request: ApiRequest, pod: Obj) -> list[Obj]:
    found = request.api.objects.list(_BUDGETS, request.info.namespace)
    labels = labels_of(pod)
    return [
        budget
        for budget in found
        if from_label_selector((budget.get("spec") or {}).get("selector")).matches(labels)
    ]


def _spend(budget: Obj, pod: str, now: str) -> Obj:
    """Return the budget with one disruption less. Raises TooManyRequests or Forbidden."""
    name, status = name_of(budget), budget.get("status") or {}
    allowed = status.get("disruptionsAllowed") or 0
    if (status.get("observedGeneration") or 0) < (budget["metadata"].get("generation") or 0):
        why = f"The disruption budget {name} is still being processed by the server."
        raise _too_many(why, _RETRY_AFTER)
    about = GroupResource("policy", "poddisruptionbudget")
    if allowed < 0:
        raise Forbidden(about, name, "pdb disruptions allowed is negative")
    if len(status.get("disruptedPods") or {}) > _MOST_DISRUPTED:
        raise Forbidden(about, name, _TOO_MANY_DISRUPTED)
    if allowed == 0:
        raise _too_many(
            f"The disruption budget {name} needs {status.get('desiredHealthy') or 0} healthy pods "
            f"and has {status.get('currentHealthy') or 0} currently"
        )
    disrupted = {**(status.get("disruptedPods") or {}), pod: now}
    spent = {**status, "disruptionsAllowed": allowed - 1, "disruptedPods": disrupted}
    if allowed == 1:
        spent["conditions"] = _nothing_left(spent, now)
    metadata = {k: v for k, v in budget["metadata"].items() if k != "resourceVersion"}
    return {**budget, "metadata": metadata, "status": spent}


def _nothing_left(status: Obj, now: str) -> list[Obj]:
    """Return a budget's conditions when its last disruption is taken."""
    conditions = status.get("conditions") or []
    was: Obj = next((one for one in conditions if one.get("type") == _ALLOWED), {})
    new = {
        "type": _ALLOWED,
        "status": "False",
        "observedGeneration": status.get("observedGeneration") or 0,
        "lastTransitionTime": was.get("lastTransitionTime")
        if was.get("status") == "False"
        else now,
        "reason": "InsufficientPods",
        "message": "",
    }
    found = [new if one is was else one for one in conditions]
    return found if was else [*found, new]


def _too_many(why: str, retry_after: int = 0) -> TooManyRequests:
    cause = {"reason": "DisruptionBudget", "message": why}
    return TooManyRequests(_REFUSED, retry_after, {"causes": [cause]})
