"""Whole clusters in one loop, on SQLite and on virtual time: everything but HTTP."""

import pytest

from apimachinery.errors import NotFound
from apiserver.auth.user import MASTERS, User
from apiserver.endpoints.local import LocalTransport
from apiserver.watch.hub import WatchHub
from nodes.client.loopclock import LoopClock
from nodes.client.rest import Client
from playground.cluster import Surface
from playground.controlplane.manifests import ROLE
from playground.fleet import Fleet
from playground.secure_server import ClientTrust
from tests.support.eventually import eventually
from tests.support.inline import InlineStorage


class Lab:
    """One running cluster, and short ways to use it as its administrator."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.client = Client(LocalTransport(cluster.api, User("admin", (MASTERS,)), "kubectl"))

    async def ready(self):
        """Wait until pods can be made: nodes free of taints, the default account there.

        A node for the control plane keeps its own.
        """
        await eventually(
            lambda: (
                not any(
                    taint["key"] != ROLE
                    for node in self.all("nodes")
                    for taint in node["spec"].get("taints") or ()
                )
                and self.get("serviceaccounts", "default")
            ),
            within=60,
        )
        return self

    async def quiet(self):
        """Wait until workers have written what they had to; return the revision."""
        before, store = -1, self.cluster.store
        while store.revision != before:
            before = store.revision
            await self.cluster.clock.sleep(10)
        return before

    async def early_in_a_minute(self):
        """Wait until the cluster's minute is young, so that none begins while a test prepares."""
        clock = self.cluster.clock
        await clock.sleep(65 - clock.seconds() % 60)

    def get(self, plural, name, namespace="default"):
        return self.cluster.api.objects.get(plural, namespace, name)

    def all(self, plural, namespace=None):
        return self.cluster.api.objects.list(plural, namespace)

    def pods(self, app="web"):
        return [p for p in self.all("pods") if p["metadata"].get("labels", {}).get("app") == app]

    async def available(self, name="web", replicas=3, within=60):
        def check():
            found = self.get("deployments.apps", name)
            return found and (found.get("status") or {}).get("availableReplicas") == replicas

        await eventually(check, within=within)

    async def exec(self, pod, *command):
        """Run a command in the first container; return its output."""
        found = self.get("pods", pod)
        kubelet = self.cluster.kubelets[found["spec"]["nodeName"]]
        record = kubelet.container("default", pod, found["spec"]["containers"][0]["name"])
        answer = await kubelet.host.runtime.exec_sync(record.id, command)
        return (answer.stdout + answer.stderr).decode()

    async def gone(self, resource, name):
        try:
            await self.client.get(resource, "default", name)
        except NotFound:
            return True
        return False


@pytest.fixture
async def fleet(sqlite, monkeypatch):
    # The inline storage uses its connection on the loop's thread, which Django warns of.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    surface = Surface("https://127.0.0.1:6443", "CA", "admin-token")
    storage = InlineStorage(clock=LoopClock(), hub=WatchHub, alias=sqlite)
    made = Fleet(storage, surface, ClientTrust())
    yield made
    await made.close()


@pytest.fixture
async def lab(fleet):
    cluster = await fleet.create("lab", nodes=3, template="bare")
    return await Lab(cluster).ready()


def deployment(name="web", replicas=3, image="nginx:1.27", **spec):
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "c", "image": image}]},
            },
            **spec,
        },
    }


def service(name="web", **ports):
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, **ports}]},
    }
