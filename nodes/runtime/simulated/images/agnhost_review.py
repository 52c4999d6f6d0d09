"""`agnhost webhook`: the admission webhooks of Kubernetes' own tests, by path.

Each answers an AdmissionReview of v1 or v1beta1. What they let through, change and refuse is what
the tests expect of them, in the same words.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import orjson

from nodes.network.http import Headers, HttpRequest, HttpResponse
from nodes.runtime.simulated.process import Process

Obj: TypeAlias = dict[str, Any]
_JSON = Headers([("Content-Type", "application/json")])
_TEXT = Headers([("Content-Type", "text/plain; charset=utf-8")])
_GROUP = "admission.k8s.io"
_VERSIONS = (f"{_GROUP}/v1", f"{_GROUP}/v1beta1")
_MARK = "webhook-e2e-test"
_DELAY = 5.0


class Webhooks:
    """The webhooks of one process; `sidecar_image` is what they add to pods."""

    def __init__(self, process: Process, sidecar_image: str) -> None:
        self._process, self._sidecar_image = process, sidecar_image

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer one request."""
        self._process.work(0.0005)
        if request.path == "/readyz":
            return HttpResponse(200, _TEXT, b"ok")
        admit = _PATHS.get(request.path)
        if admit is None:
            return HttpResponse(404, _TEXT, b"404 page not found\n")
        if request.headers.get("Content-Type") != "application/json":
            return HttpResponse(200)
        try:
            review: Obj = orjson.loads(request.body)
            version, asked = review["apiVersion"], review["request"]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            return HttpResponse(400, _TEXT, f"Request could not be decoded: {error}\n".encode())
        if version not in _VERSIONS or review.get("kind") != "AdmissionReview":
            why = f"Unsupported group version kind: {version}, Kind={review.get('kind')}\n"
            return HttpResponse(400, _TEXT, why.encode())
        response = {"uid": asked.get("uid"), **await admit(self, asked)}
        body = {"kind": "AdmissionReview", "apiVersion": version, "response": response}
        return HttpResponse(200, _JSON, orjson.dumps(body))

    # -- what each path does ---------------------------------------------------------------------

    async def always_allow_later(self, asked: Obj) -> Obj:
        await self._process.clock.sleep(_DELAY)
        return _ALLOWED

    async def always_deny(self, asked: Obj) -> Obj:
        return _denied("this webhook denies all requests")

    async def add_label(self, asked: Obj) -> Obj:
        labels = (_object(asked).get("metadata") or {}).get("labels") or {}
        path, value = "/metadata/labels/added-label", "yes"
        if not labels:
            return _patched("add", "/metadata/labels", {"added-label": value})
        if "added-label" not in labels:
            return _patched("add", path, value)
        return _ALLOWED if labels["added-label"] == value else _patched("replace", path, value)

    async def pods(self, asked: Obj) -> Obj:
        pod, problems = _object(asked), list[str]()
        label = ((pod.get("metadata") or {}).get("labels") or {}).get(_MARK)
        if label == "wait-forever":
            await asyncio.Event().wait()
        if label == "webhook-disallow":
            problems.append("the pod contains unwanted label;")
        problems += [
            "the pod contains unwanted container name;"
            for container in (pod.get("spec") or {}).get("containers") or ()
            if "webhook-disallow" in container["name"]
        ]
        return _denied(" ".join(problems)) if problems else _ALLOWED

    async def attaching(self, asked: Obj) -> Obj:
        options = _object(asked)
        there = (asked.get("name"), asked.get("subResource")) == ("to-be-attached-pod", "attach")
        if there and options.get("stdin") and options.get("container") == "container1":
            return _denied("attaching to pod 'to-be-attached-pod' is not allowed")
        return _ALLOWED

    async def mutating_pods(self, asked: Obj) -> Obj:
        pod, name = _object(asked), "webhook-added-init-container"
        spec = pod.get("spec") or {}
        wanted = (pod.get("metadata") or {}).get("name") == "webhook-to-be-mutated"
        if not wanted or _has_container(spec.get("initContainers"), name):
            return _ALLOWED
        added = {"image": "webhook-added-image", "name": name, "resources": {}}
        return _patched("add", "/spec/initContainers", [added])

    async def mutating_pods_sidecar(self, asked: Obj) -> Obj:
        name = "webhook-added-sidecar"
        if not self._sidecar_image:
            why = "No image specified by the sidecar-image parameter"
            status = {"status": "Failure", "message": why, "code": 500}
            return {"allowed": False, "status": status}
        if _has_container((_object(asked).get("spec") or {}).get("containers"), name):
            return _ALLOWED
        added = {"image": self._sidecar_image, "name": name, "resources": {}}
        return _patched("add", "/spec/containers/-", added)

    async def config_maps(self, asked: Obj) -> Obj:
        return _admit_data(asked, "the configmap contains unwanted key and value", "configmap")

    async def custom_resource(self, asked: Obj) -> Obj:
        return _admit_data(asked, "the custom resource contains unwanted data", "custom resource")

    async def mutating_data(self, asked: Obj) -> Obj:
        data = _object(asked).get("data") or {}
        if data.get("mutation-stage-1") == "yes":
            return _patched("add", "/data/mutation-stage-2", "yes")
        if data.get("mutation-start") == "yes":
            return _patched("add", "/data/mutation-stage-1", "yes")
        return _ALLOWED

    async def definition(self, asked: Obj) -> Obj:
        labels = (_object(asked).get("metadata") or {}).get("labels") or {}
        if labels.get(_MARK) == "webhook-disallow":
            return _denied("the crd contains unwanted label")
        return _ALLOWED


_ALLOWED: Obj = {"allowed": True}
Admit = Callable[[Webhooks, Obj], Awaitable[Obj]]
_PATHS: Mapping[str, Admit] = {
    "/always-allow-delay-5s": Webhooks.always_allow_later,
    "/always-deny": Webhooks.always_deny,
    "/add-label": Webhooks.add_label,
    "/pods": Webhooks.pods,
    "/pods/attach": Webhooks.attaching,
    "/mutating-pods": Webhooks.mutating_pods,
    "/mutating-pods-sidecar": Webhooks.mutating_pods_sidecar,
    "/configmaps": Webhooks.config_maps,
    "/mutating-configmaps": Webhooks.mutating_data,
    "/custom-resource": Webhooks.custom_resource,
    "/mutating-custom-resource": Webhooks.mutating_data,
    "/crd": Webhooks.definition,
}


def _object(asked: Obj) -> Obj:
    return asked.get("object") or {}


def _denied(message: str) -> Obj:
    return {"allowed": False, "status": {"metadata": {}, "message": message}}


def _patched(operation: str, path: str, value: Any) -> Obj:
    patch = orjson.dumps([{"op": operation, "path": path, "value": value}])
    return {
        "allowed": True,
        "patch": base64.b64encode(patch).decode(),
        "patchType": "JSONPatch",
    }


def _has_container(containers: list[Obj] | None, name: str) -> bool:
    return any(container.get("name") == name for container in containers or ())


def _admit_data(asked: Obj, unwanted: str, what: str) -> Obj:
    """Refuse marked data; the reason takes the place of a message."""
    deleting = asked.get("operation") == "DELETE"
    obj = (asked.get("oldObject") if deleting else asked.get("object")) or {}
    mark = (obj.get("data") or {}).get(_MARK)
    reason = ""
    if mark == "webhook-disallow" and asked.get("operation") in ("CREATE", "UPDATE"):
        reason = unwanted
    if mark == "webhook-nondeletable" and deleting:
        reason = f"the {what} cannot be deleted because it contains unwanted key and value"
    if not reason:
        return _ALLOWED
    return {"allowed": False, "status": {"metadata": {}, "reason": reason}}
