"""How often someone may try to sign in: enough for typing errors, too little for guessing."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.cache import cache
from django.http import HttpRequest

# 10 failures in 5 minutes: 2,880 guesses a day against one account or from one address.
FAILURES = 10
WINDOW_SECONDS = 300


def blocked(request: HttpRequest, username: str) -> bool:
    """Tell whether this address or this account has failed too often of late."""
    return any(cache.get(key, 0) >= FAILURES for key in _keys(request, username))


def failed(request: HttpRequest, username: str) -> None:
    """Count a failure."""
    for key in _keys(request, username):
        # add() starts the window; later failures do not extend it.
        if not cache.add(key, 1, WINDOW_SECONDS):
            try:
                cache.incr(key)
            except ValueError:  # it ended between the two calls
                cache.add(key, 1, WINDOW_SECONDS)


def succeeded(username: str) -> None:
    """Forget the failures of an account; those of the address stay."""
    cache.delete(_account(username))


def _keys(request: HttpRequest, username: str) -> Iterable[str]:
    yield f"sign-in:address:{request.META.get('REMOTE_ADDR', '')}"
    if username:
        yield _account(username)


def _account(username: str) -> str:
    return f"sign-in:account:{username.lower().encode().hex()[:200]}"
