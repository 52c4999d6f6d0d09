"""Histories of random requests and failures: the same each time, and never against the rules.

As many as KUBEGROUND_SIMULATION_HISTORIES says; KUBEGROUND_SIMULATION_FIRST is the first seed.
`python -m tests.simulation SEED` plays one and tells it.
"""

import json
import os
import subprocess
import sys
from itertools import count

import pytest

from apiserver.auth.user import MASTERS, User
from nodes.client.resources import NAMESPACES
from nodes.client.rest import Client
from tests.simulation.seeded import AT_ONCE, Weather, keys
from tests.simulation.verdict import judge
from tests.simulation.world import live, log_database

HISTORIES = int(os.environ.get("KUBEGROUND_SIMULATION_HISTORIES", "8"))
FIRST = int(os.environ.get("KUBEGROUND_SIMULATION_FIRST", "0"))


@pytest.fixture(scope="module")
def database(tmp_path_factory, django_db_blocker):
    with django_db_blocker.unblock(), log_database(tmp_path_factory.mktemp("simulation")) as alias:
        yield alias


@pytest.fixture(autouse=True)
def inline(monkeypatch):
    # The inline storage uses its connection on the loop's thread, which Django warns of.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture(scope="module")
def played():
    """What has been played already, by seed."""
    return {}


@pytest.mark.parametrize("seed", range(FIRST, FIRST + HISTORIES))
def test_a_history_keeps_the_rules_and_comes_to_rest(database, played, seed):
    history, wrong = judge(str(seed), database)
    played[seed] = history.digest()
    assert not wrong, "\n".join([*wrong, "", *history.deeds])


def test_the_same_seed_gives_the_same_bytes(database, played):
    """Also in another process, in which sets have another order and no history came before."""
    first, other = (played.get(seed) or judge(str(seed), database)[0].digest() for seed in (7, 6))
    assert first != other
    environment = {**os.environ, "KUBEGROUND_SIMULATION_KEYS": json.dumps(keys())}
    environment["PYTHONHASHSEED"] = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    told = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "7"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert first in told.stdout


def test_time_goes_on_however_much_is_done_at_one_moment():
    weather = Weather("0")
    assert [weather.takes(5.0) for _ in range(AT_ONCE + 2)][-3:] == [0.0, 1.0, 1.0]
    assert weather.takes(6.0) == 0.0


async def quarrel(world):
    """Change one's mind again and again, and let no time pass."""
    user = User("system:serviceaccount:kube-system:quarreller", (MASTERS,))
    client = Client(world.cluster.surface.door(world.cluster.api, user), "quarreller")
    for number in count():
        body = {"metadata": {"labels": {"mind": str(number % 2)}}}
        await client.patch(NAMESPACES, "", "default", body)


def test_a_history_that_never_rests_ends_and_tells_who_writes(database):
    history = live("0", database, quarrel, most=1400)
    said = "of the last 1000 of 1400 writes: quarreller patch namespaces/default ("
    assert said in history.restless
    assert len(history.records) > 1000
