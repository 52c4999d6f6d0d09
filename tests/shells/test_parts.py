"""The ring, recordings, whose a request is, and how a page and a program keep pace."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from playground.shells import caller as callers
from playground.shells.caller import Caller
from playground.shells.recording import Recording
from playground.shells.ring import Ring
from playground.shells.session import WINDOW, About, Session

LEARNER = Caller("demo", "ann", ("system:authenticated",), "token")


def test_a_ring_keeps_the_last_bytes_by_their_numbers():
    ring = Ring(10)
    for piece in (b"abcd", b"efgh", b"ijkl", b"mn"):
        ring.append(piece)
    assert (ring.start, ring.end) == (4, 14)
    assert ring.read(4, 100) == b"efghijklmn"
    assert ring.read(7, 3) == b"hij"
    assert ring.read(14, 5) == b""
    with pytest.raises(IndexError):
        ring.read(3, 1)


def test_a_recording_is_an_asciicast():
    now = [5.0]
    recording = Recording(24, 80, "demo", lambda: now[0])
    now[0] = 6.5
    recording.output("ä".encode()[:1])
    recording.output("ä".encode()[1:])
    recording.resized(30, 100)
    recording.stop()
    recording.output(b"late")
    header, *events = map(json.loads, recording.text().splitlines())
    assert (header["version"], header["width"], header["height"]) == (2, 80, 24)
    assert events == [[1.5, "o", "ä"], [1.5, "r", "100x30"]]


@pytest.mark.parametrize(
    ("path", "target"),
    [
        (b"/api/v1/pods?limit=5", b"/clusters/demo/api/v1/pods?limit=5"),
        (b"/api/v1/namespaces/a..b/pods", b"/clusters/demo/api/v1/namespaces/a..b/pods"),
        (b"/../other/api", None),
        (b"/api/%2e%2e/%2E%2e/other", None),
        (b"/%252e%252e/other", None),
        (b"/..\\other", None),
        (b"http://elsewhere/api", None),
        (b"*", None),
    ],
)
def test_no_path_leads_out_of_the_cluster(path, target):
    assert callers.target("demo", path) == target


def test_a_request_goes_on_as_its_shells_user():
    given = [
        (b"authorization", b"Bearer token"),
        (b"x-remote-user", b"admin"),
        (b"connection", b"authorization"),
        (b"accept", b"*/*"),
    ]
    assert LEARNER.is_own(given)
    assert callers.authorized(LEARNER, callers.forwarded(given), "secret") == [
        (b"accept", b"*/*"),
        (b"Authorization", b"Bearer secret"),
        (b"Impersonate-User", b"ann"),
        (b"Impersonate-Group", b"system:authenticated"),
    ]
    assert not LEARNER.is_own([(b"authorization", b"Bearer another")])
    assert not LEARNER.is_own([])


def test_who_wants_to_be_somebody_else_is_asked_about():
    headers = [
        (b"impersonate-user", b"system:serviceaccount:ci:bot"),
        (b"impersonate-group", b"system:masters"),
    ]
    wanted = [one["spec"]["resourceAttributes"] for one in callers.reviews(LEARNER, headers)]
    assert wanted == [
        {"verb": "impersonate", "resource": "serviceaccounts", "namespace": "ci", "name": "bot"},
        {"verb": "impersonate", "resource": "groups", "name": "system:masters"},
    ]
    assert json.loads(callers.refusal(LEARNER, wanted[1]))["message"] == (
        'groups "system:masters" is forbidden: User "ann" cannot impersonate resource "groups" '
        'in API group "" at the cluster scope'
    )


def test_no_client_says_itself_which_terminal_it_is():
    headers = [(b"x-kubeground-terminal", b"another"), (b"kubectl-session", b"s")]
    assert callers.forwarded(headers) == [(b"kubectl-session", b"s")]


class Chatter:
    """A program that prints what it is given, and counts what was taken."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces, self.taken, self.over = pieces, 0, asyncio.Event()

    async def output(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            self.taken += len(piece)
            yield piece
            await asyncio.sleep(0)
        await self.over.wait()

    async def write(self, data: bytes) -> None: ...
    def resize(self, rows: int, columns: int) -> None: ...
    def close(self) -> None: ...

    def end(self) -> None:
        self.over.set()

    async def exit_code(self) -> int | None:
        await self.over.wait()
        return 3


def session_of(program: Chatter) -> Session:
    about = About("i", "ann", "demo", "u", "l", "shell", "demo")
    return Session(about, program, 24, 80, asyncio.get_running_loop().time)


async def test_a_recording_that_is_full_ends_and_the_page_is_told(monkeypatch):
    monkeypatch.setattr("playground.shells.recording.LARGEST", 2500)
    session = session_of(Chatter([b"x" * 1000] * 5))
    page, _ = session.attach(None)
    session.record(on=True)
    running = asyncio.ensure_future(session.run())
    told = []
    while len(told) < 2:
        session.confirm(page, page.sent)
        frame = await session.next_frame(page)
        told += [frame] if isinstance(frame, dict) else []
    assert told == [
        {"op": "recording", "on": True},
        {"op": "recording", "on": False, "full": True},
    ]
    session.end("Over.")
    await running


async def test_a_program_waits_for_the_page_that_shows_it():
    program = Chatter([bytes(1000)] * 2000)
    session = session_of(program)
    page, missed = session.attach(None)
    running = asyncio.ensure_future(session.run())
    assert missed == 0
    got = 0
    while got < WINDOW:
        number, data = await session.next_frame(page)
        assert number == got
        got += len(data)
    await asyncio.sleep(1)
    assert program.taken <= WINDOW + 1000
    while got < 1_000_000:
        session.confirm(page, got)
        _, data = await session.next_frame(page)
        got += len(data)
    session.note({"op": "request", "id": "a"})
    session.end("Because.")
    await running
    last: dict[str, object] = {}
    while last.get("op") != "exit":
        session.confirm(page, page.sent)
        frame = await session.next_frame(page)
        last = frame if isinstance(frame, dict) else {}
    assert last == {"op": "exit", "code": 3, "why": "Because."}
