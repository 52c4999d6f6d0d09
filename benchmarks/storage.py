"""How fast the storage is: writes, lists, opening a cluster, and telling 500 watchers.

    python -m benchmarks.storage [--directory DIR]          SQLite in DIR (a temporary one)
    DATABASE_URL=postgres://... python -m benchmarks.storage

CPU time is this process's own; wall time counts the disk and whoever shares the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django
from django.core.management import call_command

from apimachinery.clock import ManualClock
from apiserver.storage import ClusterRecord, ClusterStore, Key, Storage, Write
from apiserver.watch.formats import whole_objects
from apiserver.watch.hub import WatchHub
from apiserver.watch.stream import Watch, WatchOptions, open_watch


def pod(name: str, **status: Any) -> dict[str, Any]:
    """A pod of about the size that real ones have."""
    env = [{"name": f"VARIABLE_{n}", "value": "x" * 60} for n in range(40)]
    metadata = {"name": name, "namespace": "default", "uid": name, "labels": {"app": "web"}}
    spec = {"nodeName": "node-1", "containers": [{"name": "c", "image": "nginx", "env": env}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def added(name: str) -> Write:
    fields = {"spec.nodeName": "node-1"}
    where = Key("pods", "default", name)
    return Write(where, "ADDED", pod(name), uid=name, labels={"app": "web"}, fields=fields)


@contextmanager
def measured(label: str, count: int = 1) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    each = f"{wall / count * 1e6:10.1f} us  cpu {cpu / count * 1e6:8.1f} us each"
    print(f"{label:44} {count / wall:10.0f}/s  {each}  {wall * 1e3:8.2f} ms in all", flush=True)


async def insert(store: ClusterStore, name: str, count: int, latencies: list[float]) -> None:
    """Be one client: write, wait, and write again."""
    for n in range(count):
        begun = time.perf_counter()
        await store.commit(added(f"{name}-{n}"))
        latencies.append(time.perf_counter() - begun)


async def inserts(storage: Storage) -> None:
    store = await storage.create_cluster(ClusterRecord("inserts"))
    for clients, count in ((1, 300), (8, 2400), (64, 6400), (256, 10240)):
        latencies: list[float] = []
        work = [
            insert(store, f"i{clients}-{number}", count // clients, latencies)
            for number in range(clients)
        ]
        with measured(f"insert, {clients} clients", count):
            await asyncio.gather(*work)
        latencies.sort()
        middle, late = latencies[len(latencies) // 2], latencies[int(len(latencies) * 0.99)]
        print(f"{'':44} p50 {middle * 1e3:.2f} ms, p99 {late * 1e3:.2f} ms")


async def lists(storage: Storage) -> None:

    writes = [added(f"p{n:05}") for n in range(5000)]
    with measured("create a cluster of 5,000 pods"):
        store = await storage.create_cluster(ClusterRecord("list"), writes)
    with measured("list 5,000, nothing changed", 100):
        for _ in range(100):
            store.list("pods")
    key = writes[0].key
    await store.commit(Write(key, "MODIFIED", pod(key.name, n=1), expected=-1))
    with measured("list 5,000 after a change"):
        store.list("pods")
    with measured("join 5,000"):
        b",".join([entry.raw for entry in store.list("pods")])
    with measured("list 5,000 as of a past revision"):
        assert len(await store.list_at("pods", None, 5000)) == 5000
    await storage.close_cluster("list")
    with measured("open a cluster of 5,000 pods"):
        await storage.open_cluster("list")
    with measured("delete a cluster of 5,000 pods"):
        await storage.delete_cluster("list")


async def clusters(storage: Storage) -> None:

    def small(name: str) -> Write:
        made = added(name)
        assert made.obj is not None
        del made.obj["spec"]["containers"][0]["env"][8:]
        return made

    for n in range(3):
        writes = [small(f"p{number}") for number in range(300)]
        with measured("create a cluster of 300 objects"):
            await storage.create_cluster(ClusterRecord(f"small{n}"), writes)
    await storage.close_cluster("small0")
    with measured("open a cluster of 300 objects"):
        await storage.open_cluster("small0")
    await storage.close_cluster("small0")
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    store = await storage.open_cluster("small0")
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    raw = sum(len(entry.raw) for entry in store.list("pods"))
    print(f"{'memory of an open cluster of 300 objects':44} {held >> 10} KiB, JSON {raw >> 10} KiB")


class Audience:
    """Readers of streams, and when the last of them had its chunk."""

    def __init__(self, size: int) -> None:
        self.missing = self.size = size
        self.everyone = asyncio.Event()

    async def read(self, watch: Watch) -> None:
        async for _chunk in watch:
            self.missing -= 1
            if not self.missing:
                self.everyone.set()

    async def wait(self) -> None:
        await self.everyone.wait()
        self.everyone.clear()
        self.missing = self.size


async def fan_out(storage: Storage, clock: ManualClock) -> None:
    store = await storage.create_cluster(ClusterRecord("watched"))
    options, encoding = WatchOptions(resource="pods"), whole_objects("v1", "Pod")
    watches = [await open_watch(store, options, encoding, clock) for _ in range(500)]
    audience = Audience(len(watches))
    async with asyncio.TaskGroup() as tasks:
        for watch in watches:
            tasks.create_task(audience.read(watch))
        await asyncio.sleep(0)
        for n in range(3):
            with measured("a change told to 500 streams", len(watches)):
                await store.commit(added(f"w{n}"))
                await audience.wait()
        for watch in watches:
            watch.close()
    for n in range(500):
        exact = ("spec.nodeName", f"n{n}")
        store.hub.subscribe(
            "pods",
            after=store.revision,
            exact=exact,
            sink=lambda _events: None,
            closed=lambda _reason: None,
        )
    with measured("a change beside 500 watchers of other nodes", 200):
        await store.commit_many([added(f"x{n}") for n in range(200)])


async def run() -> None:

    await asyncio.to_thread(call_command, "migrate", verbosity=0)
    clock = ManualClock()
    storage = Storage(clock=clock, hub=WatchHub)
    await inserts(storage)
    await lists(storage)
    await clusters(storage)
    await fan_out(storage, clock)
    for record in await storage.clusters():
        await storage.delete_cluster(record.name)
    await storage.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--directory", help="where SQLite's file is made")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.directory) as directory:
        os.environ["KUBEGROUND_DATA_DIR"] = directory
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "playground.settings")
        django.setup()
        asyncio.run(run())


if __name__ == "__main__":
    main()
