"""kubectl debug: a container beside those of a pod, a copy of a pod, a pod on a node."""

from __future__ import annotations

import pytest

from tests.support.kubectl import Kubectl
from tests.support.terminal import at_terminal

pytestmark = pytest.mark.e2e


@pytest.fixture
def web(kubectl: Kubectl) -> Kubectl:
    kubectl("run", "web", "--image=nginx")
    kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=20s")
    return kubectl


def test_a_container_beside_the_pods_own(web: Kubectl) -> None:
    command = web.command("debug", "-it", "pod/web", "--image=busybox", "--target=web")
    with at_terminal([*command, "--", "sh"], web.env()) as screen:
        screen.until(r"Defaulting debug container name to debugger-\w+")
        screen.until(r"[#$] $|If you don't see a command prompt")
        screen.type("\nhostname\n")
        screen.until(r"^web$")
        screen.type("wget -qO- http://localhost/ | grep title\n")
        screen.until(r"Welcome to nginx!")
        screen.type("exit\n")
        assert screen.ended() == 0
    ended = "{.status.ephemeralContainerStatuses[0].state.terminated.exitCode}"
    web("wait", f"--for=jsonpath={ended}=0", "pod/web", "--timeout=20s")
    assert web.field("pod/web", "{.spec.ephemeralContainers[0].targetContainerName}") == "web"


def test_a_copy_of_a_pod(web: Kubectl) -> None:
    web("debug", "web", "--image=busybox", "--copy-to=other", "--", "sleep", "1000")
    web("wait", "--for=condition=Ready", "pod/other", "--timeout=20s")
    assert len(web.field("pod/other", "{.spec.containers[*].name}").split()) == 2


def test_a_pod_on_a_node(web: Kubectl) -> None:
    command = web.command("debug", "-it", "node/node-2", "--image=busybox", "--", "sh")
    with at_terminal(command, web.env()) as screen:
        screen.until(r"Creating debugging pod node-debugger-node-2-\w+")
        screen.until(r"[#$] $|If you don't see a command prompt")
        screen.type("\nhostname\n")
        screen.until(r"^node-2$")
        screen.type("exit\n")
        assert screen.ended() == 0
