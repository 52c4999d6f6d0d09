"""How many pods follow from what is measured, and how far a target may follow at once."""

from datetime import UTC, datetime

import pytest

from apimachinery.clock import format_time, parse_time
from nodes.controllers.podautoscaler.behavior import Bounds, History, normalized
from nodes.controllers.podautoscaler.calculator import (
    Calculator,
    NotComputable,
    Proposal,
    Sample,
    Tolerances,
)
from tests.support.builders import START, pod

NOW = parse_time(START).timestamp() + 3600


def at(seconds):
    """Return a timestamp so many seconds before now."""
    return format_time(datetime.fromtimestamp(NOW - seconds, UTC))


def running(name, cpu="100m", *, started=1800, ready="True", since=1790):
    condition = {"type": "Ready", "status": ready, "lastTransitionTime": at(since)}
    status = {"phase": "Running", "startTime": at(started), "conditions": [condition]}
    one = pod(name).requests(cpu=cpu) if cpu else pod(name)
    return one.status(**status)


def samples(*values, window=15.0):
    return {f"p{i}": Sample(v, NOW, window) for i, v in enumerate(values) if v is not None}


def pods(count, **more):
    return [running(f"p{i}", **more) for i in range(count)]


def calculator(these, replicas=None, **tolerances):
    count = len(these) if replicas is None else replicas
    return Calculator(these, count, NOW, Tolerances(**tolerances))


@pytest.mark.parametrize(
    ("used", "target", "replicas", "utilization"),
    [
        ((100, 100, 100), 50, 6, 100),
        ((50, 50, 50), 50, 3, 50),
        ((54, 54, 54), 50, 3, 54),  # within a tenth
        ((56, 56, 56), 50, 4, 56),
        ((10, 10, 10), 50, 1, 10),
        ((0, 0, 0), 50, 0, 0),
        ((200, 0, 10), 50, 5, 70),
        ((1000, 1000, 1000), 100, 30, 1000),
    ],
)
def test_a_share_of_the_requests(used, target, replicas, utilization):
    found = calculator(pods(3)).by_utilization(samples(*used), target, "cpu")
    assert found == Proposal(replicas, sum(used) // 3, utilization)


def test_tolerances_have_two_sides():
    sums = calculator(pods(4), down=0.5, up=0.01)
    assert sums.by_utilization(samples(30, 30, 30, 30), 50, "cpu").replicas == 4
    assert sums.by_utilization(samples(52, 52, 52, 52), 50, "cpu").replicas == 5


def test_pods_without_figures_are_busy_on_the_way_down_and_idle_on_the_way_up():
    sums = calculator(pods(4))
    # 20 % of three, and the fourth at 100 %: 40 % in all, which four pods may keep at 50 %.
    assert sums.by_utilization(samples(20, 20, 20, None), 50, "cpu").replicas == 4
    assert sums.by_utilization(samples(0, 0, 0, None), 50, "cpu").replicas == 2
    # 100 % of three, and the fourth at nothing: 75 %, so that six are enough.
    assert sums.by_utilization(samples(100, 100, 100, None), 50, "cpu").replicas == 6
    # What is not known would turn the direction.
    assert sums.by_utilization(samples(60, 60, None, None), 50, "cpu").replicas == 4


def test_a_target_above_the_requests_is_what_a_silent_pod_is_taken_at():
    sums = calculator(pods(2))
    assert sums.by_utilization(samples(10, None), 300, "cpu").replicas == 2
    assert sums.by_utilization(samples(10, None), 100, "cpu").replicas == 2


def test_pods_that_start_count_as_idle_on_the_way_up_alone():
    these = [*pods(2), running("p2", started=60, ready="False", since=60)]
    sums = calculator(these)
    # The start took 400 m, which says nothing.
    assert sums.by_utilization(samples(100, 100, 400), 50, "cpu") == Proposal(4, 100, 100)
    assert sums.by_utilization(samples(10, 10, 400), 50, "cpu").replicas == 1


@pytest.mark.parametrize(
    ("about", "judged"),
    [
        ({"started": 1800, "ready": "False", "since": 1795}, False),  # was never ready
        ({"started": 1800, "ready": "False", "since": 600}, True),  # was ready once
        ({"started": 200, "ready": "True", "since": 100}, True),
        ({"started": 200, "ready": "True", "since": 10}, False),  # no whole window since
        ({"started": 200, "ready": "False", "since": 100}, False),
    ],
)
def test_when_the_cpu_of_a_pod_says_something(about, judged):
    sums = calculator([running("p0", **about)])
    if judged:
        assert sums.by_utilization(samples(100), 50, "cpu").replicas == 2
    else:
        with pytest.raises(NotComputable, match="pods might be unready"):
            sums.by_utilization(samples(100), 50, "cpu")


def test_memory_says_something_from_the_start():
    one = running("p0", started=5, ready="False", since=5).requests(memory="100")
    assert calculator([one]).by_utilization(samples(200_000), 100, "memory").replicas == 2


def test_pods_that_go_or_wait_are_left_out():
    failed, waiting = pod("p2").phase("Failed"), pod("p3").phase("Pending")
    going = running("p4")
    going["metadata"]["deletionTimestamp"] = at(1)
    these = [*pods(2), failed.requests(cpu="1"), waiting.requests(cpu="100m"), going]
    found = calculator(these).by_utilization(samples(10, 10, None, None, 900), 50, "cpu")
    assert found == Proposal(1, 10, 10)


@pytest.mark.parametrize(
    ("these", "container", "message"),
    [
        ([], "", "no pods returned by selector while calculating replica count"),
        ([running("p0", cpu="")], "", "missing request for cpu in container c of Pod p0"),
        ([running("p0")], "side", "container side not found in Pod p0"),
        ([running("other")], "", "did not receive metrics for targeted pods"),
    ],
)
def test_why_there_is_no_number(these, container, message):
    given = samples(1) if not these or these[0]["metadata"]["name"] == "p0" else {}
    with pytest.raises(NotComputable, match=message):
        calculator(these).by_utilization(given, 50, "cpu", container)


def test_requests_of_a_pod_and_of_sidecars():
    one = running("p0")
    one["spec"]["initContainers"] = [
        {"name": "once", "image": "i"},
        {
            "name": "side",
            "image": "i",
            "restartPolicy": "Always",
            "resources": {"requests": {"cpu": "300m"}},
        },
    ]
    assert calculator([one]).by_utilization(samples(200), 50, "cpu").utilization == 50
    assert calculator([one]).by_utilization(samples(30), 50, "cpu", "side").utilization == 10
    one["spec"]["resources"] = {"requests": {"cpu": "1"}}
    assert calculator([one]).by_utilization(samples(200), 50, "cpu").utilization == 20


def test_an_average_value():
    sums = calculator(pods(3))
    assert sums.by_value(samples(200, 200, 200), 100) == Proposal(6, 200)
    assert sums.by_value(samples(105, 105, 105), 100) == Proposal(3, 105)
    assert sums.by_value(samples(20, None, None), 100).replicas == 3
    with pytest.raises(NotComputable):
        sums.by_value({}, 100)


def test_a_value_of_all_together():
    assert calculator(pods(3)).by_total(200, 100) == Proposal(6, 200)
    assert calculator(pods(3)).by_total(109, 100) == Proposal(3, 109)
    assert calculator([], 0).by_total(250, 100) == Proposal(3, 250)
    assert calculator(pods(3)).by_share(900, 100, 3) == Proposal(9, 300)
    assert calculator(pods(3)).by_share(310, 100, 3) == Proposal(3, 104)
    assert calculator([], 0).by_share(310, 100, 0) == Proposal(4, 310)


UP = {"selectPolicy": "Max", "stabilizationWindowSeconds": 0}
DOWN = {"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}


def policy(kind, value, period=60):
    return {"type": kind, "value": value, "periodSeconds": period}


def behavior(up=(), down=None, **more):
    return {"scaleUp": {**UP, "policies": list(up), **more}, "scaleDown": down or DOWN}


def test_without_behavior_going_up_at_most_doubles():
    found = normalized(History(), Bounds(1, 100), 3, 50, NOW)
    assert found.replicas == 6
    assert found.scaling_limited[:2] == ("True", "ScaleUpLimit")
    assert normalized(History(), Bounds(1, 100), 1, 50, NOW).replicas == 4
    found = normalized(History(), Bounds(1, 5), 3, 50, NOW)
    assert (found.replicas, found.scaling_limited[1]) == (5, "TooManyReplicas")
    found = normalized(History(), Bounds(2, 5), 3, 1, NOW)
    assert (found.replicas, found.scaling_limited[1]) == (2, "TooFewReplicas")


def test_going_down_waits_for_five_minutes():
    history, bounds = History(), Bounds(1, 10)
    history.begin(8, NOW)
    for second in range(15, 300, 15):
        found = normalized(history, bounds, 8, 2, NOW + second)
        assert (found.replicas, found.able_to_scale[1]) == (8, "ScaleDownStabilized")
    found = normalized(history, bounds, 8, 2, NOW + 301)
    assert (found.replicas, found.able_to_scale[1]) == (2, "ReadyForNewScale")
    assert found.scaling_limited[:2] == ("False", "DesiredWithinRange")


def test_what_is_remembered_does_not_grow():
    history, bounds = History(), Bounds(1, 10, behavior([policy("Pods", 1)]))
    for second in range(0, 36_000, 15):
        normalized(history, bounds, 5, 5, NOW + second)
        history.scaled(5, 6, bounds.behavior, NOW + second)
        history.scaled(6, 5, bounds.behavior, NOW + second)
    assert len(history.recommended) <= 22
    assert len(history.added) <= 6
    assert len(history.removed) <= 3


@pytest.mark.parametrize(
    ("policies", "select", "replicas"),
    [
        ([policy("Pods", 2)], "Max", 12),
        ([policy("Percent", 50)], "Max", 15),
        ([policy("Pods", 2), policy("Percent", 50)], "Max", 15),
        ([policy("Pods", 2), policy("Percent", 50)], "Min", 12),
        ([policy("Percent", 1)], "Max", 11),
        ([policy("Pods", 2)], "Disabled", 10),
    ],
)
def test_how_fast_it_may_grow(policies, select, replicas):
    bounds = Bounds(1, 100, behavior(policies, selectPolicy=select))
    found = normalized(History(), bounds, 10, 90, NOW)
    assert (found.replicas, found.scaling_limited[1]) == (replicas, "ScaleUpLimit")


@pytest.mark.parametrize(
    ("policies", "select", "replicas"),
    [
        ([policy("Pods", 2)], "Max", 8),
        ([policy("Percent", 50)], "Max", 5),
        ([policy("Pods", 2), policy("Percent", 50)], "Max", 5),
        ([policy("Pods", 2), policy("Percent", 50)], "Min", 8),
        ([policy("Pods", 2)], "Disabled", 10),
    ],
)
def test_how_fast_it_may_shrink(policies, select, replicas):
    down = {"stabilizationWindowSeconds": 0, "selectPolicy": select, "policies": policies}
    found = normalized(History(), Bounds(1, 100, behavior(down=down)), 10, 1, NOW)
    assert (found.replicas, found.scaling_limited[1]) == (replicas, "ScaleDownLimit")


def test_a_policy_counts_from_where_its_period_began():
    rules = behavior([policy("Pods", 4)])
    history, bounds = History(), Bounds(1, 100, rules)
    history.scaled(10, 13, rules, NOW - 30)
    assert normalized(history, bounds, 13, 90, NOW).replicas == 14
    history.scaled(13, 14, rules, NOW)
    assert normalized(history, bounds, 14, 90, NOW + 15).replicas == 14
    # The three are a minute ago, and only the one counts.
    assert normalized(history, bounds, 14, 90, NOW + 31).replicas == 17
    # What went in between is given back.
    history.scaled(14, 12, rules, NOW + 31)
    assert normalized(history, bounds, 12, 90, NOW + 32).replicas == 17


def test_a_window_on_the_way_up_takes_the_lowest():
    rules = behavior([policy("Pods", 100)], stabilizationWindowSeconds=60)
    history, bounds = History(), Bounds(1, 100, rules)
    history.begin(3, NOW)
    found = normalized(history, bounds, 3, 9, NOW + 30)
    assert (found.replicas, found.able_to_scale[1]) == (3, "ScaleUpStabilized")
    found = normalized(history, bounds, 3, 9, NOW + 61)
    assert (found.replicas, found.able_to_scale[1]) == (9, "ReadyForNewScale")
