"""Jobs: pods that run to their end, and what is said of them."""

import pytest

from apimachinery.errors import ApiError
from apimachinery.meta import annotations_of, labels_of
from nodes.client.resources import JOBS, PODS
from nodes.client.rest import list_call
from nodes.controllers.job.indexes import Indexes
from tests.support.builders import obj, pod

pytestmark = pytest.mark.looptime

JC = "job-controller"
FINALIZER = "batch.kubernetes.io/job-tracking"
INDEX = "batch.kubernetes.io/job-completion-index"


class Ends:
    """Runs pods for `take` seconds and ends each with the code that `code(pod)` gives."""

    def __init__(self, rig):
        self.rig, self.take = rig, 2.0
        self.code = lambda pod: 0
        rig.api.watch(list_call(PODS), rig.api.revision, self._deliver, lambda error: None)

    def _deliver(self, events):
        for event in events:
            namespace, name = (event.object["metadata"][k] for k in ("namespace", "name"))
            if event.type == "ADDED":
                self.rig.tasks.spawn("pod", self._run(namespace, name))
            elif event.type == "MODIFIED" and event.object["metadata"].get("deletionTimestamp"):
                self.rig.clock.call_later(1, self._spawn_end, namespace, name)

    def _spawn_end(self, namespace, name):
        self.rig.tasks.spawn("pod", self._remove(namespace, name))

    async def _status(self, namespace, name, status):
        if self.rig.get("pods", name, namespace) is not None:
            body = {"status": status}
            await self.rig.client.patch(PODS, namespace, name, body, subresource="status")

    async def _run(self, namespace, name):
        clock = self.rig.clock
        await self.rig.client.patch(PODS, namespace, name, {"spec": {"nodeName": "n1"}})
        await self._status(namespace, name, {"phase": "Running"})
        if self.take is None:
            return
        await clock.sleep(self.take)
        found = self.rig.get("pods", name, namespace)
        if found is None:
            return
        code = self.code(found)
        ended = {"exitCode": code, "finishedAt": clock.timestamp()}
        phase = "Failed" if code else "Succeeded"
        states = [{"name": "c", "state": {"terminated": ended}}]
        await self._status(namespace, name, {"phase": phase, "containerStatuses": states})

    async def _remove(self, namespace, name):
        await self._status(namespace, name, {"phase": "Failed"})
        if self.rig.get("pods", name, namespace) is not None:
            await self.rig.client.delete(PODS, namespace, name, grace=0)


@pytest.fixture
async def ends(rig):
    return Ends(rig)


def job(**spec):
    template = {
        "metadata": {"labels": {"job-name": "j"}},
        "spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "c", "image": "busybox:1.36"}],
        },
    }
    defaults = {
        "parallelism": 1,
        "completions": 1,
        "backoffLimit": 6,
        "completionMode": "NonIndexed",
        "selector": {"matchLabels": {"job-name": "j"}},
        "template": template,
    }
    return obj("Job", "j", api_version="batch/v1", spec=defaults | spec)


def status(rig):
    return rig.need("jobs", "j").get("status") or {}


def conditions(rig):
    found = status(rig).get("conditions") or ()
    return [(one["type"], one["status"], one["reason"], one["message"]) for one in found]


def ended(rig):
    return any(one[0] in ("Complete", "Failed") for one in conditions(rig))


async def patch(rig, **spec):
    await rig.client.patch(JOBS, "default", "j", {"spec": spec})


def since(rig, start):
    return rig.clock.seconds() - start


async def test_three_by_two(rig, ends):
    await rig.run(JC)
    await rig.create(job(parallelism=2, completions=3))
    await rig.settle(0.5)
    assert len(rig.names("pods")) == 2
    assert status(rig)["active"] == 2
    assert all(p["metadata"]["finalizers"] == [FINALIZER] for p in rig.api.all("pods"))
    await rig.until(lambda: ended(rig))
    why = ("True", "CompletionsReached", "Reached expected number of succeeded pods")
    assert conditions(rig) == [("SuccessCriteriaMet", *why), ("Complete", *why)]
    found = status(rig)
    assert found["completionTime"] >= found["startTime"]
    assert {k: found.get(k) for k in ("active", "succeeded", "failed", "ready", "terminating")} == {
        "active": None,
        "succeeded": 3,
        "failed": None,
        "ready": 0,
        "terminating": 0,
    }
    assert found["uncountedTerminatedPods"] == {}
    await rig.settle(1)
    assert not any("finalizers" in p["metadata"] for p in rig.api.all("pods"))
    assert rig.events()[-1] == "Normal Completed Job completed"
    assert len(rig.events()) == 4


async def test_without_completions_one_success_is_enough(rig, ends):
    await rig.run(JC)
    made = job(parallelism=2)
    del made["spec"]["completions"]
    await rig.create(made)
    await rig.until(lambda: ended(rig))
    assert status(rig)["succeeded"] == 2
    assert len(rig.names("pods")) == 2


async def test_failures_wait_longer_each_time(rig, ends):
    ends.take = 0.001
    ends.code = lambda pod: 1
    await rig.run(JC)
    start = rig.clock.seconds()
    await rig.create(job(backoffLimit=3))
    made = []
    for count in (1, 2, 3, 4):
        await rig.until(lambda count=count: len(rig.names("pods")) == count, within=100)
        made.append(round(since(rig, start)))
    assert made == [0, 10, 30, 70]
    await rig.until(lambda: ended(rig))
    why = ("True", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    assert conditions(rig) == [("FailureTarget", *why), ("Failed", *why)]
    assert status(rig)["failed"] == 4
    assert "completionTime" not in status(rig)
    await rig.settle(1)
    assert rig.events()[-1] == "Warning BackoffLimitExceeded " + why[2]


async def test_a_deadline_ends_what_runs(rig, ends):
    ends.take = None
    await rig.run(JC)
    start = rig.clock.seconds()
    await rig.create(job(activeDeadlineSeconds=5, parallelism=2, completions=2))
    await rig.until(lambda: ended(rig))
    assert since(rig, start) == pytest.approx(6, abs=1)
    why = ("True", "DeadlineExceeded", "Job was active longer than specified deadline")
    assert conditions(rig) == [("FailureTarget", *why), ("Failed", *why)]
    assert (status(rig)["failed"], status(rig)["terminating"]) == (2, 0)
    await rig.settle(2)
    assert rig.names("pods") == []


async def test_suspend_and_resume(rig, ends):
    ends.take = None
    await rig.run(JC)
    await rig.create(job(parallelism=2, completions=2))
    await rig.settle(1)
    await patch(rig, suspend=True)
    await rig.until(lambda: rig.names("pods") == [])
    assert conditions(rig) == [("Suspended", "True", "JobSuspended", "Job suspended")]
    assert "startTime" not in status(rig)
    assert "failed" not in status(rig)
    await patch(rig, suspend=False)
    await rig.until(lambda: len(rig.names("pods")) == 2)
    await rig.settle(0.5)
    assert conditions(rig) == [("Suspended", "False", "JobResumed", "Job resumed")]
    assert status(rig)["startTime"] == rig.clock.timestamp()
    said = [event.split()[1] for event in rig.events()]
    assert said.count("SuccessfulDelete") == 2
    assert [one for one in said if "S" not in one[:1] or one == "Suspended"] == [
        "Suspended",
        "Resumed",
    ]


async def test_fewer_in_parallel_takes_pods_away(rig, ends):
    ends.take = None
    await rig.run(JC)
    await rig.create(job(parallelism=3, completions=9))
    await rig.until(lambda: len(rig.names("pods")) == 3)
    await patch(rig, parallelism=1)
    await rig.until(lambda: len(rig.names("pods")) == 1)
    assert (status(rig)["active"], status(rig).get("failed")) == (1, None)


# Indexes.


async def test_indexed_pods_know_their_index(rig, ends):
    await rig.run(JC)
    await rig.create(job(parallelism=3, completions=3, completionMode="Indexed"))
    await rig.settle(0.5)
    made = sorted(rig.api.all("pods"), key=lambda p: annotations_of(p)[INDEX])
    assert [labels_of(p)[INDEX] for p in made] == ["0", "1", "2"]
    assert [p["spec"]["hostname"] for p in made] == ["j-0", "j-1", "j-2"]
    assert made[1]["metadata"]["name"].startswith("j-1-")
    assert made[0]["spec"]["containers"][0]["env"] == [
        {
            "name": "JOB_COMPLETION_INDEX",
            "valueFrom": {
                "fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{INDEX}']"}
            },
        }
    ]
    await rig.until(lambda: ended(rig))
    assert (status(rig)["completedIndexes"], status(rig)["succeeded"]) == ("0-2", 3)


async def test_an_index_that_fails_is_tried_again(rig, ends):
    failed = []

    def code(pod):
        first = annotations_of(pod)[INDEX] == "1" and not failed
        failed.extend([pod] if first else [])
        return int(first)

    ends.code = code
    await rig.run(JC)
    await rig.create(job(parallelism=3, completions=3, completionMode="Indexed"))
    await rig.until(lambda: status(rig).get("completedIndexes") == "0,2")
    await rig.until(lambda: ended(rig), within=60)
    assert status(rig)["completedIndexes"] == "0-2"
    assert status(rig)["failed"] == 1


async def test_each_index_has_its_own_limit(rig, ends):
    ends.code = lambda pod: int(annotations_of(pod)[INDEX] == "1")
    await rig.run(JC)
    await rig.create(
        job(
            parallelism=3,
            completions=3,
            completionMode="Indexed",
            backoffLimitPerIndex=1,
            backoffLimit=2**31 - 1,
        )
    )
    await rig.until(lambda: ended(rig), within=60)
    assert (status(rig)["completedIndexes"], status(rig)["failedIndexes"]) == ("0,2", "1")
    assert conditions(rig)[-1] == ("Failed", "True", "FailedIndexes", "Job has failed indexes")
    counts = {
        annotations_of(p)["batch.kubernetes.io/job-index-failure-count"]
        for p in rig.api.all("pods")
        if annotations_of(p)[INDEX] == "1"
    }
    assert counts == {"0", "1"}


async def test_too_many_failed_indexes_end_the_job(rig, ends):
    ends.code = lambda pod: 1
    await rig.run(JC)
    spec = {"completionMode": "Indexed", "backoffLimitPerIndex": 0, "maxFailedIndexes": 1}
    await rig.create(job(parallelism=2, completions=5, backoffLimit=99, **spec))
    await rig.until(lambda: ended(rig))
    assert conditions(rig)[0] == (
        "FailureTarget",
        "True",
        "MaxFailedIndexesExceeded",
        "Job has exceeded the specified maximal number of failed indexes",
    )
    assert status(rig)["failedIndexes"] == "0,1"


async def test_success_by_policy_ends_the_others(rig, ends):
    ends.take = None
    await rig.run(JC)
    policy = {"rules": [{"succeededIndexes": "2", "succeededCount": 1}, {"succeededIndexes": "0"}]}
    await rig.create(
        job(parallelism=3, completions=3, completionMode="Indexed", successPolicy=policy)
    )
    await rig.settle(1)
    leader = next(p for p in rig.api.all("pods") if annotations_of(p)[INDEX] == "0")
    name = leader["metadata"]["name"]
    await rig.client.patch(
        PODS, "default", name, {"status": {"phase": "Succeeded"}}, subresource="status"
    )
    await rig.until(lambda: ended(rig))
    why = ("True", "SuccessPolicy", "Matched rules at index 1")
    assert conditions(rig) == [("SuccessCriteriaMet", *why), ("Complete", *why)]
    assert (status(rig)["succeeded"], status(rig).get("failed")) == (1, None)


# Rules for pods that fail.


def failure_policy(action, **what):
    return {"rules": [{"action": action, **what}]}


def exits(*values, operator="In"):
    return {"onExitCodes": {"containerName": "c", "operator": operator, "values": list(values)}}


async def test_a_rule_fails_the_job(rig, ends):
    ends.code = lambda pod: 42
    await rig.run(JC)
    await rig.create(job(podFailurePolicy=failure_policy("FailJob", **exits(42))))
    await rig.until(lambda: ended(rig))
    [name] = rig.names("pods")
    why = f"Container c for pod default/{name} failed with exit code 42 matching FailJob rule"
    assert conditions(rig)[-1] == ("Failed", "True", "PodFailurePolicy", f"{why} at index 0")
    assert status(rig)["failed"] == 1


async def test_an_ignored_failure_does_not_count(rig, ends):
    codes = iter([7, 7, 0])
    ends.code = lambda pod: next(codes)
    await rig.run(JC)
    policy = failure_policy("Ignore", **exits(0, 1, operator="NotIn"))
    await rig.create(job(backoffLimit=0, podFailurePolicy=policy))
    await rig.until(lambda: ended(rig), within=100)
    assert conditions(rig)[-1][0] == "Complete"
    assert status(rig).get("failed") is None
    assert len(rig.names("pods")) == 3


async def test_a_condition_of_the_pod_may_fail_the_job(rig, ends):
    ends.take = None
    await rig.run(JC)
    wanted = [{"type": "DisruptionTarget", "status": "True"}]
    await rig.create(job(podFailurePolicy=failure_policy("FailJob", onPodConditions=wanted)))
    await rig.settle(1)
    [name] = rig.names("pods")
    lost = {"phase": "Failed", "conditions": wanted}
    await rig.client.patch(PODS, "default", name, {"status": lost}, subresource="status")
    await rig.until(lambda: ended(rig))
    assert conditions(rig)[-1][-1] == (
        f"Pod default/{name} has condition DisruptionTarget matching FailJob rule at index 0"
    )


async def test_restarts_count_where_pods_start_anew(rig, ends):
    ends.take = None
    await rig.run(JC)
    made = job(backoffLimit=2)
    made["spec"]["template"]["spec"]["restartPolicy"] = "OnFailure"
    await rig.create(made)
    await rig.settle(1)
    [name] = rig.names("pods")
    again = {"containerStatuses": [{"name": "c", "restartCount": 2, "state": {}}]}
    await rig.client.patch(PODS, "default", name, {"status": again}, subresource="status")
    await rig.until(lambda: ended(rig))
    assert conditions(rig)[-1][2] == "BackoffLimitExceeded"


@pytest.mark.parametrize(("policy", "after"), [("Failed", None), ("TerminatingOrFailed", 1)])
async def test_a_pod_that_stops_may_hold_its_place(rig, ends, policy, after):
    ends.take = None
    await rig.run(JC)
    await rig.create(job(podReplacementPolicy=policy, completions=5))
    await rig.settle(0.5)
    [name] = rig.names("pods")
    await rig.client.delete(PODS, "default", name)
    await rig.settle(0.5)
    assert status(rig).get("failed") == after
    assert len(rig.names("pods")) == 1  # the next waits for the backoff, at least
    await rig.settle(60)
    assert status(rig)["active"] == 1
    assert len(rig.names("pods")) == 1
    assert status(rig)["failed"] == 1


# Whose pods they are.


async def test_an_orphan_is_adopted_with_the_finalizer(rig, ends):
    ends.take = None
    await rig.run(JC)
    await rig.create(pod("stray").labels(**{"job-name": "j"}))
    await rig.create(job())
    await rig.settle(1)
    assert rig.names("pods") == ["stray"]
    assert rig.need("pods", "stray")["metadata"]["finalizers"] == [FINALIZER]


async def test_pods_of_a_job_that_is_gone_are_let_go(rig, ends):
    ends.take = None
    await rig.run(JC)
    await rig.create(job())
    await rig.settle(1)
    await rig.client.delete(JOBS, "default", "j")
    await rig.settle(1)
    assert [p["metadata"].get("finalizers") for p in rig.api.all("pods")] == [None]


async def test_what_another_manages_is_left_alone(rig, ends):
    await rig.run(JC)
    await rig.create(job(managedBy="example.com/mine"))
    await rig.settle(5)
    assert rig.names("pods") == []
    assert status(rig) == {}


async def test_a_refused_pod_is_told_of_and_tried_again(rig, ends):
    await rig.run(JC)
    rig.faults[rig.account(JC)].fail("create", "pods", ApiError("no", code=500))
    await rig.create(job())
    await rig.until(lambda: ended(rig))
    assert rig.events()[0].startswith("Warning FailedCreate Error creating: ")
    assert status(rig)["succeeded"] == 1


@pytest.mark.parametrize(
    ("text", "read", "count"),
    [
        ("", "", 0),
        ("0,1,2", "0-2", 3),
        ("1,3-5,7", "1,3-5,7", 5),
        ("2-9", "2-4", 3),
        ("x,1", "1", 1),
    ],
)
def test_indexes(text, read, count):
    completions = 5 if text == "2-9" else 100
    found = Indexes.parse(text, completions)
    assert (str(found), len(found)) == (read, count)


def test_sets_of_indexes():
    found = Indexes.parse("1,4-6", 10)
    assert list(found.missing(8)) == [0, 2, 3, 7]
    assert found.common(Indexes.parse("0-4", 10)) == 2
    assert str(found | Indexes([(2, 3)])) == "1-6"
    assert (4 in found, 3 in found) == (True, False)
