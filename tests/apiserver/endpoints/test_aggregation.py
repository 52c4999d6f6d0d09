"""Aggregated APIs: served while an APIService says so and its Service has addresses."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from apimachinery.errors import NotFound
from apimachinery.gvk import GroupVersion
from apimachinery.meta import Obj
from apiserver.auth.user import MASTERS, User
from apiserver.endpoints.aggregation import remotes
from apiserver.endpoints.aggregation.following import Aggregation, Extension
from apiserver.endpoints.aggregation.remotes import Remote, Server
from apiserver.endpoints.api import ClusterApi
from apiserver.flowcontrol.filter import FlowFilter
from apiserver.registry.resource import Resource
from apiserver.registry.strategy import Strategy
from tests.apiserver.endpoints.support import Client
from tests.support.virtualtime import VIRTUAL_TIME

GROUP = GroupVersion("weather.example.com", "v1")
APISERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
NAME = "v1.weather.example.com"
REPORTS = "/apis/weather.example.com/v1/namespaces/default/reports"
SERVICE = {"namespace": "kube-system", "name": "weather"}
RESOURCE = Resource(
    kind=GROUP.kind("Report"),
    plural="reports",
    strategy=Strategy(),
    verbs=("get", "list"),
    custom=True,
)


async def read(namespace: str, name: str) -> list[Obj]:
    places = {"berlin": "wet", "cairo": "dry"}
    found = [
        {
            "apiVersion": "weather.example.com/v1",
            "kind": "Report",
            "metadata": {"name": one, "namespace": namespace, "labels": {"air": air}},
        }
        for one, air in places.items()
        if name in ("", one)
    ]
    if name and not found:
        raise NotFound(RESOURCE.group_resource, name)
    return found


class Lab:
    """A cluster's API with one extension."""

    def __init__(self, api: ClusterApi) -> None:
        self.client = Client(api)
        self.tasks: list[asyncio.Task[None]] = []
        extension = Extension(GROUP, ((RESOURCE, read),))
        user = User("system:apiserver", (MASTERS,))
        self.aggregation = Aggregation(api, user, self._spawn, [extension])
        self.aggregation.start()

    def _spawn(self, name: str, work: Any) -> None:
        self.tasks.append(asyncio.ensure_future(work))

    async def register(self, **spec: Any) -> None:
        given = {"group": GROUP.group, "version": "v1", "groupPriorityMinimum": 100}
        body = {"metadata": {"name": NAME}, "spec": {**given, "versionPriority": 100, **spec}}
        answer = await self.client.post(APISERVICES, body)
        assert answer.status == 201, answer.body

    async def available(self) -> tuple[str, str, str]:
        await asyncio.gather(*self.tasks)
        found = (await self.client.get(f"{APISERVICES}/{NAME}")).json()
        one = found["status"]["conditions"][0]
        return one["status"], one["reason"], one["message"]

    async def status(self) -> int:
        return (await self.client.get(REPORTS)).status

    async def make_service(self, port: int = 443) -> None:
        await self.client.post("/api/v1/namespaces", {"metadata": {"name": "kube-system"}})
        spec = {"clusterIP": "None", "ports": [{"name": "https", "port": port}]}
        path = "/api/v1/namespaces/kube-system/services"
        answer = await self.client.post(path, {"metadata": {"name": "weather"}, "spec": spec})
        assert answer.status == 201, answer.body

    async def make_address(self, *, ready: bool = True) -> None:
        part = {
            "metadata": {"name": "w-1", "labels": {"kubernetes.io/service-name": "weather"}},
            "addressType": "IPv4",
            "ports": [{"name": "https", "port": 8443}],
            "endpoints": [{"addresses": ["10.244.0.9"], "conditions": {"ready": ready}}],
        }
        path = "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices"
        answer = await self.client.post(path, part)
        assert answer.status == 201, answer.body


@pytest.fixture
async def lab(api: ClusterApi):
    made = Lab(api)
    yield made
    made.aggregation.stop()
    await asyncio.gather(*made.tasks)


async def test_nothing_is_served_unregistered(lab: Lab):
    assert await lab.status() == 404


async def test_a_local_registration_is_served_until_it_goes(lab: Lab):
    await lab.register()
    assert (await lab.available())[:2] == ("True", "Local")
    found = (await lab.client.get(REPORTS)).json()
    assert (found["kind"], found["apiVersion"]) == ("ReportList", "weather.example.com/v1")
    assert [item["metadata"]["name"] for item in found["items"]] == ["berlin", "cairo"]
    groups = (await lab.client.get("/apis")).json()["groups"]
    assert GROUP.group in [group["name"] for group in groups]
    await lab.client.request("DELETE", f"{APISERVICES}/{NAME}")
    assert await lab.status() == 404
    groups = (await lab.client.get("/apis")).json()["groups"]
    assert GROUP.group not in [group["name"] for group in groups]


async def test_what_was_registered_before_the_start_is_served(api: ClusterApi):
    first = Lab(api)
    await first.register()
    first.aggregation.stop()
    api.computed.pop(RESOURCE.key)
    api.catalog.remove(RESOURCE.key)
    assert await first.status() == 404
    again = Lab(api)
    assert await again.status() == 200
    again.aggregation.stop()


async def test_one_object_selectors_and_tables(lab: Lab):
    await lab.register()
    one = await lab.client.get(f"{REPORTS}/cairo")
    assert one.json()["metadata"]["labels"] == {"air": "dry"}
    assert (await lab.client.get(f"{REPORTS}/oslo")).status == 404
    for query in ("labelSelector=air%3Dwet", "fieldSelector=metadata.name%3Dberlin"):
        items = (await lab.client.get(f"{REPORTS}?{query}")).json()["items"]
        assert [item["metadata"]["name"] for item in items] == ["berlin"]
    none = await lab.client.get(f"{REPORTS}?fieldSelector=metadata.name%3Doslo")
    assert (none.status, none.json()["items"]) == (200, [])
    odd = await lab.client.get(f"{REPORTS}?fieldSelector=spec.x%3D1")
    assert odd.status == 400


async def test_nothing_can_be_written(lab: Lab):
    await lab.register()
    answer = await lab.client.post(REPORTS, {"metadata": {"name": "rome"}})
    assert answer.status == 405
    assert (await lab.client.request("DELETE", f"{REPORTS}/cairo")).status == 405


async def test_behind_a_service(lab: Lab):
    """Served from the moment in which the Service has an address, until it goes."""
    await lab.register(service=SERVICE)
    assert await lab.available() == (
        "False",
        "ServiceNotFound",
        'service/weather in "kube-system" is not present',
    )
    await lab.make_service()
    assert await lab.available() == (
        "False",
        "EndpointsNotFound",
        'cannot find endpointslices for service/weather in "kube-system"',
    )
    assert await lab.status() == 404
    await lab.make_address()
    assert await lab.available() == ("True", "Passed", "all checks passed")
    assert await lab.status() == 200
    await lab.client.request("DELETE", "/api/v1/namespaces/kube-system/services/weather")
    assert (await lab.available())[1] == "ServiceNotFound"
    assert await lab.status() == 404


async def test_addresses_that_are_not_ready(lab: Lab):
    await lab.make_service()
    await lab.make_address(ready=False)
    await lab.register(service=SERVICE)
    assert (await lab.available())[1:] == (
        "MissingEndpoints",
        (
            'endpointslices for service/weather in "kube-system" have no addresses with port name '
            '"https"'
        ),
    )


async def test_a_service_without_the_port(lab: Lab):
    await lab.make_service(port=8443)
    await lab.make_address()
    await lab.register(service=SERVICE)
    assert (await lab.available())[1:] == (
        "ServicePortError",
        'service/weather in "kube-system" is not listening on port 443',
    )


async def test_a_group_that_nobody_answers(lab: Lab):
    await lab.make_service()
    await lab.make_address()
    other = "v2.weather.example.com"
    spec = {"group": GROUP.group, "version": "v2", "groupPriorityMinimum": 1}
    body = {"metadata": {"name": other}, "spec": {**spec, "versionPriority": 1, "service": SERVICE}}
    await lab.client.post(APISERVICES, body)
    await asyncio.gather(*lab.tasks)
    found = (await lab.client.get(f"{APISERVICES}/{other}")).json()
    assert found["status"]["conditions"][0]["reason"] == "FailedDiscoveryCheck"


async def test_an_unchanged_condition_is_not_written_again(lab: Lab):
    await lab.register()
    await lab.available()
    before = lab.client.api.store.revision
    body = {"metadata": {"labels": {"a": "b"}}}
    kind = "application/merge-patch+json"
    path = f"{APISERVICES}/{NAME}"
    answer = await lab.client.request("PATCH", path, body, {"content-type": kind})
    assert answer.status == 200
    await lab.available()
    assert lab.client.api.store.revision == before + 1


class Telling:
    """Extension API servers that say that they serve a kind."""

    status = 200
    fields = ()

    async def open(self, *args: Any, **kwargs: Any) -> Any:
        return self

    async def body(self):
        row = {"name": "storms", "kind": "Storm", "namespaced": True, "verbs": ["get"]}
        yield orjson.dumps({"resources": [row]})

    def close(self) -> None:
        pass


@pytest.mark.parametrize(("room", "known"), [(10_000, ["storms"]), (100, [])])
async def test_what_servers_say_is_kept_while_there_is_room(lab: Lab, monkeypatch, room, known):
    monkeypatch.setattr(remotes, "MAX_DISCOVERY", room)
    lab.client.api.remotes.servers = Telling()
    await lab.make_service()
    await lab.make_address()
    other = GroupVersion("storms.example.com", "v1")
    spec = {"group": other.group, "version": "v1", "groupPriorityMinimum": 100}
    body = {
        "metadata": {"name": "v1.storms.example.com"},
        "spec": {**spec, "versionPriority": 100, "service": SERVICE, "insecureSkipTLSVerify": True},
    }
    assert (await lab.client.post(APISERVICES, body)).status == 201
    await asyncio.gather(*lab.tasks)
    found = lab.client.api.remotes.get(other)
    assert [row["name"] for row in found.resources] == known
    assert found.discovered["freshness"] == ("Current" if known else "Stale")


class Silent:
    """Extension API servers that take requests and say nothing."""

    async def open(self, *args: Any, **kwargs: Any) -> Any:
        await asyncio.Event().wait()


@VIRTUAL_TIME
@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        (REPORTS, 504, b"request did not complete within requested timeout"),
        (f"{REPORTS}/berlin", 504, b"request did not complete within requested timeout"),
        (f"{REPORTS}?watch=true", 503, b"trying to reach service: context deadline exceeded"),
    ],
)
async def test_a_silent_server_is_not_waited_for_for_ever(api: ClusterApi, path, code, words):
    """A client that has gone would leave its seat taken."""
    api.remotes.servers = Silent()
    api.remotes.put(Remote(NAME, GROUP, Server("kube-system", "weather"), available=True))
    began = asyncio.get_running_loop().time()
    answer = await Client(api).get(path)
    assert asyncio.get_running_loop().time() - began == pytest.approx(60)
    assert (answer.status, words in answer.body) == (code, True)
    assert isinstance(api.flow, FlowFilter)
    assert sum(api.flow.under_way.values()) == 0


class Saying:
    """Extension API servers that answer with a head alone."""

    def __init__(self, status: int, *fields: tuple[str, str]) -> None:
        self.status, self.fields, self.closed = status, fields, False

    async def open(self, *args: Any, **kwargs: Any) -> Any:
        return self

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (
            Saying(302, ("location", "https://elsewhere.example/")),
            502,
            b"the backend attempted to redirect this request, which is not permitted",
        ),
        (
            Saying(101, ("Upgrade", "websocket")),
            503,
            b'backend tried to switch protocol "websocket" when "" was requested\n',
        ),
    ],
)
async def test_answers_that_are_not_passed_on(api: ClusterApi, answer: Saying, code, words):
    api.remotes.servers = answer
    api.remotes.put(Remote(NAME, GROUP, Server("kube-system", "weather"), available=True))
    found = await Client(api).get(REPORTS)
    assert (found.status, found.body, answer.closed) == (code, words, True)
    assert "location" not in found.headers
