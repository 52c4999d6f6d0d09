"""Which version servers have in common, and since when."""

import pytest

from apimachinery.storageversions import ALL_EQUAL
from nodes.controllers.common.storageversions import with_servers

THEN, NOW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
SET = ("True", "CommonEncodingVersionSet", "Common encoding version set")
UNSET = ("False", "CommonEncodingVersionUnset", "Common encoding version unset")


def servers(*versions):
    return [{"apiServerID": str(n), "encodingVersion": one} for n, one in enumerate(versions)]


def with_condition(status, common=None):
    told = {"type": ALL_EQUAL, "status": status, "lastTransitionTime": THEN}
    said = {} if common is None else {"commonEncodingVersion": common}
    return {"metadata": {}, "status": {**said, "conditions": [{"type": "Mine"}, told]}}


@pytest.mark.parametrize(
    ("old", "versions", "common", "condition", "since"),
    [
        ({"metadata": {}}, ["v1"], "v1", SET, NOW),
        ({"metadata": {}}, ["v1", "v1"], "v1", SET, NOW),
        ({"metadata": {}}, ["v1", "v2"], None, UNSET, NOW),
        ({"metadata": {}}, [], None, UNSET, NOW),
        (with_condition("True", "v1"), ["v1"], "v1", SET, THEN),
        (with_condition("True", "v1"), ["v2"], "v2", SET, NOW),
        (with_condition("True", "v1"), ["v1", "v2"], None, UNSET, NOW),
        (with_condition("False"), ["v1", "v2"], None, UNSET, THEN),
        (with_condition("False"), ["v1"], "v1", SET, NOW),
    ],
)
def test_the_version_that_servers_have_in_common(old, versions, common, condition, since):
    status = with_servers(old, servers(*versions), NOW)["status"]
    assert status["storageVersions"] == servers(*versions)
    assert status.get("commonEncodingVersion") == common
    told = status["conditions"][-1]
    assert (told["status"], told["reason"], told["message"]) == condition
    assert (told["type"], told["lastTransitionTime"]) == (ALL_EQUAL, since)
    others = [one for one in old.get("status", {}).get("conditions", []) if one["type"] == "Mine"]
    assert status["conditions"][:-1] == others
