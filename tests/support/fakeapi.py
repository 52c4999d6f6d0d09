"""An API in a dict: enough of Kubernetes' rules for what controllers rely on.

Revisions, conflicts, no-op writes that change nothing, generations, the status subresource,
graceful deletion of bound pods, finalizers and propagation, namespaces that are finalized, and
watches that follow every change. It validates and defaults nothing.
"""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from apimachinery.clock import Clock, format_time
from apimachinery.errors import (
    MODIFIED,
    AlreadyExists,
    ApiError,
    Conflict,
    Expired,
    Forbidden,
    NotFound,
)
from apimachinery.fields import parse_fields
from apimachinery.gvk import GroupResource
from apimachinery.labels import parse_selector
from apimachinery.meta import Obj, labels_of, name_of, namespace_of, revision_of, uid_of
from nodes.client.lister import Key, key_of
from nodes.client.transport import Call, WatchEvent

_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"


@dataclass
class _Watch:
    resource: GroupResource
    namespace: str
    matches: Callable[[Obj], bool]
    deliver: Callable[[Sequence[WatchEvent]], None]
    closed: Callable[[ApiError | None], None]
    pending: list[WatchEvent] = field(default_factory=list)
    active: bool = True

    def cancel(self) -> None:
        self.active = False

    def offer(self, event: WatchEvent) -> None:
        if not self.pending:
            asyncio.get_running_loop().call_soon(self.flush)
        self.pending.append(event)

    def flush(self) -> None:
        batch, self.pending = self.pending, []
        if self.active and batch:
            self.deliver(batch)


class FakeApi:
    """The store; `transport(user)` gives a way to call it."""

    def __init__(self, clock: Clock, *, first_revision: int = 1) -> None:
        self.clock = clock
        self.revision = first_revision
        self.calls: list[tuple[str, Call]] = []
        self._objects: dict[GroupResource, dict[Key, Obj]] = {}
        self._watches: list[_Watch] = []
        self._history: list[tuple[int, GroupResource, Obj | None, Obj | None]] = []
        self._compacted = 0
        self._names = 0

    def transport(self, user: str = "system:admin") -> FakeTransport:
        return FakeTransport(self, user)

    # What tests look at and set up with.

    def all(self, plural: str, namespace: str = "") -> list[Obj]:
        found = [
            obj
            for resource, objects in self._objects.items()
            if resource.resource == plural
            for obj in objects.values()
        ]
        return [obj for obj in found if not namespace or namespace_of(obj) == namespace]

    def get(self, plural: str, name: str, namespace: str = "default") -> Obj | None:
        for obj in self.all(plural):
            if name_of(obj) == name and namespace_of(obj) in ("", namespace):
                return obj
        return None

    def need(self, plural: str, name: str, namespace: str = "default") -> Obj:
        found = self.get(plural, name, namespace)
        assert found is not None, f"no {plural} {namespace}/{name}"
        return found

    def written(self, user: str = "") -> list[str]:
        """Return the writes so far, each as "verb resource[/subresource] name"."""
        return [
            f"{call.verb} {'/'.join(filter(None, (call.resource, call.subresource)))}"
            f" {call.name or name_of(call.body)}".strip()
            for who, call in self.calls
            if call.verb not in ("get", "list") and user in ("", who)
        ]

    def compact(self) -> None:
        """Forget history and break every watch, as after a long pause."""
        self._compacted = self.revision
        self._history.clear()
        watches, self._watches = self._watches, []
        for watch in watches:
            if watch.active:
                watch.closed(Expired("too old resource version"))

    # The verbs.

    def handle(self, call: Call) -> Obj:
        resource = GroupResource(call.group, call.resource)
        objects = self._objects.setdefault(resource, {})
        key = Key(call.namespace, call.name)
        match call.verb:
            case "list":
                return self._list(call, objects)
            case "create":
                return self._create(call, resource, objects)
            case "deletecollection":
                for found in [k for k in objects if k.namespace == call.namespace]:
                    self._delete(resource, objects, found, call.body or {})
                return {"kind": "Status", "status": "Success"}
        if key not in objects:
            raise NotFound(resource, call.name)
        return self._handle_one(call, resource, objects, key)

    def _handle_one(
        self, call: Call, resource: GroupResource, objects: dict[Key, Obj], key: Key
    ) -> Obj:
        match call.verb:
            case "get":
                return objects[key]
            case "update":
                return self._update(resource, objects, key, call.body, call.subresource)
            case "patch":
                new = patched(objects[key], call.body, call.content_type)
                return self._update(resource, objects, key, new, call.subresource)
            case "delete":
                return self._delete(resource, objects, key, call.body or {})
        raise AssertionError(f"no verb {call.verb}")

    def watch(self, call: Call, after: int, deliver: Any, closed: Any) -> _Watch:
        matches = _matcher(call)
        resource = GroupResource(call.group, call.resource)
        watch = _Watch(resource, call.namespace, matches, deliver, closed)
        if after < self._compacted:
            asyncio.get_running_loop().call_soon(closed, Expired("too old resource version"))
            return watch
        for revision, changed, old, new in self._history:
            if revision > after and changed == resource:
                _tell(watch, old, new, revision)
        self._watches.append(watch)
        return watch

    def _list(self, call: Call, objects: dict[Key, Obj]) -> Obj:
        matches = _matcher(call)
        items = [
            obj
            for key, obj in sorted(objects.items())
            if call.namespace in ("", key.namespace) and matches(obj)
        ]
        return {"items": items, "metadata": {"resourceVersion": str(self.revision)}}

    def _create(self, call: Call, resource: GroupResource, objects: dict[Key, Obj]) -> Obj:
        obj = json.loads(json.dumps(call.body))
        if call.subresource:
            return self._subresource(call, resource, objects, obj)
        metadata = obj["metadata"]
        if not metadata.get("name"):
            metadata["name"] = metadata["generateName"] + self._suffix()
        key = key_of(obj)
        if key in objects:
            raise AlreadyExists(resource, key.name)
        home = self.get("namespaces", key.namespace) if key.namespace else None
        if home is not None and home["metadata"].get("deletionTimestamp"):
            error = Forbidden(
                resource,
                key.name,
                f"unable to create new content in namespace {key.namespace}"
                " because it is being terminated",
            )
            causes = {"causes": [{"reason": "NamespaceTerminating"}]}
            error.details = (error.details or {}) | causes
            raise error
        metadata.setdefault("uid", f"uid-{len(self._history) + 1}-{self.revision}")
        metadata.setdefault("creationTimestamp", self.clock.timestamp())
        if "spec" in obj:
            metadata["generation"] = 1
        return self._put(resource, objects, None, obj)

    def _subresource(
        self, call: Call, resource: GroupResource, objects: dict[Key, Obj], body: Obj
    ) -> Obj:
        key = Key(call.namespace, call.name)
        if key not in objects:
            raise NotFound(resource, call.name)
        if call.subresource == "eviction":
            return self._delete(resource, objects, key, body.get("deleteOptions") or {})
        if call.subresource == "binding":
            new = copy.deepcopy(objects[key])
            new["spec"]["nodeName"] = body["target"]["name"]
            return self._put(resource, objects, objects[key], new)
        raise AssertionError(f"no subresource {call.subresource}")

    def _update(
        self,
        resource: GroupResource,
        objects: dict[Key, Obj],
        key: Key,
        body: Obj,
        subresource: str,
    ) -> Obj:
        old = objects[key]
        new = json.loads(json.dumps(body))
        wanted = new["metadata"].get("resourceVersion")
        if wanted and wanted != old["metadata"]["resourceVersion"]:
            raise Conflict(resource, key.name, MODIFIED)
        if new["metadata"].get("uid", uid_of(old)) != uid_of(old):
            raise Conflict(resource, key.name, "Precondition failed: UID in precondition")
        if subresource == "status":
            # Status writes of workloads may change annotations, and nothing else of the rest.
            metadata = dict(old["metadata"])
            if "annotations" in new["metadata"]:
                metadata["annotations"] = new["metadata"]["annotations"]
            new = {**old, "metadata": metadata, "status": new.get("status") or {}}
        elif subresource == "finalize":
            new = {**old, "spec": {**old["spec"], "finalizers": new["spec"].get("finalizers")}}
        elif "status" in old:
            new["status"] = old["status"]
        metadata = _kept_metadata(old, new, finalizing=subresource == "finalize")
        new = {**new, "metadata": metadata}
        if new == old:
            return old
        if metadata.get("deletionTimestamp") and not _held(new):
            return self._remove(resource, objects, key, new)
        return self._put(resource, objects, old, new)

    def _delete(
        self, resource: GroupResource, objects: dict[Key, Obj], key: Key, options: Obj
    ) -> Obj:
        old = objects[key]
        wanted = options.get("preconditions") or {}
        if wanted.get("uid", uid_of(old)) != uid_of(old):
            raise Conflict(resource, key.name, "the UID in the precondition does not match")
        if int(wanted.get("resourceVersion", revision_of(old))) != revision_of(old):
            raise Conflict(resource, key.name, "the ResourceVersion does not match")
        metadata = dict(old["metadata"])
        finalizers = list(metadata.get("finalizers") or ())
        added = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}
        if name := added.get(options.get("propagationPolicy", "")):
            finalizers = [*dict.fromkeys([*finalizers, name])]
        if finalizers:
            metadata["finalizers"] = finalizers
        new = {**old, "metadata": metadata}
        grace = options.get("gracePeriodSeconds")
        if grace is None:
            grace = (old.get("spec") or {}).get("terminationGracePeriodSeconds", 30)
        waits = bool(resource.resource == "pods" and (old["spec"].get("nodeName")) and grace > 0)
        if not waits and not _held(new):
            return self._remove(resource, objects, key, new)
        if metadata.get("deletionTimestamp"):
            return old if new == old else self._put(resource, objects, old, new)
        metadata["deletionTimestamp"] = format_time(self.clock.now())
        if resource.resource == "pods":
            metadata["deletionGracePeriodSeconds"] = grace
        if resource.resource == "namespaces":
            new["status"] = {**(new.get("status") or {}), "phase": "Terminating"}
        return self._put(resource, objects, old, new)

    def _put(
        self, resource: GroupResource, objects: dict[Key, Obj], old: Obj | None, new: Obj
    ) -> Obj:
        self.revision += 1
        new["metadata"] = {**new["metadata"], "resourceVersion": str(self.revision)}
        objects[key_of(new)] = new
        self._changed(resource, old, new)
        return new

    def _remove(self, resource: GroupResource, objects: dict[Key, Obj], key: Key, last: Obj) -> Obj:
        self.revision += 1
        del objects[key]
        metadata = {**last["metadata"], "resourceVersion": str(self.revision)}
        last = {**last, "metadata": metadata}
        self._changed(resource, last, None)
        return last

    def _changed(self, resource: GroupResource, old: Obj | None, new: Obj | None) -> None:
        self._history.append((self.revision, resource, old, new))
        self._watches = [watch for watch in self._watches if watch.active]
        for watch in self._watches:
            if watch.resource == resource:
                _tell(watch, old, new, self.revision)

    def _suffix(self) -> str:
        self._names += 1
        number, text = self._names, ""
        for _ in range(5):
            number, digit = divmod(number, len(_SUFFIX))
            text = _SUFFIX[digit] + text
        return text


class FakeTransport:
    """One user's way to a FakeApi; each call lets the others in the loop go first."""

    def __init__(self, api: FakeApi, user: str) -> None:
        self.api, self.user = api, user

    async def call(self, call: Call) -> Obj:
        await asyncio.sleep(0)
        self.api.calls.append((self.user, call))
        return self.api.handle(call)

    def watch(self, call: Call, after: int, deliver: Any, closed: Any) -> _Watch:
        return self.api.watch(call, after, deliver, closed)


def _kept_metadata(old: Obj, new: Obj, *, finalizing: bool) -> Obj:
    """Return the new metadata with what nobody may change, and the generation counted."""
    metadata = dict(new["metadata"])
    for name in ("uid", "creationTimestamp", "deletionTimestamp", "generation"):
        metadata.pop(name, None)
        if name in old["metadata"]:
            metadata[name] = old["metadata"][name]
    if not finalizing and new.get("spec") != old.get("spec"):
        metadata["generation"] = metadata.get("generation", 0) + 1
    metadata["resourceVersion"] = old["metadata"]["resourceVersion"]
    return metadata


def _held(obj: Obj) -> bool:
    if obj.get("kind") == "Namespace" and obj["spec"].get("finalizers"):
        return True
    return bool(obj["metadata"].get("finalizers"))


def _matcher(call: Call) -> Callable[[Obj], bool]:
    labels = parse_selector(call.params.get("labelSelector", ""))
    fields = parse_fields(call.params.get("fieldSelector", ""))

    def matches(obj: Obj) -> bool:
        if call.namespace and namespace_of(obj) != call.namespace:
            return False
        found = {r.field: str(_at(obj, r.field) or "") for r in fields.requirements}
        return labels.matches(labels_of(obj)) and fields.matches(found)

    return matches


def _at(obj: Any, path: str) -> Any:
    for part in path.split("."):
        obj = obj.get(part) if isinstance(obj, dict) else None
    return obj


def _tell(watch: _Watch, old: Obj | None, new: Obj | None, revision: int) -> None:
    was = old is not None and watch.matches(old)
    now = new is not None and watch.matches(new)
    if now and new is not None:
        watch.offer(WatchEvent("MODIFIED" if was else "ADDED", new, revision))
    elif was:
        last = new if new is not None else old
        assert last is not None
        watch.offer(WatchEvent("DELETED", last, revision))


def patched(obj: Obj, body: Any, content_type: str) -> Obj:
    """Apply a merge patch, a JSON patch, or the strategic patches that workers send."""
    if content_type.startswith("application/json-patch"):
        return _json_patched(obj, body)
    strategic = "strategic" in content_type
    return _merged(json.loads(json.dumps(obj)), body, strategic=strategic)


def _merged(target: Any, patch: Any, *, strategic: bool) -> Any:
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif strategic and key in _MERGE_KEYS and isinstance(value, list):
            result[key] = _merge_list(result.get(key) or [], value, _MERGE_KEYS[key])
            if not result[key]:
                del result[key]
        elif strategic and key == "finalizers":
            result[key] = [*dict.fromkeys([*(result.get(key) or []), *value])]
        elif key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            left = [one for one in result.get(name) or [] if one not in value]
            result[name] = left
            if not left:
                del result[name]
        else:
            result[key] = _merged(result.get(key), value, strategic=strategic)
    return result


_MERGE_KEYS = {"ownerReferences": "uid", "conditions": "type"}


def _merge_list(old: list[Obj], patch: list[Obj], key: str) -> list[Obj]:
    result = {one[key]: one for one in old}
    for item in patch:
        if item.get("$patch") == "delete":
            result.pop(item[key], None)
        else:
            result[item[key]] = _merged(result.get(item[key], {}), item, strategic=True)
    return list(result.values())


def _json_patched(obj: Obj, operations: list[Obj]) -> Obj:
    result = json.loads(json.dumps(obj))
    for operation in operations:
        *path, last = [
            part.replace("~1", "/").replace("~0", "~")
            for part in operation["path"].strip("/").split("/")
        ]
        parent: Any = result
        for part in path:
            parent = parent[int(part)] if isinstance(parent, list) else parent[part]
        match operation["op"]:
            case "test":
                found = parent[int(last)] if isinstance(parent, list) else parent.get(last)
                if found != operation["value"]:
                    raise ApiError("testing value failed", code=422, reason="Invalid")
            case "remove":
                parent.pop(int(last) if isinstance(parent, list) else last)
            case "add" | "replace":
                if isinstance(parent, list):
                    at = len(parent) if last == "-" else int(last)
                    parent.insert(at, operation["value"])
                else:
                    parent[last] = operation["value"]
    return dict(result)
