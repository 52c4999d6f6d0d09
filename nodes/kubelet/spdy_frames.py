"""SPDY/3.1 on the wire: frames from bytes and bytes from frames.

A `Decoder` takes bytes as they arrive, cut anywhere, and keeps no more of them than one control
frame: data is passed on piece by piece. What breaks the protocol raises ProtocolError, after
which nothing more can be read, since the headers of all frames are compressed as one stream.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from struct import Struct, error

VERSION = 3
SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = (
    *range(1, 5),
    *range(6, 10),
)
FIN = 1

# Reasons of RST_STREAM.
PROTOCOL_ERROR, INVALID_STREAM, REFUSED_STREAM, CANCEL = 1, 2, 3, 5
FLOW_CONTROL_ERROR, STREAM_IN_USE = 7, 8

# What a control frame may take, packed and unpacked: a stream's headers are some 200 bytes.
LARGEST_CONTROL = 16 * 1024
LARGEST_HEADERS = 64 * 1024
_INITIAL_WINDOW_SIZE = 7
_STREAM_ID = 0x7FFFFFFF
_CONTROL = 0x8000

_WORD = Struct(">I")
_PAIR = Struct(">II")
_CONTROL_HEAD = Struct(">HHI")
_SYN = Struct(">IIBB")

_NAMES = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language "
    "accept-ranges age allow authorization cache-control connection content-base "
    "content-encoding content-language content-length content-location content-md5 "
    "content-range content-type date etag expect expires from host if-match if-modified-since "
    "if-none-match if-range if-unmodified-since last-modified location max-forwards pragma "
    "proxy-authenticate proxy-authorization range referer retry-after server te trailer "
    "transfer-encoding upgrade user-agent vary via warning www-authenticate method get status"
)
_CODES = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
)
_TEXTS = (
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request"
    "401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented"
    "503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 "
    "Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,"
    "application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age="
    "gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


def _dictionary() -> bytes:
    """Return what both ends have compressed before the first frame."""
    words = [*_NAMES.split(), "200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie"]
    words += ["keep-alive", "origin"]
    head = b"".join(_WORD.pack(len(word)) + word.encode() for word in words)
    return head + (_CODES + _TEXTS).encode()


DICTIONARY = _dictionary()
Fields = Mapping[str, str]


class ProtocolError(Exception):
    """The other side does not speak SPDY/3.1, or too much of it."""


@dataclass(frozen=True, slots=True)
class SynStream:
    """A new stream."""

    stream: int
    fields: Fields
    fin: bool = False


@dataclass(frozen=True, slots=True)
class SynReply:
    """A stream is taken."""

    stream: int
    fields: Fields = field(default_factory=dict)
    fin: bool = False


@dataclass(frozen=True, slots=True)
class MoreHeaders:
    """Headers that come late."""

    stream: int
    fields: Fields
    fin: bool = False


@dataclass(frozen=True, slots=True)
class Data:
    """Bytes of a stream; of a long frame, a part of them, with `fin` on the last."""

    stream: int
    data: bytes
    fin: bool = False


@dataclass(frozen=True, slots=True)
class Reset:
    """A stream is given up."""

    stream: int
    status: int


@dataclass(frozen=True, slots=True)
class Ping:
    id: int


@dataclass(frozen=True, slots=True)
class GoAway:
    """No more streams will be taken after `last`."""

    last: int
    status: int = 0


@dataclass(frozen=True, slots=True)
class WindowUpdate:
    """The other side may send `delta` bytes more; stream 0 is the whole connection."""

    stream: int
    delta: int


@dataclass(frozen=True, slots=True)
class Settings:
    """Of all settings only this one matters here; None if it was not among them."""

    initial_window: int | None = None


Frame = SynStream | SynReply | MoreHeaders | Data | Reset | Ping | GoAway | WindowUpdate | Settings


class Encoder:
    """Frames to bytes, in the order in which they are sent."""

    def __init__(self) -> None:
        self._zip = zlib.compressobj(zdict=DICTIONARY)

    def encode(self, frame: Frame) -> bytes:
        """Return a frame as it is sent."""
        match frame:
            case Data(stream, data, fin):
                return _PAIR.pack(stream, fin << 24 | len(data)) + data
            case SynStream(stream, fields, fin):
                return _control(SYN_STREAM, _SYN.pack(stream, 0, 0, 0) + self._pack(fields), fin)
            case SynReply(stream, fields, fin):
                return _control(SYN_REPLY, _WORD.pack(stream) + self._pack(fields), fin)
            case MoreHeaders(stream, fields, fin):
                return _control(HEADERS, _WORD.pack(stream) + self._pack(fields), fin)
            case Reset(stream, status):
                return _control(RST_STREAM, _PAIR.pack(stream, status))
            case Ping(number):
                return _control(PING, _WORD.pack(number))
            case GoAway(last, status):
                return _control(GOAWAY, _PAIR.pack(last, status))
            case WindowUpdate(stream, delta):
                return _control(WINDOW_UPDATE, _PAIR.pack(stream, delta))
            case Settings(size):
                entries = [] if size is None else [_PAIR.pack(_INITIAL_WINDOW_SIZE, size)]
                return _control(SETTINGS, _WORD.pack(len(entries)) + b"".join(entries))

    def _pack(self, fields: Fields) -> bytes:
        parts = [_WORD.pack(len(fields))]
        for text in (text.encode() for pair in fields.items() for text in pair):
            parts += (_WORD.pack(len(text)), text)
        return self._zip.compress(b"".join(parts)) + self._zip.flush(zlib.Z_SYNC_FLUSH)


def _control(kind: int, body: bytes, fin: bool = False) -> bytes:  # noqa: FBT001, FBT002 - a flag
    return _CONTROL_HEAD.pack(_CONTROL | VERSION, kind, fin << 24 | len(body)) + body


class Decoder:
    """Bytes to frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._unzip = zlib.decompressobj(zdict=DICTIONARY)
        # The data frame whose bytes are on their way: its stream, what is left of it, its end.
        self._data: tuple[int, int, bool] | None = None

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield the frames that are complete with these bytes. Raises ProtocolError."""
        self._buffer += data
        while (frame := self._next()) is not None:
            if not isinstance(frame, _Skipped):
                yield frame

    def _next(self) -> Frame | _Skipped | None:
        if self._data is not None:
            return self._piece(self._data)
        if len(self._buffer) < 8:
            return None
        first, second = _PAIR.unpack_from(self._buffer)
        length, flags = second & 0xFFFFFF, second >> 24
        if not first >> 31:
            del self._buffer[:8]
            return self._piece((first & _STREAM_ID, length, bool(flags & FIN)), first=True)
        if first >> 16 & 0x7FFF != VERSION:
            raise ProtocolError(f"version {first >> 16 & 0x7FFF} is not spoken")
        if length > LARGEST_CONTROL:
            raise ProtocolError("a control frame is too long")
        if len(self._buffer) < 8 + length:
            return None
        body = bytes(self._buffer[8 : 8 + length])
        del self._buffer[: 8 + length]
        try:
            return self._parse(first & 0xFFFF, body, bool(flags & FIN))
        except (error, zlib.error, UnicodeDecodeError) as problem:
            raise ProtocolError(f"a control frame makes no sense: {problem}") from problem

    def _piece(self, state: tuple[int, int, bool], *, first: bool = False) -> Data | None:
        """Return what is there of a data frame; None where that is nothing yet."""
        stream, left, fin = state
        piece = bytes(self._buffer[:left])
        del self._buffer[: len(piece)]
        left -= len(piece)
        self._data = (stream, left, fin) if left else None
        if not piece and not (first and not left):
            return None
        return Data(stream, piece, fin and not left)

    def _parse(self, kind: int, body: bytes, fin: bool) -> Frame | _Skipped:  # noqa: FBT001 - a flag
        if kind == SYN_STREAM:
            return SynStream(_stream(body), self._unpack(body[10:]), fin)
        if kind == SYN_REPLY:
            return SynReply(_stream(body), self._unpack(body[4:]), fin)
        if kind == HEADERS:
            return MoreHeaders(_stream(body), self._unpack(body[4:]), fin)
        if kind == PING:
            return Ping(_WORD.unpack(body)[0])
        if kind == SETTINGS:
            return _settings(body)
        if kind not in (RST_STREAM, GOAWAY, WINDOW_UPDATE):
            return _SKIPPED
        number, value = _PAIR.unpack(body)
        number &= _STREAM_ID
        if kind == RST_STREAM:
            return Reset(number, value)
        return GoAway(number, value) if kind == GOAWAY else WindowUpdate(number, value & _STREAM_ID)

    def _unpack(self, packed: bytes) -> dict[str, str]:
        """Return the headers of a frame. What it unpacks to is bounded, as a bomb would not be."""
        block = self._unzip.decompress(packed, LARGEST_HEADERS)
        if self._unzip.unconsumed_tail:
            raise ProtocolError("the headers are too long")
        found: dict[str, str] = {}
        texts = _texts(block)
        for name in texts:
            value = next(texts)
            if not name or name in found:
                raise ProtocolError(f"the header {name!r} cannot be")
            found[name.lower()] = value
        return found


class _Skipped:
    """A control frame of a kind that has no meaning here; the protocol says to pass over it."""


_SKIPPED = _Skipped()


def _texts(block: bytes) -> Iterator[str]:
    """Yield names and values in turn."""
    count, at = _WORD.unpack_from(block)[0] * 2, 4
    if count * 4 > len(block):
        raise ProtocolError("headers are missing")
    for _ in range(count):
        length = _WORD.unpack_from(block, at)[0]
        at += 4
        if at + length > len(block):
            raise ProtocolError("a header is cut off")
        yield block[at : at + length].decode()
        at += length


def _stream(body: bytes) -> int:
    number: int = _WORD.unpack_from(body)[0] & _STREAM_ID
    if not number:
        raise ProtocolError("stream 0 cannot be")
    return number


def _settings(body: bytes) -> Settings:
    window = None
    for entry in range(_WORD.unpack_from(body)[0]):
        key, value = _PAIR.unpack_from(body, 4 + 8 * entry)
        if key & 0xFFFFFF == _INITIAL_WINDOW_SIZE:
            window = value & _STREAM_ID
    return Settings(window)
