"""Containers that start again by rules of their own, and have all others start over."""

import pytest

from apimachinery.restarts import action, may_restart_everything, restarts
from nodes.client.resources import PODS
from nodes.kubelet.status import is_restarting
from tests.support.builders import pod
from tests.support.eventually import eventually
from tests.support.virtualtime import VIRTUAL_TIME


def rule(action_, *codes, operator="In"):
    return {"action": action_, "exitCodes": {"operator": operator, "values": list(codes)}}


@pytest.mark.parametrize(
    ("policy", "rules", "pod_policy", "code", "expected"),
    [
        (None, [], "Never", 1, False),
        (None, [], "OnFailure", 0, False),
        (None, [], "OnFailure", 1, True),
        (None, [], "Always", 0, True),
        # Its own policy comes before the pod's.
        ("Never", [], "Always", 1, False),
        ("Always", [], "Never", 0, True),
        ("OnFailure", [], "Never", 1, True),
        # Its rules come before its policy, the first that matches holds.
        ("Never", [rule("Restart", 42)], "Never", 42, True),
        ("Never", [rule("Restart", 42)], "Never", 41, False),
        ("Never", [rule("Restart", 42, operator="NotIn")], "Never", 41, True),
        ("Never", [rule("RestartAllContainers", 7), rule("Restart", 7)], "Never", 7, False),
    ],
)
def test_what_starts_again(policy, rules, pod_policy, code, expected):
    container = {"restartPolicyRules": rules} | ({"restartPolicy": policy} if policy else {})
    assert restarts(container, pod_policy, code) is expected


def test_what_may_start_all_over():
    rules = [rule("Restart", 1), rule("RestartAllContainers", 88)]
    assert action({"restartPolicyRules": rules}, 88) == "RestartAllContainers"
    assert action({"restartPolicyRules": rules}, 2) == ""
    assert may_restart_everything(
        {"containers": [{}], "initContainers": [{"restartPolicyRules": rules}]}
    )
    assert not may_restart_everything({"containers": [{"restartPolicyRules": rules[:1]}]})


def runs(name, script, **more):
    return {"name": name, "image": "busybox:1.36", "command": ["sh", "-c", script], **more}


def built(*containers, init=(), **spec):
    more = {"initContainers": list(init)} if init else {}
    return pod("p").on("n1").spec(containers=list(containers), **more, **spec)


@VIRTUAL_TIME
async def test_a_container_goes_by_its_own_policy_and_rules(rig):
    await rig.create(
        built(
            runs("once", "exit 1", restartPolicy="Never"),
            runs(
                "again", "exit 42", restartPolicy="Never", restartPolicyRules=[rule("Restart", 42)]
            ),
            runs("lasting", "sleep 60"),
            restartPolicy="OnFailure",
        )
    )
    await eventually(lambda: rig.container(1).get("restartCount") == 2, within=100)
    assert rig.status()["phase"] == "Running"
    assert rig.container(0)["restartCount"] == 0
    assert rig.container(0)["state"]["terminated"]["exitCode"] == 1


@VIRTUAL_TIME
@pytest.mark.parametrize(
    ("own", "pod_policy", "phase"),
    [("Never", "Always", "Failed"), ("OnFailure", "Never", "Running")],
)
async def test_an_init_container_that_fails_goes_by_its_own_policy(rig, own, pod_policy, phase):
    first = runs("first", "[ -e /data/seen ] || { touch /data/seen; exit 1; }", restartPolicy=own)
    first["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    volumes = [{"name": "data", "emptyDir": {}}]
    main = runs("main", "sleep 6000")
    await rig.create(built(main, init=[first], restartPolicy=pod_policy, volumes=volumes))
    await eventually(lambda: rig.status().get("phase") == phase, within=60)


@VIRTUAL_TIME
async def test_a_pod_ends_when_what_would_not_start_again_has_ended(rig):
    await rig.create(
        built(
            runs("a", "exit 0", restartPolicy="Never"),
            runs("b", "exit 3", restartPolicy="Never"),
            restartPolicy="Always",
        )
    )
    await eventually(lambda: rig.status().get("phase") == "Failed", within=60)


WATCHER = {"restartPolicy": "Never", "restartPolicyRules": [rule("RestartAllContainers", 88)]}


@VIRTUAL_TIME
async def test_all_containers_start_over(rig):
    """The init container runs again; sandbox, address and volumes stay."""
    mounted = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    hook = {"lifecycle": {"preStop": {"exec": {"command": ["sh", "-c", "echo hook >> /data/log"]}}}}
    await rig.create(
        built(
            runs("main", "echo main >> /data/log; sleep 6000", **mounted, **hook),
            runs("done", "exit 0"),
            runs(
                "watcher",
                "[ $(grep -c init /data/log) = 2 ] || { sleep 20; exit 88; }; sleep 6000",
                **mounted,
                **WATCHER,
            ),
            init=[runs("init", "echo init >> /data/log", **mounted)],
            restartPolicy="Never",
            volumes=[{"name": "data", "emptyDir": {}}],
            terminationGracePeriodSeconds=600,
        )
    )
    await eventually(lambda: rig.container(2).get("started"))
    before = rig.status()
    assert rig.condition("AllContainersRestarting")["status"] == "False"
    began = rig.clock.seconds()
    await eventually(
        lambda: rig.condition("AllContainersRestarting")["status"] == "True", within=60
    )
    assert rig.condition("AllContainersRestarting")["reason"] == "RestartAllContainersStarted"
    assert rig.status()["phase"] == "Running"
    await eventually(
        lambda: rig.container(2).get("started") and rig.container(2)["restartCount"] == 1
    )
    assert rig.clock.seconds() - began < 30
    after = rig.status()
    assert rig.condition("AllContainersRestarting")["status"] == "False"
    assert after["podIP"] == before["podIP"]
    every = [*after["initContainerStatuses"], *after["containerStatuses"]]
    assert [one["restartCount"] for one in every] == [1, 1, 1, 1]
    assert after["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 0
    assert rig.container(2)["lastState"]["terminated"]["exitCode"] == 88
    # No hook was run on the way, and what they had written is there.
    assert await rig.run("p", "cat", "/data/log", container="main") == ("init\nmain\n" * 2, 0)


@VIRTUAL_TIME
async def test_a_pod_that_is_deleted_while_it_starts_over_ends(rig):
    await rig.create(built(runs("c", "exit 88", **WATCHER), restartPolicy="Never"))
    await eventually(lambda: rig.condition("AllContainersRestarting").get("status") == "True")
    await rig.client.delete(PODS, "default", "p")
    await eventually(lambda: rig.api.get("pods", "p") is None, within=60)


@VIRTUAL_TIME
async def test_one_that_always_ends_so_keeps_nobody_busy(rig):
    await rig.create(built(runs("c", "exit 88", **WATCHER), restartPolicy="Never"))
    await eventually(lambda: rig.container().get("restartCount", 0) >= 3, within=60)
    began, count = rig.clock.seconds(), rig.container()["restartCount"]
    await eventually(lambda: rig.container()["restartCount"] >= count + 20, within=60)
    assert rig.clock.seconds() - began >= 19


def test_a_kubelet_that_begins_goes_on_with_it():
    told = [{"type": "AllContainersRestarting", "status": "True"}]
    assert is_restarting(pod("p").status(conditions=told))
    told[0]["status"] = "False"
    assert not is_restarting(pod("p").status(conditions=told))
