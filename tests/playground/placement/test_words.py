"""Attempts of the scheduler in words."""

from __future__ import annotations

from playground.placement.words import event_of, funnel, sentences

FILTERS = ("TaintToleration", "NodeResourcesFit")
CPU, TAINT = "Insufficient cpu", "node(s) had untolerated taint {gpu: true}"


def attempt(**more):
    return {
        "pod": "default/web-1",
        "node": "",
        "message": "",
        "evaluated": 3,
        "fitting": 0,
        "refused": {},
        "scores": {},
        "tied": (),
        "because": {"event": "UnscheduledPod/Add", "obj": "", "plugin": ""},
        "spared": {},
        "lacks": {},
        **more,
    }


def scores(**plugins):
    return {name: (points, points, points) for name, points in plugins.items()}


def test_nodes_are_lost_plugin_by_plugin_in_the_order_of_the_filters():
    refused = {
        "a": ("NodeResourcesFit", (CPU,)),
        "b": ("TaintToleration", (TAINT,)),
        "c": ("NodeResourcesFit", (CPU,)),
    }
    found = [(step.plugin, step.left) for step in funnel(attempt(refused=refused), FILTERS)]
    assert found == [("", 3), ("TaintToleration", 2), ("NodeResourcesFit", 0)]


def test_a_choice_names_the_second_and_what_counts():
    made = attempt(
        node="node-2",
        fitting=2,
        refused={"node-3": ("NodeResourcesFit", (CPU,))},
        scores={"node-2": scores(Fit=80, Image=10), "node-1": scores(Fit=60, Image=12)},
        tied=("node-2",),
    )
    assert sentences(made, FILTERS) == [
        "3 nodes → 2 after NodeResourcesFit → 1 by score",
        "1 node: Insufficient cpu (NodeResourcesFit): node-3",
        "node-2 has 90 points, node-1 72; what counts: Fit +20.",
    ]
    assert event_of(made) == "Successfully assigned default/web-1 to node-2"
    failed = 'running PreBind plugin "VolumeBinding": it has gone'
    assert event_of({**made, "message": failed}) == failed


def test_chance_decides_between_equals():
    table = {name: scores(Fit=80) for name in ("a", "b", "c")}
    made = attempt(node="b", fitting=3, scores=table, tied=("a", "b", "c"))
    assert sentences(made, FILTERS) == [
        "3 nodes → 1 by score",
        "b has 80 points, as many as a, c: chance has decided.",
    ]


def test_the_only_node_needs_no_points():
    refused = dict.fromkeys(("a", "b"), ("TaintToleration", (TAINT,)))
    made = attempt(node="c", fitting=1, refused=refused)
    assert sentences(made, FILTERS) == [
        "3 nodes → 1 after TaintToleration",
        f"2 nodes: {TAINT} (TaintToleration): a, b",
        "c was the only node that fits.",
    ]


def test_a_pod_that_fits_nowhere_has_the_words_of_its_event():
    refused = {f"n{number}": ("NodeResourcesFit", (CPU,)) for number in range(5)}
    message = "0/5 nodes are available: 5 Insufficient cpu."
    made = attempt(evaluated=5, refused=refused, message=message)
    assert sentences(made, FILTERS) == [
        "5 nodes → 0 after NodeResourcesFit",
        "5 nodes: Insufficient cpu (NodeResourcesFit): n0, n1, n2 and 2 more",
    ]
    assert event_of(made) == message


def test_in_a_large_cluster_the_search_ends_when_enough_fit():
    table = {"a": scores(Fit=2), "b": scores(Fit=1)}
    made = attempt(evaluated=300, node="a", fitting=140, scores=table, tied=("a",))
    assert sentences(made, FILTERS) == [
        "300 nodes → 140 looked at → 1 by score",
        "160 nodes were not looked at: enough had been found.",
        "a has 2 points, b 1; what counts: Fit +1.",
    ]


def test_without_nodes_nothing_is_counted_down():
    made = attempt(evaluated=0, message="no nodes available to schedule pods")
    assert sentences(made, FILTERS) == ["0 nodes"]


def test_it_is_said_why_a_pod_was_tried_again():
    def last(**because):
        given = {"event": "Node/Add", "obj": "", "plugin": "", **because}
        return sentences(attempt(because=given), FILTERS)[-1]

    assert last(obj="n1", plugin="NodeResourcesFit") == (
        "It was tried again after Node/Add of n1, which NodeResourcesFit waited for."
    )
    assert (
        last(plugin="Extender") == "It was tried again after Node/Add, which Extender waited for."
    )
    assert last(event="ScheduleAttemptFailure").endswith("the attempt before had gone wrong.")
    failed = {"event": "ScheduleAttemptFailure", "obj": "", "plugin": ""}
    assert sentences(attempt(because=failed, group="g", heldBack=True), FILTERS)[-2:] == [
        "It was tried again with its PodGroup g, after a wait.",
        "It would fit, and gets no node because the PodGroup g as a whole does not.",
    ]
    assert last(event="UnschedulableTimeout").endswith("no event had helped for five minutes.")


def test_devices_that_are_missing():
    cannot = ("DynamicResources", ("cannot allocate all claims",))
    full = {
        "claim": "c",
        "request": "r",
        "asked": 2,
        "free": 1,
        "why": {"full": 1, "taken": 2},
    }
    alone = {"claim": "", "request": "", "asked": 0, "free": 0, "why": {}}
    none = {**full, "asked": 1, "free": 0, "why": {}}
    made = attempt(
        refused=dict.fromkeys("abc", cannot), lacks={"a": [full], "b": [full, none], "c": [alone]}
    )
    assert sentences(made, ("DynamicResources",))[2:] == [
        (
            "a, b: request r of claim c asks for 2, devices that it can have: 1 "
            "(taken: 2, too little left: 1)."
        ),
        "b: request r of claim c asks for 1, devices that it can have: 0 (there are no others).",
        "c: each request for devices could have its own, but not all of them together.",
    ]
