"""Where objects are kept: memory for what is now, one writer thread, and a log of every change.

The rest of the API server sees `Storage`, `ClusterStore`, the values in `types`, and the errors.
"""

from apiserver.storage.errors import (
    Changed,
    Closed,
    ClusterExists,
    Compacted,
    Dropped,
    Exists,
    Fenced,
    Missing,
    NoCluster,
    Oversized,
    StorageError,
    Unavailable,
)
from apiserver.storage.feed import Hub, Selector, Sink, Subscription
from apiserver.storage.imports import Imported, imported
from apiserver.storage.storage import Storage
from apiserver.storage.store import ClusterStore
from apiserver.storage.types import ChangeRecord, ClusterRecord, Entry, Event, EventType, Key, Write

__all__ = [
    "ChangeRecord",
    "Changed",
    "Closed",
    "ClusterExists",
    "ClusterRecord",
    "ClusterStore",
    "Compacted",
    "Dropped",
    "Entry",
    "Event",
    "EventType",
    "Exists",
    "Fenced",
    "Hub",
    "Imported",
    "Key",
    "Missing",
    "NoCluster",
    "Oversized",
    "Selector",
    "Sink",
    "Storage",
    "StorageError",
    "Subscription",
    "Unavailable",
    "Write",
    "imported",
]
