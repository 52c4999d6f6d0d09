"""Jobs: their indexes, when they have failed and when they are done."""

import asyncio

import pytest

from tests.integration.conformance.conftest import NAMESPACE
from tests.integration.conformance.workloads import (
    PODS,
    STRATEGIC,
    condition,
    is_so,
    owner,
    pods_of,
    status_is,
)
from tests.support.interpreters import same_loop
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

GROUP = "[sig-apps] Job "
JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
JOB = f"{JOBS}/job"
LABELS = {"job-name": "job"}
# What the pods do: odd indexes fail, even ones succeed.
ODD_FAIL = "exit $((JOB_COMPLETION_INDEX % 2))"
# The first run leaves a mark, by which the next one succeeds.
FAILS_ONCE = "[ -e /data/seen ] && exit 0; touch /data/seen; exit 1"
STAYS_ONCE = 'f=/data/$JOB_COMPLETION_INDEX; [ -e "$f" ] && exit 0; touch "$f"; sleep 1000000'
FAIL_1 = {"onExitCodes": {"operator": "In", "values": [1]}}


@pytest.fixture
async def lab(lab):
    """A cluster whose shells run in the test's own loop, so that they cost no processes."""
    lab.cluster.ground.interpreters._connect = same_loop
    return lab


def job(script="exit 0", command=None, policy="Never", volume=None, pods=None, **spec):
    container = {
        "name": "c",
        "image": "busybox:1.37",
        "command": command or ["sh", "-c", script],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    template = {
        "containers": [container],
        "restartPolicy": policy,
        "terminationGracePeriodSeconds": 1,
        "volumes": [{"name": "data", **(volume or {"emptyDir": {}})}],
        **(pods or {}),
    }
    return {
        "metadata": {"name": "job"},
        "spec": {"parallelism": 2, "completions": 4, "template": {"spec": template}, **spec},
    }


def indexed(script=ODD_FAIL, **spec):
    return job(script, completionMode="Indexed", **spec)


STAYS = {"command": ["sleep", "1000000"]}


async def ends(world, kind, reason, within=900):
    """Wait until a Job is Complete or Failed, for a reason; its interim condition came before."""
    found = await world.until(JOB, is_so(kind, reason), within)
    interim = {"Complete": "SuccessCriteriaMet", "Failed": "FailureTarget"}[kind]
    types = [one["type"] for one in found["status"]["conditions"]]
    assert types.index(interim) < types.index(kind)
    return found["status"]


@pytest.mark.conformance(
    GROUP + "should create pods for an Indexed job with completion indexes and specified hostname"
)
async def test_indexes(world):
    await world.create(JOBS, indexed("exit 0"))
    await ends(world, "Complete", "CompletionsReached")
    found = {}
    for pod in (await pods_of(world, LABELS)).values():
        index = pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"]
        found[index] = pod["spec"]["hostname"], pod["status"]["phase"]
        names = [one["name"] for one in pod["spec"]["containers"][0]["env"]]
        assert names == ["JOB_COMPLETION_INDEX"]
    assert found == {str(i): (f"job-{i}", "Succeeded") for i in range(4)}


@pytest.mark.conformance(
    GROUP + "should execute all indexes despite some failing when using backoffLimitPerIndex"
)
async def test_a_backoff_for_each_index(world):
    await world.create(JOBS, indexed(backoffLimitPerIndex=1))
    status = await ends(world, "Failed", "FailedIndexes")
    assert (status["failedIndexes"], status["completedIndexes"]) == ("1,3", "0,2")
    assert (status["failed"], status["succeeded"]) == (4, 2)


@pytest.mark.conformance(
    GROUP + "should terminate job execution when the number of failed indexes exceeds"
    " maxFailedIndexes"
)
async def test_too_many_failed_indexes(world):
    limits = {"backoffLimitPerIndex": 0, "maxFailedIndexes": 0, "parallelism": 1}
    await world.create(JOBS, indexed("exit 1", **limits))
    status = await ends(world, "Failed", "MaxFailedIndexesExceeded")
    assert (status["failedIndexes"], status["failed"]) == ("0", 1)


@pytest.mark.conformance(
    GROUP + "should mark indexes as failed when the FailIndex action is matched in podFailurePolicy"
)
async def test_a_policy_that_fails_an_index(world):
    policy = {"rules": [{"action": "FailIndex", **FAIL_1}]}
    made = indexed(backoffLimitPerIndex=1, podFailurePolicy=policy, completions=2)
    await world.create(JOBS, made)
    status = await ends(world, "Failed", "FailedIndexes")
    assert (status["failedIndexes"], status["completedIndexes"]) == ("1", "0")
    assert (status["failed"], status["succeeded"]) == (1, 1)


@pytest.mark.conformance(
    GROUP + "should allow to use the pod failure policy on exit code to fail the job early"
)
async def test_a_policy_that_fails_the_job(world):
    policy = {"rules": [{"action": "FailJob", **FAIL_1}]}
    made = job(
        FAILS_ONCE,
        volume={"hostPath": {"path": "/tmp/fails-once"}},
        pods={"nodeName": "node-1"},
        podFailurePolicy=policy,
        parallelism=1,
    )
    await world.create(JOBS, made)
    status = await ends(world, "Failed", "PodFailurePolicy")
    assert status["failed"] == 1
    assert "matching FailJob rule at index 0" in condition({"status": status}, "Failed")["message"]


@pytest.mark.conformance(
    GROUP + "should allow to use a pod failure policy to ignore failure matching on"
    " DisruptionTarget condition"
)
async def test_a_policy_that_ignores_evictions(world):
    disrupted = {"onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    made = indexed(
        STAYS_ONCE,
        volume={"hostPath": {"path": "/tmp/stays-once"}},
        pods={"nodeName": "node-1"},
        podFailurePolicy={"rules": [{"action": "Ignore", **disrupted}]},
        parallelism=3,
        completions=3,
        backoffLimit=2,
    )
    await world.create(JOBS, made)
    await world.until(JOB, status_is(ready=3))
    for name in list(await pods_of(world, LABELS)):
        await world.create(f"{PODS}/{name}/eviction", {"metadata": {"name": name}})
        await world.gone(f"{PODS}/{name}")
    status = await ends(world, "Complete", "CompletionsReached")
    assert status.get("failed", 0) == 0
    assert status["succeeded"] == 3


@pytest.mark.conformance(
    GROUP + "should run a job to completion when tasks sometimes fail and are locally restarted"
)
async def test_restarts(world):
    await world.create(JOBS, job(FAILS_ONCE, policy="OnFailure"))
    status = await ends(world, "Complete", "CompletionsReached")
    assert status["succeeded"] == 4
    for pod in (await pods_of(world, LABELS)).values():
        assert pod["status"]["containerStatuses"][0]["restartCount"] == 1


@pytest.mark.parametrize(
    ("rule", "spec"),
    [
        pytest.param(
            {"succeededCount": 2},
            {"script": "exit 0", "completions": 2},
            marks=pytest.mark.conformance(
                GROUP + "with successPolicy should succeeded when all indexes succeeded"
            ),
        ),
        pytest.param(
            {"succeededIndexes": "0"},
            {"completions": 5},
            marks=pytest.mark.conformance(
                GROUP + "with successPolicy succeededIndexes rule should succeeded even when some"
                " indexes remain pending"
            ),
        ),
        pytest.param(
            {"succeededCount": 1},
            {"completions": 5, "backoffLimit": 2**31 - 1},
            marks=pytest.mark.conformance(
                GROUP + "with successPolicy succeededCount rule should succeeded even when some"
                " indexes remain pending"
            ),
        ),
    ],
)
async def test_success_policies(world, rule, spec):
    await world.create(JOBS, indexed(**spec, successPolicy={"rules": [rule]}))
    await world.until(JOB, is_so("SuccessCriteriaMet", "SuccessPolicy"))
    status = await ends(world, "Complete", "SuccessPolicy")
    assert status["completedIndexes"] == ("0,1" if spec["completions"] == 2 else "0")
    assert [status.get(key, 0) for key in ("active", "ready", "terminating")] == [0, 0, 0]


@pytest.mark.conformance(GROUP + "should delete a job")
async def test_delete(world):
    await world.create(JOBS, job(**STAYS))
    await world.until(JOB, status_is(active=2, ready=2))
    await world.delete(JOB, {"propagationPolicy": "Foreground"})
    await world.gone(JOB)
    assert not (await world.get(PODS))["items"]


@pytest.mark.conformance(GROUP + "should adopt matching orphans and release non-matching pods")
async def test_adoption(world):
    uid = (await world.create(JOBS, job(**STAYS)))["metadata"]["uid"]
    await world.until(JOB, status_is(ready=2))
    name = next(iter(await pods_of(world, LABELS)))
    await world.patch(f"{PODS}/{name}", {"metadata": {"ownerReferences": None}})
    await world.until(f"{PODS}/{name}", lambda found: owner(found) == uid)

    def strip(found):
        found["metadata"]["labels"] = {}

    await world.update(f"{PODS}/{name}", strip)
    await world.until(f"{PODS}/{name}", lambda found: owner(found) is None)
    await world.until(JOB, status_is(ready=2))  # another one does its work


@pytest.mark.conformance(GROUP + "should apply changes to a job status")
async def test_status(world):
    made = await world.create(JOBS, job(**STAYS))
    await world.until(JOB, status_is(ready=2))
    stamps = ["2026-01-02T03:04:05Z", "2026-01-02T03:05:06Z"]
    ours = {"type": "Custom", "status": "True", "lastTransitionTime": stamps[0]}
    body = {"metadata": {"annotations": {"patched": "yes"}}, "status": {"conditions": [ours]}}
    patched = await world.patch(f"{JOB}/status", body)
    assert condition(patched, "Custom")["lastTransitionTime"] == stamps[0]
    assert patched["metadata"]["annotations"]["patched"] == "yes"

    def later(found):
        condition(found, "Custom")["lastTransitionTime"] = stamps[1]

    updated = await world.update(JOB, later, to="/status")
    assert condition(updated, "Custom")["lastTransitionTime"] == stamps[1]
    assert (await world.get(f"{JOB}/status"))["metadata"]["uid"] == made["metadata"]["uid"]


@pytest.mark.conformance(GROUP + "should manage the lifecycle of a job")
async def test_lifecycle(world):
    selected = "labelSelector=e2e%3Dyes"
    watch = world.watch(f"{JOBS}?watch=true&{selected}")
    made = job(command=["sleep", "1"], suspend=True)
    made["metadata"]["labels"] = {"e2e": "yes"}
    await world.create(JOBS, made)
    await world.until(JOB, is_so("Suspended", "JobSuspended"))
    await asyncio.sleep(10)  # virtual: pods would have come by then
    assert not await pods_of(world, LABELS)
    await world.patch(JOB, {"metadata": {"labels": {"step": "patched"}}}, STRATEGIC)
    await watch.sees(lambda kind, obj: obj["metadata"]["labels"].get("step") == "patched")

    def resume(found):
        found["spec"]["suspend"] = False
        found["metadata"].setdefault("annotations", {})["updated"] = "true"

    await world.update(JOB, resume)
    await watch.sees(lambda kind, obj: "updated" in (obj["metadata"].get("annotations") or {}))
    (listed,) = (await world.get(f"/apis/batch/v1/jobs?{selected}"))["items"]
    assert listed["metadata"]["name"] == "job"
    await ends(world, "Complete", "CompletionsReached")
    await world.delete(f"{JOBS}?{selected}", {"propagationPolicy": "Background"})
    await watch.until("DELETED", "job")
    assert (await world.get(f"/apis/batch/v1/jobs?{selected}"))["items"] == []
