"""permessage-deflate for what many pages are sent alike: compressed once for all of them.

Each frame is compressed by itself. That takes a little more on the line than a context of each
connection's own would, and spares a quarter of a megabyte for each of them.
"""

from __future__ import annotations

import zlib

from autobahn.websocket.compress_deflate import PerMessageDeflate

from apimachinery.caching import kept_if_short

# A fast level: the last tenth of the size takes twice the time.
LEVEL = 3
# Batches of changes, and snapshots, which many pages ask for when a site has come back.
_BATCHES, _BATCH, _SNAPSHOTS, _SNAPSHOT = 32, 64 * 1024, 2, 4 * 1024 * 1024


class SharedDeflate(PerMessageDeflate):  # type: ignore[misc,unused-ignore]
    """The sending side of the extension without a state."""

    def start_compress_message(self) -> None:
        return

    def compress_message_data(self, data: bytes) -> bytes:
        keep = _batch if len(data) <= _BATCH else _snapshot
        return keep(bytes(data), self.server_max_window_bits)

    def end_compress_message(self) -> bytes:
        return b""


def deflated(data: bytes, window_bits: int) -> bytes:
    """Return a whole message (RFC 7692, 7.2.1)."""
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -window_bits)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


_batch = kept_if_short(_BATCHES, longest=_BATCH)(deflated)
_snapshot = kept_if_short(_SNAPSHOTS, longest=_SNAPSHOT)(deflated)
