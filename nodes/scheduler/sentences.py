"""The sentences of FailedScheduling, in kube-scheduler's words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping


def sentence(total: int, refused: dict[str, tuple[str, tuple[str, ...]]]) -> str:
    """Build the sentence of FailedScheduling: each reason with its count."""
    reasons = Counter(reason for _, found in refused.values() for reason in found)
    return f"0/{total} nodes are available: {_histogram(reasons)}."


def no_victims(total: int, refused: Mapping[str, tuple[str, ...]]) -> str:
    """Say why nobody's going helps: by node where somebody's might, and of all others at once."""
    reasons = Counter(reason for found in refused.values() for reason in found)
    if others := total - len(refused):
        reasons["Preemption is not helpful for scheduling"] += others
    return f"preemption: 0/{total} nodes are available: {_histogram(reasons)}."


def _histogram(reasons: Counter[str]) -> str:
    return ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
