"""What pages of the log share: a question with the API's own refusals, and how a place is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from apimachinery.errors import Expired
from apiserver.storage import ClusterStore, Compacted, Key

T = TypeVar("T")


async def ask(store: ClusterStore, revision: int, query: Callable[[Any, int], T]) -> T:
    """Ask the log something about a revision and what came after. Raises Expired."""
    try:
        return await store.ask(revision, query)
    except Compacted as gone:
        raise Expired(str(gone)) from None


def place(key: Key) -> dict[str, str]:
    """Return where an object is, for JSON."""
    return {"resource": key.resource, "namespace": key.namespace, "name": key.name}
