"""ResourceSlices as the scheduler sees them: with the taints that DeviceTaintRules add."""

from __future__ import annotations

from collections.abc import Iterable

from apimachinery.devicetaints import with_rules
from apimachinery.meta import Obj
from nodes.scheduler.framework import CycleState


def tainted_slices(state: CycleState) -> Iterable[Obj]:
    """Return all slices; rules are there where they are followed."""
    slices = state.readers["resourceslices"].list()
    reader = state.readers.get("devicetaintrules")
    rules = reader.list() if reader is not None else ()
    return [with_rules(one, rules) for one in slices] if rules else slices
