"""What authentication has to say about a request, beside who asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


class Notebook(Protocol):
    """Where audit annotations are noted."""

    @property
    def notes(self) -> dict[str, str]: ...


@dataclass(slots=True)
class Notes:
    """A notebook of its own."""

    notes: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Remarks:
    """Audit annotations, and warnings for the client."""

    notebook: Notebook = field(default_factory=Notes)
    warnings: list[str] = field(default_factory=list)

    @property
    def annotations(self) -> dict[str, str]:
        """The audit annotations, to be added to."""
        return self.notebook.notes
