"""From a request to the pods that run because of it: causes, decisions, steps and times."""

import pytest

from apimachinery.errors import BadRequest, Conflict, NotFound
from nodes.client import resources
from playground.control_call import Call
from playground.control_traces import ROUTES
from tests.integration.conftest import deployment
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


class Found:
    """A fleet of one."""

    def __init__(self, cluster):
        self.find = {cluster.name: cluster}.get


async def asked(lab, *rest, method="GET", body=b"", **query):
    parts = ["lab", "traces", *rest]
    given = {name: [str(value)] for name, value in query.items()}
    handler = ROUTES[method, len(parts), "traces"]
    code, found = await handler(Call(Found(lab.cluster), parts, given, body))
    assert code == 200
    return found


def trace_of(lab, verb, resource, user="admin"):
    return next(
        trace
        for trace in lab.cluster.api.traces
        if (trace.verb, trace.resource, trace.user) == (verb, resource, user)
    )


async def story_of(lab, verb="create", resource="deployments"):
    return await asked(lab, trace_of(lab, verb, resource).audit_id)


def requests(story, who, verb, resource, subresource=""):
    return [
        step
        for step in story["steps"]
        if step["kind"] == "request"
        and (step["who"], step["verb"], step["resource"], step["subresource"])
        == (who, verb, resource, subresource)
    ]


async def test_a_deployment_is_followed_until_its_pods_run(lab):
    await lab.client.create(deployment(replicas=3), resources.DEPLOYMENTS)
    await lab.available(replicas=3)
    story = await story_of(lab)
    (replicaset,) = requests(story, "deployment-controller", "create", "replicasets")
    pods = requests(story, "replicaset-controller", "create", "pods")
    bound = requests(story, "kube-scheduler", "create", "pods", "binding")
    assert replicaset["parent"] == story["root"]["auditID"]
    assert replicaset["cause"] == [story["root"]["wrote"][0]["revision"]]
    assert {pod["parent"] for pod in pods} == {replicaset["id"]}
    assert {one["parent"] for one in bound} == {pod["id"] for pod in pods}
    names = {pod["name"] for pod in pods}
    assert len(names) == 3
    assert story["totals"]["pods"] == story["totals"]["running"] == 3


async def test_requests_are_found_by_the_place_that_they_came_from(lab):
    await lab.client.create(deployment(replicas=1), resources.DEPLOYMENTS)
    await lab.available(replicas=1)
    for place, begin in (("controllers", "system:serv"), ("kubelet", "system:node:")):
        found = (await asked(lab, user=place))["items"]
        assert found
        others = {one["user"] for one in found if not one["user"].startswith(begin)}
        assert others <= {"system:kube-controller-manager", "system:apiserver"}


async def test_each_pod_has_its_decision_and_the_steps_of_its_kubelet(lab):
    await lab.quiet()  # what volumes are made of is there
    await lab.client.create(deployment(replicas=1), resources.DEPLOYMENTS)
    await lab.available(replicas=1)
    story = await story_of(lab)
    (decision,) = [step for step in story["steps"] if step["kind"] == "decision"]
    (made,) = requests(story, "replicaset-controller", "create", "pods")
    (bound,) = requests(story, "kube-scheduler", "create", "pods", "binding")
    steps = [step for step in story["steps"] if step["kind"] == "step"]
    assert decision["parent"] == made["id"]
    assert decision["node"] == lab.pods()[0]["spec"]["nodeName"]
    whats = [step["what"] for step in steps]
    assert [w for w in whats if w != "phase"] == ["sandbox", "volumes", "image", "create", "start"]
    assert {step["parent"] for step in steps if step["what"] == "sandbox"} == {bound["id"]}
    assert all(step["seconds"] >= 0 for step in steps)


async def test_the_total_is_the_time_of_the_status_that_says_running(lab):
    began = lab.cluster.clock.seconds()
    await lab.client.create(deployment(replicas=2), resources.DEPLOYMENTS)
    await lab.available(replicas=2)
    story = await story_of(lab)
    last = max(
        (s for s in story["steps"] if s["kind"] == "step" and s["outcome"] == "Running"),
        key=lambda step: step["at"] + step["seconds"],
    )
    assert story["root"]["at"] == pytest.approx(began)
    records = await lab.cluster.store.records(before=last["revision"] + 1, limit=1)
    assert records[0].entry.revision == last["revision"]
    assert records[0].entry.obj()["status"]["phase"] == "Running"
    assert story["totals"]["all"] == pytest.approx(records[0].at - began, abs=1e-3)


async def test_the_chain_leads_back_from_a_status_to_who_asked(lab):
    await lab.client.create(deployment(replicas=1), resources.DEPLOYMENTS)
    await lab.available(replicas=1)
    story = await story_of(lab)
    node = lab.pods()[0]["spec"]["nodeName"]
    status = requests(story, f"kubelet {node}", "patch", "pods", "status")[0]
    found = await asked(lab, status["id"])
    assert [one["who"] for one in found["because"]] == [
        "kube-scheduler",
        "replicaset-controller",
        "deployment-controller",
        "admin",
    ]


async def test_who_was_sent_a_change_is_counted_by_worker(lab):
    await lab.client.create(deployment(replicas=1), resources.DEPLOYMENTS)
    await lab.available(replicas=1)
    story = await story_of(lab)
    (heard,) = story["audience"].values()
    assert heard["kube-controller-manager"] == 1
    assert "kube-scheduler" not in heard


async def test_what_a_worker_does_of_its_own_accord_has_no_cause(lab):
    first = min(lab.cluster.api.traces, key=lambda trace: trace.number)
    assert first.cause == ()
    assert (await asked(lab, first.audit_id))["because"] == []


async def test_stages_tell_what_they_did_while_somebody_asks_for_it(lab):
    await asked(lab, "details", method="PUT", body=b'{"seconds": 60}')
    await lab.client.create(deployment(replicas=1), resources.DEPLOYMENTS)
    steps = trace_of(lab, "create", "deployments").record()["details"]["steps"]
    changed = {(step["name"], one["path"]) for step in steps for one in step["changes"]}
    assert ("defaulting", "spec.revisionHistoryLimit") in changed
    assert ("preparation", "metadata.uid") in changed
    await asked(lab, "details", method="PUT", body=b'{"seconds": 0}')
    await lab.client.create(deployment("other", replicas=0), resources.DEPLOYMENTS)
    assert trace_of(lab, "create", "deployments").details is None


async def test_plugins_tell_what_they_did_to_a_pod(lab):
    await asked(lab, details=60)
    await lab.client.create(deployment(replicas=1), resources.DEPLOYMENTS)
    await lab.available(replicas=1)
    made = trace_of(
        lab, "create", "pods", "system:serviceaccount:kube-system:replicaset-controller"
    )
    steps = made.record()["details"]["steps"]
    changed = {step["name"]: [one["path"] for one in step["changes"]] for step in steps}
    assert "spec.serviceAccountName" in changed["ServiceAccount"]
    assert any(path.startswith("spec.tolerations") for path in changed["DefaultTolerationSeconds"])


async def test_values_of_secrets_are_not_told(lab):
    await asked(lab, details=60)
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "default"},
        "stringData": {"password": "hunter2"},
    }
    await lab.client.create(secret, resources.SECRETS)
    told = str(trace_of(lab, "create", "secrets").record())
    assert "hunter2" not in told
    assert "aHVudGVyMg" not in told
    assert "(hidden)" in told


async def test_a_conflict_names_both_revisions(lab):
    made = await lab.client.create(deployment(replicas=0), resources.DEPLOYMENTS)
    sent = made["metadata"]["resourceVersion"]
    labelled = {"metadata": {"labels": {"x": "y"}}}
    now = await lab.client.patch(resources.DEPLOYMENTS, "default", "web", labelled)
    with pytest.raises(Conflict):
        await lab.client.update(made)
    refusal = trace_of(lab, "update", "deployments").record()["refusal"]
    assert refusal["code"] == 409
    assert refusal["revisions"]["sent"] == sent
    assert int(refusal["revisions"]["stored"]) >= int(now["metadata"]["resourceVersion"])


async def test_lists_are_narrowed_down_and_waited_for(lab):
    await lab.client.create(deployment(replicas=1), resources.DEPLOYMENTS)
    await lab.available(replicas=1)
    found = await asked(lab, verb="create", resource="pods", user="replicaset-controller")
    assert {item["resource"] for item in found["items"]} == {"pods"}
    assert (await asked(lab, after=found["count"], wait=1, who="people"))["items"] == []
    assert len((await asked(lab, limit=2))["items"]) == 2
    with pytest.raises(NotFound):
        await asked(lab, "no-such-request")


async def test_an_object_has_its_requests(lab):
    await lab.client.create(deployment(replicas=1), resources.DEPLOYMENTS)
    await lab.available(replicas=1)
    (pod,) = [one["metadata"]["name"] for one in lab.pods()]
    for text in (f"pods/default/{pod}", f"pods/{pod}", pod):
        found = (await asked(lab, object=text))["items"]
        said = {(one["verb"], one["subresource"]) for one in found}
        assert {("create", ""), ("create", "binding"), ("patch", "status")} <= said
    whole = await asked(lab, object="deployments.apps/default/web", verb="create")
    assert [one["user"] for one in whole["items"]] == ["admin"]
    nodes = await asked(lab, object="nodes/-/node-1")
    assert {one["resource"] for one in nodes["items"]} == {"nodes"}
    for elsewhere in (f"pods/prod/{pod}", f"services/default/{pod}", "deployments.x/default/web"):
        assert (await asked(lab, object=elsewhere))["items"] == []
    with pytest.raises(BadRequest):
        await asked(lab, object="a/b/c/d")


async def test_one_user_is_told_of_their_requests_alone(lab):
    await lab.client.create(deployment(replicas=1), resources.DEPLOYMENTS)
    await lab.available(replicas=1)
    made = trace_of(lab, "create", "deployments")
    found = await asked(lab, only="admin")
    assert {one["user"] for one in found["items"]} == {"admin"}
    alone = await asked(lab, made.audit_id, only="admin")
    assert alone["only"] == "admin"
    assert (alone["steps"], alone["because"], alone["audience"]) == ([], [], {})
    assert (await asked(lab, made.audit_id))["steps"]
    with pytest.raises(NotFound):
        await asked(lab, made.audit_id, only="ann")
    assert (await asked(lab, only="ann"))["items"] == []
