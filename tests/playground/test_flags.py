"""The API server's flags: read and handed on without loss, refused in kube-apiserver's words."""

from __future__ import annotations

import argparse
import dataclasses

import pytest

from playground import flags
from playground.flags import Flags, Syntax, add_flags, all_flags, read_flags
from tests.support.server import ROOT


def parse(*arguments: str) -> Flags:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_flags(parser)
    return read_flags(vars(parser.parse_args(arguments)))


def test_without_flags_the_defaults_hold():
    assert parse() == Flags()
    assert Flags().arguments() == []


@pytest.mark.parametrize(
    ("given", "value"),
    [("--anonymous-auth", True), ("--anonymous-auth=false", False), ("--anonymous-auth=0", False)],
)
def test_a_bool_may_stand_alone(given, value):
    assert parse(given).anonymous_auth is value


def test_a_value_that_cannot_be_read_is_refused_in_go_s_words():
    with pytest.raises(argparse.ArgumentError) as refused:
        parse("--anonymous-auth=maybe")
    assert refused.value.message == (
        'invalid argument "maybe" for "--anonymous-auth" flag: '
        'strconv.ParseBool: parsing "maybe": invalid syntax'
    )


@pytest.mark.parametrize(
    ("syntax", "text", "value"),
    [
        (int, "-7", -7),
        (flags.Duration, "1m30s", 90.0),
        (flags.PortRange, "30000-32767", (30000, 32767)),
        (flags.PortRange, "30000+9", (30000, 30009)),
        (flags.PortRange, "30000", (30000, 30000)),
        (flags.PortRange, "", (30000, 32767)),
        (flags.Words, "a,b", ("a", "b")),
        (flags.Words, "", ()),
        (flags.Pairs, "a=1,b=x=y", (("a", "1"), ("b", "x=y"))),
    ],
)
def test_each_type_is_written_as_it_is_read(syntax, text, value):
    found: Syntax = flags._SYNTAX[syntax]
    assert found.read(text) == value
    assert found.read(found.write(value)) == value


@pytest.mark.parametrize(
    ("syntax", "text", "words"),
    [
        (int, "1.5", 'strconv.ParseInt: parsing "1.5": invalid syntax'),
        (flags.Duration, "5", 'time: missing unit in duration "5"'),
        (flags.PortRange, "a-b", "unable to parse port range: a-b"),
        (flags.PortRange, "2-1", "end port cannot be less than start port: 2-1"),
        (flags.PortRange, "1-65536", "the port range cannot be greater than 65535: 1-65536"),
        (flags.Pairs, "a", "a must be formatted as key=value"),
    ],
)
def test_each_type_refuses_in_go_s_words(syntax, text, words):
    with pytest.raises(ValueError, match=words):
        flags._SYNTAX[syntax].read(text)


def test_what_the_parent_was_told_the_worker_is_told():
    other = {
        bool: lambda value: not value,
        int: lambda value: value + 1,
        str: lambda value: value + "x",
        flags.Duration: lambda value: value + 1.5,
        flags.PortRange: lambda value: (value[0] + 1, value[1] - 1),
        flags.Words: lambda value: (*value, "x", "y"),
        flags.Pairs: lambda value: (*value, ("x", "1")),
    }
    kinds = {syntax: kind for kind, syntax in flags._SYNTAX.items()}
    for each in all_flags():
        told = dataclasses.replace(
            Flags(), **{each.attribute: other[kinds[each.syntax]](each.default)}
        )
        parser = argparse.ArgumentParser()
        add_flags(parser)
        assert read_flags(vars(parser.parse_args(told.arguments()))) == told


def test_the_page_of_flags_is_up_to_date():
    written = (ROOT / "docs" / "flags.md").read_text()
    assert written == flags.document(), "run: python -m playground.flags > docs/flags.md"
