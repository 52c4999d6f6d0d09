"""What each template promises: what runs in it, and what does not, and why."""

from __future__ import annotations

import asyncio

import pytest

from nodes.client import resources
from nodes.client.rest import MERGE_PATCH
from playground.cluster_templates import TEMPLATES
from playground.cluster_templates.features import ALL
from tests.integration.conftest import Lab
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


@pytest.fixture
async def make(fleet):
    async def made(template, **more):
        nodes = more.pop("nodes", TEMPLATES[template].size.nodes)
        return Lab(await fleet.create(template, nodes=nodes, template=template, **more))

    return made


def phases(lab, space):
    found = {}
    for pod in lab.all("pods", space):
        app = pod["metadata"]["labels"]["app"]
        found.setdefault(app, []).append(pod["status"].get("phase"))
    return {app: sorted(each) for app, each in found.items()}


def messages(lab, space, reason):
    return " ".join(e["message"] for e in lab.all("events", space) if e["reason"] == reason)


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=list(TEMPLATES))
def test_each_says_what_it_is_for(template):
    assert str(template.purpose).endswith((".", "?"))
    assert set(template.features) <= set(ALL)


async def test_features_are_switched_on_and_off(make):
    lab = await make("default", nodes=0, features=("storage",))
    assert lab.all("storageclasses.storage.k8s.io")
    assert not lab.all("ingressclasses.networking.k8s.io")


async def test_two_zones_are_used_alike(make):
    lab = await make("two-zones")
    await lab.available("web", 4)
    zones = {
        node["metadata"]["name"]: node["metadata"]["labels"]["topology.kubernetes.io/zone"]
        for node in lab.all("nodes")
    }
    used = sorted(zones[pod["spec"]["nodeName"]] for pod in lab.pods())
    assert used == ["east-1a", "east-1a", "east-1b", "east-1b"]


async def test_each_pod_that_is_not_scheduled_has_its_own_reason(make):
    lab = await make("broken-scheduling")
    expected = {
        "front": ["Running"] * 3,
        "cart": ["Pending", *["Running"] * 3],
        "checkout": ["Pending"] * 2,
        "search": ["Pending"] * 2,
        "orders": ["Pending"],
        "recommend": ["Pending"],
    }
    await eventually(lambda: phases(lab, "shop") == expected, within=120)
    await eventually(lambda: phases(lab, "night") == {"reports": ["Running"] * 2}, within=120)
    told = messages(lab, "shop", "FailedScheduling")
    for reason in (
        "Insufficient cpu",
        "didn't match Pod's node affinity/selector",
        "didn't match pod anti-affinity rules",
        "unbound immediate PersistentVolumeClaims",
    ):
        assert reason in told
    assert "exceeded quota: night" in messages(lab, "night", "FailedCreate")
    unclaimed = next(p for p in lab.all("pods", "shop") if "recommend" in p["metadata"]["name"])
    assert not unclaimed["status"].get("conditions")


async def test_names_do_not_resolve_until_the_service_finds_its_servers(make):
    lab = await make("broken-dns")
    await eventually(lambda: phases(lab, "shop").get("finder") == ["Running"], within=120)

    async def asks(app, space, *command):
        pod = next(p for p in lab.all("pods", space) if p["metadata"]["labels"]["app"] == app)
        kubelet = lab.cluster.kubelets[pod["spec"]["nodeName"]]
        record = kubelet.container(space, pod["metadata"]["name"], app)
        answer = await kubelet.host.runtime.exec_sync(record.id, command)
        return (answer.stdout + answer.stderr).decode()

    assert "no servers could be reached" in await asks("finder", "shop", "nslookup", "cart")
    right = {"spec": {"selector": {"k8s-app": "coredns"}}}
    await lab.client.patch(resources.SERVICES, "kube-system", "kube-dns", right, MERGE_PATCH)

    def served():
        slices = lab.all("endpointslices.discovery.k8s.io", "kube-system")
        return any(each.get("endpoints") for each in slices)

    await eventually(served, within=60)
    await asyncio.sleep(2)
    answer = await asks("finder", "shop", "nslookup", "cart")
    assert "cart.shop.svc.cluster.local" in answer
    # A second fault is left: this pod asks somebody else.
    await eventually(lambda: phases(lab, "vault").get("asker") == ["Running"], within=120)
    assert "no servers could be reached" in await asks("asker", "vault", "nslookup", "prices")


async def test_the_large_one_has_its_pods_from_the_first_moment():
    seeds = list(TEMPLATES["large"].seeds("2026-01-02T03:04:05Z"))
    pods = [each for each in seeds if each["kind"] == "Pod"]
    assert len(pods) == 5000
    assert len({pod["metadata"]["name"] for pod in pods}) == 5000
    assert len({pod["spec"]["nodeName"] for pod in pods}) == 100
