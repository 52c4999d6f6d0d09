"""One HTTP exchange whose answer is read as it arrives: what proxies and watches need."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection

from nodes.network.http import (
    BadMessage,
    Headers,
    HttpResponse,
    body_length,
    read_response_head,
    write_request,
)
from nodes.network.stream import ByteStream, read_until

_NO_BODY = (204, 304)


class Exchange:
    """An answer whose head has come; `body` yields the rest. Close it, read or not."""

    def __init__(
        self, stream: ByteStream, answer: HttpResponse, rest: bytes, *, has_body: bool
    ) -> None:
        self._stream, self._answer, self._rest = stream, answer, rest
        self._has_body = has_body and answer.status not in _NO_BODY

    @property
    def status(self) -> int:
        return self._answer.status

    @property
    def headers(self) -> Headers:
        return self._answer.headers

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The header fields in their order."""
        return self._answer.headers.items

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the body piece by piece. EOFError where it breaks off."""
        if not self._has_body:
            return
        if self.headers.get("Transfer-Encoding").lower() == "chunked":
            async for chunk in self._chunks():
                yield chunk
            return
        length = body_length(self.headers)
        left = -1 if length is None else length
        data = self._rest or (await self._stream.read() if left else b"")
        while data and left:
            piece = data if left < 0 else data[:left]
            left -= len(piece) if left > 0 else 0
            yield piece
            data = await self._stream.read() if left else b""
        if left > 0:
            raise EOFError

    async def _chunks(self) -> AsyncIterator[bytes]:
        rest = self._rest
        while True:
            line, rest = await _line(self._stream, rest)
            try:
                size = int(line.split(b";")[0], 16)
            except ValueError as error:
                raise BadMessage("bad chunk") from error
            if size < 0:
                raise BadMessage("bad chunk")
            left = size
            while left:
                data = rest or await self._stream.read()
                if not data:
                    raise EOFError
                yield data[:left]
                rest, left = data[left:], left - min(left, len(data))
            _, rest = await _line(self._stream, rest)
            if not size:
                return

    async def read(self) -> bytes:
        """Return the next bytes after the head of a 101, b"" once the other side has closed."""
        if self._rest:
            data, self._rest = self._rest, b""
            return data
        return await self._stream.read()

    async def write(self, data: bytes) -> None:
        """Send what comes after a 101."""
        await self._stream.write(data)

    def close(self) -> None:
        self._stream.close()


async def _line(stream: ByteStream, rest: bytes) -> tuple[bytes, bytes]:
    if b"\r\n" in rest:
        line, _, rest = rest.partition(b"\r\n")
        return line, rest
    try:
        more, after = await read_until(stream, b"\n", 256)
    except ValueError as error:
        raise BadMessage("bad chunk") from error
    if not more:
        raise EOFError
    line, _, left = (rest + more + after).partition(b"\r\n")
    return line, left


async def exchange(
    stream: ByteStream,
    method: str,
    target: str,
    fields: Collection[tuple[str, str]],
    body: bytes = b"",
) -> Exchange:
    """Send a request, and return the answer once its head has come. BadMessage, EOFError."""
    await write_request(stream, method, target, fields, body)
    answer, rest = await read_response_head(stream)
    return Exchange(stream, answer, rest, has_body=method != "HEAD")
