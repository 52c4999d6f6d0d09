"""Logs of containers, and connections into them: what the kubelet of the pod's node serves."""

from __future__ import annotations

from apimachinery.errors import BadRequest, Invalid, ServiceUnavailable
from apimachinery.gvk import GroupKind
from apimachinery.meta import Obj
from apimachinery.podparts import all_containers, containers
from apiserver.auth.attributes import forbidden
from apiserver.auth.user import User
from apiserver.endpoints.connecting import admit_connect
from apiserver.endpoints.log_options import log_option_errors
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.registry.core.nodes import NODES

_TEXT = "text/plain"


async def logs(request: ApiRequest) -> Answer:
    """Stream a container's log."""
    info, api = request.info, request.api
    if errors := list(log_option_errors(request.params)):
        raise Invalid(GroupKind("", "PodLogOptions"), info.name, errors)
    pod = api.registry.get(request.resource, info.namespace, info.name).obj()
    container = choose_container(pod, request.params.get("container", ""))
    node = (pod.get("spec") or {}).get("nodeName")
    if not node:
        # Nothing runs yet, so nothing was said yet.
        return Answer(text=b"", content_type=_TEXT)
    api.registry.get(NODES, "", node)
    if api.streams is None:
        raise ServiceUnavailable("no kubelet can be reached")
    stream = api.streams.logs(node, info.namespace, info.name, container, request.params)
    request.trace.stage("kubelet", node)
    return Answer(stream=stream, content_type=_TEXT)


def choose_container(pod: Obj, wanted: str) -> str:
    """Return the container that is meant. Raises BadRequest where that cannot be told."""
    name, known = pod["metadata"]["name"], [str(one["name"]) for one in all_containers(pod)]
    if wanted:
        if wanted not in known:
            raise BadRequest(f"container {wanted} is not valid for pod {name}")
        return wanted
    regular = containers(pod)
    if len(regular) == 1:
        return str(regular[0]["name"])
    choices = f"choose one of: [{' '.join(known)}]"
    raise BadRequest(f"a container name must be specified for pod {name}, {choices}")


async def connect(request: ApiRequest) -> Answer:
    """Refuse a connection that was not upgraded: exec, attach and portforward need one."""
    await check_connect(request)
    raise BadRequest("Upgrade request required")


async def check_connect(request: ApiRequest) -> Obj:
    """Check that a connection into a pod may be made, and return the pod."""
    _authorize_create(request)
    await admit_connect(request)
    info, api = request.info, request.api
    pod = api.registry.get(request.resource, info.namespace, info.name).obj()
    if info.subresource in ("exec", "attach"):
        choose_container(pod, request.params.get("container", ""))
    node = (pod.get("spec") or {}).get("nodeName")
    if not node:
        raise BadRequest(f"pod {info.name} does not have a host assigned")
    api.registry.get(NODES, "", node)
    return pod


def _authorize_create(request: ApiRequest) -> None:
    """Refuse those who may only read: a WebSocket opens by GET, and opens a shell all the same."""
    info = request.info
    if info.verb == "create":
        return
    asked = info.asked_by(request.user or User(""), "create")
    decision = request.api.auth.authorize(asked)
    if not decision.allowed:
        raise forbidden(asked, decision.reason)
