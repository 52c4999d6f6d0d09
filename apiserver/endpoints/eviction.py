"""Evictions: deletions of pods that disruption budgets have a say in."""

from __future__ import annotations

from apimachinery.errors import BadRequest, Forbidden, InternalError, TooManyRequests
from apimachinery.gvk import GroupResource, GroupVersionKind
from apimachinery.labels import from_label_selector
from apimachinery.meta import Obj, labels_of, name_of
from apiserver.admission.interfaces import Operation
from apiserver.endpoints import body, write
from apiserver.endpoints.binding import created
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.registry.deletion import DeleteOptions
from apiserver.registry.store import Writing
from apiserver.registry.strategy import Strategy
from apiserver.storage import Key

_EVICTION = GroupVersionKind("policy", "v1", "Eviction")
_BUDGETS = "poddisruptionbudgets.policy"
_REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
# Seconds until the controller will have looked at a budget that has just changed.
_RETRY_AFTER = 10
# A budget counts running pods; one that has ended, or not begun, cannot be disrupted.
_UNCOUNTED = ("Pending", "Succeeded", "Failed")


async def evict(request: ApiRequest) -> Answer:
    """Delete the pod if its budget allows. Raises TooManyRequests where it does not."""
    info, api = request.info, request.api
    eviction = body.read_object(request, _EVICTION)
    if name_of(eviction) not in ("", info.name):
        raise BadRequest("name in URL does not match name in Eviction object")
    change = write.begin(request, Operation.CREATE)
    change.admission.kind = _EVICTION
    pod = api.registry.get(request.resource, info.namespace, info.name).obj()
    await change.go_through(eviction)
    options = DeleteOptions.read(eviction.get("deleteOptions") or {})
    change.writing.ctx.dry_run = change.writing.ctx.dry_run or bool(options.dry_run)
    change.writing.check = lambda _new, _old: None
    await _ask_budget(request, pod, change.writing)
    await api.registry.delete(request.resource, write.key_of(request), options, change.writing)
    request.trace.stage("storage")
    return Answer(201, obj=created(), as_is=True)


async def _ask_budget(request: ApiRequest, pod: Obj, how: Writing) -> None:
    """Take one disruption from the pod's budget."""
    phase = (pod.get("status") or {}).get("phase")
    if phase in _UNCOUNTED or pod["metadata"].get("deletionTimestamp"):
        return
    budgets = _budgets(request, pod)
    if not budgets:
        return
    if len(budgets) > 1:
        raise InternalError(
            "This pod has more than one PodDisruptionBudget, which the eviction subresource "
            "does not support."
        )
    resource = request.api.catalog.get(_BUDGETS)
    if resource is None:
        return
    key = Key(_BUDGETS, request.info.namespace, name_of(budgets[0]))
    now = request.api.clock.timestamp()
    await request.api.registry.update(
        resource, _BudgetStrategy(), key, lambda old: _spend(old or {}, name_of(pod), now), how
    )


class _BudgetStrategy(Strategy):
    """The count of disruptions alone is written."""

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
    if allowed < 0:
        about = GroupResource("policy", "poddisruptionbudgets")
        raise Forbidden(about, name, "pdb disruptions allowed is negative")
    if allowed == 0:
        raise _too_many(
            f"The disruption budget {name} needs {status.get('desiredHealthy') or 0} healthy pods "
            f"and has {status.get('currentHealthy') or 0} currently"
        )
    disrupted = {**(status.get("disruptedPods") or {}), pod: now}
    spent = {**status, "disruptionsAllowed": allowed - 1, "disruptedPods": disrupted}
    metadata = {k: v for k, v in budget["metadata"].items() if k != "resourceVersion"}
    return {**budget, "metadata": metadata, "status": spent}


def _too_many(why: str, retry_after: int = 0) -> TooManyRequests:
    cause = {"reason": "DisruptionBudget", "message": why}
    return TooManyRequests(_REFUSED, retry_after, {"causes": [cause]})
