"""The overview: counts by health, warnings by reason, the control plane; as far as one may see."""

from __future__ import annotations

import asyncio

import pytest

from nodes.client.resources import ROLEBINDINGS
from playground import control_overview
from playground.control_call import Call
from playground.control_overview import overview
from tests.support.builders import obj
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME
RBAC = "rbac.authorization.k8s.io/v1"


@pytest.fixture
def look(lab, fleet):
    async def ask(user="", groups=(), **query):
        headers = [(b"impersonate-user", user.encode())] if user else []
        headers += [(b"impersonate-group", group.encode()) for group in groups]
        given = {name: [str(value)] for name, value in query.items()}
        call = Call(fleet, [lab.cluster.name, "overview"], given, b"", headers)
        code, answer = await overview(call)
        assert code == 200
        return answer

    return ask


async def become(look, check, **query):
    """The first answer that `check` is content with, within two minutes."""
    for _ in range(1200):
        answer = await look(**query)
        if check(answer):
            return answer
        await asyncio.sleep(0.1)
    raise AssertionError("not so after two minutes")


def kind(answer, plural):
    return next((one for one in answer["kinds"] if one["plural"] == plural), None)


def states(answer, plural):
    return {one["word"]: one["count"] for one in kind(answer, plural)["states"]}


def web(image="nginx", replicas=3):
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": image}]},
    }
    selector = {"matchLabels": {"app": "web"}}
    spec = {"replicas": replicas, "selector": selector, "template": template}
    return dict(obj("Deployment", "web", "default", "apps/v1", spec=spec))


async def test_a_new_cluster_is_idle_until_something_runs_there(lab, look):
    await lab.ready()
    before = await look()
    assert before["idle"]
    assert states(before, "nodes") == {"Ready": len(lab.all("nodes"))}
    assert kind(before, "deployments")["total"] == len(lab.all("deployments"))
    await lab.client.create(web())
    await lab.available()
    after = await look()
    assert not after["idle"]
    assert states(await look(namespace="default"), "pods") == {"Running": 3}
    assert states(await look(namespace="default"), "deployments") == {"Available": 1}


async def test_what_cannot_start_is_named_and_warned_of(lab, look):
    await lab.ready()
    await lab.client.create(web(image="ngnix", replicas=2))
    answer = await become(
        look,
        lambda found: states(found, "pods") == {"ImagePullBackOff": 2},
        namespace="default",
    )
    pods = kind(answer, "pods")
    assert pods["states"][0]["level"] == "bad"
    assert [one["word"] for one in pods["trouble"]] == ["ImagePullBackOff"] * 2
    assert states(answer, "deployments") == {"Unavailable": 1}
    assert kind(answer, "deployments")["trouble"][0]["note"] == "0/2"
    reasons = {one["reason"]: one for one in answer["warnings"]["items"]}
    assert reasons["Failed"]["count"] >= 2
    assert {one["kind"] for one in reasons["Failed"]["objects"]} == {"Pod"}
    assert reasons["Failed"]["objects"][0]["plural"] == "pods"


async def test_a_service_without_endpoints_is_in_trouble(lab, look):
    await lab.ready()
    for name, app in (("web", "web"), ("lost", "wbe")):
        spec = {"selector": {"app": app}, "ports": [{"port": 80}]}
        await lab.client.create(dict(obj("Service", name, "default", spec=spec)))
    await lab.client.create(web())
    await lab.available()
    wanted = {"NoEndpoints": 1, "Ready": 2}
    answer = await become(look, lambda found: states(found, "services") == wanted)
    assert [one["name"] for one in kind(answer, "services")["trouble"]] == ["lost"]


async def test_the_control_plane_tells_what_it_does(lab, look):
    await lab.ready()
    await lab.client.create(web())
    await lab.available()
    await lab.quiet()
    told = (await look())["control"]
    pace = told["pace"]
    assert len(pace["people"]) == len(pace["quantiles"]["p99"]) == 150
    assert told["watches"]["total"] == sum(one["count"] for one in told["watches"]["clients"])
    names = {one["name"] for one in told["watches"]["clients"]}
    assert {"kubelets", "kube-scheduler", "kube-controller-manager"} <= names
    queues = {one["name"]: one["depths"] for one in told["queues"]}
    assert not any(queues["kube-scheduler"].values())
    # It looks again whether the rollout has got stuck.
    assert queues["deployment-controller"] == {"ready": 0, "working": 0, "later": 1}


async def test_what_waits_for_a_node_stands_in_the_queue(lab, look):
    await lab.ready()
    large = web(replicas=2)
    container = large["spec"]["template"]["spec"]["containers"][0]
    container["resources"] = {"requests": {"cpu": "100"}}
    await lab.client.create(large)

    def waiting(answer):
        queues = {one["name"]: one["depths"] for one in answer["control"]["queues"]}
        return queues["kube-scheduler"]["unschedulable"] == 2

    answer = await become(look, waiting)
    assert "FailedScheduling" in [one["reason"] for one in answer["warnings"]["items"]]


async def test_who_has_seen_the_newest_revision_is_told_of_the_control_plane_alone(lab, look):
    await lab.ready()
    revision = await lab.quiet()
    answer = await look(seen=revision)
    assert set(answer) == {"revision", "at", "control"}


async def reader_of_prod(lab, user):
    """Have two pods in the namespace prod, which a user may list, and a Deployment elsewhere."""
    await lab.client.create(dict(obj("Namespace", "prod", namespace=None)))
    await lab.quiet()
    await lab.client.create(web())
    for name in ("a", "b"):
        spec = {"containers": [{"name": "c", "image": "ngnix"}]}
        await lab.client.create(dict(obj("Pod", name, "prod", spec=spec)))
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]
    await lab.client.create(dict(obj("Role", "reader", "prod", RBAC, rules=rules)))
    about = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}]
    binding = obj("RoleBinding", "lea", "prod", RBAC, roleRef=about, subjects=subjects)
    await lab.client.create(dict(binding))


async def test_one_sees_what_one_may_list(lab, look):
    await lab.ready()
    await reader_of_prod(lab, "lea")
    await lab.quiet()
    answer = await look("lea", ("system:authenticated",))
    assert "control" not in answer
    assert kind(answer, "pods")["total"] == 2
    assert {one["namespace"] for one in kind(answer, "pods")["trouble"]} == {"prod"}
    assert kind(answer, "deployments") is None
    assert {"nodes", "deployments"} <= set(answer["unseen"])
    assert answer["warnings"] == {"items": [], "more": 0, "allowed": False}
    nobody = await look("mallory", ("system:authenticated",))
    assert nobody["kinds"] == []
    assert not nobody["idle"]


async def test_viewers_are_told_all_but_secrets(lab, look):
    await lab.ready()
    answer = await look("ann", ("kubeground:viewers", "system:authenticated"))
    assert answer["control"]["watches"]["total"]
    assert kind(answer, "secrets") is None
    assert kind(answer, "configmaps")["total"]


async def test_the_past_has_its_own_counts(lab, look):
    await lab.ready()
    before = await lab.quiet()
    await lab.client.create(web())
    await lab.available()
    then = await look(rev=before, namespace="default")
    assert then["revision"] == before
    assert "control" not in then
    assert kind(then, "pods")["total"] == 0
    assert kind(await look(namespace="default"), "pods")["total"] == 3


@pytest.fixture
def made(monkeypatch):
    """How often the objects of a cluster were looked through."""
    readers, look_through = [], control_overview._objects

    async def counting(reader):
        readers.append(reader)
        return await look_through(reader)

    monkeypatch.setattr(control_overview, "_objects", counting)
    return readers


VIEWERS = ("kubeground:viewers", "system:authenticated")


async def test_who_may_list_the_same_is_told_the_same_which_is_found_out_once(lab, look, made):
    await lab.ready()
    await lab.quiet()
    answers = await asyncio.gather(*(look(f"ann-{number}", VIEWERS) for number in range(5)))
    assert len(made) == 1
    assert all(answer["kinds"] == answers[0]["kinds"] for answer in answers)
    await look("ann-1", VIEWERS, namespace="default")
    assert len(made) == 2, "another question"
    seen = answers[0]["revision"]
    await lab.client.create(web())
    later = [await look(f"ann-{number}", VIEWERS, seen=seen) for number in range(5)]
    assert len(made) == 2, "they ask again in a moment"
    assert {answer["revision"] for answer in later} == {seen}
    fresh = await look("ann-6", VIEWERS)
    assert len(made) == 3, "who knows nothing yet is told the newest"
    assert kind(fresh, "deployments")["total"] == 1
    await asyncio.sleep(control_overview.YOUNG)
    await look("ann-0", VIEWERS, seen=seen)
    assert kind(await look("ann-1", VIEWERS, seen=seen), "deployments")["total"] == 1


async def test_what_is_told_alike_goes_by_what_one_may_list_and_never_by_who_asked_before(
    lab, look
):
    await lab.ready()
    await reader_of_prod(lab, "lea")
    await lab.client.create(dict(obj("Secret", "word")))
    await lab.available()
    await lab.quiet()
    answers = await asyncio.gather(
        look("ann", VIEWERS),
        look("lea", ("system:authenticated",)),
        look("mallory", ("system:authenticated",)),
        look(),
    )
    assert [kind(answer, "pods") and kind(answer, "pods")["total"] for answer in answers[1:3]] == [
        2,
        None,
    ]
    assert kind(answers[0], "secrets") is None
    assert kind(answers[3], "secrets")
    assert kind(answers[0], "pods")["total"] == kind(answers[3], "pods")["total"] > 2
    seen = answers[1]["revision"]
    await lab.client.delete(ROLEBINDINGS, "prod", "lea")
    assert not (await look("lea", ("system:authenticated",), seen=seen)).get("kinds")
    assert (await look("lea", ("system:authenticated",)))["kinds"] == []
    await asyncio.sleep(control_overview.YOUNG)
    assert (await look("lea", ("system:authenticated",), seen=seen))["kinds"] == []


async def test_an_answer_that_failed_is_made_anew(lab, look, monkeypatch):
    look_through = control_overview._objects

    async def fail(reader):
        raise ValueError("a fault of ours")

    monkeypatch.setattr(control_overview, "_objects", fail)
    with pytest.raises(ValueError, match="ours"):
        await look()
    monkeypatch.setattr(control_overview, "_objects", look_through)
    assert "kinds" in await look()
