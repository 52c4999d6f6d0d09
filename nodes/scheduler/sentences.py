"""The sentences of FailedScheduling, in kube-scheduler's words."""

from __future__ import annotations

from collections import Counter


def sentence(total: int, refused: dict[str, tuple[str, tuple[str, ...]]]) -> str:
    """Build the sentence of FailedScheduling: each reason with its count."""
    reasons = Counter(reason for _, found in refused.values() for reason in found)
    return f"0/{total} nodes are available: {_histogram(reasons)}."


def no_victims(
    total: int, refused: dict[str, tuple[str, tuple[str, ...]]], hopeless: set[str]
) -> str:
    """Say why nobody's going helps, node by node."""
    reasons = Counter(
        "Preemption is not helpful for scheduling"
        if node in hopeless
        else "No preemption victims found for incoming pod"
        for node in refused
    )
    return f"preemption: 0/{total} nodes are available: {_histogram(reasons)}."


def _histogram(reasons: Counter[str]) -> str:
    return ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
