"""What the expressions of policies and webhooks see of a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from apimachinery.cel.admission import Composed
from apimachinery.cel.env import Budget, EvalError
from apimachinery.cel.libs.authorizers import Authorizer, Decision, Question, ResourceCheck
from apimachinery.cel.values import Lazy
from apimachinery.errors import NotFound
from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apiserver.admission.hooks.matching import NAMESPACES, FindNamespace
from apiserver.admission.hooks.places import Place
from apiserver.admission.interfaces import AdmissionRequest, UserInfo

# Asks the cluster's authorizer on behalf of the user who made the request.
Ask = Callable[[UserInfo, Question], Decision]

_OPTIONS = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}
_NOT_OPTIONS = ("kind", "apiVersion", "force")
_HIDDEN = ("managedFields", "ownerReferences", "selfLink")


def nobody_asks(user: UserInfo, question: Question) -> Decision:
    """Allow nothing: stands in until the cluster's authorizer is handed in."""
    del user, question
    return Decision(allowed=False)


class Variables(Lazy):
    """The variables of a policy, each worked out when it is first named."""

    def __init__(self, composed: Composed, values: Mapping[str, Any], budget: Budget) -> None:
        self._composed, self._values, self._budget = composed, values, budget
        self._known: dict[str, Any] = {}

    def find(self, name: str) -> Any:
        found = self._known.get(name, self)
        if found is self:
            found = self._known[name] = self._evaluate(name)
        if isinstance(found, EvalError):
            raise found
        return found

    def _evaluate(self, name: str) -> Any:
        compiled = self._composed.programs[name]
        what = f'composited variable "{name}" fails to'
        if compiled.program is None:
            return EvalError(f"{what} compile: {compiled.problem}")
        try:
            return compiled.program.run(self._values, self._budget)
        except EvalError as error:
            return EvalError(f"{what} evaluate: {error}")


class Inquiry:
    """One request as seen from one place."""

    def __init__(
        self,
        request: AdmissionRequest,
        place: Place,
        find_namespace: FindNamespace,
        ask: Ask = nobody_asks,
    ) -> None:
        self.request, self.place = request, place
        self._ask, self._asked = ask, dict[Question, Decision]()
        old = request.old_object
        self.old_object = None if old is None else place.shown(old)
        self.object = None if request.object is None else place.shown(request.object)
        self._find_namespace = find_namespace
        self._fixed: dict[str, Any] | None = None

    async def convert(self) -> None:
        """Have the objects in the version of the place, where a webhook has to be asked for it."""
        conversion = self.place.conversion
        if conversion is None:
            return
        objs = [obj for obj in (self.object, self.old_object) if obj is not None]
        found = iter(await conversion.convert(objs, self.place.kind))
        self.object = None if self.object is None else next(found)
        self.old_object = None if self.old_object is None else next(found)

    def values(
        self, params: Obj | None = None, composed: Composed | None = None, budget: Any = None
    ) -> dict[str, Any]:
        """Return the variables of expressions."""
        if self._fixed is None:
            self._fixed = self._made()
        found = {**self._fixed, "object": self.object, "params": params}
        if composed is not None:
            found["variables"] = Variables(composed, found, budget)
        return found

    def _made(self) -> dict[str, Any]:
        request = self.request
        authorizer = Authorizer(self._answer)
        about = Question(
            group=self.place.group,
            resource=self.place.resource,
            subresource=request.subresource,
            namespace=request.namespace,
            name=request.name,
        )
        return {
            "oldObject": self.old_object,
            "request": request_object(request, self.place),
            "namespaceObject": self._namespace(),
            "authorizer": authorizer,
            "authorizer.requestResource": ResourceCheck(self._answer, about),
        }

    def _answer(self, question: Question) -> Decision:
        found = self._asked.get(question)
        if found is None:
            found = self._asked[question] = self._ask(self.request.user, question)
        return found

    def _namespace(self) -> Obj | None:
        request = self.request
        if not request.namespace or request.resource == NAMESPACES:
            return None
        found = self._find_namespace(request.namespace)
        if found is None:
            raise NotFound(NAMESPACES, request.namespace)
        metadata = {k: v for k, v in found["metadata"].items() if k not in _HIDDEN}
        return {**found, "metadata": metadata}


def request_object(request: AdmissionRequest, place: Place) -> Obj:
    """Return the AdmissionRequest of a review, without the objects."""
    own = request.view.kind
    kind = own if own is not None and own.kind == request.kind.kind else request.kind
    group = own.group if own is not None else request.resource.group
    found: Obj = {
        "kind": _kind(place.kind),
        "resource": _resource(place.group, place.version, place.resource),
        "subResource": request.subresource,
        "requestKind": _kind(kind),
        "requestResource": _resource(group, request.version, request.resource.resource),
        "requestSubResource": request.subresource,
        "name": request.name,
        "namespace": request.namespace,
        "operation": request.operation.value,
        "userInfo": user_object(request.user),
        "dryRun": request.dry_run,
        "options": options_object(request),
    }
    empty = ("subResource", "requestSubResource", "name", "namespace")
    return {key: value for key, value in found.items() if value or key not in empty}


def options_object(request: AdmissionRequest) -> Obj | None:
    """Return the options of a write as an object, None for a connection."""
    kind = _OPTIONS.get(request.operation.value)
    if kind is None:
        return None
    # A patch is an update to those who are asked, and `force` is a matter between the two of us.
    options = {k: v for k, v in request.options.items() if k not in _NOT_OPTIONS}
    return {"kind": kind, "apiVersion": "meta.k8s.io/v1", **options}


def user_object(user: UserInfo) -> Obj:
    """Return a user as authentication/v1 UserInfo."""
    found: Obj = {"username": user.name}
    if user.uid:
        found["uid"] = user.uid
    if user.groups:
        found["groups"] = list(user.groups)
    if user.extra:
        found["extra"] = {key: list(values) for key, values in user.extra.items()}
    return found


def _kind(kind: GroupVersionKind) -> Obj:
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}


def _resource(group: str, version: str, resource: str) -> Obj:
    return {"group": group, "version": version, "resource": resource}
