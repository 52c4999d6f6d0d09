"""Metrics that components have in common, and those of the storage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from apimachinery.clock import Clock
from apimachinery.exposition import Family, Histograms, single
from apiserver.endpoints.metrics_page import process
from apiserver.storage import ClusterStore
from playground.machines import API_ADDRESS

Metric = Family | Histograms
Answers = Mapping[tuple[int, str], int]


def families(component: str, answers: Answers, clock: Clock) -> Iterator[Metric]:
    """Yield what is said of every component: who leads, its calls, its process."""
    yield single(
        "leader_election_master_status",
        "gauge",
        "[ALPHA] Gauge of if the reporting system is master of the relevant lease, 0 indicates "
        "backup, 1 indicates master. 'name' is the string used to identify the lease. Please make "
        "sure to group by name.",
        1,
        {"name": component},
    )
    yield Family(
        "rest_client_requests_total",
        "counter",
        "[BETA] Number of HTTP requests, partitioned by status code, method, and host.",
        [
            ({"code": str(code), "host": f"{API_ADDRESS}:6443", "method": method}, count)
            for (code, method), count in sorted(answers.items())
        ],
    )
    yield from process(clock)


def slis(kind: str, checks: Mapping[str, bool]) -> Iterator[Metric]:
    """Yield the results of health checks, as service level indicators."""
    yield Family(
        "kubernetes_healthcheck",
        "gauge",
        "[STABLE] This metric records the result of a single healthcheck.",
        [({"name": name, "type": kind}, float(well)) for name, well in sorted(checks.items())],
    )


def storage(store: ClusterStore) -> Iterator[Metric]:
    """Yield what etcd would say of what is stored."""
    yield single("etcd_server_has_leader", "gauge", "Whether or not a leader exists.", 1)
    yield single(
        "etcd_debugging_mvcc_current_revision",
        "gauge",
        "The current revision of store.",
        store.revision,
    )
