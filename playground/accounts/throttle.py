"""How often someone may try to sign in: enough for typing errors, too little for guessing."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable
from ipaddress import ip_network

from django.core.cache import cache
from django.http import HttpRequest

from playground.accounts.clients import address_of

# 10 failures in 5 minutes: 2,880 guesses a day against one account or from one address.
FAILURES = 10
WINDOW_SECONDS = 300
# One process counts: what is read and written in between is nobody else's.
_counting = threading.Lock()


def blocked(request: HttpRequest, username: str) -> int:
    """Return the minutes until this address and this account may try again, 0 for at once."""
    now = time.time()  # noqa: TID251 - of people who type, not of clusters
    ends = [
        end
        for key in _keys(request, username)
        for count, end in [cache.get(key, (0, 0.0))]
        if count >= FAILURES and end > now
    ]
    return math.ceil((max(ends) - now) / 60) if ends else 0


def failed(request: HttpRequest, username: str) -> None:
    """Count a failure. The first one starts the window; later ones do not extend it."""
    now = time.time()  # noqa: TID251 - of people who type, not of clusters
    with _counting:
        for key in _keys(request, username):
            count, end = cache.get(key, (0, 0.0))
            if end <= now:
                count, end = 0, now + WINDOW_SECONDS
            cache.set(key, (count + 1, end), end - now)


def succeeded(username: str) -> None:
    """Forget the failures of an account; those of the address stay."""
    cache.delete(_account(username))


def _keys(request: HttpRequest, username: str) -> Iterable[str]:
    yield f"sign-in:address:{_network(address_of(request))}"
    if username:
        yield _account(username)


def _network(address: str | None) -> str:
    """Return what counts as one address: of IPv6, the network that one household has."""
    if address is None or ":" not in address:
        return address or ""
    return str(ip_network((address, 64), strict=False))


def _account(username: str) -> str:
    return f"sign-in:account:{username.lower().encode().hex()[:200]}"
