"""What is wrong with a history, in sentences; nothing, if all is well."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from tests.simulation.deeds.playing import play
from tests.simulation.invariants import broken
from tests.simulation.settled import unsettled
from tests.simulation.world import STEPS, History, live


class _Faults(logging.Handler):
    """Keeps what was logged as an error: in a simulation everything is expected but a fault."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []
        self.setFormatter(logging.Formatter("logged: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        told = self.format(record)[-3000:]
        if told not in self.found:
            self.found.append(told)


@contextmanager
def _listening() -> Iterator[list[str]]:
    root, handler = logging.getLogger(), _Faults()
    root.addHandler(handler)
    # Refusals are told as warnings, thousands of them.
    logging.disable(logging.WARNING)
    try:
        yield handler.found
    finally:
        logging.disable(logging.NOTSET)
        root.removeHandler(handler)


def judge(seed: str, alias: str, steps: int = STEPS) -> tuple[History, list[str]]:
    """Play the history of a seed, or the first steps of it; return it with what is wrong in it."""
    with _listening() as logged:
        history = live(seed, alias, play, steps)
    wrong, state = broken(history.records)
    if history.restless:
        wrong.append(history.restless)
    return history, [*wrong, *history.wrong, *unsettled(state), *logged]
