"""What a benchmark gives back: a name, a number, and the number that was aimed at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `more` says that more is better; of all others less is."""

    name: str
    measured: float
    target: float
    unit: str
    more: bool = False
    note: str = ""

    @property
    def reached(self) -> bool:
        return self.measured >= self.target if self.more else self.measured <= self.target

    def cells(self) -> tuple[str, str, str, str]:
        bound = "at least" if self.more else "at most"
        return (
            self.name,
            f"{shown(self.measured)} {self.unit}" + (f" ({self.note})" if self.note else ""),
            f"{bound} {shown(self.target)} {self.unit}",
            "yes" if self.reached else "NO",
        )


def shown(number: float) -> str:
    """Return a number with the digits that mean something."""
    if number >= 100:
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 1 else f"{number:.2f}"


Benchmark = Callable[[], list[Row]]
