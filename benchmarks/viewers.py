"""Many people who look at the overview of one cluster while it changes: what each look takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import httpx

from benchmarks.idle import processor_seconds
from benchmarks.result import Row
from benchmarks.serving import PODS, cluster, instance, pod
from tests.support.server import Playground
from tests.support.shells import operator

THERE, VIEWERS, ROUNDS, CHANGES_A_SECOND = 1000, 20, 10, 20
OVERVIEW = "/kubeground/v1/clusters/seen/overview"
FACTS = "/kubeground/v1/clusters/seen/history/facts"


def viewers() -> list[Row]:
    """Ask as twenty viewers in turn, as their pages do; then through the site, as one."""
    with (
        instance("--template", "bare") as running,
        operator(running) as visitor,
        cluster(running, "seen", 0) as client,
    ):
        for number in range(THERE):
            client.post(PODS, json=pod(f"pod-{number}")).raise_for_status()
        site, worker = running.child("playground.site"), running.child("playground.worker")
        with _changing(client):
            look = _looks(running, worker)
            page = _pages(visitor.http, (site, worker))
        still = _looks(running, worker)
    what = f"overview of {THERE} pods for {VIEWERS} viewers"
    return [
        Row(f"{what}, {CHANGES_A_SECOND} changes/s: worker CPU a look", look, 10, "ms"),
        Row(f"{what}, no change: worker CPU a look", still, 5, "ms"),
        Row("the same for one page, through the site: CPU a look", page, 30, "ms"),
    ]


@contextmanager
def _changing(client: httpx.Client) -> Iterator[None]:
    done = Event()

    def change() -> None:
        number = 0
        while not done.wait(1 / CHANGES_A_SECOND):
            number += 1
            patch = {"metadata": {"labels": {"mark": str(number)}}}
            headers = {"Content-Type": "application/merge-patch+json"}
            client.patch(f"{PODS}/pod-{number % THERE}", json=patch, headers=headers)

    thread = Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _looks(running: Playground, worker: int) -> float:
    """Return the milliseconds of CPU that a look takes, less what the changes do."""
    seen = dict.fromkeys(range(VIEWERS), "")
    with running.client() as control:
        begun, idle = time.monotonic(), processor_seconds(worker)
        time.sleep(2)
        base = (processor_seconds(worker) - idle) / (time.monotonic() - begun)
        begun, before = time.monotonic(), processor_seconds(worker)
        for _ in range(ROUNDS):
            for viewer in range(VIEWERS):
                headers = [
                    ("Impersonate-User", f"viewer-{viewer}"),
                    ("Impersonate-Group", "kubeground:viewers"),
                    ("Impersonate-Group", "system:authenticated"),
                ]
                asked = {"seen": seen[viewer]} if seen[viewer] else {}
                found = control.get(OVERVIEW, params=asked, headers=headers).raise_for_status()
                seen[viewer] = revision = str(found.json()["revision"])
                if "kinds" in found.json():
                    upto = {"seconds": "300", "upto": revision, "live": "1"}
                    control.get(FACTS, params=upto, headers=headers).raise_for_status()
        took = time.monotonic() - begun
    used = processor_seconds(worker) - before - base * took
    return used / (ROUNDS * VIEWERS) * 1e3


def _pages(http: httpx.Client, processes: tuple[int, int]) -> float:
    before = sum(map(processor_seconds, processes))
    for _ in range(VIEWERS * 2):
        http.get("/api/clusters/seen/overview").raise_for_status()
    return (sum(map(processor_seconds, processes)) - before) / (VIEWERS * 2) * 1e3
