"""What the topology costs the browser: CPU of the renderer a frame, on a machine without a GPU.

A fake cluster worker serves the pods; the site and Chromium are real. Frames per second say little
on a busy machine, so the renderer's own CPU time is read from /proc and divided by the frames that
it drew. The budget is 8 ms: half a frame at 60 Hz.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.result import Row
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.serving import running_site
from tests.playground.fakecluster import Fake, Served, served
from tests.playground.objects import large, pod

PODS, NODES = 5000, 100
BUDGET_MS = 8.0
UPDATES_PER_SECOND = 200
FRAMES = 180
TICK = os.sysconf("SC_CLK_TCK")
SETTLE_SECONDS = 1.5

PAN = """(frames) => new Promise((done) => {
  const { scene } = kp.topology;
  scene.zoomBy(1.6);
  let n = 0;
  const step = () => {
    scene.panBy(Math.sin(n / 9) * 9, Math.cos(n / 13) * 5);
    n += 1;
    if (n < frames) requestAnimationFrame(step); else done(n);
  };
  requestAnimationFrame(step);
})"""
WAIT = """(frames) => new Promise((done) => {
  let n = 0;
  const step = () => { n += 1; if (n < frames) requestAnimationFrame(step); else done(n); };
  requestAnimationFrame(step);
})"""


def renderers() -> dict[int, float]:
    """CPU milliseconds of each renderer process that descends from this one."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            command = (entry / "cmdline").read_bytes()
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if b"--type=renderer" in command:
            found[int(entry.name)] = (int(fields[11]) + int(fields[12])) * 1000 / TICK
    return found


def measure(page, script: str) -> float:
    """CPU milliseconds of the busiest renderer, for each frame."""
    before = renderers()
    frames = page.evaluate(script, FRAMES)
    after = renderers()
    return max(after[pid] - before.get(pid, 0) for pid in after) / frames


def churn(worker, pods: int, nodes: int, stop: threading.Event) -> None:
    """Change pods at the promised rate, spread over the cluster, until told to stop."""
    cluster = worker.fake.clusters["big"]
    count = 0
    while not stop.wait(0.05):
        for _ in range(UPDATES_PER_SECOND // 20):
            count += 1
            index = (count * 37) % pods
            name = f"app-{index // 10}-5f"
            phase = "Pending" if count % 2 else "Running"
            item = pod(
                f"{name}-{index}", f"node-{index % nodes}", phase, app=name[:-3], owner=f"rs-{name}"
            )
            worker.change(cluster.put, "pods", item)


def first_picture(page, url: str, pods: int) -> float:
    """Seconds from opening the address to all pods drawn."""
    start = time.monotonic()
    page.goto(url)
    while page.evaluate("window.kp?.topology?.stats().pods ?? 0") < pods:
        page.wait_for_timeout(20)
    page.evaluate(WAIT, 2)
    return time.monotonic() - start


@contextmanager
def opened(fake: Fake) -> Iterator[tuple[Page, Served, str]]:
    """Yield a page that is signed in, the worker that it shows, and the site's address."""
    with (
        served(fake) as worker,
        tempfile.TemporaryDirectory() as directory,
        running_site(Path(directory), worker.url) as site,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1600, "height": 900})
        page.goto(site.link)
        yield page, worker, site.url
        browser.close()


def topology() -> list[Row]:
    """Measure 5,000 pods on 100 nodes: the first picture, moving, and changes that pour in."""
    fake = Fake()
    large(fake.add("big"), PODS, NODES)
    with opened(fake) as (page, worker, site):
        first = first_picture(page, f"{site}/clusters/big/topology", PODS)
        time.sleep(SETTLE_SECONDS)
        moving = measure(page, PAN)
        time.sleep(SETTLE_SECONDS)
        stop = threading.Event()
        changing = threading.Thread(target=churn, args=(worker, PODS, NODES, stop))
        changing.start()
        time.sleep(SETTLE_SECONDS)
        changed = measure(page, WAIT)
        stop.set()
        changing.join()
    return [
        Row("Topology, 5,000 pods: first picture", first, 1.5, "s"),
        Row("Topology, 5,000 pods: pan and zoom, CPU a frame", moving, BUDGET_MS, "ms"),
        Row("Topology, 5,000 pods: 200 updates/s, CPU a frame", changed, BUDGET_MS, "ms"),
    ]
