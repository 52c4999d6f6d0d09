"""Facts about pods: quality of service, requests, readiness, which replica goes first."""

import pytest

from apimachinery import pods

NOW = 1_767_225_600.0  # 2026-01-01T00:00:00Z


def container(name="c", requests=None, limits=None, **fields):
    resources = {}
    if requests is not None:
        resources["requests"] = requests
    if limits is not None:
        resources["limits"] = limits
    return {"name": name, "resources": resources, **fields}


def pod(*containers, init=(), **spec):
    return {
        "metadata": {"name": "p", "uid": "u"},
        "spec": {"containers": list(containers), "initContainers": list(init), **spec},
    }


FULL = {"cpu": "1", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (pod(container()), "BestEffort"),
        (pod(container(requests={"cpu": "0"})), "BestEffort"),
        (pod(container(requests={"example.com/gpu": "1"})), "BestEffort"),
        (pod(container(requests={"cpu": "1m"})), "Burstable"),
        (pod(container(limits={"cpu": "1m"})), "Burstable"),
        (pod(container(requests=FULL, limits=FULL)), "Guaranteed"),
        (pod(container(requests=FULL, limits={"cpu": "1000m", "memory": "1024Mi"})), "Guaranteed"),
        (pod(container(requests=FULL, limits=FULL), container("d")), "Burstable"),
        (pod(container(requests=FULL, limits=FULL), init=[container("i")]), "Burstable"),
        (pod(container(requests={"cpu": "1"}, limits=FULL)), "Burstable"),
        (pod(container(), resources={"requests": FULL, "limits": FULL}), "Guaranteed"),
        (pod(container(), resources={"requests": {"cpu": "1"}}), "Burstable"),
    ],
)
def test_quality_of_service(given, expected):
    assert pods.qos_class(given) == expected


def asked(given, field=pods.requests):
    return {name: str(amount) for name, amount in field(given).items()}


SIDECAR = container("s", {"cpu": "200m"}, restartPolicy="Always")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (pod(), {}),
        (
            pod(container(requests=FULL), container("d", {"cpu": "500m"})),
            {"cpu": "1500m"} | {"memory": "1Gi"},
        ),
        (pod(container(requests={"cpu": "1"}), init=[container("i", {"cpu": "3"})]), {"cpu": "3"}),
        (pod(container(requests={"cpu": "1"}), init=[SIDECAR]), {"cpu": "1200m"}),
        (
            pod(container(requests={"cpu": "1"}), init=[SIDECAR, container("i", {"cpu": "3"})]),
            {"cpu": "3200m"},
        ),
        (
            pod(container(requests={"cpu": "1"}), init=[container("i", {"cpu": "3"}), SIDECAR]),
            {"cpu": "3"},
        ),
        (pod(container(requests={"cpu": "1"}), overhead={"cpu": "250m"}), {"cpu": "1250m"}),
        (
            pod(container(requests={"cpu": "1"}), resources={"requests": {"cpu": "2"}}),
            {"cpu": "2"},
        ),
    ],
)
def test_what_a_pod_asks_for(given, expected):
    assert asked(given) == expected


def test_overhead_raises_only_limits_that_are_set():
    given = pod(container(limits={"cpu": "1"}), overhead={"cpu": "1", "memory": "1Mi"})
    assert asked(given, pods.limits) == {"cpu": "2"}


def test_activity_and_readiness():
    def with_status(**status):
        return pod(container()) | {"status": status}

    ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2025-12-31T23:59:50Z"}
    assert pods.is_active(with_status(phase="Running"))
    assert not pods.is_active(with_status(phase="Failed"))
    assert pods.is_terminal(with_status(phase="Succeeded"))
    dying = with_status(phase="Running") | {"metadata": {"deletionTimestamp": "x"}}
    assert not pods.is_active(dying)
    running = with_status(phase="Running", conditions=[ready])
    assert pods.is_ready(running)
    assert pods.is_available(running, 10, NOW)
    assert not pods.is_available(running, 11, NOW)
    assert not pods.is_available(with_status(), 0, NOW)
    assert pods.ready_time(with_status()) == ""


def test_parts():
    given = pod(container("a"), init=[SIDECAR])
    given["status"] = {"containerStatuses": [{"name": "a", "ready": True}]}
    assert [c["name"] for c in pods.all_containers(given)] == ["s", "a"]
    assert pods.statuses(given)["a"]["ready"]
    assert pods.is_sidecar(SIDECAR)
    assert not pods.is_sidecar(None)
    assert not pods.is_static(given)


def replica(name, *, ready="", created="2025-12-01T00:00:00Z", **more):
    conditions = []
    if ready:
        conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": ready}]
    cost = {pods.DELETION_COST: str(more["cost"])} if "cost" in more else {}
    return {
        "metadata": {
            "name": name,
            "uid": more.get("uid", name),
            "creationTimestamp": created,
            "annotations": cost,
        },
        "spec": {"nodeName": more.get("node", "n"), "containers": [{"name": "c"}]},
        "status": {
            "phase": more.get("phase", "Running"),
            "conditions": conditions,
            "containerStatuses": [{"name": "c", "restartCount": more.get("restarts", 0)}],
        },
    }


OLD, NEW = "2025-12-01T00:00:00Z", "2025-12-31T23:59:59Z"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (replica("z", node=""), replica("a")),
        (replica("z", phase="Pending"), replica("a", phase="Unknown")),
        (replica("z", phase="Unknown"), replica("a")),
        (replica("z"), replica("a", ready=OLD)),
        (replica("z", ready=OLD, cost=-5), replica("a", ready=NEW)),
        (replica("z", ready=NEW), replica("a", ready=OLD)),
        (replica("z", restarts=2), replica("a", restarts=1)),
        (replica("z", created=NEW), replica("a", created=OLD)),
        # Nearly the same age: the uid decides, whatever the seconds.
        (
            replica("z", ready="2025-12-01T00:00:00Z", uid="1"),
            replica("a", ready="2025-12-01T00:00:09Z", uid="2"),
        ),
    ],
)
def test_which_replica_goes_first(first, second):
    for given in ([first, second], [second, first]):
        assert pods.deletion_order(given, NOW) == [first, second]


def test_crowded_nodes_give_up_replicas_first():
    alone, crowded = replica("a"), replica("b")
    assert pods.deletion_order([alone, crowded], NOW, {"a": 1, "b": 3}) == [crowded, alone]
    assert pods.deletion_cost(replica("x") | {"metadata": {"annotations": {}}}) == 0
    odd = {"metadata": {"annotations": {pods.DELETION_COST: "cheap"}}}
    assert pods.deletion_cost(odd) == 0
