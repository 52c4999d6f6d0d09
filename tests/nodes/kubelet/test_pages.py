"""The kubelet's pages: health, pods, statistics and metrics, computed from the runtime."""

import json
import re

import pytest

from apimachinery.exposition import Family
from nodes.kubelet.pages import METRICS, KubeletPages
from tests.nodes.kubelet.conftest import script, sleeper
from tests.support.virtualtime import VIRTUAL_TIME

pytestmark = VIRTUAL_TIME


@pytest.fixture
async def pages(rig):
    made = KubeletPages(rig.kubelet)
    await rig.create(sleeper())
    await rig.ready()
    return made


async def text(pages, path):
    page = await pages.get(path)
    assert page.code == 200
    return page.body.decode()


def sample(metrics, name, **labels):
    """Return the value of the sample whose labels include these."""
    for line in metrics.splitlines():
        found = re.fullmatch(rf"{name}(?:{{(.*)}})? (\S+)", line)
        if found and all(f'{key}="{value}"' in (found[1] or "") for key, value in labels.items()):
            return float(found[2])
    raise AssertionError(f"no {name} {labels} in:\n{metrics}")


@pytest.mark.parametrize("path", ["/healthz", "/healthz/", "/livez"])
async def test_health(pages, path):
    assert await text(pages, path) == "ok"


async def test_what_is_not_there(pages):
    assert await pages.get("/nothing") == (
        404,
        "text/plain; charset=utf-8",
        b"404 page not found\n",
    )


async def test_pods(pages):
    found = json.loads(await text(pages, "/pods"))
    assert found["kind"] == "PodList"
    assert [pod["metadata"]["name"] for pod in found["items"]] == ["p"]
    running = json.loads(await text(pages, "/runningpods/"))
    assert running["items"][0]["spec"]["containers"][0]["name"] == "c"


async def test_configuration(pages):
    found = json.loads(await text(pages, "/configz"))["kubeletconfig"]
    assert (found["maxPods"], found["clusterDNS"]) == (110, ["10.96.0.10"])


async def test_summary(pages):
    found = json.loads(await text(pages, "/stats/summary"))
    node, (pod,) = found["node"], found["pods"]
    assert node["nodeName"] == "n1"
    assert [one["name"] for one in node["systemContainers"]] == ["kubelet", "runtime", "pods"]
    used, free = node["memory"]["workingSetBytes"], node["memory"]["availableBytes"]
    assert used + free == 8 * 2**30
    assert pod["podRef"]["name"] == "p"
    (container,) = pod["containers"]
    assert container["name"] == "c"
    assert container["memory"]["workingSetBytes"] == pod["memory"]["workingSetBytes"] > 0
    assert node["memory"]["workingSetBytes"] > pod["memory"]["workingSetBytes"]


async def test_cpu_time_grows(pages, rig):
    def seconds(found):
        return json.loads(found)["node"]["cpu"]["usageCoreNanoSeconds"]

    before = seconds(await text(pages, "/stats/summary"))
    await rig.clock.sleep(100)
    assert seconds(await text(pages, "/stats/summary")) > before + 2 * 10**9


async def test_only_what_runs_is_counted(pages, rig):
    await rig.create(script("exit 0", "done", policy="Never"))
    await rig.phase("Succeeded", "done")
    found = json.loads(await text(pages, "/stats/summary"))
    assert [pod["podRef"]["name"] for pod in found["pods"]] == ["p"]
    assert len(json.loads(await text(pages, "/pods"))["items"]) == 2
    metrics = await text(pages, "/metrics")
    assert sample(metrics, "kubelet_running_pods") == 1
    assert sample(metrics, "kubelet_desired_pods") == 2
    assert sample(metrics, "kubelet_running_containers", container_state="running") == 1
    assert sample(metrics, "kubelet_running_containers", container_state="exited") == 1


async def test_resource_metrics(pages):
    page = await pages.get("/metrics/resource")
    assert page.content_type == METRICS
    found = page.body.decode()
    here = {"container": "c", "namespace": "default", "pod": "p"}
    used = sample(found, "container_memory_working_set_bytes", **here)
    assert used == sample(found, "pod_memory_working_set_bytes", pod="p") > 0
    assert sample(found, "node_memory_working_set_bytes") > used
    assert sample(found, "resource_scrape_error") == 0


async def test_cadvisor_metrics(pages):
    found = await text(pages, "/metrics/cadvisor")
    assert sample(found, "machine_cpu_cores") == 4
    assert sample(found, "machine_memory_bytes") == 8 * 2**30
    node = sample(found, "container_memory_working_set_bytes", id="/")
    assert node > sample(found, "container_memory_working_set_bytes", container="c", pod="p")


def test_labels_are_escaped():
    family = Family("m", "gauge", "Help.", (({"a": 'x"y\\z\n'}, 0.5), ({}, 2.0)))
    assert family.text() == ('# HELP m Help.\n# TYPE m gauge\nm{a="x\\"y\\\\z\\n"} 0.5\nm 2\n')
    assert Family("m", "gauge", "Help.", ()).text() == ""
