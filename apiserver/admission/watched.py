"""Mutators that are watched: after each it is told what the object has become."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from apimachinery.meta import Obj
from apiserver.admission.interfaces import AdmissionRequest

if TYPE_CHECKING:
    from apiserver.admission.chain import Stage

Seen: TypeAlias = Callable[[str, Obj | None], None]


def seen(stages: Sequence[Stage], tell: Seen) -> tuple[Stage, ...]:
    """Return stages that tell of what they did, by the names of their plugins."""
    return tuple(_seen(stage, tell) for stage in stages)


def _seen(stage: Stage, tell: Seen) -> Stage:
    def run(request: AdmissionRequest) -> None:
        stage.run(request)
        tell(stage.plugin, request.object)

    async def ask(request: AdmissionRequest) -> None:
        await stage.run(request)
        tell(stage.plugin, request.object)

    return stage._replace(run=run if stage.concerns is None else ask)
