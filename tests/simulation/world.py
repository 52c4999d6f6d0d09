"""One history: a cluster, what is done to it, and its log in the end, all from one seed."""

from __future__ import annotations

import asyncio
import hashlib
import math
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import looptime
import orjson

from apiserver.auth.user import MASTERS, User
from apiserver.endpoints.local import LocalTransport
from apiserver.endpoints.options import ServingOptions
from apiserver.flowcontrol.turns import Turns
from apiserver.storage import ChangeRecord
from apiserver.watch.hub import WatchHub
from nodes.client.rest import Client
from playground.cluster import RunningCluster, Surface
from playground.databases import sqlite_settings
from playground.fleet import Fleet
from playground.secure_server import ClientTrust
from tests.simulation.allowance import MOST, Allowance
from tests.simulation.seeded import BadLine, Seeded, Weather
from tests.support.databases import database
from tests.support.inline import InlineStorage

NAME = "simulated"
NODES = 4
FEATURES = ("storage", "metrics")
# How many deeds a history has.
STEPS = 25
# Longer than the longest wait of a controller (16 m 40 s of a queue's backoff).
PATIENCE, QUIET = 3 * 3600.0, 1100.0


@dataclass
class History:
    """What happened: what was asked for, every write, and what never came to rest."""

    seed: str
    deeds: list[str] = field(default_factory=list)
    records: list[ChangeRecord] = field(default_factory=list)
    restless: str = ""
    # What deeds have come upon that must not be.
    wrong: list[str] = field(default_factory=list)

    def digest(self) -> str:
        """Return a fingerprint of every byte of it."""
        found = hashlib.sha256()
        for record in self.records:
            key = record.entry.key
            head = [record.type, *key, record.at, record.actor, record.trace, record.entry.revision]
            found.update(orjson.dumps(head))
            found.update(record.entry.raw)
        return found.hexdigest()


@contextmanager
def log_database(directory: Path) -> Iterator[str]:
    """Make a database for histories, one after the other; nothing of it outlives the process."""
    settings = sqlite_settings(directory / "db.sqlite3")
    settings["OPTIONS"]["init_command"] = "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF"
    with database("simulation", settings) as alias:
        yield alias


class World:
    """The cluster of a history while it goes on."""

    def __init__(self, history: History, fleet: Fleet, weather: Weather, steps: int) -> None:
        self.fleet, self.weather, self.steps = fleet, weather, steps
        self.chance = random.Random(f"{history.seed}/deeds")
        self.deeds, self.wrong = history.deeds, history.wrong

    @property
    def cluster(self) -> RunningCluster:
        found = self.fleet.find(NAME)
        assert found is not None
        return found

    @property
    def client(self) -> Client:
        return Client(LocalTransport(self.cluster.api, User("admin", (MASTERS,))), "kubectl")

    def all(self, resource: str, namespace: str | None = "default") -> list[dict]:
        """Return what there is, in an order that no hash decides."""
        return self.cluster.api.objects.list(resource, namespace)

    def get(self, resource: str, name: str, namespace: str = "default"):
        return self.cluster.api.objects.get(resource, namespace, name)

    async def sleep(self, seconds: float) -> None:
        await self.cluster.clock.sleep(seconds)

    async def restart(self, later: float = 0.0) -> None:
        """End the worker and begin another, `later` seconds after: it knows what is stored."""
        await self.fleet.pause(NAME)
        await asyncio.sleep(later)
        await self.fleet.resume(NAME)

    async def rest(self) -> str:
        """Wait until nothing but events is written for a while; return what goes on for ever."""
        clock, store = self.cluster.clock, self.cluster.store
        end = clock.seconds() + PATIENCE
        while clock.seconds() < end:
            before = store.revision
            await clock.sleep(QUIET)
            changed = {
                "/".join(event.entry.key)
                for event in await store.changes(None, before)
                if event.entry.key.resource != "events"
            }
            if not changed:
                return ""
        return f"still changes: {sorted(changed)[:5]}"

    async def log(self) -> Sequence[ChangeRecord]:
        return list(reversed(await self.cluster.store.records(limit=1_000_000)))


async def _live(seed: str, alias: str, play, steps: int, most: int) -> History:
    weather, seeded, allowance = Weather(seed), Seeded(seed), Allowance(most)
    surface = Surface(
        "https://127.0.0.1:6443",
        "CA",
        "admin-token",
        # A pass of the loop would be measured in seconds of the machine.
        serving=ServingOptions(turns=Turns(quantum=math.inf)),
        door=lambda api, user: BadLine(api, user, weather, allowance),
    )
    storage = InlineStorage(clock=seeded.clock(), hub=WatchHub, alias=alias)
    fleet = Fleet(storage, surface, ClientTrust(), seeded)
    await fleet.create(NAME, nodes=NODES, template="bare", features=FEATURES)
    history = History(seed)
    world = World(history, fleet, weather, steps)
    try:
        history.restless = await _played(world, play, allowance)
        history.records = list(await world.log())
    finally:
        await fleet.delete(NAME)
        await fleet.close()
    return history


async def _played(world: World, play, allowance: Allowance) -> str:
    """Play; return what never came to rest."""
    try:
        return await play(world) or ""
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if not allowance.used_up or task is None:
            raise
        task.uncancel()
        return allowance.told()


def live(seed: str, alias: str, play, steps: int = STEPS, most: int = MOST) -> History:
    """Play a history on a loop of its own, whose time begins at 0 and takes none.

    It ends before its time where components write more than `most`.
    """
    with asyncio.Runner(loop_factory=lambda: looptime.new_event_loop(start=0.0)) as runner:
        return runner.run(_live(seed, alias, play, steps, most))
