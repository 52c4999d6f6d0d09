"""ImagePolicyWebhook, with a real backend over HTTPS."""

from __future__ import annotations

import asyncio

import pytest

from apimachinery.clock import ManualClock
from apimachinery.errors import Forbidden
from apiserver.admission.configuration import read_configuration
from apiserver.admission.interfaces import UPDATE
from apiserver.admission.plugins.image_policy_webhook import ImagePolicyWebhook
from tests.apiserver.admission.support import pod, request
from tests.support.backend import HttpsBackend

FILE = """
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: ImagePolicyWebhook
  configuration:
    imagePolicy: {{kubeConfigFile: backend.kubeconfig, denyTTL: 50, {more}}}
"""
KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{{name: images, cluster: {{certificate-authority: {ca}, server: "{server}/check"}}}}]
users: [{{name: api, user: {{token: secret}}}}]
contexts: [{{name: here, context: {{cluster: images, user: api}}}}]
current-context: here
"""


class Judge:
    """Lets no image of tag latest in; fails as often as it is told."""

    def __init__(self):
        self.reviews, self.failures = [], 0

    def __call__(self, path, review):
        assert path == "/check"
        if self.failures:
            self.failures -= 1
            return 503, {}
        self.reviews.append(review["spec"])
        wrong = [c["image"] for c in review["spec"]["containers"] if c["image"].endswith(":latest")]
        status = {"allowed": not wrong, "auditAnnotations": {"seen": "yes"}}
        if wrong:
            status["reason"] = f"no {wrong[0]}"
        return 200, {**review, "status": status}


class Clock(ManualClock):
    """Time passes as soon as somebody waits."""

    async def sleep(self, seconds):
        self.advance(seconds)
        await asyncio.sleep(0)


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    made = Judge()
    directory = tmp_path_factory.mktemp("images")
    backend = HttpsBackend(directory, made)
    (directory / "backend.kubeconfig").write_text(
        KUBECONFIG.format(ca=backend.ca_file.name, server=backend.url)
    )
    made.directory = directory
    with backend.serving():
        yield made


def plugin(judge, more="allowTTL: 50"):
    file = judge.directory / "admission.yaml"
    file.write_text(FILE.format(more=more))
    judge.reviews.clear()
    clock = Clock()
    return ImagePolicyWebhook(read_configuration(str(file)).image_policy, clock), clock


def asking(image, **more):
    annotations = {"why.image-policy.k8s.io/ticket": "7", "other": "x"}
    made = pod(containers=[{"name": "c", "image": image}], **more)
    made["metadata"]["annotations"] = annotations
    return request(made)


async def test_the_backend_s_verdict_counts(judge):
    images, _ = plugin(judge)
    fine = asking("nginx:1", initContainers=[{"name": "i", "image": "init:1"}])
    await images.validate_async(fine)
    assert judge.reviews == [
        {
            "containers": [{"image": "nginx:1"}, {"image": "init:1"}],
            "namespace": "ns",
            "annotations": {"why.image-policy.k8s.io/ticket": "7"},
        }
    ]
    assert fine.annotations == {"imagepolicywebhook.image-policy.k8s.io/seen": "yes"}
    with pytest.raises(Forbidden) as refused:
        await images.validate_async(asking("nginx:latest"))
    assert refused.value.message == (
        'pods "p" is forbidden: image policy webhook backend denied one or more images: no '
        "nginx:latest"
    )


async def test_a_verdict_is_remembered_for_a_while(judge):
    images, clock = plugin(judge)
    for _ in range(2):
        await images.validate_async(asking("a:1"))
    assert len(judge.reviews) == 1
    clock.advance(51)
    await images.validate_async(asking("a:1"))
    assert len(judge.reviews) == 2
    forgetful, _ = plugin(judge, "allowTTL: -1")
    for _ in range(2):
        await forgetful.validate_async(asking("a:1"))
    assert len(judge.reviews) == 2


async def test_a_debugger_s_image_is_judged_alone(judge):
    images, _ = plugin(judge)
    made = pod(ephemeralContainers=[{"name": "d", "image": "debug:latest"}])
    asked = request(made, operation=UPDATE, subresource="ephemeralcontainers")
    with pytest.raises(Forbidden, match="no debug:latest"):
        await images.validate_async(asked)


async def test_a_backend_that_fails_is_asked_again(judge):
    images, clock = plugin(judge, "retryBackoff: 1000")
    judge.failures, began = 2, clock.seconds()
    await images.validate_async(asking("b:1"))
    assert clock.seconds() - began == 2.5


@pytest.mark.parametrize("default", ["false", "true"])
async def test_without_an_answer_the_operator_s_default_counts(judge, default):
    images, _ = plugin(judge, f"defaultAllow: {default}")
    judge.failures = 5
    asked = asking("c:1")
    if default == "true":
        await images.validate_async(asked)
        assert asked.annotations == {"imagepolicywebhook.image-policy.k8s.io/failed-open": "true"}
    else:
        with pytest.raises(Forbidden, match="Error contacting webhook: 503"):
            await images.validate_async(asked)


def test_a_wrong_configuration(judge):
    words = 'plugin "ImagePolicyWebhook": valid value is between 1s and 30m0s, got 1h0m0s'
    with pytest.raises(ValueError, match=words):
        plugin(judge, "allowTTL: 3600")
