"""The `kubernetes_asyncio` and `kr8s` packages, which run on an event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import kr8s
import kubernetes_asyncio as kubernetes
import pytest
from kr8s.asyncio.objects import ConfigMap, Deployment, Pod, new_class
from kubernetes_asyncio.leaderelection import electionconfig, leaderelection
from kubernetes_asyncio.leaderelection.resourcelock.leaselock import LeaseLock
from kubernetes_asyncio.stream import WsApiClient

from tests.support.clients import LEAVES_CONNECTIONS
from tests.support.server import Playground

pytestmark = [
    pytest.mark.e2e,
    *LEAVES_CONNECTIONS,
    # kr8s knows Kubernetes up to 1.35.
    pytest.mark.filterwarnings("ignore:Kubernetes version:UserWarning"),
]


def a_pod(name: str, script: str) -> dict[str, Any]:
    container = {"name": "main", "image": "busybox", "command": ["sh", "-c", script]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container], "restartPolicy": "Never"},
    }


@pytest.fixture
async def client(playground: Playground) -> AsyncIterator[kubernetes.client.ApiClient]:
    configuration = kubernetes.client.Configuration()
    await kubernetes.config.load_kube_config(
        str(playground.kubeconfig), client_configuration=configuration
    )
    async with kubernetes.client.ApiClient(configuration) as made:
        yield made


async def test_asyncio_creates_lists_patches_and_deletes(client, namespace: str) -> None:
    core = kubernetes.client.CoreV1Api(client)
    body = {"metadata": {"name": "a"}, "data": {"n": "1"}}
    await core.create_namespaced_config_map(namespace, body)
    with pytest.raises(kubernetes.client.ApiException) as again:
        await core.create_namespaced_config_map(namespace, body)
    assert (again.value.status, again.value.reason) == (409, "Conflict")
    patches = {
        "application/merge-patch+json": {"data": {"n": "2"}},
        "application/strategic-merge-patch+json": {"data": {"m": "x"}},
        "application/json-patch+json": [{"op": "add", "path": "/data/o", "value": "y"}],
    }
    for kind, patch in patches.items():
        await core.patch_namespaced_config_map("a", namespace, patch, _content_type=kind)
    applied = await core.patch_namespaced_config_map(
        "a",
        namespace,
        {"apiVersion": "v1", "kind": "ConfigMap", "data": {"p": "z"}},
        field_manager="test",
        _content_type="application/apply-patch+yaml",
    )
    assert applied.data == {"n": "2", "m": "x", "o": "y", "p": "z"}
    listed = await core.list_namespaced_config_map(namespace, field_selector="metadata.name=a")
    assert [item.metadata.uid for item in listed.items] == [applied.metadata.uid]
    await core.delete_namespaced_config_map("a", namespace)
    with pytest.raises(kubernetes.client.ApiException) as gone:
        await core.read_namespaced_config_map("a", namespace)
    assert gone.value.status == 404


async def test_asyncio_watches_go_on_where_they_ended(client, namespace: str) -> None:
    core = kubernetes.client.CoreV1Api(client)
    listing = await core.list_namespaced_config_map(namespace, label_selector="seen=yes")
    version = listing.metadata.resource_version

    async def seen(version: str, count: int) -> list[tuple[str, str, str]]:
        found = []
        async with kubernetes.watch.Watch() as watch:
            async for event in watch.stream(
                core.list_namespaced_config_map,
                namespace,
                label_selector="seen=yes",
                resource_version=version,
                timeout_seconds=20,
            ):
                meta = event["object"].metadata
                found.append((event["type"], meta.name, meta.resource_version))
                if len(found) == count:
                    break
        return found

    labels = {"seen": "yes"}
    for name in ("a", "b"):
        await core.create_namespaced_config_map(
            namespace, {"metadata": {"name": name, "labels": labels}}
        )
    await core.patch_namespaced_config_map("a", namespace, {"metadata": {"labels": {"seen": "no"}}})
    await core.delete_namespaced_config_map("b", namespace)
    first = await seen(version, 2)
    assert [event[:2] for event in first] == [("ADDED", "a"), ("ADDED", "b")]
    rest = await seen(first[-1][2], 2)
    # What no longer matches is gone, as far as this watch is concerned.
    assert [event[:2] for event in rest] == [("DELETED", "a"), ("DELETED", "b")]


async def test_asyncio_follows_a_log_and_executes(client, playground, namespace: str) -> None:
    core = kubernetes.client.CoreV1Api(client)
    await core.create_namespaced_pod(namespace, a_pod("box", "echo started; sleep 3600"))
    async with kubernetes.watch.Watch() as watch:
        async for event in watch.stream(core.list_namespaced_pod, namespace, timeout_seconds=20):
            if event["object"].status.phase == "Running":
                break
    async with kubernetes.watch.Watch() as watch:
        async for line in watch.stream(core.read_namespaced_pod_log, "box", namespace, follow=True):
            assert line.rstrip() == "started"
            break
    configuration = client.configuration
    async with WsApiClient(configuration) as streams:
        said = await kubernetes.client.CoreV1Api(streams).connect_get_namespaced_pod_exec(
            "box",
            namespace,
            command=["sh", "-c", "echo hello; hostname"],
            stdin=False,
            stdout=True,
            stderr=True,
            tty=False,
        )
    assert said == "hello\nbox\n"


async def test_asyncio_dynamic_client_and_custom_objects(client, namespace: str) -> None:
    dynamic = await kubernetes.dynamic.DynamicClient(client)
    maps = await dynamic.resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"n": "1"}}
    first = await maps.server_side_apply(body, namespace=namespace, field_manager="one")
    assert first.data.n == "1"
    # This client hands a refusal over as it is.
    second = await maps.server_side_apply(
        {**body, "data": {"n": "2"}}, namespace=namespace, field_manager="two"
    )
    assert (second.kind, second.code, second.reason) == ("Status", 409, "Conflict")
    assert 'conflict with "one": .data.n' in second.message
    custom = kubernetes.client.CustomObjectsApi(client)
    where = ("coordination.k8s.io", "v1", namespace, "leases")
    await custom.create_namespaced_custom_object(
        *where, {"metadata": {"name": "a"}, "spec": {"holderIdentity": "me"}}
    )
    found = await custom.get_namespaced_custom_object(*where, "a")
    assert found["spec"] == {"holderIdentity": "me"}


async def test_asyncio_elects_a_leader(client, namespace: str) -> None:
    leads = {name: asyncio.Event() for name in ("first", "second")}

    def candidate(name: str) -> leaderelection.LeaderElection:
        async def lead() -> None:
            leads[name].set()
            await asyncio.Event().wait()

        lock = LeaseLock("lock", namespace, name, client)
        config = electionconfig.Config(
            lock,
            lease_duration=3,
            renew_deadline=2,
            retry_period=1,
            onstarted_leading=lead,
            onstopped_leading=None,
        )
        return leaderelection.LeaderElection(config)

    coordination = kubernetes.client.CoordinationV1Api(client)
    first = asyncio.create_task(candidate("first").run())
    second = None
    try:
        async with asyncio.timeout(20):
            await leads["first"].wait()
            second = asyncio.create_task(candidate("second").run())
            first.cancel()
            # The first renews no more, so the second takes over once the lease has run out.
            await leads["second"].wait()
        lease = await coordination.read_namespaced_lease("lock", namespace)
        assert lease.spec.holder_identity == "second"
    finally:
        for task in (first, second):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


@pytest.fixture
async def kube(playground: Playground, namespace: str) -> AsyncIterator[Any]:
    made = await kr8s.asyncio.api(kubeconfig=str(playground.kubeconfig), namespace=namespace)
    yield made
    if made._session is not None:
        await made._session.aclose()


async def test_kr8s_creates_lists_patches_and_deletes(kube) -> None:
    made = await ConfigMap({"metadata": {"name": "a"}, "data": {"n": "1"}}, api=kube)
    await made.create()
    assert await made.exists()
    await made.label({"x": "1"})
    await made.annotate(note="y")
    await made.patch({"data": {"n": "2"}})
    await made.patch([{"op": "add", "path": "/data/m", "value": "z"}], type="json")
    found = [one async for one in kube.get("configmaps", label_selector={"x": "1"})]
    assert [(one.name, dict(one.raw["data"])) for one in found] == [("a", {"n": "2", "m": "z"})]
    await made.delete()
    with pytest.raises(kr8s.NotFoundError):
        await ConfigMap.get("a", api=kube)


async def test_kr8s_runs_watches_and_forwards(kube) -> None:
    body = a_pod("web", "")
    body["spec"] = {"containers": [{"name": "web", "image": "nginx"}]}
    pod = await Pod(body, api=kube)
    await pod.create()
    await pod.wait("condition=Ready", timeout=20)
    done = await pod.exec(["sh", "-c", "echo out; echo err >&2"])
    assert (done.stdout, done.stderr, done.returncode) == (b"out\n", b"err\n", 0)
    failed = await pod.exec(["sh", "-c", "exit 3"], check=False)
    assert failed.returncode == 3
    assert [line async for line in pod.logs(tail_lines=1)]
    async with pod.portforward(remote_port=80) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.0\r\nHost: web\r\n\r\n")
        assert await asyncio.wait_for(reader.readline(), 10) == b"HTTP/1.1 200 OK\r\n"
        writer.close()


async def test_kr8s_scales_and_waits(kube) -> None:
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "nginx"}]},
    }
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    web = await Deployment({"metadata": {"name": "web"}, "spec": spec}, api=kube)
    await web.create()
    await web.wait("condition=Available", timeout=20)
    await web.scale(2)
    await web.wait("jsonpath='{.status.readyReplicas}'=2", timeout=20)
    assert len([pod async for pod in kube.get("pods", label_selector={"app": "web"})]) == 2
    seen = []
    async for event, changed in kube.watch("deployments"):
        seen.append((event, changed.name))
        break
    assert seen == [("ADDED", "web")]


async def test_kr8s_learns_of_custom_kinds(kube) -> None:
    leases = new_class("Lease", version="coordination.k8s.io/v1", asyncio=True)
    lease = await leases({"metadata": {"name": "a"}, "spec": {"holderIdentity": "me"}}, api=kube)
    await lease.create()
    assert [one.spec.holderIdentity async for one in kube.get("leases.coordination.k8s.io")] == [
        "me"
    ]
    kinds = {resource["kind"] for resource in await kube.api_resources()}
    assert {"Pod", "Deployment", "CustomResourceDefinition"} <= kinds
