"""Jobs: defaults, the selector the server makes, what may be said and what may change."""

from __future__ import annotations

import pytest

from apiserver.registry.batch import JOBS
from tests.apiserver.registry.trying import (
    UID,
    cells,
    create_errors,
    created,
    update_errors,
    updated,
)

POD = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i:1"}]}


def spec(**more):
    return {"template": {"spec": POD}, **more}


INDEXED = {"completionMode": "Indexed", "completions": 3}


def test_defaults():
    job = created(JOBS, spec=spec())
    assert {k: v for k, v in job["spec"].items() if k not in ("template", "selector")} == {
        "parallelism": 1,
        "completions": 1,
        "backoffLimit": 6,
        "completionMode": "NonIndexed",
        "suspend": False,
        "manualSelector": False,
        "podReplacementPolicy": "TerminatingOrFailed",
    }
    assert job["status"] == {}


def test_completions_stay_open_beside_parallelism():
    assert "completions" not in created(JOBS, spec=spec(parallelism=2))["spec"]


def test_selector_is_made_and_labels_follow():
    job = created(JOBS, "j", spec=spec())
    labels = {
        "batch.kubernetes.io/controller-uid": UID,
        "batch.kubernetes.io/job-name": "j",
        "controller-uid": UID,
        "job-name": "j",
    }
    assert job["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": UID}}
    assert job["spec"]["template"]["metadata"]["labels"] == labels
    assert job["metadata"]["labels"] == labels
    assert created(JOBS, "j", metadata={"labels": {"a": "b"}}, spec=spec())["metadata"][
        "labels"
    ] == {"a": "b"}


def test_conflicting_generated_label_is_refused():
    template = {"metadata": {"labels": {"job-name": "x"}}, "spec": POD}
    (error, *_) = create_errors(JOBS, "j", spec={"template": template})
    assert error.startswith("spec.template.metadata.labels[job-name]: Invalid value: ")
    assert error.endswith("must be 'j'")


def test_selectors_and_labels_are_shown_in_the_order_of_go():
    job = created(JOBS, "j", spec=spec())
    wanted = {"matchExpressions": [], "matchLabels": {"z": "1", "a": "2"}}
    own, other, again, frozen = update_errors(
        JOBS, job, lambda new: new["spec"].update(selector=wanted)
    )
    selector = 'spec.selector: Invalid value: {"matchLabels":{"a":"2","z":"1"}'
    assert own.startswith(selector)
    assert own.endswith("`selector` not auto-generated")
    assert other.startswith(
        'spec.template.metadata.labels: Invalid value: {"batch.kubernetes.io/controller-uid":'
    )
    assert again == other
    assert frozen.startswith(selector)


def test_manual_selector_has_to_be_given():
    assert create_errors(JOBS, spec=spec(manualSelector=True)) == [
        "spec.selector: Required value",
        (
            "spec.template.metadata.labels: Invalid value: null: "
            "`selector` does not match template `labels`"
        ),
    ]


@pytest.mark.parametrize(("more", "limit"), [({}, 6), ({"backoffLimitPerIndex": 1}, 2**31 - 1)])
def test_where_each_index_has_a_limit_the_whole_has_none(more, limit):
    job = {"spec": spec(**more)}
    JOBS.strategy.default(job)
    assert job["spec"]["backoffLimit"] == limit


def failure(*rules):
    return {"podFailurePolicy": {"rules": list(rules)}}


@pytest.mark.parametrize(
    ("more", "errors"),
    [
        ({"backoffLimit": -1}, [("spec.backoffLimit: Invalid value: -1: must be greater than or "
                                "equal to 0")]),
        ({"completionMode": "No"}, [('spec.completionMode: Unsupported value: "No": '
                                    'supported values: "NonIndexed", "Indexed"')]),
        ({"successPolicy": {"rules": [{"succeededCount": 1}]}},
         [('spec.successPolicy: Invalid value: {"Rules":[{"SucceededIndexes":null,'
          '"SucceededCount":1}]}: requires indexed completion mode')]),
        ({"backoffLimitPerIndex": 1}, [("spec.backoffLimitPerIndex: Invalid value: 1: "
                                       "requires indexed completion mode")]),
        ({**INDEXED, "maxFailedIndexes": 4},
         ["spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
          "spec.maxFailedIndexes: Invalid value: 4: must be less than or equal to completions"]),
        ({**INDEXED, "successPolicy": {"rules": [{"succeededIndexes": "0-5"}]}},
         [('spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0-5": '
          'error parsing succeededIndexes: too large index: "5"')]),
        ({**INDEXED, "successPolicy": {"rules": [{"succeededCount": 3, "succeededIndexes": "0-1"}]}
         },
         [("spec.successPolicy.rules[0].succeededCount: Invalid value: 3: must be less than or "
          "equal to 2 (the number of indexes in the specified succeededIndexes field)")]),
        (failure({"action": "Ignore"}),
         [("spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and "
          "OnPodConditions is required")]),
        (failure({"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [2, 0, 2]}}),
         [('spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": '
          "requires the backoffLimitPerIndex to be set"),
          ("spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Invalid value: 0: "
          "must not be 0 for the In operator"),
          "spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 2",
          ("spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [2,0,2]: "
          "must be ordered")]),
        ({"managedBy": "me"}, [('spec.managedBy: Invalid value: "me": must be a domain-prefixed '
                               'path (such as "acme.io/foo")')]),
        ({"template": {"spec": {**POD, "restartPolicy": "Always"}}},
         ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"']),
    ],
)  # fmt: skip
def test_refusals(more, errors):
    assert create_errors(JOBS, spec=spec() | more) == errors


def test_name_of_an_indexed_job_becomes_a_host_name():
    assert create_errors(JOBS, "a.b", spec=spec(**INDEXED)) == [
        (
            'metadata.name: Invalid value: "a.b": '
            "will not able to create pod with invalid DNS label: a.b-2"
        )
    ]


def test_template_is_frozen_but_for_directives_of_a_suspended_job():
    def move(job):
        job["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "ssd"}

    running = created(JOBS, spec=spec())
    (error,) = update_errors(JOBS, running, move)
    assert error.startswith("spec.template: Invalid value: ")
    assert error.endswith("field is immutable")
    assert update_errors(JOBS, created(JOBS, spec=spec(suspend=True)), move) == []


def test_completions_change_with_parallelism_alone():
    def grow(count, parallelism):
        return lambda job: job["spec"].update(completions=count, parallelism=parallelism)

    job = created(JOBS, spec=spec(**INDEXED, parallelism=3))
    assert update_errors(JOBS, job, grow(5, 5)) == []
    assert update_errors(JOBS, job, grow(5, 3)) == [
        "spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism"
    ]
    assert update_errors(JOBS, created(JOBS, spec=spec()), grow(2, 2)) == [
        "spec.completions: Invalid value: 2: field is immutable"
    ]


def test_main_resource_leaves_status_alone():
    old = created(JOBS, spec=spec())
    new = updated(JOBS, old, lambda job: job.update(status={"active": 4}))
    assert new["status"] == {}


def conditions(*kinds):
    return [{"type": kind, "status": "True"} for kind in kinds]


START, END = "2026-01-02T03:04:05Z", "2026-01-02T03:05:05Z"


@pytest.mark.parametrize(
    ("before", "after", "errors"),
    [
        ({}, {"active": 1, "ready": 1}, []),
        ({}, {"active": 1, "ready": 2},
         ["status.ready: Invalid value: 2: cannot set more ready pods than active"]),
        ({}, {"startTime": START, "completionTime": END,
              "conditions": conditions("SuccessCriteriaMet", "Complete")}, []),
        ({}, {"startTime": START, "conditions": conditions("SuccessCriteriaMet", "Complete")},
         ["status.completionTime: Required value: completionTime is required for Complete jobs"]),
        ({}, {"startTime": START, "conditions": conditions("Failed")},
         [("status.conditions: Invalid value: cannot set Failed=True condition without the "
          "FailureTarget=true condition")]),
        ({"failed": 2}, {"failed": 1},
         ["status.failed: Invalid value: 1: cannot decrease the failed counter"]),
        ({"startTime": START}, {"startTime": END},
         ["status.startTime: Required value: startTime cannot be removed for unsuspended job"]),
        ({"startTime": START, "conditions": conditions("FailureTarget", "Failed")},
         {"startTime": START, "active": 1, "conditions": conditions("FailureTarget", "Failed")},
         ["status.active: Invalid value: 1: active>0 is invalid for finished job"]),
    ],
)  # fmt: skip
def test_status_agrees_with_itself_and_the_past(before, after, errors):
    old = created(JOBS, spec=spec()) | {"status": before}
    assert update_errors(JOBS, old, lambda job: job.update(status=after), "status") == errors


@pytest.mark.parametrize(
    ("status", "row"),
    [
        ({}, ["Running", "0/1", ""]),
        ({"startTime": START}, ["Running", "0/1", "60s"]),
        ({"startTime": START, "completionTime": END, "succeeded": 1,
          "conditions": conditions("Complete")}, ["Complete", "1/1", "60s"]),
        ({"conditions": conditions("Suspended")}, ["Suspended", "0/1", ""]),
    ],
)  # fmt: skip
def test_row(status, row):
    assert cells(JOBS, created(JOBS, spec=spec()) | {"status": status})[1:4] == row
