"""How many pods of a StatefulSet may be missing: not to be said where the feature is off."""

import pytest

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
