"""What a StorageVersionMigration may say, and how its status may go on."""

import pytest

from apiserver.registry.storagemigration.migrations import STORAGEVERSIONMIGRATIONS

STRATEGY = STORAGEVERSIONMIGRATIONS.strategy
STATUS = STORAGEVERSIONMIGRATIONS.subresources["status"].strategy
CTX = None


def migration(resource="pods", group="", **status):
    wanted = {"resource": resource, "group": group}
    conditions = [
        {"type": kind, "status": value, "reason": "R", "lastTransitionTime": "2026-01-01T00:00:00Z"}
        for kind, value in status.get("conditions", {}).items()
    ]
    return {
        "metadata": {"name": "m"},
        "spec": {"resource": wanted},
        "status": {"conditions": conditions, "resourceVersion": status.get("revision", "")},
    }


def words(errors):
    return [str(error) for error in errors]


@pytest.mark.parametrize(
    ("resource", "group", "found"),
    [
        ("pods", "", []),
        ("crontabs", "example.com", []),
        ("", "", ["spec.resource.resource: Required value: resource is required to be set"]),
    ],
)
def test_what_is_migrated(resource, group, found):
    assert words(STRATEGY.validate(migration(resource, group), CTX)) == found


@pytest.mark.parametrize(("resource", "group"), [("Pods", ""), ("pods", "Example_com")])
def test_names_have_their_form(resource, group):
    field = "group" if group else "resource"
    (error,) = words(STRATEGY.validate(migration(resource, group), CTX))
    assert error.startswith(f'spec.resource.{field}: Invalid value: "{group or resource}": ')


def test_it_is_said_once():
    (error,) = words(STRATEGY.validate_update(migration("pods"), migration("jobs"), CTX))
    assert error.startswith("spec: Invalid value: ")
    assert error.endswith("field is immutable")


ALWAYS = "condition cannot be set to false once it is true"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ({}, {"revision": "7", "conditions": {"Running": "True"}}, None),
        ({"revision": "7"}, {"revision": "7"}, None),
        ({"revision": "7"}, {"revision": "8"}, "field is immutable"),
        ({}, {"revision": "-7"}, 'resource version is not well formed: "-7"'),
        (
            {},
            {"conditions": {"Succeeded": "True", "Failed": "True"}},
            "Both success and failed conditions cannot be true at the same time",
        ),
        (
            {},
            {"conditions": {"Succeeded": "True", "Running": "True"}},
            "Running condition cannot be true when success condition is true",
        ),
        (
            {},
            {"conditions": {"Failed": "True", "Running": "True"}},
            "Running condition cannot be true when failed condition is true",
        ),
        ({"conditions": {"Succeeded": "True"}}, {}, f"Success {ALWAYS}"),
        ({"conditions": {"Failed": "True"}}, {}, f"Failed {ALWAYS}"),
    ],
)
def test_a_status_never_goes_back(old, new, why):
    found = words(STATUS.validate_update(migration(**new), migration(**old), CTX))
    assert len(found) == bool(why)
    assert all(one.endswith(why) for one in found)
