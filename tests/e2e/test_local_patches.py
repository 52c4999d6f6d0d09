"""Patches are those of kubectl, which has the libraries of Kubernetes in it and needs no server."""

from __future__ import annotations

import copy
import json
import random

import pytest

from apimachinery.errors import ApiError
from apimachinery.gvk import APPS_V1
from apimachinery.patch import json as json_patch
from apimachinery.patch import merge, strategic
from apimachinery.schema import types
from tests.support.kubectl import BINARIES, run

DEPLOYMENT = types().type_of(APPS_V1.kind("Deployment"))
OBJECT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "d",
        "labels": {"a": "1"},
        "annotations": {"x/y": "1", "t~u": "2"},
        "finalizers": ["a/a", "b/b", "c/c"],
    },
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"a": "b"}},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {
                "containers": [
                    {
                        "name": "one",
                        "image": "x",
                        "command": ["x", "y"],
                        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                        "ports": [{"containerPort": 80}],
                    },
                    {"name": "two", "image": "y"},
                ],
                "volumes": [
                    {"name": "v", "emptyDir": {}},
                    {"name": "w", "configMap": {"name": "c"}},
                ],
            },
        },
    },
}
# Which of two errors kubectl finds first is chance: each of these patches has one at most.
ROUNDS = 30


class Patches:
    """Patches that a seed comes to."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def _one(self, *values):
        return copy.deepcopy(self._chance.choice(values))

    def _some(self, make):
        return [make() for _ in range(self._chance.randint(0, 3))]

    def strategic(self):
        kind = self._chance.randint(0, 5)
        if kind == 0:
            return {"metadata": self._metadata()}
        if kind == 1:
            return {"spec": {"strategy": self._strategy()}}
        order = [{"name": name} for name in self._chance.sample(["one", "two", "new"], 3)]
        spec = {"containers": self._some(self._container)}
        if kind == 2:
            spec["$setElementOrder/containers"] = order
        if kind == 3:
            spec = {"volumes": self._some(self._volume)}
        return {"spec": {"template": {"spec": spec}}}

    def _metadata(self):
        return self._one(
            {"labels": {"a": None, "b": "2"}},
            {"labels": {"$patch": "replace", "z": "1"}},
            {"labels": {"$patch": "delete"}},
            {"labels": {"$patch": "x"}},
            {"finalizers": ["d/d", "b/b"]},
            {"finalizers": None},
            {"$deleteFromPrimitiveList/finalizers": ["a/a", "q"]},
            {"$setElementOrder/finalizers": ["c/c", "a/a"]},
            {"$setElementOrder/finalizers": "x"},
            {"$setElementOrder/nope": []},
            {"ownerReferences": [{"uid": "u", "$patch": "delete"}, {"uid": "v", "name": None}]},
        )

    def _strategy(self):
        return self._one(
            {"$retainKeys": ["type"], "type": "Recreate"},
            {"$retainKeys": ["x"], "type": "y"},
            {"$patch": "replace", "type": "Recreate"},
            {"type": "Recreate", "rollingUpdate": None},
        )

    def _container(self):
        made = {"name": self._one("one", "two", "new")}
        if self._one(True, False):
            made["image"] = self._one("q", None)
        if self._one(True, False, False):
            made["env"] = self._some(self._variable)
        if self._one(True, *[False] * 6):
            made["$patch"] = self._one("delete", "replace")
        if self._one(True, *[False] * 6):
            made["command"] = self._one(["z"], [], None)
        return made

    def _variable(self):
        return self._one(
            {"name": "A", "value": "9"},
            {"name": "B", "$patch": "delete"},
            {"name": "C", "value": None},
        )

    def _volume(self):
        return self._one(
            {"name": "v", "$retainKeys": ["name", "configMap"], "configMap": {"name": "k"}},
            {"name": "w", "configMap": {"items": [{"key": "a", "path": None}]}},
            {"name": "x", "$patch": "merge"},
            {"emptyDir": {}},
        )

    def merge(self):
        value = self._one(None, 1, "x", [None, {"a": None}], {"x": None, "y": [None]}, {})
        place = self._one("labels", "annotations", "finalizers", "new")
        return {"metadata": {place: value}, "spec": self._one({"replicas": None}, {"paused": True})}

    def json(self):
        path = self._one(
            "/metadata/annotations/x~1y", "/metadata/annotations/t~0u", "/metadata/labels/none",
            "/metadata/finalizers/-", "/metadata/finalizers/-1", "/metadata/finalizers/+1",
            "/metadata/finalizers/3", "/metadata/finalizers/7", "/metadata/none/x", "spec/replicas",
        )  # fmt: skip
        operation = self._one("add", "remove", "replace", "test", "copy", "move", "none")
        value = self._one("1", "2", "b/b", 1, None)
        step = {"op": operation, "path": path, "value": value}
        return [{**step, "from": self._one(path, "/metadata/labels/a")}]


def without_nulls(value):
    """Return what is left of an object once it is read: nulls of objects are nothing."""
    if isinstance(value, dict):
        return {key: without_nulls(part) for key, part in value.items() if part is not None}
    return [without_nulls(part) for part in value] if isinstance(value, list) else value


def patched_here(kind, patch):
    try:
        if kind == "strategic":
            made = strategic.apply(OBJECT, patch, DEPLOYMENT)
        else:
            made = {"merge": merge, "json": json_patch}[kind].apply(OBJECT, patch)
    except ApiError as error:
        return None if kind == "json" else error.message.strip()
    return without_nulls(made)


def patched_there(kind, patch, path):
    command = [str(BINARIES["1.36"]), "patch", "--local", "-f", str(path), "-o", "json"]
    done = run([*command, "--type", kind, "-p", json.dumps(patch)], {"HOME": str(path.parent)})
    if done.code:
        return None if kind == "json" else done.err.strip().removeprefix("error: ")
    return without_nulls(json.loads(done.out))


@pytest.mark.parametrize("kind", ["strategic", "merge", "json"])
def test_random_patches(kind, tmp_path):
    path = tmp_path / "object.json"
    path.write_text(json.dumps(OBJECT))
    patches = Patches(len(kind))
    for _ in range(ROUNDS):
        patch = getattr(patches, kind)()
        assert patched_here(kind, patch) == patched_there(kind, patch, path), patch
