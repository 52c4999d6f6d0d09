"""metrics.k8s.io: usage of nodes and pods as metrics-server answers it."""

from __future__ import annotations

import pytest

from apimachinery.clock import ManualClock
from apimachinery.errors import NotFound
from apimachinery.meta import Obj
from nodes.kubelet.stats import MIB, ContainerUsage, NodeUsage, PodUsage, Usage
from playground.cluster_templates.metrics import metrics_objects
from playground.metrics import NODE_METRICS, POD_METRICS, MetricsServer


class Node:
    """A node whose usage is given; counts how often it is asked."""

    def __init__(self, name: str, *pods: PodUsage) -> None:
        self.name, self.pods, self.asked = name, pods, 0

    async def read(self) -> NodeUsage:
        self.asked += 1
        usage = Usage(nano_cores=250_000_000, working_set=900 * MIB)
        return NodeUsage(self.name, 0, 0, 4, 8 * 1024 * MIB, 0, usage, {}, self.pods)


def pod(name: str, namespace: str, node: str, **containers: int) -> tuple[Obj, PodUsage]:
    """Return a pod and its usage; for each container its thousandths of a core."""
    obj = {
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"nodeName": node},
    }
    used = tuple(
        ContainerUsage(one, one, "", "", Usage(milli * 1_000_000 + 1, 0, milli * 4096))
        for one, milli in containers.items()
    )
    return obj, PodUsage(obj, "", used)


class Objects:
    def __init__(self, **objects: list[Obj]) -> None:
        self._objects = objects

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        for one in self._objects.get(resource, ()):
            if (one["metadata"].get("namespace", ""), one["metadata"]["name"]) == (namespace, name):
                return one
        return None


class Lab:
    def __init__(self) -> None:
        web, web_used = pod("web", "default", "n1", nginx=5, log=2)
        dns, dns_used = pod("dns", "kube-system", "n1", dns=3)
        api, api_used = pod("api", "default", "n2", api=7)
        waiting = pod("waiting", "default", "")[0]
        self.one, self.two = Node("n1", web_used, dns_used), Node("n2", api_used)
        nodes = [{"metadata": {"name": name, "labels": {"os": "linux"}}} for name in ("n1", "n2")]
        objects = Objects(nodes=nodes, pods=[web, dns, api, waiting])
        self.server = MetricsServer(
            {"n2": self.two, "n1": self.one},
            objects,  # type: ignore[arg-type]
            ManualClock(),
        )


@pytest.fixture
def lab() -> Lab:
    return Lab()


async def test_a_node(lab: Lab) -> None:
    assert await lab.server.nodes("", "n1") == [
        {
            "kind": "NodeMetrics",
            "apiVersion": "metrics.k8s.io/v1beta1",
            "metadata": {
                "name": "n1",
                "creationTimestamp": "2026-01-02T03:04:05Z",
                "labels": {"os": "linux"},
            },
            "timestamp": "2026-01-02T03:04:05Z",
            "window": "15s",
            "usage": {"cpu": "250m", "memory": "900Mi"},
        }
    ]
    assert lab.two.asked == 0


async def test_all_nodes_in_order(lab: Lab) -> None:
    assert [one["metadata"]["name"] for one in await lab.server.nodes("", "")] == ["n1", "n2"]


async def test_a_pod_asks_its_own_node_alone(lab: Lab) -> None:
    (found,) = await lab.server.pods("default", "web")
    assert found["kind"] == "PodMetrics"
    assert found["metadata"]["labels"] == {"app": "web"}
    assert found["containers"] == [
        {"name": "nginx", "usage": {"cpu": "5000001n", "memory": "20Ki"}},
        {"name": "log", "usage": {"cpu": "2000001n", "memory": "8Ki"}},
    ]
    assert (lab.one.asked, lab.two.asked) == (1, 0)


@pytest.mark.parametrize(
    ("namespace", "names"),
    [("", ["api", "web", "dns"]), ("default", ["api", "web"]), ("nowhere", [])],
)
async def test_pods_in_order(lab: Lab, namespace: str, names: list[str]) -> None:
    found = await lab.server.pods(namespace, "")
    assert [one["metadata"]["name"] for one in found] == names


@pytest.mark.parametrize("name", ["nobody", "waiting"])
async def test_pods_without_metrics(lab: Lab, name: str) -> None:
    with pytest.raises(NotFound, match=f'podmetrics.metrics.k8s.io "default/{name}" not found'):
        await lab.server.pods("default", name)


async def test_nodes_without_metrics(lab: Lab) -> None:
    with pytest.raises(NotFound, match=r'nodemetrics.metrics.k8s.io "n3" not found'):
        await lab.server.nodes("", "n3")


async def test_tables_add_containers_up(lab: Lab) -> None:
    (web,), (node,) = await lab.server.pods("default", "web"), await lab.server.nodes("", "n1")
    assert [c.name for c in POD_METRICS.columns] == ["Name", "cpu", "memory", "Window"]
    assert [c.value(web, 0) for c in POD_METRICS.columns] == ["web", "7000002n", "28Ki", "15s"]
    assert [c.value(node, 0) for c in NODE_METRICS.columns] == ["n1", "250m", "900Mi", "15s"]


def test_readers_of_other_things_read_metrics_too() -> None:
    role = next(one for one in metrics_objects() if one["kind"] == "ClusterRole")
    labels = role["metadata"]["labels"]
    assert labels["rbac.authorization.k8s.io/aggregate-to-view"] == "true"
    assert role["rules"][0]["apiGroups"] == ["metrics.k8s.io"]
