"""Bindings: how the scheduler puts a pod on a node, once and for good."""

from __future__ import annotations

from apimachinery.errors import ApiError, BadRequest, Conflict
from apimachinery.gvk import GroupResource, GroupVersionKind
from apimachinery.meta import Obj, labels_of, name_of
from apiserver.admission.interfaces import Operation
from apiserver.endpoints import body, write
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.registry.core.bindings import binding_errors
from apiserver.registry.strategy import Strategy
from apiserver.storage import Key

_BINDING = GroupVersionKind("", "v1", "Binding")
_ABOUT = GroupResource("", "pods/binding")


class _BindStrategy(Strategy):
    """Nothing but the node is written, and that is checked here."""

    counts_changes = False


async def bind(request: ApiRequest) -> Answer:
    """Write spec.nodeName, and the condition that says so. Raises Conflict on a second node."""
    change = write.begin(request, Operation.CREATE)
    binding = body.read_object(request, _BINDING)
    request.trace.stage("decode")
    name = request.info.name or name_of(binding)
    if name_of(binding) != name:
        raise BadRequest("name in URL does not match name in Binding object")
    if errors := [str(error) for error in binding_errors(binding)]:
        # Kubernetes gives these back as an error of its own.
        text = errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"
        raise ApiError(text, code=500, reason="")
    change.admission.kind = _BINDING
    change.admission.name = name
    await change.go_through(binding)
    change.writing.check = lambda _new, _old: None
    pods = request.api.catalog.get("pods")
    if pods is None:
        raise BadRequest("pods are not served")
    key = Key("pods", request.info.namespace, name)
    now = request.api.clock.timestamp()
    await request.api.registry.update(
        pods, _BindStrategy(), key, lambda old: _bound(old or {}, binding, now), change.writing
    )
    request.trace.stage("storage")
    return Answer(201, obj=created(), as_is=True)


def created() -> Obj:
    """Return the Status of something that was done and left nothing to show."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "code": 201,
    }


def _bound(pod: Obj, binding: Obj, now: str) -> Obj:
    """Return the pod on its node."""
    name, spec, status = name_of(pod), pod["spec"], pod.get("status") or {}
    if pod["metadata"].get("deletionTimestamp"):
        why = f"pod {name} is being deleted, cannot be assigned to a host"
        raise Conflict(_ABOUT, name, why)
    if spec.get("nodeName"):
        why = f'pod {name} is already assigned to node "{spec["nodeName"]}"'
        raise Conflict(_ABOUT, name, why)
    if spec.get("schedulingGates"):
        raise Conflict(_ABOUT, name, f"pod {name} has non-empty .spec.schedulingGates")
    sent = binding["metadata"]
    metadata = dict(pod["metadata"])
    # The client of a Binding knows the pod's uid, and maybe its revision.
    metadata.pop("resourceVersion", None)
    for part in ("uid", "resourceVersion"):
        if sent.get(part):
            metadata[part] = sent[part]
    notes = sent.get("annotations")
    if notes:
        metadata["annotations"] = {**(metadata.get("annotations") or {}), **notes}
    if labels := labels_of(binding):
        metadata["labels"] = {**labels_of(pod), **labels}
    # A bound pod waits for no node any more.
    status = {key: value for key, value in status.items() if key != "nominatedNodeName"}
    conditions = with_condition(status.get("conditions") or [], now, type="PodScheduled")
    return {
        **pod,
        "metadata": metadata,
        "spec": {**spec, "nodeName": binding["target"]["name"]},
        "status": {**status, "conditions": conditions},
    }


def with_condition(conditions: list[Obj], now: str, **about: str) -> list[Obj]:
    """Return the conditions of a pod with one that is true, in the place where it was."""
    times = {"lastProbeTime": None, "lastTransitionTime": now}
    new = {"status": "True", **times, **about}
    found = [new if one.get("type") == about["type"] else one for one in conditions]
    return found if new in found else [*found, new]
