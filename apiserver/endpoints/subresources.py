"""Parts of objects with verbs of their own that are not read and written as the object is.

`HANDLERS` lists them by name. A subresource with a strategy (status, resize, approval) is not
here: it goes the way of its object.
"""

from __future__ import annotations

from apimachinery.errors import PathNotFound
from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apiserver.admission.interfaces import Operation
from apiserver.auth.remarks import Remarks
from apiserver.auth.reviews import review as answer_review
from apiserver.auth.token_requests import create_token
from apiserver.auth.user import User
from apiserver.endpoints import body, write
from apiserver.endpoints.binding import bind
from apiserver.endpoints.eviction import evict
from apiserver.endpoints.pod_streams import connect, logs
from apiserver.endpoints.proxying import proxy
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.endpoints.scaling import scale

_TOKEN_REQUEST = GroupVersionKind("authentication.k8s.io", "v1", "TokenRequest")


async def review(request: ApiRequest) -> Answer:
    """Answer a kind that is only created and never stored: reviews, and Bindings."""
    if request.resource.key == "bindings":
        return await bind(request)
    kind = request.target.kind
    change = write.begin(request, Operation.CREATE)
    obj = body.read_object(request, kind)
    if request.resource.namespaced:
        obj["metadata"].setdefault("namespace", request.info.namespace)
    request.resource.strategy.default(obj)
    await change.go_through(obj)
    user, namespace = request.user or User(""), request.info.namespace
    answer = answer_review(request.api.auth, kind.kind, obj, user, namespace)
    if not isinstance(answer, dict):
        answer = await answer
    request.trace.stage("review")
    return Answer(201, obj=answer)


async def token(request: ApiRequest) -> Answer:
    """Make a token for a service account."""
    if request.resource.key != "serviceaccounts":
        raise PathNotFound
    entry = request.api.registry.get(request.resource, request.info.namespace, request.info.name)
    asked: Obj = body.read_object(request, _TOKEN_REQUEST)
    change = write.begin(request, Operation.CREATE)
    change.admission.kind = _TOKEN_REQUEST
    await change.go_through(asked)
    remarks = Remarks(request.trace, request.warnings)
    made = create_token(request.api.auth, request.api.objects.parse(entry), asked, remarks)
    request.trace.stage("token")
    return Answer(201, obj=made, as_is=True)


HANDLERS = {
    "attach": connect,
    "binding": bind,
    "eviction": evict,
    "exec": connect,
    "log": logs,
    "portforward": connect,
    "proxy": proxy,
    "scale": scale,
    "token": token,
}
