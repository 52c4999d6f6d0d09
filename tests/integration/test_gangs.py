"""A gang in a whole cluster whose operator has switched the feature on."""

from __future__ import annotations

import pytest

from apimachinery.errors import ApiError
from apiserver.auth.bootstrap.rbac import AUTOUPDATE
from apiserver.auth.user import MASTERS, User
from apiserver.endpoints.role_objects import bring_roles
from apiserver.registry import gates
from nodes.client.resources import CLUSTERROLEBINDINGS, CLUSTERROLES, JOBS, NODES, PODGROUPS, PODS
from playground.why.chain import explain
from playground.why.model import Ref
from tests.integration.test_why import World
from tests.nodes.scheduler.test_devices import device, device_class, slices
from tests.support.builders import obj
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


def why(lab, title, name):
    """Return what is said of an object, each cause with the name of what it is about."""
    found = explain(World(lab), Ref(title, "default", name))
    return [(link.about.name, link.cause.text) for link in found]


GROUPS = "podgroups.scheduling.k8s.io"


@pytest.fixture(autouse=True)
def gangs():
    gates.switch(dict.fromkeys(gates.FEATURES, True))
    yield
    gates.switch({})


def member(name, group="g", cpu="10m", **more):
    container = {"name": "c", "image": "nginx", "resources": {"requests": {"cpu": cpu}}}
    spec = {"schedulingGroup": {"podGroupName": group}, "containers": [container], **more}
    return dict(obj("Pod", name, spec=spec))


async def form(lab, name, minimum, **more):
    spec = {"schedulingPolicy": {"gang": {"minCount": minimum}}, **more}
    group = obj("PodGroup", name, api_version="scheduling.k8s.io/v1alpha2", spec=spec)
    return await lab.client.create(dict(group), PODGROUPS)


def node_of(lab, name):
    return lab.get("pods", name)["spec"].get("nodeName")


async def test_a_gang_is_bound_when_it_is_complete(lab):
    await lab.ready()
    await form(lab, "g", 2)
    await lab.client.create(member("a"))
    await lab.cluster.clock.sleep(10)
    assert "nodeName" not in lab.get("pods", "a")["spec"]
    other = {"spec": {"schedulingGroup": {"podGroupName": "h"}}}
    with pytest.raises(ApiError, match="pod updates may not change fields"):
        await lab.client.patch(PODS, "default", "a", other)
    await lab.client.create(member("b"))
    await eventually(lambda: all(lab.get("pods", n)["spec"].get("nodeName") for n in "ab"))

    def scheduled():
        found = lab.get("podgroups.scheduling.k8s.io", "g").get("status") or {}
        return [one["status"] for one in found.get("conditions") or ()] == ["True"]

    await eventually(scheduled)


async def test_a_group_of_higher_priority_has_a_whole_group_sent_away(lab):
    await lab.ready()
    high = obj("PriorityClass", "high", "", api_version="scheduling.k8s.io/v1")
    await lab.client.create({**high, "value": 1000})
    low = await form(lab, "low", 2, disruptionMode="PodGroup")
    assert (low["spec"]["priority"], low["spec"]["disruptionMode"]) == (0, "PodGroup")
    nodes = [node["metadata"]["name"] for node in lab.all("nodes")]
    fillers = [f"low-{at}" for at in range(len(nodes))]
    for name in fillers:
        await lab.client.create(member(name, "low", cpu="3"))
    await eventually(lambda: all(node_of(lab, name) for name in fillers))
    urgent = await form(lab, "urgent", 1, priorityClassName="high")
    assert urgent["spec"]["priority"] == 1000
    await lab.client.create(member("urgent", "urgent", cpu="3"))
    await eventually(lambda: node_of(lab, "urgent"), within=120)
    there = {
        pod["metadata"]["name"]
        for pod in lab.all("pods")
        if "deletionTimestamp" not in pod["metadata"]
    }
    assert there == {"urgent"}


async def test_a_group_stands_in_one_zone(lab):
    await lab.ready()
    first, *others = sorted(node["metadata"]["name"] for node in lab.all("nodes"))
    for name in others:
        await lab.client.patch(NODES, "", name, {"metadata": {"labels": {"rack": "b"}}})
    await lab.client.patch(NODES, "", first, {"metadata": {"labels": {"rack": "a"}}})
    await form(lab, "g", 2, schedulingConstraints={"topology": [{"key": "rack"}]})
    for name in "xy":
        await lab.client.create(member(name, cpu="3"))
    await eventually(lambda: all(node_of(lab, name) for name in "xy"))
    assert {node_of(lab, name) for name in "xy"} <= set(others)


async def test_a_group_stays_while_a_pod_of_it_is_there(lab):
    await lab.ready()
    await form(lab, "g", 1)
    await lab.client.create(member("a"))
    await eventually(lambda: node_of(lab, "a"))
    await lab.client.delete(PODGROUPS, "default", "g")
    assert "deletionTimestamp" in lab.get("podgroups.scheduling.k8s.io", "g")["metadata"]
    await lab.client.delete(PODS, "default", "a")
    await eventually(lambda: lab.all("podgroups.scheduling.k8s.io") == [])


async def test_a_job_is_a_gang_and_takes_its_group_with_it(lab):
    await lab.ready()
    container = {"name": "c", "image": "nginx"}
    spec = {
        "parallelism": 2,
        "completions": 2,
        "completionMode": "Indexed",
        "template": {"spec": {"containers": [container], "restartPolicy": "Never"}},
    }
    await lab.client.create(dict(obj("Job", "j", api_version="batch/v1", spec=spec)))
    await eventually(
        lambda: [bool(pod["spec"].get("nodeName")) for pod in lab.all("pods")] == [True] * 2
    )
    assert len(lab.all("podgroups.scheduling.k8s.io")) == 1
    more = {"spec": {"parallelism": 3, "completions": 3}}
    with pytest.raises(ApiError, match="cannot change parallelism for a Job referencing gang"):
        await lab.client.patch(JOBS, "default", "j", more)
    await lab.client.delete(JOBS, "default", "j", propagation="Background")
    for kind in ("podgroups", "workloads"):
        await eventually(lambda kind=kind: lab.all(f"{kind}.scheduling.k8s.io") == [], within=120)


async def test_why_a_member_waits(lab):
    await lab.ready()
    await lab.client.create(member("a"))
    await lab.quiet()
    missing = "It waits for the PodGroup g, which is not there."
    assert why(lab, "pods", "a") == [("a", missing)]
    await form(lab, "g", 3)
    await lab.quiet()
    assert why(lab, "pods", "a") == [
        ("a", "It waits for others of its PodGroup g."),
        ("g", "It has 1 of the 3 pods that it needs."),
    ]
    await lab.client.create(member("b"))
    await lab.client.create(member("big", cpu="1000"))

    def as_a_whole():
        return why(lab, "pods", "a") == [
            ("a", "It would fit, and gets no node because the PodGroup g as a whole does not."),
            ("g", "The scheduler finds no nodes for as many of its pods as are needed at once."),
            ("big", "The scheduler finds no node for it."),
        ]

    await eventually(as_a_whole, within=60)
    await lab.client.delete(PODGROUPS, "default", "g")
    (first, *_) = explain(World(lab), Ref(GROUPS, "default", "g"))
    assert first.cause.fixes[0].command == "kubectl delete pod a b big -n default"


async def test_a_gang_has_one_device_together(lab):
    await lab.ready()
    await lab.client.create(dict(device_class()))
    first = min(node["metadata"]["name"] for node in lab.all("nodes"))
    await lab.client.create(dict(slices(device("one"), on=first, pool=first)))
    requests = [{"name": "gpu", "exactly": {"deviceClassName": "gpu"}}]
    spec = {"spec": {"devices": {"requests": requests}}}
    version = "resource.k8s.io/v1"
    await lab.client.create(dict(obj("ResourceClaimTemplate", "t", api_version=version, spec=spec)))
    wanted = [{"name": "gpu", "resourceClaimTemplateName": "t"}]
    await form(lab, "g", 2, resourceClaims=wanted)
    for name in "ab":
        await lab.client.create(member(name, resourceClaims=wanted))
    await eventually(lambda: {node_of(lab, name) for name in "ab"} == {first}, within=60)
    (claim,) = lab.all("resourceclaims.resource.k8s.io")
    group = lab.get(GROUPS, "g")
    assert claim["status"]["reservedFor"] == [
        {
            "apiGroup": "scheduling.k8s.io",
            "resource": "podgroups",
            "name": "g",
            "uid": group["metadata"]["uid"],
        }
    ]
    said = [event["message"] for event in lab.all("events") if event["type"] == "Warning"]
    assert said == []
    for name in "ab":
        await lab.client.delete(PODS, "default", name)
    await lab.client.delete(PODGROUPS, "default", "g")
    await eventually(lambda: lab.all("resourceclaims.resource.k8s.io") == [], within=120)


async def test_a_cluster_from_before_gets_the_roles_that_features_need(lab):
    """Roles keep what they have besides; those that are not to be updated are left alone."""
    await lab.ready()
    protection, scheduler = (
        "system:controller:podgroup-protection-controller",
        "system:kube-scheduler",
    )
    for kind in (CLUSTERROLES, CLUSTERROLEBINDINGS):
        await lab.client.delete(kind, "", protection)
    roles, own = (
        "clusterroles.rbac.authorization.k8s.io",
        {"verbs": ["get"], "nonResourceURLs": ["/x"]},
    )
    job, before = "system:controller:job-controller", {}
    for name in (scheduler, job):
        before[name] = lab.get(roles, name, "")["rules"]
        kept = [one for one in before[name] if "scheduling.k8s.io" not in one.get("apiGroups", ())]
        await lab.client.patch(CLUSTERROLES, "", name, {"rules": [*kept, own]})
    alone = {"metadata": {"annotations": {AUTOUPDATE: "false"}}}
    await lab.client.patch(CLUSTERROLES, "", job, alone)
    await bring_roles(lab.cluster.api, User("system:apiserver", (MASTERS,)))
    assert lab.get(roles, protection, "")
    assert lab.get("clusterrolebindings.rbac.authorization.k8s.io", protection, "")
    now = lab.get(roles, scheduler, "")["rules"]
    assert own in now
    assert all(rule in now for rule in before[scheduler])
    assert len(lab.get(roles, job, "")["rules"]) < len(before[job]) + 1
