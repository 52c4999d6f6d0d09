"""A cluster's time: held still, moved, sped up; and what must not be harmed by it."""

import asyncio

import pytest

from apimachinery.errors import ApiError
from nodes.client import resources
from nodes.client.loopclock import LoopClock
from playground.cluster_time import Start
from playground.control_call import Call
from playground.control_clock import change, read
from playground.fleet import last_write
from playground.kept import Kept
from tests.integration.conftest import deployment
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME

CRONJOBS = resources.CRONJOBS


def cronjob(name="tick"):
    container = {"name": "c", "image": "busybox:1.36", "command": ["true"]}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "schedule": "* * * * *",
            "successfulJobsHistoryLimit": 100,
            "jobTemplate": {"spec": {"template": template}},
        },
    }


def jobs(lab):
    return lab.all("jobs.batch", "default")


def done(lab):
    return [job for job in jobs(lab) if (job.get("status") or {}).get("succeeded") == 1]


def ready(lab):
    return [
        next(c["status"] for c in node["status"]["conditions"] if c["type"] == "Ready")
        for node in lab.all("nodes")
    ]


async def test_a_job_of_every_minute_runs_ten_times_in_six_seconds(lab):
    await lab.client.create(cronjob())
    loop = asyncio.get_running_loop()
    await lab.cluster.time.change(rate=100)
    began = loop.time()
    await eventually(lambda: len(jobs(lab)) >= 10, within=8)
    assert 5 < loop.time() - began < 7
    await lab.cluster.time.change(rate=1)
    await eventually(lambda: len(done(lab)) >= 10)
    assert ready(lab) == ["True"] * 3


async def test_nothing_happens_while_it_is_paused(lab):
    await lab.early_in_a_minute()
    await lab.client.create(cronjob())
    await lab.client.create(deployment())
    await lab.available()
    await lab.cluster.time.change(action="pause")
    before, moment = lab.cluster.store.revision, lab.cluster.clock.timestamp()
    await asyncio.sleep(3600)
    assert lab.cluster.store.revision == before
    assert lab.cluster.clock.timestamp() == moment
    await lab.cluster.time.change(action="resume")
    await eventually(lambda: jobs(lab), within=70)
    # Of the hour that nobody had, no run was missed.
    assert len(jobs(lab)) == 1
    assert ready(lab) == ["True"] * 3


async def test_requests_are_answered_while_it_is_paused(lab):
    await lab.cluster.time.change(action="pause")
    await lab.client.create(deployment(replicas=2))
    await eventually(lambda: len(lab.pods()) == 2)
    await asyncio.sleep(60)
    assert not any((p["status"].get("containerStatuses")) for p in lab.pods())
    await lab.cluster.time.change(action="resume")
    await lab.available(replicas=2)


async def test_a_step_goes_to_what_happens_next(lab):
    await lab.early_in_a_minute()
    await lab.client.create(cronjob())
    await asyncio.sleep(1)
    await lab.cluster.time.change(action="pause")
    moved = await lab.cluster.time.change(action="step")
    assert 0 < moved <= 60
    assert lab.cluster.clock.paused
    await eventually(lambda: len(jobs(lab)) == 1)
    assert jobs(lab)[0]["metadata"]["creationTimestamp"].endswith(":00Z")


async def test_what_comes_due_on_the_way_has_its_own_time(lab):
    await lab.client.create(cronjob())
    loop, began = asyncio.get_running_loop(), asyncio.get_running_loop().time()
    await lab.cluster.time.change(action="move", seconds=300)
    assert loop.time() - began < 20
    assert len(jobs(lab)) == 5
    minutes = {job["metadata"]["creationTimestamp"][:-4] for job in jobs(lab)}
    assert len(minutes) == 5
    assert not lab.cluster.clock.paused


async def test_probes_have_their_patience_at_any_rate(lab):
    template = deployment(replicas=3)
    container = template["spec"]["template"]["spec"]["containers"][0]
    probe = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 5, "timeoutSeconds": 1}
    container |= {"livenessProbe": probe, "readinessProbe": dict(probe)}
    await lab.client.create(template)
    await lab.available()
    await lab.cluster.time.change(rate=100)
    await asyncio.sleep(18)  # half an hour
    restarts = [p["status"]["containerStatuses"][0]["restartCount"] for p in lab.pods()]
    assert restarts == [0, 0, 0]
    await lab.available(within=1)
    assert ready(lab) == ["True"] * 3


async def test_informers_follow_through_all_of_it(lab):
    """What is made before, while and after the time stood still reaches every worker."""
    for index, action in enumerate(("resume", "pause", "step", "resume")):
        await lab.cluster.time.change(action=action)
        await lab.client.create(deployment(f"web-{index}", replicas=1))
    await lab.cluster.time.change(rate=100)
    for index in range(4):
        await lab.available(f"web-{index}", replicas=1)


async def test_watches_of_clients_end_by_real_time(lab):
    assert lab.cluster.api.wall is not lab.cluster.clock
    await lab.cluster.time.change(rate=100)
    loop = asyncio.get_running_loop()
    began, wall = loop.time(), lab.cluster.api.wall.seconds()
    await asyncio.sleep(10)
    assert lab.cluster.api.wall.seconds() - wall == pytest.approx(loop.time() - began, abs=0.01)


async def test_a_certificate_of_a_cluster_that_is_ahead_is_valid_there(lab):
    await lab.cluster.time.change(action="move", seconds=3600)
    assert lab.cluster.clock.ahead() > 3500
    assert lab.cluster.admin_kubeconfig().startswith("apiVersion")


async def test_an_idle_cluster_stays_idle_at_any_rate(lab):
    await lab.client.create(deployment())
    await lab.available()
    await asyncio.sleep(60)
    before = lab.cluster.store.revision
    await lab.cluster.time.change(rate=100)
    await asyncio.sleep(60)
    assert lab.cluster.store.revision == before
    assert lab.cluster.clock.next_due() is None


async def test_time_goes_on_where_a_worker_left_it(lab, tmp_path):
    kept = Kept(tmp_path, "lab")
    lab.cluster.time._kept = kept
    await lab.cluster.time.change(action="move", seconds=600)
    await lab.cluster.time.change(action="pause", rate=10)
    start = await Start.read(kept)
    assert (start.rate, start.paused) == (10, True)
    assert start.clock().seconds() == pytest.approx(lab.cluster.clock.seconds(), abs=1)


async def test_time_does_not_run_back_after_a_worker_was_killed(lab):
    await lab.cluster.time.change(rate=100)
    await asyncio.sleep(36)
    await lab.client.create(deployment())
    at = await last_write(lab.cluster.store)
    assert at == pytest.approx(lab.cluster.clock.seconds(), abs=60)
    assert Start().clock(at).seconds() >= at
    assert Start().clock(0.0).ahead() == pytest.approx(0, abs=0.01)


async def test_nothing_is_kept_of_a_clock_that_nobody_touched(lab, tmp_path):
    lab.cluster.time._kept = Kept(tmp_path, "lab")
    await lab.cluster.time.keep()
    assert not (tmp_path / "clusters").exists()


@pytest.mark.parametrize("content", [b"", b"[]", b'{"ahead": "x"}', b'{"rate": null}', b"\xff\x00"])
async def test_a_document_that_makes_no_sense_is_no_document(tmp_path, content):
    directory = tmp_path / "clusters" / "lab"
    directory.mkdir(parents=True)
    (directory / "clock.json").write_bytes(content)
    assert await Start.read(Kept(tmp_path, "lab")) == Start()


class OneCluster:
    def __init__(self, cluster):
        self.cluster = cluster

    def find(self, name):
        return self.cluster


async def test_the_control_api_tells_and_changes_it(lab):
    fleet = OneCluster(lab.cluster)

    async def post(body):
        return await change(Call(fleet, ["lab", "clock"], {}, body))

    code, clock = await read(Call(fleet, ["lab", "clock"], {}, b""))
    assert (code, clock["rate"], clock["paused"], clock["ahead"]) == (200, 1.0, False, 0.0)
    code, clock = await post(b'{"action": "pause", "rate": 100}')
    assert (code, clock["rate"], clock["paused"]) == (200, 100, True)
    for body in (
        b"{}",
        b"[]",
        b'{"action": "rewind"}',
        b'{"rate": 0}',
        b'{"rate": 101}',
        b'{"rate": true}',
        b'{"rate": "10"}',
        b'{"action": "move"}',
        b'{"action": "move", "seconds": 3601}',
        b'{"action": "move", "seconds": -1}',
    ):
        with pytest.raises(ApiError):
            await post(body)
    assert lab.cluster.clock.rate == 100


def test_a_clock_that_nobody_waits_for_has_no_timer():
    async def use():
        clock = LoopClock()
        clock.set_rate(100)
        clock.seconds()
        return clock.next_due()

    assert asyncio.run(use()) is None
