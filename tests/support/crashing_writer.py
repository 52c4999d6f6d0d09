"""A process that writes until it is killed, and says on its output what was acknowledged.

python -m tests.support.crashing_writer        (the database comes from the environment)
"""

from __future__ import annotations

import asyncio
import os

import django

django.setup()

from apimachinery.clock import ManualClock  # noqa: E402
from apiserver.storage import ClusterRecord, ClusterStore, Storage  # noqa: E402
from apiserver.watch.hub import WatchHub  # noqa: E402
from tests.support.writes import create, delete, update  # noqa: E402

WRITERS = 16


async def write_on(store: ClusterStore, writer: int) -> None:
    """Create two objects, change one, delete the other, and again, for ever."""
    turn = 0
    while True:
        kept, gone = f"w{writer}-{turn}-kept", f"w{writer}-{turn}-gone"
        for write in (create(kept), create(gone), update(kept, turn=turn), delete(gone)):
            entry = await store.commit(write)
            # One write call a line: a killed process leaves no half of one behind.
            os.write(1, f"{write.type} {entry.key.name} {entry.revision}\n".encode())
        turn += 1


async def main() -> None:
    storage = Storage(clock=ManualClock(), hub=WatchHub)
    store = await storage.create_cluster(ClusterRecord("crash"))
    await asyncio.gather(*[write_on(store, writer) for writer in range(WRITERS)])


asyncio.run(main())
