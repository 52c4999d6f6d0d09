"""/metrics and /metrics/slis: kube-apiserver's names, labels and buckets, of one cluster.

The stable metrics of v1.36 are here, and the others that dashboards and alerts of Kubernetes ask
for. What is about the process (`process_...`) is about all clusters that it serves.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from apimachinery.clock import Clock
from apimachinery.exposition import (
    MEDIA_TYPE,
    Family,
    Histogram,
    Histograms,
    Labels,
    single,
    text_of,
)
from apiserver.endpoints.api import ClusterApi
from apiserver.endpoints.limits import LONG_PARTS
from apiserver.endpoints.metrics import Checked, Counted
from apiserver.endpoints.metrics import Labels as RequestLabels
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.endpoints.version import VERSION
from apiserver.flowcontrol.filter import FlowFilter

COMPONENT = "apiserver"
_VERBS = {"create": "POST", "update": "PUT"}
_BEGAN = perf_counter()
_BUILD = {
    "build_date": "buildDate",
    "compiler": "compiler",
    "git_commit": "gitCommit",
    "git_tree_state": "gitTreeState",
    "git_version": "gitVersion",
    "go_version": "goVersion",
    "major": "major",
    "minor": "minor",
    "platform": "platform",
}
Metric = Family | Histograms


async def page(request: ApiRequest) -> Answer:
    """Return everything that is counted."""
    return Answer(text=text_of(families(request.api)).encode(), content_type=MEDIA_TYPE)


async def slis(request: ApiRequest) -> Answer:
    """Return the results of health checks, as service level indicators."""
    metrics = request.api.metrics
    text = "[STABLE] This metric records the result of a single healthcheck."
    total = "[STABLE] This metric records the results of all healthcheck."
    last = sorted(metrics.health.items())
    now = [({"name": name, "type": kind}, float(well)) for (name, kind), well in last]
    counts = sorted(metrics.health_counts.items())
    summed = [
        ({"name": name, "status": status, "type": kind}, float(count))
        for (name, kind, status), count in counts
    ]
    made = [
        Family("kubernetes_healthcheck", "gauge", text, now),
        Family("kubernetes_healthchecks_total", "counter", total, summed),
    ]
    return Answer(text=text_of(made).encode(), content_type=MEDIA_TYPE)


def families(api: ClusterApi) -> list[Metric]:
    """Return the metrics of a cluster, in the order of their names."""
    made: Iterable[Metric] = (
        *_admission(api),
        *_requests(api),
        *_audit(api),
        *_checks(api),
        *_flow(api),
        *_storage(api),
        *process(api.clock),
    )
    return sorted(made, key=lambda one: one.name)


# -- requests ------------------------------------------------------------------------------------


def _requests(api: ClusterApi) -> Iterator[Metric]:
    counted = sorted(api.metrics.requests.items())
    yield Family(
        "apiserver_request_total",
        "counter",
        "[STABLE] Counter of apiserver requests broken out for each verb, dry run value, group, "
        "version, resource, scope, component, and HTTP response code.",
        [
            ({"code": str(code), **_labels(labels)}, count)
            for labels, one in counted
            for code, count in sorted(one.codes.items())
        ],
    )
    ended = [(labels, one) for labels, one in counted if one.codes]
    yield Histograms(
        "apiserver_request_duration_seconds",
        "[STABLE] Response latency distribution in seconds for each verb, dry run value, group, "
        "version, resource, subresource, scope and component.",
        [(_labels(labels), one.durations) for labels, one in ended],
    )
    yield Histograms(
        "apiserver_request_sli_duration_seconds",
        "[ALPHA] Response latency distribution in seconds of requests that do not run long.",
        [
            (_labels(labels, dry_run=False), _coarse(one))
            for labels, one in ended
            if labels.verb != "watch" and labels.subresource not in LONG_PARTS
        ],
    )
    yield Histograms(
        "apiserver_response_sizes",
        "[STABLE] Response size distribution in bytes for each group, version, verb, resource, "
        "subresource, scope and component.",
        [
            (_labels(labels, dry_run=False), one.sizes)
            for labels, one in ended
            if one.sizes is not None
        ],
    )
    yield Family(
        "apiserver_longrunning_requests",
        "gauge",
        "[STABLE] Gauge of all active long-running apiserver requests broken out by verb, group, "
        "version, resource, scope and component. Not all requests are tracked this way.",
        [
            (_labels(labels, dry_run=False), one.running)
            for labels, one in counted
            if labels.verb == "watch" or labels.subresource in LONG_PARTS
        ],
    )
    yield Family(
        "apiserver_request_terminations_total",
        "counter",
        "[ALPHA] Number of requests which apiserver terminated in self-defense.",
        [
            ({"code": str(code), **_labels(labels, dry_run=False)}, count)
            for (labels, code), count in sorted(api.metrics.terminations.items())
        ],
    )
    yield Family(
        "apiserver_requested_deprecated_apis",
        "gauge",
        "[STABLE] Gauge of deprecated APIs that have been requested, broken out by API group, "
        "version, resource, subresource, and removed_release.",
        [(one._asdict(), 1) for one in sorted(_deprecated(api))],
    )


class _Deprecated(NamedTuple):
    group: str
    removed_release: str
    resource: str
    subresource: str
    version: str


def _deprecated(api: ClusterApi) -> set[_Deprecated]:
    return {
        _Deprecated(group, release, resource_, part, version)
        for group, version, resource_, part, release in api.metrics.deprecated
    }


def _labels(labels: RequestLabels, *, dry_run: bool = True) -> dict[str, str]:
    found = {"component": COMPONENT}
    if dry_run:
        found["dry_run"] = labels.dry_run
    verb = _VERBS.get(labels.verb) or labels.verb.upper()
    return found | {
        "group": labels.group,
        "resource": labels.resource,
        "scope": labels.scope,
        "subresource": labels.subresource,
        "verb": verb,
        "version": labels.version,
    }


def _coarse(counted: Counted) -> Histogram:
    """Return the durations without the two finest bounds, as the SLI has them."""
    whole = counted.durations
    made = Histogram(whole.bounds[2:])
    made.counts = [sum(whole.counts[:3]), *whole.counts[3:]]
    made.total = whole.total
    return made


# -- authentication, authorization, admission ----------------------------------------------------


def _checks(api: ClusterApi) -> Iterator[Metric]:
    metrics = api.metrics
    yield from _checked("authentication_attempts", "authentication", metrics.authentication)
    yield from _checked("authorization_attempts_total", "authorization", metrics.authorization)
    yield Family(
        "authenticated_user_requests",
        "counter",
        "[ALPHA] Counter of authenticated requests broken out by username.",
        [({"username": kind}, count) for kind, count in sorted(metrics.users.items())],
    )


def _checked(name: str, what: str, checked: Checked) -> Iterator[Metric]:
    text = f"[ALPHA] Counter of {what} attempts broken down by result."
    counts = sorted(checked.results.items())
    yield Family(name, "counter", text, [({"result": one}, count) for one, count in counts])
    text = f"[ALPHA] {what.capitalize()} duration in seconds broken out by result."
    times = sorted(checked.durations.items())
    yield Histograms(f"{what}_duration_seconds", text, [({"result": one}, h) for one, h in times])


def _admission(api: ClusterApi) -> Iterator[Metric]:
    steps: list[tuple[Labels, Histogram]] = []
    plugins: list[tuple[Labels, Histogram]] = []
    for (plugin, phase, operation, rejected), times in sorted(api.admission.times.times.items()):
        labels = {"operation": operation, "rejected": str(rejected).lower(), "type": phase}
        if plugin:
            plugins.append(({"name": plugin, **labels}, times))
        else:
            steps.append((labels, times))
    yield Histograms(
        "apiserver_admission_step_admission_duration_seconds",
        "[STABLE] Admission sub-step latency histogram in seconds, broken out for each operation "
        "and API resource and step type (validate or admit).",
        steps,
    )
    yield Histograms(
        "apiserver_admission_controller_admission_duration_seconds",
        "[STABLE] Admission controller latency histogram in seconds, identified by name and broken "
        "out for each operation and API resource and type (validate or admit).",
        plugins,
    )


def _audit(api: ClusterApi) -> Iterator[Metric]:
    audit = api.audit
    levels = sorted(audit.levels.items()) if audit is not None else ()
    yield single(
        "apiserver_audit_event_total",
        "counter",
        "[ALPHA] Counter of audit events generated and sent to the audit backend.",
        audit.events if audit is not None else 0,
    )
    yield single(
        "apiserver_audit_requests_rejected_total",
        "counter",
        "[ALPHA] Counter of apiserver requests rejected due to an error in audit logging backend.",
        0,
    )
    yield Family(
        "apiserver_audit_level_total",
        "counter",
        "[ALPHA] Counter of policy levels for audit events (1 per request).",
        [({"level": level}, count) for level, count in levels if count],
    )


# -- priority and fairness -----------------------------------------------------------------------


def _flow(api: ClusterApi) -> Iterator[Metric]:
    flow = api.flow
    text = (
        "[STABLE] Maximal number of currently used inflight request limit of this apiserver per "
        "request kind in last second."
    )
    samples = [({"request_kind": kind}, count) for kind, count in sorted(flow.under_way.items())]
    yield Family("apiserver_current_inflight_requests", "gauge", text, samples)
    if isinstance(flow, FlowFilter):
        yield from _levels(flow)
        yield from _usages(flow)


def _levels(flow: FlowFilter) -> Iterator[Metric]:
    levels = sorted(flow.all_levels(), key=lambda level: level.name)
    for name, text in (
        ("nominal", "[BETA] Nominal number of execution seats configured for each priority level"),
        ("lower", "[ALPHA] Configured lower bound on number of execution seats of each level"),
        ("upper", "[ALPHA] Configured upper bound on number of execution seats of each level"),
    ):
        yield Family(
            f"apiserver_flowcontrol_{name}_limit_seats",
            "gauge",
            text,
            [({"priority_level": level.name}, getattr(level, name)) for level in levels],
        )


def _usages(flow: FlowFilter) -> Iterator[Metric]:
    usages = [
        ({"flow_schema": schema, "priority_level": level}, usage)
        for (level, schema), usage in sorted(flow.usages.items())
    ]
    for name, attribute, kind, text in (
        (
            "current_executing_requests",
            "executing",
            "gauge",
            (
                "[BETA] Number of requests in initial (for a WATCH) or any (for a non-WATCH) "
                "execution stage in the API Priority and Fairness subsystem"
            ),
        ),
        (
            "current_executing_seats",
            "seats",
            "gauge",
            (
                "[BETA] Concurrency (number of seats) occupied by the currently executing (initial "
                "stage for a WATCH, any stage otherwise) requests in the API Priority and Fairness "
                "subsystem"
            ),
        ),
        (
            "current_inqueue_requests",
            "waiting",
            "gauge",
            (
                "[BETA] Number of requests currently pending in queues of the API Priority and "
                "Fairness subsystem"
            ),
        ),
        (
            "dispatched_requests_total",
            "dispatched",
            "counter",
            "[BETA] Number of requests executed by API Priority and Fairness subsystem",
        ),
    ):
        yield Family(
            f"apiserver_flowcontrol_{name}",
            kind,
            text,
            [(labels, getattr(usage, attribute)) for labels, usage in usages],
        )
    yield Family(
        "apiserver_flowcontrol_rejected_requests_total",
        "counter",
        "[BETA] Number of requests rejected by API Priority and Fairness subsystem",
        [
            ({**labels, "reason": reason}, count)
            for labels, usage in usages
            for reason, count in sorted(usage.rejected.items())
        ],
    )
    yield Histograms(
        "apiserver_flowcontrol_request_wait_duration_seconds",
        "[BETA] Length of time a request spent waiting in its queue",
        [
            ({"execute": str(executed).lower(), **labels}, waits)
            for labels, usage in usages
            for executed, waits in sorted(usage.waits.items())
        ],
    )


# -- storage, process ----------------------------------------------------------------------------


def _storage(api: ClusterApi) -> Iterator[Metric]:
    store = api.store
    counts = sorted((name, len(store.list(name))) for name in store.resources())
    yield Family(
        "apiserver_storage_objects",
        "gauge",
        "[STABLE] [DEPRECATED, consider using apiserver_resource_objects instead] Number of stored "
        "objects at the time of last check split by kind. In case of a fetching error, the value "
        "will be -1.",
        [({"resource": name}, count) for name, count in counts],
    )
    yield Family(
        "apiserver_resource_objects",
        "gauge",
        "[ALPHA] Number of stored objects at the time of last check split by kind. In case of a "
        "fetching error, the value will be -1.",
        [
            ({"group": name.partition(".")[2], "resource": name.partition(".")[0]}, count)
            for name, count in counts
        ],
    )
    size = sum(len(entry.raw) for name in store.resources() for entry in store.list(name))
    yield single(
        "apiserver_storage_size_bytes",
        "gauge",
        "[STABLE] Size of the storage database file physically allocated in bytes.",
        size,
        {"storage_cluster_id": "etcd-0"},
    )


def process(clock: Clock) -> Iterator[Metric]:
    """Yield what is about the build, and about the process that serves all clusters."""
    labels = {label: VERSION[name] for label, name in _BUILD.items()}
    yield single(
        "kubernetes_build_info",
        "gauge",
        "[BETA] A metric with a constant '1' value labeled by major, minor, git version, git "
        "commit, git tree state, build date, Go version, and compiler from which Kubernetes was "
        "built, and platform on which it is running.",
        1,
        labels,
    )
    used = resource.getrusage(resource.RUSAGE_SELF)
    pages = Path("/proc/self/statm")
    size = os.sysconf("SC_PAGE_SIZE")
    virtual, resident = (
        (int(text) * size for text in pages.read_text().split()[:2])
        if pages.exists()
        else (0, used.ru_maxrss * 1024)
    )
    descriptors = Path("/proc/self/fd")
    open_now = sum(1 for _ in descriptors.iterdir()) if descriptors.exists() else 0
    began = clock.seconds() - (perf_counter() - _BEGAN)
    for name, kind, text, value in (
        (
            "cpu_seconds_total",
            "counter",
            "Total user and system CPU time spent in seconds.",
            used.ru_utime + used.ru_stime,
        ),
        (
            "max_fds",
            "gauge",
            "Maximum number of open file descriptors.",
            resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        ),
        ("open_fds", "gauge", "Number of open file descriptors.", open_now),
        ("resident_memory_bytes", "gauge", "Resident memory size in bytes.", resident),
        (
            "start_time_seconds",
            "gauge",
            "Start time of the process since unix epoch in seconds.",
            round(began, 2),
        ),
        ("virtual_memory_bytes", "gauge", "Virtual memory size in bytes.", virtual),
    ):
        yield single(f"process_{name}", kind, text, value)
