"""Requests and a reader of objects, for the tests of admission plugins."""

from __future__ import annotations

from typing import Any

import orjson

from apimachinery.gvk import GroupResource, GroupVersionKind
from apimachinery.meta import Obj
from apiserver.admission.interfaces import AdmissionRequest, Operation
from apiserver.auth.user import User


class Reader:
    """The objects of a cluster, by (resource, namespace, name)."""

    def __init__(self, **objects: list[Obj]) -> None:
        self._objects: dict[str, list[Obj]] = {}
        for resource, found in objects.items():
            self.add(resource, *found)

    def add(self, resource: str, *objects: Obj) -> None:
        self._objects.setdefault(resource.replace("__", "."), []).extend(objects)

    def remove(self, resource: str, namespace: str, name: str) -> None:
        gone = self.get(resource, namespace, name)
        self._objects[resource] = [one for one in self._objects[resource] if one is not gone]

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        for obj in self._objects.get(resource, []):
            metadata = obj["metadata"]
            if (metadata.get("namespace", ""), metadata["name"]) == (namespace, name):
                return obj
        return None

    def text(self, resource: str, namespace: str, name: str) -> bytes:
        obj = self.get(resource, namespace, name)
        return b"" if obj is None else orjson.dumps(obj)

    def list(self, resource: str, namespace: str | None = None) -> list[Obj]:
        return [
            obj
            for obj in self._objects.get(resource, [])
            if namespace in {None, obj["metadata"].get("namespace", "")}
        ]


def named(name: str, namespace: str = "", **fields: Any) -> Obj:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"metadata": metadata, **fields}


def pod(**spec: Any) -> Obj:
    spec.setdefault("containers", [{"name": "c", "image": "nginx"}])
    return {"apiVersion": "v1", "kind": "Pod", **named("p", "ns"), "spec": spec}


def request(
    obj: Obj | None = None,
    resource: str = "pods",
    operation: Operation = Operation.CREATE,
    **more: Any,
) -> AdmissionRequest:
    """Return a request about an object; its name and namespace are read off it."""
    about = obj or more.get("old_object") or {}
    metadata = about.get("metadata") or {}
    more.setdefault("namespace", metadata.get("namespace", ""))
    more.setdefault("name", metadata.get("name", ""))
    more.setdefault("user", User("ann"))
    kind = GroupVersionKind("", "v1", about.get("kind", ""))
    return AdmissionRequest(
        operation, kind, GroupResource.parse(resource), "v1", object=obj, **more
    )
