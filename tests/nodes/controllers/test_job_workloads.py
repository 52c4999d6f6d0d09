"""Jobs whose pods are a gang: their Workload and PodGroup."""

import pytest

from apimachinery.features import GENERIC_WORKLOAD, WORKLOAD_WITH_JOB
from nodes.client.resources import JOBS
from nodes.controllers.job.workloads import build_workload, group_name, is_gang, workload_name
from tests.support.builders import obj

pytestmark = pytest.mark.looptime

JC = "job-controller"


def job(name="j", uid="", **spec):
    given = {
        "parallelism": 2,
        "completions": 2,
        "completionMode": "Indexed",
        "backoffLimit": 6,
        "selector": {"matchLabels": {"job": name}},
        "template": {
            "metadata": {"labels": {"job": name}},
            "spec": {"containers": [{"name": "c", "image": "x"}], "restartPolicy": "Never"},
        },
    }
    made = obj("Job", name, api_version="batch/v1", spec=given | spec)
    return made.meta(uid=uid) if uid else made


@pytest.fixture
def gangs(rig):
    rig.features = frozenset({GENERIC_WORKLOAD, WORKLOAD_WITH_JOB})
    return rig


def groups_of_pods(rig):
    pods = rig.api.all("pods")
    return {(pod["spec"].get("schedulingGroup") or {}).get("podGroupName") for pod in pods}


@pytest.mark.parametrize(
    ("changes", "gang"),
    [
        ({}, True),
        ({"parallelism": 1, "completions": 1}, False),
        ({"completions": 3}, False),
        ({"completionMode": "NonIndexed"}, False),
        ({"template": {"spec": {"schedulingGroup": {"podGroupName": "mine"}}}}, False),
    ],
)
def test_which_jobs_are_gangs(changes, gang):
    assert is_gang(job(**changes)) is gang


async def test_a_workload_and_a_group_come_before_the_pods(gangs):
    rig = gangs
    await rig.run(JC)
    made = await rig.create(job())
    await rig.until(lambda: len(rig.names("pods")) == 2)
    (workload,), (group,) = rig.api.all("workloads"), rig.api.all("podgroups")
    assert workload["metadata"]["name"] == workload_name(made)
    assert workload["spec"] == {
        "controllerRef": {"apiGroup": "batch", "kind": "Job", "name": "j"},
        "podGroupTemplates": [
            {"name": "j-pgt-0", "schedulingPolicy": {"gang": {"minCount": 2}}},
        ],
    }
    name = group["metadata"]["name"]
    assert name == group_name(workload["metadata"]["name"], "j-pgt-0")
    assert group["spec"] == {
        "podGroupTemplateRef": {
            "workload": {
                "workloadName": workload["metadata"]["name"],
                "podGroupTemplateName": "j-pgt-0",
            }
        },
        "schedulingPolicy": {"gang": {"minCount": 2}},
    }
    owners = [(o["kind"], o.get("controller")) for o in group["metadata"]["ownerReferences"]]
    assert owners == [("Job", True), ("Workload", None)]
    assert groups_of_pods(rig) == {name}
    said = f"Normal WorkloadCreated Created Workload {workload['metadata']['name']} for Job j"
    assert said in rig.events()


async def test_a_job_that_began_before_keeps_its_ways(gangs):
    rig = gangs
    begun = job()
    begun["status"] = {"startTime": "2026-01-02T03:04:05Z"}
    await rig.create(begun)
    await rig.run(JC)
    await rig.until(lambda: len(rig.names("pods")) == 2)
    assert rig.names("workloads") == rig.names("podgroups") == []
    assert groups_of_pods(rig) == {None}


async def test_a_suspended_job_has_its_group_when_it_goes_on(gangs):
    rig = gangs
    await rig.run(JC)
    await rig.create(job(suspend=True))
    await rig.until(lambda: rig.names("podgroups"))
    assert rig.names("pods") == []
    await rig.client.patch(JOBS, "default", "j", {"spec": {"suspend": False}})
    await rig.until(lambda: len(rig.names("pods")) == 2)
    assert groups_of_pods(rig) == set(rig.names("podgroups"))
    await rig.client.patch(JOBS, "default", "j", {"spec": {"suspend": True}})
    await rig.until(
        lambda: (
            rig.names("pods") == []
            or all("deletionTimestamp" in pod["metadata"] for pod in rig.api.all("pods"))
        )
    )
    assert len(rig.names("podgroups")) == len(rig.names("workloads")) == 1


async def test_a_workload_of_somebody_else_leaves_pods_alone(gangs):
    rig = gangs
    reference = {"apiGroup": "batch", "kind": "Job", "name": "j"}
    spec = {"controllerRef": reference, "podGroupTemplates": [{"name": "t"}]}
    await rig.create(obj("Workload", "w", api_version="scheduling.k8s.io/v1alpha2", spec=spec))
    await rig.run(JC)
    await rig.create(job())
    await rig.until(lambda: len(rig.names("pods")) == 2)
    assert rig.names("workloads") == ["w"]
    assert rig.names("podgroups") == []


async def test_nothing_is_made_without_the_feature(rig):
    await rig.run(JC)
    await rig.create(job())
    await rig.until(lambda: len(rig.names("pods")) == 2)
    assert rig.names("workloads") == []


def test_names_are_cut_where_they_are_too_long():
    assert len(workload_name(job("a" * 253, uid="1"))) == 253
    assert len(group_name("w" * 253, "t" * 63)) == 253
    assert group_name("w" * 200, "t" * 200).startswith("w" * 121)
    (template,) = build_workload(job("j" * 61, uid="1"))["spec"]["podGroupTemplates"]
    assert template["name"] == "j" * 57 + "-pgt-0"
