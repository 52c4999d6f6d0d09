"""All that is arbitrary, drawn from one seed: a cluster's beginnings, and a bad line to its API."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from apimachinery.clock import Clock, ManualClock
from apimachinery.errors import ApiError, Conflict, Expired, InternalError, Timeout
from apimachinery.gvk import GroupResource
from apiserver.auth.cluster import Credentials, create_credentials
from apiserver.auth.pki import front_proxy_authority
from apiserver.auth.user import User
from apiserver.endpoints.api import ClusterApi
from apiserver.endpoints.local import LocalTransport
from apiserver.registry.metadata import Identity
from nodes.client.loopclock import LoopClock
from playground.beginnings import Beginnings
from playground.cluster_time import Start
from tests.simulation.allowance import Allowance

EPOCH = 1_767_600_000.0
# What a bad line says.
TROUBLES = (
    "etcdserver: leader changed",
    "request did not complete within requested timeout",
)
_WRITES = {"create", "update", "patch", "delete"}
# Calls that are made at one moment; each further one takes a second. Without that two who disagree,
# as one hears late of what the other has seen, would do so for ever: no time would pass.
AT_ONCE = 1000


class Keys(NamedTuple):
    """Keys for every history: making them is no part of it, and signing is never the same."""

    ca_certificate: str
    ca_key: str
    token_key: str
    front_proxy: str


@cache
def keys() -> Keys:
    """Return the keys of this process, or those of another one that it has to agree with."""
    if given := os.environ.get("KUBEGROUND_SIMULATION_KEYS"):
        return Keys(*json.loads(given))
    clock = ManualClock(EPOCH - 86400)
    made = create_credentials("simulated", clock)
    proxy = front_proxy_authority(made.ca_key, clock).certificate
    return Keys(made.ca_certificate, made.ca_key, made.token_key, proxy)


class Seeded(Beginnings):
    """The same each time for the same seed. A worker that begins later draws other names."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._uids = Identity(random.Random(f"{seed}/uids"))

    def uid(self) -> str:
        return self._uids.uid()

    def credentials(self, uid: str, clock: Clock) -> Credentials:
        return Credentials(*keys()[:3])

    def front_proxy(self, given: Credentials, clock: Clock) -> str:
        return keys().front_proxy

    def chance(self, uid: str, revision: int) -> random.Random:
        return random.Random(f"{self._seed}/{uid}/{revision}")

    def clock(self, start: Start | None = None, last_write: float = 0.0) -> LoopClock:
        """A clock that began with the loop, at the same moment of the same day each time.

        How far it was moved on by hand a worker that begins later sees by the last write.
        """
        clock = LoopClock(EPOCH, ahead=asyncio.get_running_loop().time())
        if (missing := last_write - clock.seconds()) > 0:
            clock.step(missing)
        return clock


class Weather:
    """How bad the line is: chances of a call to be refused, or its answer lost, and delays."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(f"{seed}/weather")
        self._moment, self._calls = 0.0, 0
        self.calm()

    def calm(self) -> None:
        """Let everything through at once."""
        self.conflicts = self.faults = self.unread = self.lost = self.broken = 0.0
        self.delay = self.lag = 0.0

    def turn(self, chance: random.Random) -> str:
        """Become as bad as `chance` has it, from calm to a storm."""
        force = chance.choice((0.0, 0.3, 1.0))
        self.conflicts = force * chance.choice((0, 0.1, 0.3))
        self.faults = force * chance.choice((0, 0.05, 0.2))
        self.unread = force * chance.choice((0, 0.05, 0.2))
        self.lost = force * chance.choice((0, 0.05, 0.1))
        self.broken = force * chance.choice((0, 0.02, 0.1))
        self.delay = force * chance.choice((0, 0.05, 2.0))
        self.lag = force * chance.choice((0, 0.2, 5.0))
        return (
            f"weather { ({name: value for name, value in vars(self).items() if name[0] != '_'}) }"
        )

    def happens(self, probability: float) -> bool:
        return probability > 0 and self._random.random() < probability

    def takes(self, now: float) -> float:
        """Return how long a call takes that is made now."""
        if now != self._moment:
            self._moment, self._calls = now, 0
        self._calls += 1
        return self.wait(self.delay) + (1.0 if self._calls > AT_ONCE else 0.0)

    def wait(self, longest: float) -> float:
        return self._random.random() * longest if longest > 0 else 0.0


class BadLine:
    """A component's way to the API in some weather; watches stay in order, and may end."""

    def __init__(self, api: ClusterApi, user: User, weather: Weather, allowance: Allowance) -> None:
        self._inner, self._weather, self._clock = LocalTransport(api, user), weather, api.clock
        self._who, self._allowance = user.name, allowance

    async def call(self, call: Any) -> Any:
        weather = self._weather
        if wait := weather.takes(self._clock.seconds()):
            await self._clock.sleep(wait)
        if call.verb in _WRITES:
            self._allowance.spend(self._who, call)
            resource = GroupResource(call.group, call.resource)
            if call.verb == "update" and weather.happens(weather.conflicts):
                raise Conflict(resource, call.name, "the object has been modified")
            if weather.happens(weather.faults):
                raise InternalError(TROUBLES[0])
        elif weather.happens(weather.unread):
            raise Timeout(TROUBLES[1])
        answer = await self._inner.call(call)
        if call.verb in _WRITES and not _counted(call) and weather.happens(weather.lost):
            raise Timeout(TROUBLES[1])
        return answer

    def watch(self, call: Any, after: int, deliver: Any, closed: Any) -> LaggingWatch:
        return LaggingWatch(self, call, after, deliver, closed)


def _counted(call: Any) -> bool:
    """Whether an answer is never lost: of what makes a pod or binds it to a node.

    Kubernetes' controllers, too, make another if they hear nothing, and its scheduler gives the
    room to another.
    """
    is_made = call.verb == "create" and call.resource == "pods"
    return is_made and call.subresource in ("", "binding")


class LaggingWatch:
    """A watch whose events come late, in order."""

    def __init__(self, line: BadLine, call: Any, after: int, deliver: Any, closed: Any) -> None:
        self._weather, self._clock = line._weather, line._clock
        self._deliver, self._closed = deliver, closed
        self._free = 0.0
        self._over = False
        self._inner = line._inner.watch(call, after, self._on_events, self._on_closed)

    def cancel(self) -> None:
        self._over = True
        self._inner.cancel()

    def _on_events(self, events: Sequence[Any]) -> None:
        if self._weather.happens(self._weather.broken):
            self._inner.cancel()
            self._later(self._end, Expired("too old resource version"))
        else:
            self._later(self._deliver, events)

    def _on_closed(self, error: ApiError | None) -> None:
        self._later(self._end, error)

    def _later(self, do: Any, what: Any) -> None:
        now, wait = self._clock.seconds(), self._weather.wait(self._weather.lag)
        self._free = max(self._free, now + wait)
        if self._free <= now:
            self._do(do, what)
        else:
            self._clock.call_later(self._free - now, self._do, do, what)

    def _do(self, do: Any, what: Any) -> None:
        if not self._over:
            do(what)

    def _end(self, error: ApiError | None) -> None:
        self._over = True
        self._closed(error)
