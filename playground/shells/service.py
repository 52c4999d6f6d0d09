"""What the site asks of this process, as an ASGI application on a socket that it alone can open.

    GET    /state                      whether there are sandboxes, or why not
    GET    /sessions?owner=&cluster=   all shells of which these are so
    POST   /sessions                   start one: the fields of `Wish`
    DELETE /sessions?...               end all of which these are so; `why` is told to the page
    DELETE /sessions/ID
    POST   /sessions/ID/recording      {on}
    GET    /sessions/ID/recording      asciicast v2
    WS     /sessions/ID?seq=N          look at one from byte N on

Over the websocket: binary frames from here are eight bytes of the number of the first byte, then
output; binary frames from the page are what was typed. Text frames are JSON:

    from here   hello {seq, missed, about}, gap {missed}, recording {on, full?}, full {},
                request {id, method, path, status, session}, exit {code, why}
    from there  shown {seq}, resize {rows, columns}

Close codes: 4410 no such shell.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Coroutine
from dataclasses import asdict, fields
from typing import Any
from urllib.parse import parse_qs

import orjson

from playground.shells.launching import LaunchError
from playground.shells.session import Attachment, Session
from playground.shells.table import NotOfferedError, Table, TooManyError, Wish
from playground.tasks import Tasks

GONE = 4410
_LARGEST_BODY = 64 * 1024
_NAMES = {field.name for field in fields(Wish)}
_LISTS = ("groups", "command")


class Service:
    """The ASGI application."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        parts = scope["path"].strip("/").split("/")
        query = {name: values[0] for name, values in _query(scope).items()}
        if scope["type"] == "websocket":
            session = self._table.find(parts[1]) if len(parts) == 2 else None
            await _Page(receive, send).serve(session, query.get("seq"))
        elif scope["type"] == "http":
            code, body = await self._answer(scope["method"], parts, query, receive)
            await _respond(send, code, body)

    async def _answer(
        self, method: str, parts: list[str], query: dict[str, str], receive: Any
    ) -> tuple[int, Any]:
        table = self._table
        match (method, *parts):
            case ("GET", "state"):
                await table.host.ready()
                return 200, self._state()
            case ("GET", "sessions"):
                return 200, {"items": [_summary(one) for one in table if _is(one, query)]}
            case ("POST", "sessions"):
                return await self._open(await _json(receive))
            case ("DELETE", "sessions"):
                why = query.pop("why", "")
                return 200, {"ended": table.end(why, **query)}
            case (_, "sessions", number, *rest):
                session = table.find(number)
                if session is None:
                    return 404, {"error": "There is no such terminal."}
                return await self._one(method, session, rest, query, receive)
        return 404, {"error": "There is nothing here."}

    async def _one(
        self, method: str, session: Session, rest: list[str], query: dict[str, str], receive: Any
    ) -> tuple[int, Any]:
        match (method, *rest):
            case ("GET",):
                return 200, _summary(session)
            case ("DELETE",):
                session.end(query.get("why", ""))
                return 200, _summary(session)
            case ("POST", "recording"):
                session.record(on=bool((await _json(receive)).get("on")))
                return 200, _summary(session)
            case ("GET", "recording"):
                if session.recording is None:
                    return 404, {"error": "Nothing was recorded."}
                return 200, session.recording.text()
        return 404, {"error": "There is nothing here."}

    async def _open(self, given: dict[str, Any]) -> tuple[int, Any]:
        known: dict[str, Any] = {
            name: tuple(value) if name in _LISTS else value
            for name, value in given.items()
            if name in _NAMES
        }
        try:
            session = await self._table.open(Wish(**known))
        except TooManyError as error:
            return 429, {"error": str(error)}
        except NotOfferedError as error:
            return 501, {"error": str(error)}
        except LaunchError as error:
            return 502, {"error": str(error)}
        return 201, _summary(session)

    def _state(self) -> dict[str, Any]:
        host = self._table.host
        return {"sandbox": host.can_sandbox, "why": host.why_not, "install": list(host.install)}


class _Page:
    """One websocket."""

    def __init__(self, receive: Any, send: Any) -> None:
        self._receive, self._send = receive, send

    async def serve(self, session: Session | None, seq: str | None) -> None:
        await self._receive()  # websocket.connect
        await self._send({"type": "websocket.accept"})
        if session is None:
            await self._send({"type": "websocket.close", "code": GONE})
            return
        seen = int(seq) if seq and seq.isascii() and seq.isdigit() else None
        page, missed = session.attach(seen)
        hello = {"op": "hello", "seq": page.sent, "missed": missed, "about": _summary(session)}
        sides = Tasks()
        sending = sides.begin(_present(self._pump(session, page, hello)), "output of a shell")
        listening = sides.begin(_present(self._listen(session, page)), "input of a shell")
        try:
            # A page that hears nothing more is let go, and comes back.
            await asyncio.wait((sending, listening), return_when=asyncio.FIRST_COMPLETED)
        finally:
            session.detach(page)
            await sides.stop()

    async def _pump(self, session: Session, page: Attachment, hello: dict[str, Any]) -> None:
        await self._text(hello)
        while True:
            frame = await session.next_frame(page)
            if isinstance(frame, dict):
                await self._text(frame)
            else:
                number, data = frame
                await self._send(
                    {"type": "websocket.send", "bytes": struct.pack(">Q", number) + data}
                )

    async def _listen(self, session: Session, page: Attachment) -> None:
        while True:
            message = await self._receive()
            if message["type"] != "websocket.receive":
                return
            if typed := message.get("bytes"):
                if not session.type(typed) and session.running:
                    await self._text({"op": "full"})
            elif text := message.get("text"):
                _obey(session, page, text)

    async def _text(self, what: dict[str, Any]) -> None:
        await self._send({"type": "websocket.send", "text": orjson.dumps(what).decode()})


async def _present(side: Coroutine[Any, Any, None]) -> None:
    """Run a side of a websocket as long as the page is there: uvicorn says OSError when not."""
    with contextlib.suppress(OSError):
        await side


def _obey(session: Session, page: Attachment, text: str) -> None:
    """Do what a page asks; what makes no sense is dropped."""
    match _loads(text):
        case {"op": "shown", "seq": int(number)}:
            session.confirm(page, number)
        case {"op": "resize", "rows": int(rows), "columns": int(columns)}:
            if 1 <= rows <= 500 and 1 <= columns <= 1000:
                session.resize(rows, columns)


def _summary(session: Session) -> dict[str, Any]:
    recording = session.recording
    return {
        **asdict(session.about),
        "rows": session.rows,
        "columns": session.columns,
        "running": session.running,
        "exit": session.exit_code,
        "why": session.why,
        "pages": len(session.attachments),
        "recording": {
            "running": bool(recording and recording.running),
            "there": recording is not None,
            "full": bool(recording and recording.full),
        },
    }


def _is(session: Session, wanted: dict[str, str]) -> bool:
    return all(getattr(session.about, name, None) == value for name, value in wanted.items())


def _query(scope: Any) -> dict[str, list[str]]:
    return parse_qs(scope["query_string"].decode(), keep_blank_values=True)


def _loads(text: str | bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


async def _json(receive: Any) -> dict[str, Any]:
    body = b""
    while len(body) < _LARGEST_BODY:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    given = _loads(body)
    return given if isinstance(given, dict) else {}


async def _respond(send: Any, code: int, body: Any) -> None:
    payload = body if isinstance(body, bytes) else orjson.dumps(body)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(payload)).encode()),
    ]
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": payload})
