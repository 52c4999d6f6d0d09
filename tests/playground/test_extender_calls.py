"""The scheduler's way to its extenders: addresses that are none, in the words of Go."""

from __future__ import annotations

from typing import Any

import pytest

from nodes.scheduler.config.reading import Extender
from nodes.scheduler.extenders import ExtenderError
from playground.extender_calls import ExtenderCalls

NOWHERE: Any = None


@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        (
            "http://a.default.svc:70000",
            'Post "http://a.default.svc:70000/filter": dial tcp: address 70000: invalid port',
        ),
        (
            "https://a.default.svc:eighty",
            'parse "https://a.default.svc:eighty/filter": invalid port ":eighty" after host',
        ),
        ("http://[::1", 'parse "http://[::1/filter": Invalid IPv6 URL'),
    ],
)
async def test_an_address_that_is_none_is_refused_as_go_refuses_it(prefix, words):
    calls = ExtenderCalls(NOWHERE)
    with pytest.raises(ExtenderError) as caught:
        await calls(Extender(prefix, filter="filter"), f"{prefix}/filter", b"{}")
    assert str(caught.value) == words
