"""A cluster in memory for the tests of auth: objects that are put, and events that are pushed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from apimachinery.clock import Clock, ManualClock
from apimachinery.meta import Obj
from apiserver.auth.cluster import ClusterAuth, create_credentials
from apiserver.storage.types import Entry, Event, Key

RESOURCES = {
    "ClusterRole": "clusterroles.rbac.authorization.k8s.io",
    "ClusterRoleBinding": "clusterrolebindings.rbac.authorization.k8s.io",
    "Role": "roles.rbac.authorization.k8s.io",
    "RoleBinding": "rolebindings.rbac.authorization.k8s.io",
    "ResourceSlice": "resourceslices.resource.k8s.io",
    "VolumeAttachment": "volumeattachments.storage.k8s.io",
}


class _Watch:
    def __init__(self, watches: list[_Watch], resource: str, sink: Callable[..., None]) -> None:
        self._watches = watches
        self.resource = resource
        self.sink = sink

    def cancel(self) -> None:
        self._watches.remove(self)


class FakeCluster:
    """The reads of a store and the subscriptions of a hub."""

    def __init__(self) -> None:
        self._entries: dict[Key, Entry] = {}
        self._watches: list[_Watch] = []
        self.revision = 0

    def get(self, key: Key) -> Entry | None:
        return self._entries.get(key)

    def list(self, resource: str, namespace: str | None = None) -> Sequence[Entry]:
        return [
            entry
            for key, entry in sorted(self._entries.items())
            if key.resource == resource and namespace in {None, key.namespace}
        ]

    def on_node(self, node: str) -> Sequence[Entry]:
        return [entry for entry in self.list("pods") if entry.field("spec.nodeName") == node]

    def subscribe(self, resource: str, *, after: int, sink: Any, closed: Any) -> _Watch:
        assert after == self.revision
        watch = _Watch(self._watches, resource, sink)
        self._watches.append(watch)
        return watch

    @property
    def watches(self) -> int:
        return len(self._watches)

    def put(self, obj: Obj) -> Obj:
        self.revision += 1
        metadata = obj["metadata"]
        resource = RESOURCES.get(obj["kind"], f"{obj['kind'].lower()}s")
        key = Key(resource, metadata.get("namespace", ""), metadata["name"])
        previous = self._entries.get(key)
        uid = metadata.setdefault("uid", f"uid-{metadata['name']}")
        fields = {"spec.nodeName": (obj.get("spec") or {}).get("nodeName", "")}
        entry = Entry(key, uid, self.revision, orjson.dumps(obj), {}, fields)
        self._entries[key] = entry
        self._push(Event("MODIFIED" if previous else "ADDED", self.revision, entry, previous))
        return obj

    def delete(self, resource: str, namespace: str, name: str) -> None:
        self.revision += 1
        previous = self._entries.pop(Key(resource, namespace, name))
        self._push(Event("DELETED", self.revision, previous.at(self.revision), previous))

    def _push(self, event: Event) -> None:
        for watch in list(self._watches):
            if watch.resource == event.entry.key.resource:
                watch.sink([event])


def new_auth(
    cluster: FakeCluster | None = None, clock: Clock | None = None, uid: str = "c1", **more: Any
) -> ClusterAuth:
    """Return the auth of a cluster, following it."""
    cluster, clock = cluster or FakeCluster(), clock or ManualClock()
    auth = ClusterAuth(create_credentials(uid, clock), cluster, clock, **more)
    auth.start(cluster, cluster.revision)
    return auth


RBAC = "rbac.authorization.k8s.io"


def role(namespace: str, name: str, *rules: Obj) -> Obj:
    kind = "Role" if namespace else "ClusterRole"
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": metadata, "rules": list(rules)}


def binding(namespace: str, name: str, ref: str, *subjects: Obj) -> Obj:
    """Return a binding; `ref` is "Role/name" or "ClusterRole/name"."""
    kind, _, role_name = ref.partition("/")
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": role_name},
        "subjects": list(subjects),
    }


def rule(verbs: str, groups: str, resources: str, names: str = "") -> Obj:
    made: Obj = {
        "verbs": verbs.split(),
        "apiGroups": ["" if group == "core" else group for group in groups.split()],
        "resources": resources.split(),
    }
    return made | ({"resourceNames": names.split()} if names else {})


def user(name: str) -> Obj:
    return {"kind": "User", "apiGroup": RBAC, "name": name}


def group(name: str) -> Obj:
    return {"kind": "Group", "apiGroup": RBAC, "name": name}


def account(namespace: str, name: str) -> Obj:
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def plain(kind: str, namespace: str, name: str, **fields: Any) -> Obj:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **fields}
