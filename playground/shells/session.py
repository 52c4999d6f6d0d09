"""One shell: a program, what it printed lately, and who looks at it.

    program --> ring --> attachments (pages)

The program is read only while somebody has room for it: a page confirms what it has shown, and one
that is gone gets everything when it comes back, up to the size of the ring. So nothing is lost, a
program that prints without end waits, and memory is bounded. Of several pages the fastest sets the
pace; one that falls behind by more than the ring is told how much it missed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from playground.shells import ring
from playground.shells.recording import Recording
from playground.shells.ring import Ring
from playground.tasks import Tasks

log = logging.getLogger("kubeground.shells")

# What a page may have been sent and not have confirmed.
WINDOW = 128 * 1024
CHUNK = 32 * 1024
# What is kept of what was typed and the program has not read.
LARGEST_INPUT = 1 << 20
# Requests of a shell that a page may still ask about.
NOTES = 500
# A program that has ended has said all that it had to say by then.
_LAST_WORDS_SECONDS = 0.5


class Program(Protocol):
    """What runs in a session: a process here, or one in a container."""

    def output(self) -> AsyncIterator[bytes]:
        """Yield what it prints, until it has ended."""

    async def write(self, data: bytes) -> None:
        """Type; waits while the program takes nothing."""

    def resize(self, rows: int, columns: int) -> None:
        """Tell the program how large its terminal is."""

    def end(self) -> None:
        """End it, whether it wants or not."""

    async def exit_code(self) -> int | None:
        """Return how it ended, once it has; None where nobody knows."""

    def close(self) -> None:
        """Give back what the system lent us; for programs that have ended."""


@dataclass(frozen=True, slots=True)
class About:
    """What a session is: whose, where, and what for."""

    id: str
    owner: str
    cluster: str
    uid: str  # of the cluster: a new one of the same name is another
    login: str  # the sign-in that opened it
    kind: str  # shell, plain, pod, node
    title: str
    acting_as: str = ""
    created: float = 0.0


@dataclass(slots=True)
class _Note:
    at: int
    what: dict[str, Any]


@dataclass(eq=False, slots=True)
class Attachment:
    """A page that looks: how far it was sent, and how far it has shown."""

    sent: int
    shown: int
    note: int
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class Session:
    """Runs one program until it ends."""

    def __init__(
        self, about: About, program: Program, rows: int, columns: int, clock: Callable[[], float]
    ) -> None:
        self.about, self.program = about, program
        self.rows, self.columns = rows, columns
        self.ring = Ring()
        self.recording: Recording | None = None
        self.exit_code: int | None = None
        self.ended_at: float | None = None
        self.why = ""
        self.last_used = self.last_seen = clock()
        self.attachments: set[Attachment] = set()
        self._clock = clock
        self._shown = 0
        self._notes: deque[_Note] = deque(maxlen=NOTES)
        self._first_note = 0
        self._typed: deque[bytes] = deque()
        self._typed_size = 0
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        # What is to be done once it has ended.
        self.cleanup: list[Callable[[], Any]] = []

    @property
    def running(self) -> bool:
        return self.ended_at is None

    # -- the program's side ----------------------------------------------------------------------

    async def run(self) -> None:
        """Carry output and input until the program has ended."""
        sides = Tasks()
        reading = sides.begin(self._read(), "output of a program")
        writing = sides.begin(self._write(), "input of a program")
        ending = asyncio.ensure_future(self.program.exit_code())
        try:
            # Who cannot type any more, or sees nothing, is better off with a new shell.
            await asyncio.wait((ending, reading, writing), return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait((reading, ending), timeout=_LAST_WORDS_SECONDS)
            if not ending.done():
                # Its terminal is gone and it is still there: nobody could use it.
                self.program.end()
            self.exit_code = await asyncio.wait_for(ending, 5.0)
        except TimeoutError:
            log.warning("a program did not end when it was told to", extra={"id": self.about.id})
        finally:
            ending.cancel()
            await sides.stop()
            await asyncio.gather(ending, return_exceptions=True)
            self._finish()

    def end(self, why: str) -> None:
        """End the program; the page is told why."""
        if self.running:
            self.why = self.why or why
            self.program.end()
            self._room.set()

    def _finish(self) -> None:
        self.program.close()
        self.ended_at = self._clock()
        if self.recording is not None:
            self.recording.stop()
        self.note({"op": "exit", "code": self.exit_code, "why": self.why})

    async def _read(self) -> None:
        async for data in self.program.output():
            self.ring.append(data)
            self.last_used = self._clock()
            self._record(data)
            self._wake()
            while not self._has_room():
                self._room.clear()
                await self._room.wait()

    def _record(self, data: bytes) -> None:
        if self.recording is None or not self.recording.running:
            return
        self.recording.output(data)
        if self.recording.full:
            self.note({"op": "recording", "on": False, "full": True})

    async def _write(self) -> None:
        while True:
            while self._typed:
                data = self._typed.popleft()
                await self.program.write(data)
                self._typed_size -= len(data)
            self._news.clear()
            await self._news.wait()

    def _has_room(self) -> bool:
        if not self.attachments:
            return self.ring.end - self._shown < ring.SIZE - CHUNK
        return self.ring.end - max(one.shown for one in self.attachments) < WINDOW

    # -- the pages' side -------------------------------------------------------------------------

    def type(self, data: bytes) -> bool:
        """Take what was typed; False: the program reads nothing and there is no more room."""
        if not self.running or self._typed_size + len(data) > LARGEST_INPUT:
            return False
        self.last_used = self._clock()
        self._typed.append(data)
        self._typed_size += len(data)
        self._news.set()
        return True

    def resize(self, rows: int, columns: int) -> None:
        """Take the size of the page that was resized last."""
        if (rows, columns) == (self.rows, self.columns) or not self.running:
            return
        self.rows, self.columns = rows, columns
        self.program.resize(rows, columns)
        if self.recording is not None:
            self.recording.resized(rows, columns)

    def note(self, what: dict[str, Any]) -> None:
        """Tell every page, at this place of the output; later pages too."""
        if len(self._notes) == NOTES:
            self._first_note += 1
        self._notes.append(_Note(self.ring.end, what))
        self._wake()

    def attach(self, seen: int | None) -> tuple[Attachment, int]:
        """Add a page that has `seen` so many bytes; return it, and how many it has missed."""
        wanted = self.ring.start if seen is None else min(seen, self.ring.end)
        start = max(wanted, self.ring.start)
        first = self._first_note
        if seen is not None:
            first += sum(1 for note in self._notes if note.at < start)
        found = Attachment(start, start, first)
        self.attachments.add(found)
        self.last_seen = self._clock()
        return found, start - wanted

    def detach(self, attachment: Attachment) -> None:
        """Forget a page."""
        self.attachments.discard(attachment)
        self.last_seen = self._clock()
        self._shown = max(self._shown, attachment.shown)
        self._room.set()

    def confirm(self, attachment: Attachment, number: int) -> None:
        """A page has shown everything before a number."""
        if attachment.shown < number <= attachment.sent:
            attachment.shown = number
            self._shown = max(self._shown, number)
            attachment.wake.set()
            self._room.set()

    def record(self, *, on: bool) -> None:
        """Begin a recording anew, or end it."""
        if on and self.running:
            clock, title = self._clock, self.about.title
            self.recording = Recording(self.rows, self.columns, title, clock)
        elif not on and self.recording is not None:
            self.recording.stop()
        self.note({"op": "recording", "on": on})

    async def next_frame(self, page: Attachment) -> tuple[int, bytes] | dict[str, Any]:
        """Return the next piece of output with its number, or the next note; waits for one."""
        while True:
            if page.sent < self.ring.start:
                missed = self.ring.start - page.sent
                page.sent = page.shown = self.ring.start
                return {"op": "gap", "missed": missed}
            note = self._next_note(page)
            until = self.ring.end if note is None else min(note.at, self.ring.end)
            if page.sent < until and page.sent - page.shown < WINDOW:
                data = self.ring.read(page.sent, min(CHUNK, until - page.sent))
                number, page.sent = page.sent, page.sent + len(data)
                return number, data
            if note is not None and note.at <= page.sent:
                page.note += 1
                return note.what
            page.wake.clear()
            await page.wake.wait()

    def _next_note(self, page: Attachment) -> _Note | None:
        index = page.note - self._first_note
        if index < 0:  # it was too slow for all of them
            page.note, index = self._first_note, 0
        return self._notes[index] if index < len(self._notes) else None

    def _wake(self) -> None:
        for page in self.attachments:
            page.wake.set()
