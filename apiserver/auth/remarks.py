"""What authentication has to say about a request, beside who asks."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Remarks:
    """Audit annotations, and warnings for the client."""

    annotations: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
