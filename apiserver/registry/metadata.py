"""The metadata that the server itself decides: names, uids, times, generations.

What a client sends for these is dropped, put back, or refused, as k8s.io/apiserver
registry/rest (create.go, update.go) does.
"""

from __future__ import annotations

import random
from typing import Any

from apimachinery.errors import BadRequest
from apimachinery.meta import Obj

# No vowels, and none of 0, 1 and 3: no words and no look-alikes come about.
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
SUFFIX_LENGTH = 5
# 63 characters is what a label value may have; names go into labels.
LONGEST_BASE = 63 - SUFFIX_LENGTH
# 27^5 suffixes: with 10,000 objects of one prefix, 8 tries all fail once in 10^25.
NAME_TRIES = 8
# The bits of a UUID that say that it is of version 4, variant 1 (RFC 9562, 5.4), and all others.
_VERSION_4 = 0x4 << 76 | 0b10 << 62
_FREE_BITS = ~(0xF << 76 | 0b11 << 62)


class Identity:
    """Where names and uids come from: one seeded source of randomness a cluster."""

    def __init__(self, source: random.Random) -> None:
        self._source = source

    def name(self, base: str) -> str:
        """Return `base` with a random suffix, cut so that the name fits into a label."""
        suffix = "".join(self._source.choices(ALPHABET, k=SUFFIX_LENGTH))
        return base[:LONGEST_BASE] + suffix

    def uid(self) -> str:
        """Return a random UUID of version 4; uuid.UUID itself would take three times as long."""
        digits = f"{self._source.getrandbits(128) & _FREE_BITS | _VERSION_4:032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def match_namespace(metadata: dict[str, Any], namespace: str) -> None:
    """Take the request's namespace where the object has none. Raises BadRequest on another."""
    given = metadata.get("namespace") or ""
    if not namespace:
        metadata.pop("namespace", None)
    elif not given:
        metadata["namespace"] = namespace
    elif given != namespace:
        raise BadRequest(
            "the namespace of the provided object does not match the namespace sent on the request"
        )


def fill_on_create(obj: Obj, timestamp: str, uid: str, *, has_generation: bool) -> None:
    """Set what the server decides about a new object, and drop what it has not yet."""
    metadata = obj["metadata"]
    for name in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"):
        metadata.pop(name, None)
    metadata["uid"] = uid
    metadata["creationTimestamp"] = timestamp
    if has_generation:
        metadata["generation"] = 1


def keep_on_update(new: Obj, old: Obj) -> None:
    """Put back what no update changes; whatever else differs, validation refuses."""
    metadata, before = new["metadata"], old["metadata"]
    metadata.pop("selfLink", None)
    for name in ("generation", "creationTimestamp"):
        if name in before:
            metadata[name] = before[name]
        else:
            metadata.pop(name, None)
    for name in ("deletionTimestamp", "deletionGracePeriodSeconds"):
        if name in before:
            metadata[name] = before[name]
    if not metadata.get("uid"):
        metadata["uid"] = before["uid"]


def ordered(obj: Obj) -> Obj:
    """Return the object with kind, apiVersion and metadata first, as it is stored.

    Lists cut the first two off each item, which is possible in bytes since they always stand first.
    """
    metadata = obj.get("metadata") or {}
    first = {"kind": obj["kind"], "apiVersion": obj["apiVersion"], "metadata": metadata}
    return first | {key: value for key, value in obj.items() if key not in first}
