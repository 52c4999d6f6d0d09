"""Waiting for something to become so, in the loop's (virtual) time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(
    check: Callable[[], T],
    within: float = 10.0,
    every: float = 0.01,
) -> T:
    """Return the first true answer of `check`; an assertion that fails counts as not yet."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while True:
        try:
            if found := check():
                return found
        except AssertionError:
            if loop.time() >= end:
                raise
        if loop.time() >= end:
            raise AssertionError(f"not so after {within} s")
        await asyncio.sleep(every)
