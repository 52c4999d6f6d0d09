"""Results that are kept for whoever asks again, in bounded memory whatever is asked for.

`lru_cache` bounds how many results there are. Where texts come from tenants, one result may be of
megabytes: what is made of a long text is made anew each time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Concatenate, ParamSpec, TypeVar

Text = TypeVar("Text", str, bytes)
P = ParamSpec("P")
R = TypeVar("R")
Make = Callable[Concatenate[Text, P], R]


def kept_if_short(
    maxsize: int, longest: int = 1024
) -> Callable[[Make[Text, P, R]], Make[Text, P, R]]:
    """Keep the last `maxsize` results of a function of a text that is no longer than `longest`."""

    def decorate(make: Make[Text, P, R]) -> Make[Text, P, R]:
        kept = lru_cache(maxsize)(make)

        @wraps(make)
        def find(text: Text, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if len(text) > longest:
                return make(text, *args, **kwargs)
            return kept(text, *args, **kwargs)  # type: ignore[arg-type]  # hashable, as for lru_cache

        return find

    return decorate
