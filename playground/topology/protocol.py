"""The stream between page and site: JSON text, one websocket a page.

Browser to site:
    hello {v, cursor, rev, at?} first; `cursor` is what the last frame gave, or null; with `at`
                                the answer is the snapshot of that revision, and nothing after it
    resync {}                   "a number is missing, send everything"
    activity {on}               whether the page shows how busy the control plane is
    ping {t}                    answered by pong {t}

Site to browser:
    progress {read, total}      while the first lists are read
    snapshot {cursor, rev, nodes, pods, owners, services, ...}          {cols, rows} each table
    batch {from, to, cursor, rev, ev: [{t, k, o, n?}]}   t A|M|D, k table, o row (D: key), n folded
    behind {by}                 the page was away or reads slowly, and lacks so many revisions: it
                                catches up with the batch or snapshot that follows
    gap {from, to, skipped}     revisions that are not told one by one; a snapshot follows
    beat {rev}                  after what was missed, then every five seconds
    status {upstream: ok|down, text}
    error {code, kind, text}    what may not be read (forbidden), or no longer (past), and why
    activity {count, revision, requests, refused, from, watches, controllers, scheduler, kubelets}
                                what the control plane did since the last one, and what waits in it;
                                once a second at most, to pages that want it
    activity {forbidden}        one may not read that; the API's words
    pong {t}

A batch's `from` is one more than the last `to`: anything else is a fault, and the page says so
and resyncs. Close codes are below; 1012 comes from the process when it restarts, 4500 where
something of a stream failed: the page opens another.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Any

import orjson

from playground.topology.world import Change, World, collapse

VERSION = 1


class Close(IntEnum):
    """Why the site ends a stream."""

    SIGNED_OUT = 4401
    FORBIDDEN = 4403
    CLUSTER_GONE = 4404
    REFUSED = 4422
    BROKEN = 4500
    UNREACHABLE = 4503
    RESTART = 1012


def encode(op: str, **fields: Any) -> str:
    """Return a frame."""
    return orjson.dumps({"op": op, **fields}).decode()


def snapshot(epoch: str, world: World) -> str:
    """Return everything there is."""
    return encode(
        "snapshot", cursor=f"{epoch}.{world.number}", rev=world.revision, **world.snapshot()
    )


def batch(epoch: str, after: int, world: World, changes: Iterable[Change]) -> str:
    """Return the changes after a number, folded by key."""
    return encode(
        "batch",
        **{"from": after + 1},
        to=world.number,
        cursor=f"{epoch}.{world.number}",
        rev=world.revision,
        ev=[_event(change, count) for change, count in collapse(changes)],
    )


def parse_cursor(epoch: str, text: object) -> int | None:
    """Return the number that a cursor of this epoch stands for, or None."""
    if not isinstance(text, str):
        return None
    of, _, number = text.partition(".")
    return int(number) if of == epoch and number.isdecimal() else None


def _event(change: Change, count: int) -> dict[str, Any]:
    event: dict[str, Any] = {
        "t": change.type,
        "k": change.table,
        "o": change.key if change.row is None else change.row,
    }
    if count > 1:
        event["n"] = count
    return event
