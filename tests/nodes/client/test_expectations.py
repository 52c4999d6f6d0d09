"""What was asked for and not seen yet holds a key back, for five minutes at most."""

import pytest

from apimachinery.clock import ManualClock
from nodes.client.expectations import Expectations
from nodes.client.lister import Key

KEY = Key("default", "r")


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def expected(clock):
    return Expectations(clock)


def test_creations_are_counted(expected):
    expected.expect_creations(KEY, 2)
    expected.creation_observed(KEY)
    assert not expected.satisfied(KEY)
    expected.creation_observed(KEY)
    assert expected.satisfied(KEY)


def test_deletions_are_known_by_uid(expected):
    expected.expect_deletions(KEY, ["u1"])
    expected.deletion_observed(KEY, "u2")
    assert not expected.satisfied(KEY)
    expected.deletion_observed(KEY, "u1")
    assert expected.satisfied(KEY)


def test_they_expire(expected, clock):
    expected.expect_creations(KEY, 1)
    clock.advance(299)
    assert not expected.satisfied(KEY)
    clock.advance(2)
    assert expected.satisfied(KEY)


def test_another_key_is_not_held_back(expected):
    expected.expect_creations(KEY, 1)
    assert expected.satisfied(Key("default", "other"))
    expected.forget(KEY)
    assert expected.satisfied(KEY)
