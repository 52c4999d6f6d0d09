"""Booleans in texts: what Go reads, and what it refuses."""

import pytest

from apimachinery.booleans import parse_bool, says_true


@pytest.mark.parametrize("text", ["1", "t", "T", "TRUE", "true", "True"])
def test_what_is_true(text):
    assert parse_bool(text)
    assert says_true(text)


@pytest.mark.parametrize("text", ["0", "f", "F", "FALSE", "false", "False"])
def test_what_is_false(text):
    assert not parse_bool(text)
    assert not says_true(text)


@pytest.mark.parametrize("text", ["", "yes", "tRUE", " true"])
def test_what_is_no_boolean(text):
    assert not says_true(text)
    with pytest.raises(ValueError, match=f'^strconv.ParseBool: parsing "{text}": invalid syntax$'):
        parse_bool(text)


def test_nothing_is_not_true():
    assert not says_true(None)
