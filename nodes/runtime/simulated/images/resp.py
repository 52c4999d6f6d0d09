"""RESP, the protocol of redis: reading commands and replies, writing both."""

from __future__ import annotations

from nodes.network.stream import ByteStream

MAX_ARGS = 1024
MAX_BULK = 1024 * 1024
MAX_LINE = 64 * 1024


class ProtocolError(Exception):
    """What came is not RESP."""


class RespError(Exception):
    """An error reply ("ERR ...")."""


Reply = None | int | str | bytes | list["Reply"] | RespError


class OK(str):
    """A simple string."""

    __slots__ = ()


class RespReader:
    """Reads values off a connection."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._data = b""

    async def command(self) -> list[bytes] | None:
        """Return the next command; None at the end. Inline commands are words of a line."""
        line = await self._line()
        if line is None:
            return None
        if not line.startswith(b"*"):
            return line.split()
        count = _number(line[1:])
        if count > MAX_ARGS:
            raise ProtocolError("Protocol error: invalid multibulk length")
        parts = []
        for _ in range(count):
            head = await self._line()
            if head is None or not head.startswith(b"$"):
                raise ProtocolError("Protocol error: expected '$'")
            parts.append(await self._bulk(_number(head[1:])))
        return parts

    async def reply(self, depth: int = 0) -> Reply:
        """Return the next reply. EOFError at the end."""
        line = await self._line()
        if line is None or depth > 8:
            raise EOFError
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return OK(rest.decode())
        if kind == b"-":
            return RespError(rest.decode())
        if kind == b":":
            return _number(rest)
        if kind == b"$":
            size = _number(rest)
            return None if size < 0 else await self._bulk(size)
        if kind == b"*":
            return [await self.reply(depth + 1) for _ in range(min(_number(rest), 100_000))]
        raise ProtocolError("Protocol error")

    async def _line(self) -> bytes | None:
        while b"\n" not in self._data:
            if len(self._data) > MAX_LINE:
                raise ProtocolError("Protocol error: too big inline request")
            chunk = await self._stream.read()
            if not chunk:
                return None
            self._data += chunk
        line, _, self._data = self._data.partition(b"\n")
        return line.rstrip(b"\r")

    async def _bulk(self, size: int) -> bytes:
        if not 0 <= size <= MAX_BULK:
            raise ProtocolError("Protocol error: invalid bulk length")
        while len(self._data) < size + 2:
            chunk = await self._stream.read()
            if not chunk:
                raise EOFError
            self._data += chunk
        data, self._data = self._data[:size], self._data[size + 2 :]
        return data


def encode(reply: Reply) -> bytes:
    """Return a reply's bytes."""
    if reply is None:
        return b"$-1\r\n"
    if isinstance(reply, RespError):
        return f"-{reply}\r\n".encode()
    if isinstance(reply, OK):
        return f"+{reply}\r\n".encode()
    if isinstance(reply, int):
        return b":%d\r\n" % reply
    if isinstance(reply, list):
        return b"*%d\r\n" % len(reply) + b"".join(encode(item) for item in reply)
    data = reply.encode() if isinstance(reply, str) else reply
    return b"$%d\r\n%s\r\n" % (len(data), data)


def encode_command(parts: list[bytes]) -> bytes:
    """Return a command's bytes."""
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


def show(reply: Reply, indent: str = "", *, raw: bool = False) -> str:
    """Print a reply as redis-cli does, on a terminal or (raw) into a pipe."""
    if isinstance(reply, RespError):
        return f"{reply}" if raw else f"(error) {reply}"
    if isinstance(reply, OK):
        return str(reply)
    if reply is None:
        return "" if raw else "(nil)"
    if isinstance(reply, int):
        return str(reply) if raw else f"(integer) {reply}"
    if isinstance(reply, list):
        if raw:
            return "\n".join(show(item, raw=True) for item in reply)
        if not reply:
            return "(empty array)"
        rows = (f"{number}) " for number in range(1, len(reply) + 1))
        return "\n".join(
            f"{indent if number else ''}{row}{show(item, indent + '   ')}"
            for number, (row, item) in enumerate(zip(rows, reply, strict=True))
        )
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return text if raw else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _number(text: bytes) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise ProtocolError("Protocol error: invalid length") from error
