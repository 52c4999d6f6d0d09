"""Deleting one object, or all that selectors leave."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from apimachinery.errors import BadRequest, NotFound
from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.schema.decode import decode
from apiserver.admission.interfaces import Operation
from apiserver.endpoints import body, write
from apiserver.endpoints.listing import Chosen, list_page
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.endpoints.requestinfo import is_true
from apiserver.registry.converting import shown
from apiserver.registry.deletion import DeleteOptions
from apiserver.registry.resource import Resource
from apiserver.storage import Key

_OPTIONS = GroupVersionKind("", "v1", "DeleteOptions")
_CANNOT = 'DeleteOptions in version "v1" cannot be handled as a DeleteOptions: '
_SCHEME = "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:28"
_QUERY = ("gracePeriodSeconds", "propagationPolicy", "orphanDependents", "dryRun")


async def delete(request: ApiRequest) -> Answer:
    """Delete the object that the path names."""
    options, change = _begin(request)
    key = write.key_of(request)
    stored = await request.api.registry.delete(request.resource, key, options, change.writing)
    request.trace.stage("storage", "gone" if stored.gone else "marked")
    if stored.gone and not _shows_object(request.resource):
        return Answer(obj=success(request.resource, stored.obj), as_is=True)
    code = 202 if not stored.gone and options.orphan is False else 200
    if stored.entry is not None:
        return replace(await write.answer_of(request, stored), code=code)
    return Answer(code, obj=write.from_storage(request.target, stored.obj))


def _shows_object(resource: Resource) -> bool:
    return resource.strategy.returns_deleted


def success(resource: Resource, obj: Obj) -> Obj:
    """Return the Status that says what was deleted."""
    details = {"name": obj["metadata"]["name"]}
    if resource.kind.group:
        details["group"] = resource.kind.group
    details["kind"] = resource.plural
    details["uid"] = obj["metadata"].get("uid", "")
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": details,
    }


def _begin(request: ApiRequest) -> tuple[DeleteOptions, write.Change]:
    """Read DeleteOptions from the body or the query."""
    given = _options(request)
    options = DeleteOptions.read(given)
    change = write.begin(request, Operation.DELETE)
    dry_run = bool(options.dry_run)
    change.admission.dry_run = dry_run
    change.admission.options = given
    change.writing.ctx.dry_run = dry_run
    request.trace.stage("decode")
    return options, change


def _options(request: ApiRequest) -> Obj:
    if not request.body:
        return _from_query(request)
    if not isinstance(request.body, bytes):
        found: Obj = request.body
        return found
    sent = body.parse(request, _OPTIONS.kind)
    kind = sent.get("kind") or _OPTIONS.kind
    if kind != _OPTIONS.kind:
        version = sent.get("apiVersion") or _OPTIONS.version
        raise BadRequest(
            f'no kind "{kind}" is registered for version "{version}" in scheme "{_SCHEME}"'
        )
    try:
        # Every group has this kind, and all of them are the same.
        return decode(sent, _OPTIONS, "Ignore").obj
    except BadRequest as error:
        raise BadRequest(error.message.removeprefix(_CANNOT)) from None


def _from_query(request: ApiRequest) -> Obj:
    found: Obj = {}
    for name in _QUERY:
        text = request.params.get(name)
        if text:
            found[name] = _read_parameter(name, text)
    return found


def _read_parameter(name: str, text: str) -> Any:
    if name == "gracePeriodSeconds":
        try:
            return int(text)
        except ValueError:
            why = f'strconv.ParseInt: parsing "{text}": invalid syntax'
            raise BadRequest(why) from None
    if name == "orphanDependents":
        return is_true(text)
    return [text] if name == "dryRun" else text


async def delete_collection(request: ApiRequest) -> Answer:
    """Delete all that the selectors leave, and return them as they were."""
    options, change = _begin(request)
    options.of_collection = True
    resource, api = request.resource, request.api
    chosen = Chosen.read(resource, request.info.namespace, request.params)
    query = {k: v for k, v in request.params.items() if k not in (*_QUERY, "pretty")}
    found = await list_page(api.store, chosen, query)
    for entry in found.entries:
        change.admission.name = entry.key.name
        try:
            await api.registry.delete(resource, Key(*entry.key), options, change.writing)
        except NotFound:
            continue  # somebody else was faster
    request.trace.stage("storage", f"{len(found.entries)} objects")
    if resource.conversion is not None:
        found = replace(found, entries=await shown(resource, found.entries))
    return Answer(listing=found)
