"""What a write or a read of the store can come to, other than its result.

    StorageError
    +- Exists        create: the key is taken          +- Compacted    the past asked for is gone
    +- Missing       update, delete: no such key       +- Unavailable  the database failed
    +- Changed       not at the revision expected      +- Fenced       another process writes here
    +- NoCluster     no cluster of that name           +- Closed       the cluster is closed here
    +- Dropped       another write of the same group was refused
    +- Oversized     the object has more bytes than etcd takes

The registry turns them into answers of the API; nothing below it knows of those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apiserver.storage.types import Entry


class StorageError(Exception):
    """Any of the outcomes below."""


class Exists(StorageError):
    """The key is taken; `current` is what has it."""

    def __init__(self, current: Entry | None = None) -> None:
        super().__init__("already exists")
        self.current = current


class Missing(StorageError):
    """There is no such key."""


class Changed(StorageError):
    """The object is not at the expected revision; `current` is what it is now."""

    def __init__(self, current: Entry | None) -> None:
        super().__init__("changed since it was read")
        self.current = current


class Dropped(StorageError):
    """The write itself was good, but one that had to come with it was not."""


class Oversized(StorageError):
    """The object has more bytes than etcd takes; the message is etcd's."""

    def __init__(self) -> None:
        super().__init__("etcdserver: request is too large")


class Compacted(StorageError):
    """The log has been trimmed past the revision asked for."""

    def __init__(self, revision: int, oldest: int) -> None:
        super().__init__(f"too old resource version: {revision} ({oldest})")
        self.revision = revision
        self.oldest = oldest


class Unavailable(StorageError):
    """The transaction failed as a whole; nothing of it was acknowledged."""


class Fenced(StorageError):
    """Another process has written to the cluster: what is held in memory here is stale."""


class NoCluster(StorageError):
    """There is no cluster of that name."""


class ClusterExists(StorageError):
    """A cluster of that name is there."""


class Closed(StorageError):
    """The cluster, or the whole storage, has been closed."""
