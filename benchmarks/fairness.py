"""A flood by one user: how long another one waits for a pod meanwhile."""

from __future__ import annotations

import multiprocessing
import statistics
import time

import httpx

from benchmarks.load import request_rate
from benchmarks.result import Row
from benchmarks.serving import PODS, cluster, instance, pod

ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings"
# Lists that look at every pod and find none: work for the server, and little for who floods it.
PODS_THERE, NONE = 2000, "?labelSelector=app%3Dnone"
FLOODERS, SECONDS = 200, 9.0
ASKED = 100


def fairness() -> list[Row]:
    """GET a pod as one user while another floods; noted: alone, and without fairness."""
    alone, flooded = _measure()
    _, unfair = _measure("--enable-priority-and-fairness=false")
    note = f"alone {alone:.1f} ms, without fairness {unfair:.0f} ms"
    return [Row("GET during a flood of LISTs by another user", flooded, 50, "ms", note=note)]


def _measure(*flags: str) -> tuple[float, float]:
    """Return the median milliseconds of a GET alone, and during the flood."""
    with instance(*flags) as running, cluster(running, "flooded", 0) as client:
        for number in range(PODS_THERE):
            client.post(PODS, json=pod(f"pod-{number}")).raise_for_status()
        url = str(client.base_url).rstrip("/") + PODS
        flooder, quiet = (_user(client, user) for user in ("flooder", "quiet"))
        alone = _waits(url, quiet)
        flood = multiprocessing.get_context("spawn").Process(
            target=request_rate,
            args=(url + NONE, flooder),
            kwargs={"connections": FLOODERS, "seconds": SECONDS},
        )
        flood.start()
        time.sleep(SECONDS / 3)  # until all of its connections are open
        waits = _waits(url, quiet, until=time.perf_counter() + SECONDS / 3)
        flood.join()
    return statistics.median(alone), statistics.median(waits)


def _user(client: httpx.Client, name: str) -> str:
    """Make a service account that may read pods; return its token."""
    client.post(ACCOUNTS, json={"metadata": {"name": name}}).raise_for_status()
    binding = {
        "metadata": {"name": name},
        "roleRef": {"kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "default"}],
    }
    client.post(BINDINGS, json=binding).raise_for_status()
    token = client.post(f"{ACCOUNTS}/{name}/token", json={"spec": {}}).raise_for_status().json()
    return str(token["status"]["token"])


def _waits(url: str, token: str, until: float = 0.0) -> list[float]:
    """Ask for a pod again and again; return how many milliseconds each answer took."""
    waits = []
    with httpx.Client(verify=False, headers={"Authorization": f"Bearer {token}"}) as client:
        while len(waits) < ASKED and not (until and time.perf_counter() > until and waits):
            begun = time.perf_counter()
            client.get(f"{url}/pod-7", timeout=60).raise_for_status()
            waits.append((time.perf_counter() - begun) * 1e3)
    return waits
