"""What a cluster of real size costs to make, to restart, to pause and resume, and to fork.

The worker's processor seconds count, all threads, until it has come to rest again: on a shared
machine time on the wall says little.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx

from benchmarks.idle import processor_seconds, resident
from benchmarks.result import Row
from benchmarks.serving import instance
from tests.support.server import Playground, wait_until

# Less than this share of a core over this time is rest.
_QUIET, _OVER = 0.03, 1.0
_LONGEST = 180.0
CLUSTERS = "/kubeground/v1/clusters"


def large() -> list[Row]:
    """Make the template with 5,000 pods; restart the worker; pause, resume and fork the cluster."""
    with instance("--template", "bare") as running:
        before = resident(_worker(running))
        made = _spent(running, lambda client: _make(client, "big"))
        grown = resident(_worker(running)) - before
        forked = _spent(running, lambda client: _fork(client, "big", "twin"))
        with running.client() as client:
            client.delete(f"{CLUSTERS}/twin").raise_for_status()
        _rest(running)
        with running.client() as client:
            client.post(f"{CLUSTERS}/big/pause", timeout=_LONGEST).raise_for_status()
        resumed = _spent(running, _resume)
        _rest(running)
        running.stop()
        running.start()
        # The worker is another one: all that it has used is the restart.
        restarted = _until_rest(running, 0.0)
        _all_run(running, "big")
    return [
        Row("5,000 pods on 100 nodes: made until all run, CPU", made, 8, "s"),
        Row("the same, memory", grown, 250, "MB"),
        Row("the same, forked until all run, CPU", forked, 8, "s"),
        Row("the same, resumed after a pause, CPU", resumed, 6, "s"),
        Row("the same, restart of the playground, CPU", restarted, 8, "s"),
    ]


def _make(client: httpx.Client, name: str) -> str:
    body = {"name": name, "nodes": 100, "template": "large"}
    client.post(CLUSTERS, json=body, timeout=_LONGEST).raise_for_status()
    return name


def _fork(client: httpx.Client, source: str, name: str) -> str:
    version = client.get(f"/clusters/{source}/api/v1/namespaces/default/configmaps").json()
    body = {"name": name, "revision": int(version["metadata"]["resourceVersion"])}
    client.post(f"{CLUSTERS}/{source}/fork", json=body, timeout=_LONGEST).raise_for_status()
    return name


def _resume(client: httpx.Client) -> str:
    client.post(f"{CLUSTERS}/big/resume", json={}, timeout=_LONGEST).raise_for_status()
    return "big"


def _spent(running: Playground, act: Callable[[httpx.Client], str]) -> float:
    """Return the processor seconds of something until all pods of its cluster run, at rest."""
    before = processor_seconds(_worker(running))
    with running.client() as client:
        name = act(client)
    _all_run(running, name)
    return _until_rest(running, before)


def _all_run(running: Playground, name: str) -> None:
    with running.client(base=f"{running.api}/clusters/{name}") as client:

        def nobody_waits() -> bool:
            params = {"fieldSelector": "status.phase!=Running", "limit": "1"}
            found = client.get("/api/v1/pods", params=params)
            return found.status_code == 200 and not found.json()["items"]

        wait_until(nobody_waits, within=_LONGEST, every=0.5)


def _until_rest(running: Playground, before: float) -> float:
    _rest(running)
    return processor_seconds(_worker(running)) - before


def _rest(running: Playground) -> None:
    """Wait until the worker does next to nothing."""
    worker = _worker(running)
    end = time.monotonic() + _LONGEST
    last = processor_seconds(worker)
    while time.monotonic() < end:
        time.sleep(_OVER)
        now = processor_seconds(worker)
        if now - last <= _QUIET * _OVER:
            return
        last = now


def _worker(running: Playground) -> int:
    return running.child("playground.worker")
