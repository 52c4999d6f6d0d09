"""A cluster that follows its definitions, and definitions to give it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from copy import deepcopy

import pytest

from apimachinery.clock import ManualClock
from apimachinery.meta import Obj
from apiserver.registry.custom.service import CustomResources
from tests.apiserver.endpoints.support import Client, Response, make_api

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS = "/apis/example.com/v1/namespaces/default/widgets"
MERGE = {"content-type": "application/merge-patch+json"}
APPLY = {"content-type": "application/apply-patch+yaml"}
WIDGET_SPEC: Obj = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "integer", "minimum": 1},
        "color": {"type": "string", "default": "red"},
        "parts": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name", "protocol"],
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string"},
                    "protocol": {"type": "string", "default": "UDP"},
                    "value": {"type": "string"},
                },
            },
        },
    },
}


def version(name: str = "v1", *, storage: bool = True, served: bool = True, **more: object) -> Obj:
    properties = {"spec": deepcopy(WIDGET_SPEC), "status": {
        "type": "object", "properties": {"replicas": {"type": "integer"}},
    }}  # fmt: skip
    schema = {"openAPIV3Schema": {"type": "object", "properties": properties}}
    return {"name": name, "served": served, "storage": storage, "schema": schema, **more}


def definition(*versions: Obj, plural: str = "widgets", **spec: object) -> Obj:
    kind = plural.removesuffix("s").capitalize()
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind},
            "versions": list(versions) or [version()],
            **spec,
        },
    }


def widget(name: str = "w", api_version: str = "v1", **spec: object) -> Obj:
    return {
        "apiVersion": f"example.com/{api_version}",
        "kind": "Widget",
        "metadata": {"name": name},
        "spec": {"size": 3, **spec},
    }


class Cluster(Client):
    """A client of an API whose custom kinds are served."""

    custom: CustomResources
    tasks: list[asyncio.Future[None]]

    async def put(self, path: str, body: Obj) -> Response:
        return await self.request("PUT", path, body)

    async def patch(self, path: str, body: Obj, headers: dict[str, str]) -> Response:
        return await self.request("PATCH", path, body, headers)

    async def delete(self, path: str) -> Response:
        return await self.request("DELETE", path)

    async def settle(self) -> None:
        """Wait until no definition waits to be looked at."""
        while self.tasks:
            await self.tasks.pop()

    async def define(self, crd: Obj) -> Obj:
        made = await self.post(DEFINITIONS, crd)
        assert made.status == 201, made.message
        await self.settle()
        return await self.definition(crd["metadata"]["name"])

    async def definition(self, name: str = "widgets.example.com") -> Obj:
        found: Obj = (await self.get(f"{DEFINITIONS}/{name}")).json()
        return found

    async def change(self, crd: Obj) -> None:
        """Replace a definition by what the test made of it."""
        name = crd["metadata"]["name"]
        live = await self.definition(name)
        body = live | {"spec": live["spec"] | crd["spec"]}
        changed = await self.put(f"{DEFINITIONS}/{name}", body)
        assert changed.status == 200, changed.message
        await self.settle()


@pytest.fixture
async def cluster(clock: ManualClock) -> AsyncIterator[Cluster]:
    api = await make_api(clock, bare=True)
    client = Cluster(api)
    client.tasks = []
    client.custom = CustomResources(
        api.catalog,
        api.registry,
        lambda name, work: client.tasks.append(asyncio.ensure_future(work)),
    )
    client.custom.start()
    yield client
    client.custom.stop()
    await client.settle()


def conditions(crd: Obj) -> dict[str, tuple[str, str]]:
    return {c["type"]: (c["status"], c["reason"]) for c in crd["status"]["conditions"]}
