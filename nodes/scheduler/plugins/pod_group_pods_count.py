"""PodGroupPodsCount: nodes are better together, the more pods of a group they take."""

from __future__ import annotations

from collections.abc import Sequence

from nodes.scheduler.framework import MAX_SCORE, Assignment, Placement, PlacementScorePlugin


class PodGroupPodsCount(PlacementScorePlugin):
    """Counts the pods that stand already as well."""

    name = "PodGroupPodsCount"

    def score_placement(
        self, placement: Placement, assigned: Sequence[Assignment], already: int
    ) -> int:
        return already + len(assigned)

    def normalize_placements(self, scores: Sequence[int]) -> list[int]:
        most = max(scores)
        return [score * MAX_SCORE // most for score in scores] if most else list(scores)
