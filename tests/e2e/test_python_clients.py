"""The `kubernetes`, `lightkube` and `pykube` packages: list, watch, create, patch, apply, exec."""

from __future__ import annotations

import io
from collections.abc import Iterator

import kubernetes
import pykube
import pytest
from kubernetes.informer import SharedInformer
from kubernetes.stream import stream
from lightkube import ApiError
from lightkube.models.apps_v1 import DeploymentSpec
from lightkube.models.core_v1 import Container, PodSpec, PodTemplateSpec
from lightkube.models.meta_v1 import LabelSelector, ObjectMeta
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap, Pod
from lightkube.types import PatchType

from tests.support.clients import LEAVES_CONNECTIONS, light, official
from tests.support.server import Playground, wait_until

pytestmark = [pytest.mark.e2e, *LEAVES_CONNECTIONS]
STREAMS = {"stdin": False, "stdout": True, "stderr": True, "tty": False}


def a_pod(name: str, *command: str) -> dict:
    container = {"name": "main", "image": "busybox", "command": list(command)}
    return {"metadata": {"name": name}, "spec": {"containers": [container]}}


def config_map(name: str, **data: str) -> dict:
    return {"metadata": {"name": name}, "data": data}


@pytest.fixture
def core(playground: Playground) -> Iterator[kubernetes.client.CoreV1Api]:
    with official(playground.kubeconfig) as client:
        yield kubernetes.client.CoreV1Api(client)


def test_official_creates_lists_patches_and_deletes(core, namespace: str) -> None:
    core.create_namespaced_config_map(namespace, config_map("a", n="1"))
    listed = core.list_namespaced_config_map(namespace, field_selector="metadata.name=a")
    assert [item.data for item in listed.items] == [{"n": "1"}]
    core.patch_namespaced_config_map("a", namespace, {"data": {"n": "2", "m": "x"}})
    found = core.read_namespaced_config_map("a", namespace)
    assert found.data == {"n": "2", "m": "x"}
    found.data["n"] = "3"
    replaced = core.replace_namespaced_config_map("a", namespace, found)
    assert replaced.data["n"] == "3"
    with pytest.raises(kubernetes.client.ApiException) as refused:
        core.replace_namespaced_config_map("a", namespace, found)
    assert (refused.value.status, refused.value.reason) == (409, "Conflict")
    core.delete_namespaced_config_map("a", namespace)
    with pytest.raises(kubernetes.client.ApiException) as gone:
        core.read_namespaced_config_map("a", namespace)
    assert gone.value.status == 404


def test_official_watches_a_pod_to_its_end(core, namespace: str) -> None:
    version = core.list_namespaced_pod(namespace).metadata.resource_version
    body = a_pod("once", "sh", "-c", "echo done")
    body["spec"]["restartPolicy"] = "Never"
    core.create_namespaced_pod(namespace, body)
    watch = kubernetes.watch.Watch()
    seen = []
    for event in watch.stream(
        core.list_namespaced_pod, namespace, resource_version=version, timeout_seconds=20
    ):
        phase = event["object"].status.phase
        if phase == "Succeeded" and ("MODIFIED", phase) not in seen:
            core.delete_namespaced_pod("once", namespace, grace_period_seconds=0)
        seen.append((event["type"], phase))
        if event["type"] == "DELETED":
            watch.stop()
    assert seen[0] == ("ADDED", "Pending")
    assert ("MODIFIED", "Succeeded") in seen
    assert seen[-1] == ("DELETED", "Succeeded")


def test_official_server_side_apply(core, namespace: str, playground: Playground) -> None:
    with official(playground.kubeconfig) as client:
        dynamic = kubernetes.dynamic.DynamicClient(client)
        maps = dynamic.resources.get(api_version="v1", kind="ConfigMap")
        body = {"apiVersion": "v1", "kind": "ConfigMap", **config_map("a", n="1")}
        first = maps.server_side_apply(body, namespace=namespace, field_manager="one")
        again = maps.server_side_apply(body, namespace=namespace, field_manager="one")
        assert first.metadata.resourceVersion == again.metadata.resourceVersion
        body["data"] = {"n": "2"}
        with pytest.raises(kubernetes.dynamic.exceptions.ConflictError) as conflict:
            maps.server_side_apply(body, namespace=namespace, field_manager="two")
        assert 'conflict with \\"one\\": .data.n' in str(conflict.value.body)
        forced = maps.server_side_apply(
            body, namespace=namespace, field_manager="two", force_conflicts=True
        )
        assert forced.data.n == "2"


def test_official_exec_and_logs(core, namespace: str) -> None:
    core.create_namespaced_pod(namespace, a_pod("box", "sh", "-c", "echo started; sleep 3600"))
    watch = kubernetes.watch.Watch()
    for event in watch.stream(core.list_namespaced_pod, namespace, timeout_seconds=20):
        if event["object"].status.phase == "Running":
            watch.stop()
    assert core.read_namespaced_pod_log("box", namespace) == "started\n"
    said = stream(
        core.connect_get_namespaced_pod_exec,
        "box",
        namespace,
        command=["sh", "-c", "echo hello; hostname"],
        **STREAMS,
    )
    assert said == "hello\nbox\n"
    talk = stream(
        core.connect_get_namespaced_pod_exec,
        "box",
        namespace,
        command=["sh"],
        **{**STREAMS, "stdin": True},
        _preload_content=False,
    )
    talk.write_stdin("echo $((20+1))\nexit 4\n")
    talk.run_forever(timeout=20)
    assert talk.read_stdout() == "21\n"
    assert talk.returncode == 4
    talk.close()


def test_official_informer_keeps_a_copy(core, namespace: str) -> None:
    core.create_namespaced_config_map(namespace, config_map("before", n="1"))
    # Its watches end after a second of peace, which `stop` waits for.
    informer = SharedInformer(core.list_namespaced_config_map, namespace=namespace, resync_period=1)
    deleted: list[str] = []
    informer.add_event_handler("DELETED", lambda item: deleted.append(item.metadata.name))
    informer.start()
    try:
        wait_until(lambda: f"{namespace}/before" in informer.cache.list_keys())
        core.create_namespaced_config_map(namespace, config_map("after", n="1"))
        core.patch_namespaced_config_map("before", namespace, {"data": {"n": "2"}})

        def data(name: str) -> dict | None:
            found = informer.cache.get_by_key(f"{namespace}/{name}")
            return found and found.data

        wait_until(lambda: (data("before"), data("after")) == ({"n": "2"}, {"n": "1"}))
        core.delete_namespaced_config_map("after", namespace)
        wait_until(lambda: deleted == ["after"])
        assert data("after") is None
    finally:
        informer.stop()


@pytest.fixture
def lightly(playground: Playground, namespace: str):
    client = light(playground.kubeconfig, namespace)
    yield client
    client._client._client.close()


def test_lightkube_creates_lists_patches_and_deletes(lightly) -> None:
    lightly.create(ConfigMap(metadata=ObjectMeta(name="a", labels={"x": "1"}), data={"n": "1"}))
    assert [found.data for found in lightly.list(ConfigMap, labels={"x": "1"})] == [{"n": "1"}]
    lightly.patch(ConfigMap, "a", {"data": {"n": "2"}}, patch_type=PatchType.MERGE)
    patch = [{"op": "add", "path": "/data/m", "value": "x"}]
    lightly.patch(ConfigMap, "a", patch, patch_type=PatchType.JSON)
    assert lightly.get(ConfigMap, "a").data == {"n": "2", "m": "x"}
    lightly.delete(ConfigMap, "a")
    with pytest.raises(ApiError) as gone:
        lightly.get(ConfigMap, "a")
    assert gone.value.status.reason == "NotFound"


def test_lightkube_applies_scales_and_waits(lightly) -> None:
    def deployment(replicas: int) -> Deployment:
        template = PodTemplateSpec(
            metadata=ObjectMeta(labels={"app": "web"}),
            spec=PodSpec(containers=[Container(name="nginx", image="nginx:1.29")]),
        )
        spec = DeploymentSpec(
            replicas=replicas, selector=LabelSelector(matchLabels={"app": "web"}), template=template
        )
        return Deployment(metadata=ObjectMeta(name="web"), spec=spec)

    lightly.apply(deployment(2))
    lightly.wait(Deployment, "web", for_conditions=["Available"])
    scale = lightly.get(Deployment.Scale, "web")
    assert (scale.spec.replicas, scale.status.selector) == (2, "app=web")
    scale.spec.replicas = 3
    lightly.replace(scale, "web")
    for kind, found in lightly.watch(Deployment, fields={"metadata.name": "web"}):
        assert kind in ("ADDED", "MODIFIED")
        if found.status.readyReplicas == 3:
            break
    assert len(list(lightly.list(Pod, labels={"app": "web"}))) == 3
    with pytest.raises(ApiError, match="conflict"):
        lightly.apply(deployment(1), field_manager="another")
    lightly.apply(deployment(1), field_manager="another", force=True)
    assert lightly.get(Deployment, "web").spec.replicas == 1


def test_lightkube_follows_a_log(lightly) -> None:
    script = "for n in 1 2 3; do echo $n; sleep 0.1; done"
    lightly.create(
        Pod(
            metadata=ObjectMeta(name="counter"),
            spec=PodSpec(
                restartPolicy="Never",
                containers=[Container(name="main", image="busybox", command=["sh", "-c", script])],
            ),
        )
    )
    for _, found in lightly.watch(Pod, fields={"metadata.name": "counter"}):
        if found.status and found.status.phase in ("Running", "Succeeded"):
            break
    said = io.StringIO()
    said.writelines(lightly.log("counter", follow=True))
    assert said.getvalue().split() == ["1", "2", "3"]


def test_pykube_creates_lists_patches_and_deletes(playground: Playground, namespace: str) -> None:
    api = pykube.HTTPClient(pykube.KubeConfig.from_file(str(playground.kubeconfig)))
    body = {**config_map("a", n="1"), "apiVersion": "v1", "kind": "ConfigMap"}
    body["metadata"]["namespace"] = namespace
    made = pykube.ConfigMap(api, body)
    made.create()
    made.patch({"data": {"n": "2"}, "metadata": {"labels": {"x": "1"}}})
    assert made.obj["data"] == {"n": "2"}
    listed = pykube.ConfigMap.objects(api).filter(namespace=namespace, selector={"x": "1"})
    assert [one.name for one in listed] == ["a"]
    made.obj["data"]["n"] = "3"
    made.update()
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    deployment["metadata"]["namespace"] = namespace
    deployment["spec"] = {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "nginx"}]},
        },
    }
    web = pykube.Deployment(api, deployment)
    web.create()
    web.patch({"spec": {"replicas": 2}})
    pods = pykube.Pod.objects(api).filter(namespace=namespace, selector={"app": "web"})
    wait_until(lambda: [pod.ready for pod in pods.all()] == [True, True])
    for event in pykube.ConfigMap.objects(api).filter(namespace=namespace).watch():
        if event.object.name == "a":
            assert (event.type, event.object.obj["data"]) == ("ADDED", {"n": "3"})
            break
    made.delete()
    assert not made.exists()
    api.session.close()
