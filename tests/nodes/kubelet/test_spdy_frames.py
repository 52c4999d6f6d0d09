"""SPDY's framing: what is written is read again, however it is cut, and nonsense is refused."""

from __future__ import annotations

import random
import struct
import zlib

import pytest

from nodes.kubelet import spdy_frames as spdy
from nodes.kubelet.spdy_frames import (
    Data,
    Decoder,
    Encoder,
    GoAway,
    MoreHeaders,
    Ping,
    ProtocolError,
    Reset,
    Settings,
    SynReply,
    SynStream,
    WindowUpdate,
)

FIELDS = {"streamtype": "data", "port": "80", "requestid": "0"}
FRAMES = [
    SynStream(1, FIELDS),
    SynStream(3, {**FIELDS, "streamtype": "error"}, fin=True),
    SynReply(1),
    SynReply(3, {"x": "y\0z"}, fin=True),
    MoreHeaders(1, {"late": "yes"}),
    Data(1, b"hello"),
    Data(1, b"", fin=True),
    Reset(3, spdy.CANCEL),
    Ping(7),
    WindowUpdate(1, 65536),
    Settings(1 << 20),
    Settings(),
    GoAway(3),
]


def control(kind: int, body: bytes, *, flags: int = 0, version: int = 3) -> bytes:
    return struct.pack(">HHI", 0x8000 | version, kind, flags << 24 | len(body)) + body


def joined(found: list[spdy.Frame]) -> list[spdy.Frame]:
    """Join the pieces of what was one data frame."""
    frames: list[spdy.Frame] = []
    for frame in found:
        last = frames[-1] if frames else None
        if isinstance(frame, Data) and isinstance(last, Data) and last.stream == frame.stream:
            frames[-1] = Data(last.stream, last.data + frame.data, frame.fin)
        else:
            frames.append(frame)
    return frames


def written(frames: list[spdy.Frame]) -> bytes:
    encoder = Encoder()
    return b"".join(encoder.encode(frame) for frame in frames)


def test_the_dictionary_is_the_protocols() -> None:
    assert len(spdy.DICTIONARY) == 1423
    assert zlib.adler32(spdy.DICTIONARY) == 0xE3C6A7C2


def test_known_bytes() -> None:
    encoder = Encoder()
    assert encoder.encode(Ping(1)) == bytes.fromhex("80030006 00000004 00000001")
    assert encoder.encode(Data(1, b"hi", fin=True)) == bytes.fromhex("00000001 01000002 6869")
    assert encoder.encode(Reset(5, 3)) == bytes.fromhex("80030003 00000008 00000005 00000003")
    assert encoder.encode(GoAway(1)) == bytes.fromhex("80030007 00000008 00000001 00000000")
    assert encoder.encode(WindowUpdate(1, 9)) == bytes.fromhex("80030009000000080000000100000009")


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: type(frame).__name__)
def test_each_frame_there_and_back(frame: spdy.Frame) -> None:
    assert list(Decoder().feed(Encoder().encode(frame))) == [frame]


def test_headers_are_one_compressed_stream() -> None:
    encoder = Encoder()
    first = encoder.encode(SynStream(1, FIELDS))
    second = encoder.encode(SynStream(3, FIELDS))
    assert len(second) < len(first)
    with pytest.raises(ProtocolError):
        list(Decoder().feed(second))


@pytest.mark.parametrize("seed", range(20))
def test_bytes_may_be_cut_anywhere(seed: int) -> None:
    rand = random.Random(seed)
    frames = [rand.choice(FRAMES) for _ in range(30)]
    # Two data frames in a row cannot be told from one in pieces.
    frames = [f for one in frames for f in ((one, Ping(9)) if isinstance(one, Data) else (one,))]
    wire, decoder, found = written(frames), Decoder(), []
    while wire:
        size = rand.choice((1, 2, 7, 100, 5000))
        found += decoder.feed(wire[:size])
        wire = wire[size:]
    assert joined(found) == frames


def test_long_data_is_passed_on_in_pieces() -> None:
    decoder = Decoder()
    head, body = struct.pack(">II", 1, 1 << 24 | 1_000_000), b"x" * 1_000_000
    assert list(decoder.feed(head)) == []
    pieces = [p for at in range(0, len(body), 60_000) for p in decoder.feed(body[at : at + 60_000])]
    assert [p.fin for p in pieces if isinstance(p, Data)] == [False] * 16 + [True]
    assert b"".join(p.data for p in pieces if isinstance(p, Data)) == body


def test_an_unknown_kind_is_passed_over() -> None:
    wire = control(77, b"whatever") + Encoder().encode(Ping(1))
    assert list(Decoder().feed(wire)) == [Ping(1)]


def block(*texts: bytes, count: int | None = None) -> bytes:
    number = len(texts) // 2 if count is None else count
    raw = struct.pack(">I", number) + b"".join(struct.pack(">I", len(t)) + t for t in texts)
    packer = zlib.compressobj(zdict=spdy.DICTIONARY)
    return packer.compress(raw) + packer.flush(zlib.Z_SYNC_FLUSH)


SYN = struct.pack(">IIBB", 1, 0, 0, 0)


@pytest.mark.parametrize(
    ("wire", "why"),
    [
        (control(6, b"\0\0\0\1", version=2), "version 2"),
        (struct.pack(">HHI", 0x8003, 1, 0xFFFFFF), "too long"),
        (control(6, b""), "makes no sense"),
        (control(3, b"\0\0\0\1"), "makes no sense"),
        (control(4, struct.pack(">I", 1 << 31)), "makes no sense"),
        (control(1, SYN + b"no zlib here"), "makes no sense"),
        (control(1, b"\0"), "makes no sense"),
        (control(1, SYN[:4].replace(b"\1", b"\0") + SYN[4:] + block()), "stream 0"),
        (control(1, SYN + block(b"a", b"1", b"a", b"2")), "'a' cannot be"),
        (control(1, SYN + block(b"", b"1")), "'' cannot be"),
        (control(1, SYN + block(b"a", b"1", count=2)), "missing"),
        (control(1, SYN + block(b"a-long-name", count=1)), "makes no sense"),
        (control(1, SYN + block(b"a", b"1", count=1 << 30)), "missing"),
        (control(1, SYN + block(b"a", b"\xff\xff")), "makes no sense"),
        (control(1, SYN + block(b"bomb", b"\0" * 5_000_000)), "too long"),
    ],
)
def test_nonsense_is_refused(wire: bytes, why: str) -> None:
    with pytest.raises(ProtocolError, match=why):
        list(Decoder().feed(wire))


@pytest.mark.parametrize("seed", range(200))
def test_noise_is_read_or_refused(seed: int) -> None:
    """Whatever comes, either frames are found or the protocol is broken: nothing else happens."""
    rand = random.Random(seed)
    wire = bytearray(written(FRAMES) + rand.randbytes(50))
    for _ in range(rand.randrange(1, 8)):
        wire[rand.randrange(len(wire))] = rand.randrange(256)
    decoder = Decoder()
    try:
        for at in range(0, len(wire), 13):
            for frame in decoder.feed(bytes(wire[at : at + 13])):
                assert isinstance(frame, spdy.Frame)
    except ProtocolError:
        return
