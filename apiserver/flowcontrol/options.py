"""What an operator may say about priority and fairness."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FlowOptions:
    """kube-apiserver's flags. The two numbers together are the seats of a cluster.

    Without priority and fairness they limit reads and writes apart; 0 is no limit then.
    """

    enabled: bool = True
    reads: int = 400
    writes: int = 200

    @property
    def seats(self) -> int:
        return self.reads + self.writes
