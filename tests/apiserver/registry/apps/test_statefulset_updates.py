"""How many pods of a StatefulSet may be missing: to be said where the feature is on."""

import pytest

from apimachinery.features import SEVERAL_AT_A_TIME
from apiserver.registry import gates
from apiserver.registry.apps.statefulsets import STATEFULSETS


def statefulset(rolling):
    return {"spec": {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}}


@pytest.mark.parametrize(
    ("old", "kept"),
    [(None, False), ({"partition": 0}, False), ({"partition": 0, "maxUnavailable": 2}, True)],
)
def test_max_unavailable_stays_only_where_it_was(old, kept):
    new = statefulset({"partition": 0, "maxUnavailable": 3})
    STATEFULSETS.strategy.drop_disabled(new, statefulset(old) if old else None)
    assert ("maxUnavailable" in new["spec"]["updateStrategy"]["rollingUpdate"]) == kept


@pytest.fixture
def several():
    gates.switch({SEVERAL_AT_A_TIME: True})
    yield
    gates.switch({})


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(("said", "found"), [(None, 1), (3, 3), ("25%", "25%")])
def test_where_the_feature_is_on_it_is_one_unless_it_is_said(said, found):
    new = statefulset({"maxUnavailable": said} if said else {})
    STATEFULSETS.strategy.default(new)
    STATEFULSETS.strategy.drop_disabled(new, None)
    assert new["spec"]["updateStrategy"]["rollingUpdate"] == {
        "partition": 0,
        "maxUnavailable": found,
    }
