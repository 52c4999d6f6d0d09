"""Creating, updating, patching, applying: from a body to an object that is stored.

The stages, in order: decode, default, field managers, mutating admission, default again, then
the registry's own (prepare, validate), validating admission, storage.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

from apimachinery.apply import managed
from apimachinery.errors import ApiError, BadRequest, Conflict, Forbidden, Invalid
from apimachinery.gvk import GroupKind
from apimachinery.meta import Obj, name_of, namespace_of
from apimachinery.schema import types
from apimachinery.validation.metadata import validate_write_options
from apiserver.admission.interfaces import AdmissionRequest, Operation, View
from apiserver.auth.deviceclaims import CLAIMS, check_claim_status
from apiserver.auth.escalation import check_escalation
from apiserver.auth.reviews import user_info
from apiserver.auth.user import User
from apiserver.endpoints import body, patching
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.endpoints.requestinfo import is_true
from apiserver.registry.catalog import Served
from apiserver.registry.converting import shown as shown_entries
from apiserver.registry.resource import Resource
from apiserver.registry.store import Make, Stored, Writing
from apiserver.registry.strategy import Strategy
from apiserver.storage import Key

RBAC_GROUP = "rbac.authorization.k8s.io"
_OTHER_NAMESPACE = (
    "the namespace of the provided object does not match the namespace sent on the request"
)
_OPTIONS = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions"}


@dataclass(slots=True)
class Change:
    """One write on its way: the request, and what admission is told of it."""

    request: ApiRequest
    admission: AdmissionRequest
    strategy: Strategy
    writing: Writing = field(init=False)

    def admit(self, obj: Obj, old: Obj | None) -> Awaitable[None] | None:
        """Let mutating admission change the object, and fill in defaults for what it added.

        Returns what to wait for, where a webhook has to be asked.
        """
        asked, chain = self.admission, self.request.api.admission
        asked.operation = Operation.CREATE if old is None else Operation.UPDATE
        asked.object, asked.old_object = obj, old
        asked.default = self.strategy.default
        waiting = chain.admit(asked)
        if waiting is not None:
            return self._finish_admission(obj, waiting)
        self.strategy.default(obj)
        self._admitted(obj)
        return None

    async def _finish_admission(self, obj: Obj, waiting: Awaitable[None]) -> None:
        await waiting
        self.strategy.default(obj)
        self._admitted(obj)

    def _admitted(self, obj: Obj) -> None:
        trace = self.request.trace
        trace.stage("mutating admission")
        if trace.details is not None:
            trace.details.note("defaulting", obj)

    async def go_through(self, obj: Obj) -> None:
        """Take what is never stored through the whole of admission."""
        waiting = self.admit(obj, None)
        if waiting is not None:
            await waiting
        waiting = self.check(obj, None)
        if waiting is not None:
            await waiting

    def check(self, obj: Obj | None, old: Obj | None) -> Awaitable[None] | None:
        """Let validating admission see the object as it will be stored.

        Returns what to wait for, where a webhook has to be asked.
        """
        asked, trace = self.admission, self.request.trace
        trace.stage("validation")
        if trace.details is not None:
            trace.details.note("preparation", obj)
        asked.object, asked.old_object = obj, old
        if obj is not None and not asked.name:
            asked.name = name_of(obj)
        chain = self.request.api.admission
        if obj is not None:
            self._check_rights(obj, old)
        # What would change an object may refuse its deletion, too.
        elif (waiting := chain.admit(asked)) is not None:
            return self._finish_check(waiting, then_validate=True)
        if (waiting := chain.validate(asked)) is not None:
            return self._finish_check(waiting)
        self._checked()
        return None

    async def _finish_check(self, waiting: Awaitable[None], *, then_validate: bool = False) -> None:
        await waiting
        rest = self.request.api.admission.validate(self.admission) if then_validate else None
        if rest is not None:
            await rest
        self._checked()

    def _checked(self) -> None:
        self.request.trace.stage("validating admission")

    def _check_rights(self, obj: Obj, old: Obj | None) -> None:
        """Refuse what needs rights besides: to create by an update or an apply, those that a role
        grants, parts of a claim's status.
        """
        resource, request = self.request.resource, self.request
        if old is None and request.info.verb != "create":
            asked = request.info.asked_by(request.user or User(""), "create")
            decision = request.api.auth.authorize(asked)
            if not decision.allowed:
                # Here Kubernetes says no more than its authorizers do.
                raise Forbidden(resource.group_resource, request.info.name, decision.reason)
        if resource.key == CLAIMS and old is not None and request.info.subresource == "status":
            asked = request.info.asked_by(request.user or User(""))
            check_claim_status(request.api.auth, asked, obj, old)
        if resource.kind.group == RBAC_GROUP and request.user is not None:
            namespace = self.writing.ctx.namespace
            check_escalation(request.api.auth, request.user, resource.key, obj, old, namespace)


def begin(request: ApiRequest, operation: Operation) -> Change:
    """Check a write's options, and return what its stages share. Raises Invalid."""
    params, info = request.params, request.info
    options: dict[str, Any] = {}
    if params or info.verb == "patch":
        options = write_options(request)
    resource, trace = request.resource, request.trace
    dry_run = bool(options.get("dryRun"))
    trace.wrote = []
    trace.details = request.api.traces.details_for(trace)
    user = request.user or User("")
    asked = AdmissionRequest(
        operation,
        resource.kind,
        resource.group_resource,
        info.version,
        user,
        info.subresource,
        info.namespace,
        info.name,
        options=options,
        dry_run=dry_run,
        # Whatever becomes of the request, what admission has to say is said.
        warnings=request.warnings,
        annotations=trace.notes,
    )
    trace.calls = asked.calls
    if trace.details is not None:
        asked.seen = trace.details.note
    served = request.target
    asked.decode = lambda obj: _decoded(request, obj)
    if served.version is not None:
        asked.view = View(served.kind, served.version.from_storage, served.version.to_storage)
    registry = request.api.registry
    namespace = info.namespace if resource.namespaced else ""
    change = Change(request, asked, strategy_of(request))
    change.writing = Writing(
        registry.context(user.name, namespace, dry_run=dry_run, user_info=user_info(user)),
        change.check,
        request.warn,
        user.name,
        trace.audit_id,
        trace.wrote,
    )
    return change


def _decoded(request: ApiRequest, obj: Obj) -> Obj:
    """Read what admission has changed; a Scale or an Eviction is left as it is."""
    kind = request.target.kind
    if (obj.get("apiVersion"), obj.get("kind")) != (kind.api_version, kind.kind):
        return obj
    return patching.decode_patched(request, obj, "Ignore")


def write_options(request: ApiRequest) -> dict[str, Any]:
    """Return the query's options of a write as an object. Raises Invalid."""
    params = request.params
    options: dict[str, Any] = {
        name: params[name] for name in ("fieldManager", "fieldValidation") if params.get(name)
    }
    if "dryRun" in params:
        options["dryRun"] = [params["dryRun"]]
    if "force" in params:
        options["force"] = is_true(params["force"])
    patch_type = body.media_type(request) if request.info.verb == "patch" else ""
    refuse_options(request.info.verb, options, patch_type)
    return options


def refuse_options(verb: str, options: dict[str, Any], patch_type: str = "") -> None:
    """Raise Invalid where the options of a write are wrong."""
    errors = list(validate_write_options(options, patch=patch_type))
    if errors:
        kind = GroupKind("meta.k8s.io", _OPTIONS.get(verb, "UpdateOptions"))
        raise Invalid(kind, "", errors)


def strategy_of(request: ApiRequest) -> Strategy:
    """Return the rules of what is written: the object's own, or its subresource's."""
    part = request.resource.subresources.get(request.info.subresource)
    return part.strategy if part and part.strategy else request.resource.strategy


def key_of(request: ApiRequest) -> Key:
    """Return where the object that a request names is stored."""
    info, resource = request.info, request.resource
    namespace = info.namespace if resource.namespaced else ""
    return Key(resource.key, namespace, info.name)


def schema_of(served: Served) -> Any:
    """Return the type of a served kind, None where nothing is known of it."""
    if served.resource.custom:
        return served.resource.strategy.schema(served.kind)
    return types().type_of(served.kind)


def manager_of(request: ApiRequest) -> str:
    """Return who owns the fields that a write sets: `fieldManager`, or the client's name."""
    given = request.params.get("fieldManager", "")
    return given or request.user_agent.partition("/")[0] or "unknown"


def to_storage(served: Served, obj: Obj) -> Obj:
    """Return an object of the served version as it is stored."""
    return obj if served.version is None else served.version.to_storage(obj)


def from_storage(served: Served, obj: Obj) -> Obj:
    """Return a stored object in the served version; the same one where that is stored."""
    return obj if served.version is None else served.version.from_storage(obj)


def track(request: ApiRequest, live: Obj | None, new: Obj) -> None:
    """Bring managedFields of a written object up to date, in place."""
    served, others = request.target, patching.views_of(request.resource)
    fields = managed.update_managers(
        live if live is None or not others else from_storage(served, live),
        new if not others else from_storage(served, new),
        schema_of(served) if others else stored_schema(request.resource),
        manager_of(request),
        now=request.api.clock.timestamp(),
        api_version=request.target.kind.api_version,
        subresource=request.info.subresource,
        reset=strategy_of(request).reset_fields(request.info.subresource),
        others=others,
    )
    if fields:
        new["metadata"]["managedFields"] = fields
    else:
        new["metadata"].pop("managedFields", None)
    request.trace.stage("field managers")


def stored_schema(resource: Resource) -> Any:
    """Return the type in which a resource is stored."""
    if resource.custom:
        return resource.strategy.schema(resource.kind)
    return types().type_of(resource.kind)


async def create(request: ApiRequest) -> Answer:
    """Store the body as a new object."""
    change = begin(request, Operation.CREATE)
    obj = read_body(request)
    resource, details = request.resource, request.trace.details
    if details is not None:
        details.begin(obj)
    name = name_of(obj)
    change.admission.name = name
    _match_namespace(request, obj)
    resource.strategy.default(obj)
    if details is not None:
        details.note("defaulting", obj)
    track(request, None, obj)
    waiting = change.admit(obj, None)
    if waiting is not None:
        await waiting
    stored = await request.api.registry.create(
        resource, obj, change.writing.ctx.namespace, change.writing
    )
    request.trace.stage("storage")
    return await answer_of(request, stored)


def _match_namespace(request: ApiRequest, obj: Obj) -> None:
    """Refuse a body of another namespace before anything is done with it."""
    namespace, given = request.info.namespace, namespace_of(obj)
    if not request.resource.namespaced:
        obj["metadata"].pop("namespace", None)
    elif not given:
        obj["metadata"]["namespace"] = namespace
    elif given != namespace:
        raise BadRequest(_OTHER_NAMESPACE)


def read_body(request: ApiRequest) -> Obj:
    """Return the body in the stored version, private to the request."""
    served = request.target
    obj = to_storage(served, body.read_object(request, served.kind))
    request.trace.stage("decode")
    return obj


async def update(request: ApiRequest) -> Answer:
    """Replace an object by the body."""
    change = begin(request, Operation.UPDATE)
    sent = read_body(request)
    check_name(request, sent)
    change.strategy.default(sent)

    def make(old: Obj | None) -> Obj | Awaitable[Obj]:
        obj = {**sent, "metadata": dict(sent["metadata"])}
        if old is not None:
            obj["metadata"].setdefault("uid", old["metadata"].get("uid"))
        return finish(change, obj, old)

    creates = change.strategy.allow_create_on_update and not request.info.subresource
    return await _store(request, change, make, creates=creates)


def check_name(request: ApiRequest, obj: Obj) -> None:
    """Refuse a body that is about another object than the path. Raises BadRequest."""
    info = request.info
    name, namespace = name_of(obj), namespace_of(obj)
    if request.resource.namespaced and namespace and namespace != info.namespace:
        raise BadRequest(_OTHER_NAMESPACE)
    if not name:
        raise BadRequest(
            f"the name of the object ({info.name} based on URL) was undeterminable: "
            "name must be provided"
        )
    if name != info.name:
        raise BadRequest(
            f"the name of the object ({name}) does not match the name on the URL ({info.name})"
        )


async def patch(request: ApiRequest) -> Answer:
    """Change an object as a patch says; an apply creates it where it is not there."""
    kind = body.media_type(request)
    accepted = body.custom_types(request.resource)
    if kind not in accepted:
        raise _unknown_patch(request, kind)
    change = begin(request, Operation.UPDATE)
    make = _applier(change) if kind == body.APPLY_PATCH else _patcher(change, kind)
    creates = kind == body.APPLY_PATCH and not request.info.subresource
    return await _store(request, change, make, creates=creates)


def _unknown_patch(request: ApiRequest, kind: str) -> ApiError:
    if kind in body.PATCHES:
        return body.unsupported(body.custom_types(request.resource))
    request.warnings.clear()
    return ApiError(
        "415: Unsupported Media Type", code=415, reason="UnsupportedMediaType", details={}
    )


def _patcher(change: Change, kind: str) -> Make:
    request = change.request
    served = request.target
    patch = patching.read_patch(request, kind)

    def make(old: Obj | None) -> Obj | Awaitable[Obj]:
        if old is None:
            raise AssertionError("a patch never creates")
        shown = from_storage(served, old)
        patched = patching.apply(request, patch, shown, schema_of(served))
        obj = to_storage(served, patched)
        request.trace.stage("decode")
        check_name(request, obj)
        change.strategy.default(obj)
        return finish(change, obj, old)

    return make


def _applier(change: Change) -> Make:
    request = change.request
    served = request.target
    applied = patching.read_applied(request)
    reset = change.strategy.reset_fields(request.info.subresource)

    def make(old: Obj | None) -> Obj | Awaitable[Obj]:
        shown = None if old is None else from_storage(served, old)
        merged = patching.merge_applied(
            request, shown, applied, schema_of(served), manager_of(request), reset
        )
        managers = merged["metadata"].get("managedFields")
        obj = to_storage(served, merged)
        request.trace.stage("decode")
        check_name(request, obj)
        change.strategy.default(obj)
        if managers:
            obj["metadata"]["managedFields"] = managers
        if old is None:
            _refuse_uid(request, obj)
            _match_namespace(request, obj)
        _note_change(change, obj, old)
        if obj == old:
            # Applying what is there already is no write, so its time does not count either.
            return old
        return _admitted(change, obj, old)

    return make


def _note_change(change: Change, obj: Obj, old: Obj | None) -> None:
    details = change.request.trace.details
    if details is not None:
        details.begin(old)
        details.note("decode", obj)


def _refuse_uid(request: ApiRequest, obj: Obj) -> None:
    """Refuse to create an object that is thought to be there. Raises Conflict."""
    uid = obj["metadata"].get("uid")
    if uid:
        why = f"the provided object specified uid {uid}, and no existing object was found"
        raise Conflict(request.resource.group_resource, request.info.name, f"uid mismatch: {why}")


def finish(change: Change, obj: Obj, old: Obj | None) -> Obj | Awaitable[Obj]:
    """Take a changed object through field managers and mutating admission."""
    if old is None:
        _match_namespace(change.request, obj)
    _note_change(change, obj, old)
    track(change.request, old, obj)
    return _admitted(change, obj, old)


def _admitted(change: Change, obj: Obj, old: Obj | None) -> Obj | Awaitable[Obj]:
    waiting = change.admit(obj, old)
    return obj if waiting is None else _settled(obj, waiting)


async def _settled(obj: Obj, waiting: Awaitable[None]) -> Obj:
    await waiting
    return obj


async def _store(
    request: ApiRequest,
    change: Change,
    make: Make,
    *,
    creates: bool,
) -> Answer:
    stored = await request.api.registry.update(
        request.resource,
        change.strategy,
        key_of(request),
        make,
        change.writing,
        creates=creates,
        carried=request.info.verb == "patch",
    )
    request.trace.stage("storage")
    return await answer_of(request, stored)


async def answer_of(request: ApiRequest, stored: Stored) -> Answer:
    """Return a write's outcome: stored bytes where there are some."""
    code = 201 if stored.created else 200
    if stored.entry is not None and request.resource.conversion is not None:
        (entry,) = await shown_entries(request.resource, [stored.entry])
        return Answer(code, entry=entry)
    if stored.entry is not None:
        return Answer(code, entry=stored.entry, obj=stored.obj)
    return Answer(code, obj=from_storage(request.target, stored.obj))
