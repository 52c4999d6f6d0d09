"""Who looks at a cluster as somebody else sees that user's requests, on the page and by REST."""

from __future__ import annotations

import json

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.urls import path

from playground.accounts.viewing import Viewing
from playground.topology.upstream import Upstreams
from playground.tracing.consumer import TraceConsumer

API = "/api/clusters/demo"


@pytest.fixture
def cluster(worker):
    return worker.fake.clusters["demo"]


@pytest.fixture
def as_ann(as_operator):
    as_operator.post(f"{API}/view-as", {"user": "ann"}, content_type="application/json")
    return as_operator


@pytest.mark.django_db
def test_lists_are_of_the_one_who_is_viewed_as(cluster, as_ann):
    as_ann.get(f"{API}/traces?who=all&user=bob&only=bob&object=pods/default/web-1")
    assert cluster.asked["traces"] == {
        "who": "all",
        "user": "bob",
        "object": "pods/default/web-1",
        "only": "ann",
    }
    as_ann.get(f"{API}/traces/some-id")
    assert cluster.asked["traces"] == {"only": "ann"}


@pytest.mark.django_db
def test_oneself_sees_all(cluster, as_operator):
    as_operator.get(f"{API}/traces")
    assert cluster.asked["traces"] == {}
    as_operator.get(f"{API}/traces/some-id?only=bob")
    assert cluster.asked["traces"] == {}


@pytest.mark.django_db
def test_another_cluster_is_looked_at_as_oneself(worker, as_ann):
    other = worker.fake.add("other")
    as_ann.get("/api/clusters/other/traces")
    assert other.asked["traces"] == {}


@pytest.mark.django_db
def test_audit_events_are_those_of_the_user(cluster, as_ann):
    cluster.audit = [
        {"user": {"username": "ann"}},
        {"user": {"username": "kubeground-site"}, "impersonatedUser": {"username": "ann"}},
        {"user": {"username": "ann"}, "impersonatedUser": {"username": "bob"}},
        {"user": {"username": "operator"}},
    ]
    assert as_ann.get(f"{API}/audit").json()["items"] == cluster.audit[:2]
    as_ann.delete(f"{API}/view-as")
    assert as_ann.get(f"{API}/audit").json()["items"] == cluster.audit


@pytest.mark.django_db(transaction=True)
async def test_so_is_the_stream(cluster, operator):
    operator.viewing = Viewing(cluster.uid, "demo", "ann")
    upstreams = Upstreams()
    consumer = type("Bound", (TraceConsumer,), {"upstreams": upstreams})
    application = URLRouter([path("ws/clusters/<slug:name>/traces/", consumer.as_asgi())])
    socket = WebsocketCommunicator(application, "/ws/clusters/demo/traces/")
    socket.scope["user"] = operator
    assert (await socket.connect(timeout=5))[0]
    hello = {"op": "hello", "after": None, "filter": {"who": "all", "object": "web-1", "only": "x"}}
    await socket.send_to(text_data=json.dumps(hello))
    assert json.loads(await socket.receive_from(timeout=5))["op"] == "snapshot"
    first = cluster.first_asked["traces"]
    assert first == {"who": "all", "object": "web-1", "only": "ann", "limit": "200"}
    await socket.disconnect()
    await upstreams.stop()
