"""Terminals where there is no sandbox: a plain shell, for the operator of the machine alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import Playground, serving
from tests.support.shells import learner, operator

pytestmark = pytest.mark.e2e
TERMINALS = "/api/clusters/default/terminals"


def programs_without(name: str, directory: Path) -> str:
    """Return a search path with all programs of this machine's but one."""
    directory.mkdir()
    for place in os.environ["PATH"].split(os.pathsep):
        for program in Path(place).glob("*"):
            link = directory / program.name
            if program.name != name and not link.is_symlink():
                link.symlink_to(program)
    return str(directory)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    directory = tmp_path_factory.mktemp("bare")
    with pytest.MonkeyPatch.context() as patch:
        # Such a shell is at home where the server's user is.
        patch.setenv("HOME", str(directory))
        patch.setenv("PATH", programs_without("bwrap", directory / "bin"))
        with serving(directory / "data") as running:
            yield running


def test_a_plain_shell_works_once_it_is_accepted(bare: Playground) -> None:
    with operator(bare) as user:
        offer = user.http.get(TERMINALS).json()["offer"]
        assert (offer["kind"], offer["accepted"]) == ("plain", False)
        assert "bwrap" in offer["why"]
        assert "bubblewrap" in offer["install"]
        refused = user.http.post(TERMINALS, json={})
        assert refused.status_code == 428
        assert refused.json()["error"]["code"] == "NotAccepted"
        with user.shell(accept=True) as shell:
            assert shell.about["kind"] == "plain"
            shell.until(r":~[#$] ")
            assert "operator" in shell.run("kubectl auth whoami")
            assert "created" in shell.run("kubectl create configmap plain --from-literal=a=b")
            assert shell.note("request")["status"] == 201
        # It was read, and is not asked again in this session.
        with user.shell() as shell:
            assert shell.about["kind"] == "plain"


def test_a_plain_shell_is_for_nobody_else(bare: Playground) -> None:
    with learner(bare, "lea") as user:
        made = user.http.post("/api/clusters", json={"name": "of-lea", "nodes": 0})
        assert made.status_code == 201, made.text
        path = "/api/clusters/of-lea/terminals"
        offer = user.http.get(path).json()["offer"]
        assert offer["kind"] == "none"
        assert "offered to the operator alone" in offer["why"]
        refused = user.http.post(path, json={"accept": True})
        assert refused.status_code == 403
        assert "offered to the operator alone" in refused.json()["error"]["message"]
