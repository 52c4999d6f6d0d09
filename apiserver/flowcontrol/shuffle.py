"""Shuffle sharding: a flow's hand of queues, the same each time, and seldom another flow's.

A flood fills the few queues of its own hand. With 128 queues and hands of 6 some other flow has
all of its queues among those with a chance of 1 in 5 billion (128 over 6).
"""

from __future__ import annotations

import hashlib


def hash_flow(schema: str, distinguisher: str) -> int:
    """Return 64 bits that stand for a flow."""
    digest = hashlib.sha256(schema.encode() + b"\0" + distinguisher.encode()).digest()
    return int.from_bytes(digest[:8], "little")


def deal(value: int, deck: int, hand: int) -> tuple[int, ...]:
    """Return `hand` different cards of a deck of `deck`, each from 0 to deck-1.

    The digits of `value`, to the falling bases deck, deck-1..., choose one of the cards that are
    still there; so every hand is as likely as any other.
    """
    dealt: list[int] = []
    for taken in range(min(hand, deck)):
        value, card = divmod(value, deck - taken)
        # The card-th of those that are left: step over what has been dealt, from the least on.
        for lower in sorted(dealt):
            card += card >= lower
        dealt.append(card)
    return tuple(dealt)
