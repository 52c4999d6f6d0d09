"""What authentication and authorization read of a cluster: its objects, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from apiserver.storage.types import Entry, Key


class Objects(Protocol):
    """The cluster's store, as far as it is only read. Entries are shared."""

    def get(self, key: Key) -> Entry | None: ...

    def list(self, resource: str, namespace: str | None = None) -> Sequence[Entry]: ...

    def on_node(self, node: str) -> Sequence[Entry]: ...
