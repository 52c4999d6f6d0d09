"""From an event of a watch to pixels, memory after many events, and 20,000 pods.

The site and Chromium are real, the worker is a fake one in this process: both read one machine's
clock. A pixel counts as drawn in the frame after the one that painted it.
"""

from __future__ import annotations

import time
from statistics import quantiles

from playwright.sync_api import Page

from benchmarks.result import Row
from benchmarks.topology import BUDGET_MS, PAN, SETTLE_SECONDS, first_picture, measure, opened
from tests.playground.fakecluster import Fake, Served
from tests.playground.objects import large, pod

PODS, NODES, MANY = 1000, 50, 20_000
SAMPLES, EVENTS = 60, 100_000
LATENCY_MS, GROWTH_PERCENT, FIRST_MANY_SECONDS = 150.0, 10.0, 6.0

SEEN = """(uid) => new Promise((done) => {
  const look = () => {
    if (kp.topology.layout.where.has(uid)) requestAnimationFrame(() => done(Date.now()));
    else requestAnimationFrame(look);
  };
  look();
})"""
# The page takes events as the stream hands them to it, 500 to a batch.
FEED = """(events) => {
  const { connection, store } = kp.topology;
  const rows = [...store.pods.values()].slice(0, 500);
  const cols = ["uid", "ns", "name", "node", "status", "ready", "restarts", "owner", "created",
    "ip", "cpu", "memory", "labels", "why", "claims"];
  for (let sent = 0; sent < events; sent += rows.length) {
    const ev = rows.map((one) => {
      const row = cols.map((name) => one[name]);
      row[6] = sent;
      return { t: "M", k: "pods", o: row };
    });
    const to = store.number + 1;
    connection.receive({ op: "batch", from: to, to, cursor: store.cursor, rev: store.rev + 1, ev });
  }
}"""


def latency(page: Page, worker: Served) -> float:
    """Return the 95th percentile of milliseconds from an event to its pixels."""
    cluster = worker.fake.clusters["big"]
    found = []
    for number in range(SAMPLES):
        name = f"late-{number}"
        start = time.time()
        worker.change(cluster.put, "pods", pod(name, f"node-{number % NODES}"))
        found.append(page.evaluate(SEEN, f"pods-default-{name}") - start * 1000)
    return quantiles(found, n=20)[-1]


def heap(page: Page) -> float:
    """Return the bytes of the page's objects, after a collection."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    return float(session.send("Runtime.getHeapUsage")["usedSize"])


def growth(page: Page) -> float:
    """Return by how many percent the heap grows over many events."""
    page.evaluate(FEED, EVENTS // 10)  # what is compiled and kept once is there
    time.sleep(SETTLE_SECONDS)
    before = heap(page)
    page.evaluate(FEED, EVENTS)
    time.sleep(SETTLE_SECONDS)
    return max(0.0, (heap(page) / before - 1) * 100)


def stream() -> list[Row]:
    """Measure the live stream of the topology page."""
    fake = Fake()
    large(fake.add("big"), PODS, NODES)
    large(fake.add("huge"), MANY, 200)
    with opened(fake) as (page, worker, site):
        first_picture(page, f"{site}/clusters/big/topology", PODS)
        late, grown = latency(page, worker), growth(page)
        first = first_picture(page, f"{site}/clusters/huge/topology", MANY)
        time.sleep(SETTLE_SECONDS)
        moving = measure(page, PAN)
    return [
        Row("Topology: watch event to pixels, 95th percentile", late, LATENCY_MS, "ms"),
        Row("Topology: heap after 100,000 events, growth", grown, GROWTH_PERCENT, "%"),
        Row("Topology, 20,000 pods: first picture", first, FIRST_MANY_SECONDS, "s"),
        Row("Topology, 20,000 pods: pan and zoom, CPU a frame", moving, BUDGET_MS, "ms"),
    ]
