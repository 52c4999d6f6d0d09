"""The guestbook of examples/: three tiers that find each other, heal, grow, roll and roll back."""

from __future__ import annotations

import re

import pytest

from tests.support.kubectl import Kubectl
from tests.support.server import ROOT, wait_until

pytestmark = pytest.mark.e2e

GUESTBOOK = str(ROOT / "examples" / "guestbook")


def addresses(kubectl: Kubectl, service: str) -> tuple[set[str], set[str]]:
    """Return the ready addresses of a Service by its Endpoints and by its EndpointSlices."""
    endpoints = kubectl.field(f"endpoints/{service}", "{.subsets[*].addresses[*].ip}").split()
    slices = kubectl(
        *("get", "endpointslices", "-l", f"kubernetes.io/service-name={service}"),
        *("-o", "jsonpath={.items[*].endpoints[?(@.conditions.ready==true)].addresses[*]}"),
    )
    return set(endpoints), set(slices.split())


def pod_addresses(kubectl: Kubectl, tier: str) -> set[str]:
    path = "jsonpath={.items[*].status.podIP}"
    return set(kubectl("get", "pods", "-l", f"tier={tier}", "-o", path).split())


@pytest.mark.conformance(
    "[sig-cli] Kubectl client Guestbook application should create and stop a working application"
)
def test_the_guestbook(kubectl: Kubectl) -> None:
    said = kubectl("apply", "-f", GUESTBOOK)
    assert "deployment.apps/frontend created" in said
    for name in ("redis-leader", "redis-follower", "frontend"):
        kubectl("rollout", "status", f"deploy/{name}", "--timeout=30s")
    serving = "tier in (frontend, leader, follower)"
    kubectl("wait", "--for=condition=Ready", "pod", "-l", serving, "--timeout=10s")
    kubectl("wait", "--for=condition=Complete", "job/first-entry", "--timeout=30s")

    # Any pod reaches any Service by its name.
    page = kubectl("exec", "deploy/frontend", "--", "wget", "-qO-", "http://frontend")
    assert "<title>Guestbook</title>" in page
    page = kubectl(
        *("exec", "deploy/redis-leader", "--", "wget", "-qO-"),
        f"http://frontend.{kubectl.namespace}.svc.cluster.local/healthz",
    )
    assert page == "ok\n"

    # What is written to the leader is read from the followers.
    leader = ("exec", "deploy/redis-leader", "--", "redis-cli")
    kubectl(*leader, "rpush", "guestbook", "hello from a test")
    follower = ("exec", "deploy/redis-follower", "--", "redis-cli", "-h", "redis-follower")
    wait_until(lambda: "hello from a test" in kubectl(*follower, "lrange", "guestbook", "0", "-1"))

    # Endpoints and EndpointSlices hold the pods, all of them, and follow their number.
    assert wait_until(
        lambda: addresses(kubectl, "frontend") == (pod_addresses(kubectl, "frontend"),) * 2
    )
    assert len(pod_addresses(kubectl, "frontend")) == 3
    assert (
        kubectl("scale", "deploy/frontend", "--replicas=5") == "deployment.apps/frontend scaled\n"
    )
    kubectl("rollout", "status", "deploy/frontend", "--timeout=30s")
    wait_until(lambda: [len(found) for found in addresses(kubectl, "frontend")] == [5, 5])
    kubectl("scale", "deploy/frontend", "--replicas=2", "--current-replicas=5")
    wait_until(lambda: [len(found) for found in addresses(kubectl, "frontend")] == [2, 2])

    # A pod that is deleted is made again, under another name.
    def staying() -> set[str]:
        pods = kubectl.json("get", "pods", "-l", "tier=frontend")["items"]
        return {
            pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]
        }

    assert len(staying()) == 2
    victim = min(staying())
    kubectl("delete", "pod", victim, "--now")
    kubectl("rollout", "status", "deploy/frontend", "--timeout=30s")
    assert len(staying() - {victim}) == 2
    wait_until(lambda: [len(found) for found in addresses(kubectl, "frontend")] == [2, 2])
    page = kubectl("exec", "deploy/frontend", "--", "wget", "-qO-", "http://frontend/healthz")
    assert page == "ok\n"
    kubectl("delete", "-f", GUESTBOOK, "--wait=false")


def test_a_rollout_with_a_bad_image_stops_and_is_undone(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "web", "--image=nginx:1.28", "--replicas=4")
    kubectl("rollout", "status", "deploy/web", "--timeout=30s")
    said = kubectl("set", "image", "deploy/web", "nginx=nginx:no-such-tag")
    assert said == "deployment.apps/web image updated\n"
    # 25 % may be missing and 25 % too many: three old ones stay, two new ones try.
    wait_until(
        lambda: len(re.findall("ErrImagePull|ImagePullBackOff", kubectl("get", "pods"))) == 2
    )
    status = kubectl.json("get", "deploy", "web")["status"]
    assert (status["replicas"], status["updatedReplicas"]) == (5, 2)
    assert (status["availableReplicas"], status["unavailableReplicas"]) == (3, 2)
    said = kubectl.run("rollout", "status", "deploy/web", "--timeout=1s").out
    assert "2 out of 4 new replicas have been updated" in said
    wait_until(
        lambda: re.search(
            r'Warning +Failed .*Failed to pull image "nginx:no-such-tag"', kubectl("get", "events")
        )
    )
    history = kubectl("rollout", "history", "deploy/web")
    assert re.findall(r"^(\d+) ", history, re.MULTILINE) == ["1", "2"]
    assert "nginx:no-such-tag" in kubectl("rollout", "history", "deploy/web", "--revision=2")

    assert kubectl("rollout", "undo", "deploy/web") == "deployment.apps/web rolled back\n"
    said = kubectl("rollout", "status", "deploy/web", "--timeout=30s")
    assert said.endswith('deployment "web" successfully rolled out\n')
    assert kubectl.field("deploy/web", "{..containers[0].image}") == "nginx:1.28"
    history = kubectl("rollout", "history", "deploy/web")
    assert re.findall(r"^(\d+) ", history, re.MULTILINE) == ["2", "3"]


def test_a_rollout_is_seen_paused_and_restarted(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "web", "--image=nginx:1.28", "--replicas=2")
    kubectl("rollout", "status", "deploy/web", "--timeout=30s")
    kubectl("rollout", "pause", "deploy/web")
    kubectl("set", "image", "deploy/web", "nginx=nginx:1.29")
    kubectl("annotate", "deploy/web", "kubernetes.io/change-cause=newer nginx")
    assert len(kubectl("get", "rs", "-l", "app=web", "-o", "name").split()) == 1
    kubectl("rollout", "resume", "deploy/web")
    kubectl("rollout", "status", "deploy/web", "--timeout=30s")
    assert re.search(r"^2 +newer nginx$", kubectl("rollout", "history", "deploy/web"), re.MULTILINE)
    assert kubectl("rollout", "restart", "deploy/web") == "deployment.apps/web restarted\n"
    kubectl("rollout", "status", "deploy/web", "--timeout=30s")
    assert len(kubectl("get", "rs", "-l", "app=web", "-o", "name").split()) == 3
    kubectl("rollout", "undo", "deploy/web", "--to-revision=1")
    kubectl("rollout", "status", "deploy/web", "--timeout=30s")
    assert kubectl.field("deploy/web", "{..containers[0].image}") == "nginx:1.28"
