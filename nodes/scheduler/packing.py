"""An attempt as few bytes: 100 nodes with all their scores take some hundred.

Each node has a number, so that a text with one character a node says which was refused by whom.
Scores are columns in the order in which nodes were found to fit; a column of equal scores is one
number.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import orjson

from nodes.scheduler.attempt import Attempt
from nodes.scheduler.framework import Scores

# Nodes whose scores are kept, the best ones.
SCORED = 100
# Characters of the text: nothing is known of a node, it has scores, and from here on one for each
# pair of a plugin and its reasons.
_UNSEEN, _FITS, _FIRST = " ", "!", ord("0")
# Shorter texts are not worth the time.
_WORTH_COMPRESSING = 600


class Names:
    """Numbers of nodes, given once; attempts share them."""

    # Names of nodes that are gone, at which numbers are given anew.
    _SPARE = 1000

    def __init__(self) -> None:
        self.listed: list[str] = []
        self.numbers: dict[str, int] = {}

    def number(self, name: str) -> int:
        found = self.numbers.get(name)
        if found is None:
            found = self.numbers[name] = len(self.listed)
            self.listed.append(name)
        return found

    def for_(self, nodes: int) -> Names:
        """Return these, or new ones where most of them are of nodes that are gone."""
        return self if len(self.listed) <= 2 * nodes + self._SPARE else Names()


def pack(names: Names, attempt: Attempt) -> bytes:
    """Return an attempt as bytes."""
    kept, columns = _columns(attempt)
    numbers = [names.number(node) for node in kept]
    kinds, marks = _marks(names, attempt, numbers)
    content = orjson.dumps(
        (
            *(attempt.pod, attempt.number, attempt.at, attempt.scheduler),
            *(attempt.node, attempt.message, attempt.evaluated, attempt.fitting),
            kinds,
            marks,
            [] if numbers == sorted(numbers) else numbers,
            columns,
            [names.number(node) for node in attempt.tied],
            [(one.node, list(map(tuple, one.victims)), *one[2:]) for one in attempt.candidates],
            {phase: round(seconds, 6) for phase, seconds in attempt.seconds.items()},
            tuple(attempt.because),
            attempt.spared,
        )
    )
    return zlib.compress(content, 1) if len(content) > _WORTH_COMPRESSING else content


def _marks(
    names: Names, attempt: Attempt, numbers: Sequence[int]
) -> tuple[list[tuple[str, tuple[str, ...], bool]], str]:
    """Return the pairs of plugin and reasons, and the text that says which node has which."""
    kinds: dict[tuple[str, tuple[str, ...], bool], str] = {}
    refused: dict[int, str] = {}
    for node, (plugin, reasons) in attempt.refused.items():
        kind = (plugin, reasons, node in attempt.unresolvable)
        mark = kinds.get(kind)
        if mark is None:
            mark = kinds[kind] = chr(_FIRST + len(kinds))
        refused[names.number(node)] = mark
    text = [_UNSEEN] * len(names.listed)
    for number in numbers:
        text[number] = _FITS
    for number, mark in refused.items():
        text[number] = mark
    return list(kinds), "".join(text).rstrip()


def unpack(names: Names, content: bytes) -> dict[str, Any]:
    """Return the fields of an attempt: what `pack` was given, but for the uid."""
    if not content.startswith(b"["):
        content = zlib.decompress(content)
    *plain, kinds, marks, numbers, columns, tied, candidates, seconds, why, spared = orjson.loads(
        content
    )
    fields = ("pod", "number", "at", "scheduler", "node", "message", "evaluated", "fitting")
    refused, unresolvable = {}, set()
    for at, mark in enumerate(marks):
        if mark not in (_UNSEEN, _FITS):
            plugin, reasons, hopeless = kinds[ord(mark) - _FIRST]
            refused[names.listed[at]] = (plugin, tuple(reasons))
            if hopeless:
                unresolvable.add(names.listed[at])
    fitting = numbers or [at for at, mark in enumerate(marks) if mark == _FITS]
    nodes = [names.listed[at] for at in fitting]
    return {
        **dict(zip(fields, plain, strict=True)),
        "refused": refused,
        "unresolvable": unresolvable,
        "scored": nodes if columns else (),
        "table": [
            (plugin, weight, _column(nodes, raw), _column(nodes, even))
            for plugin, weight, raw, even in columns
        ],
        "tied": tuple(names.listed[at] for at in tied),
        "candidates": candidates,
        "seconds": seconds,
        "because": why,
        "spared": spared,
    }


def _columns(attempt: Attempt) -> tuple[Sequence[str], list[tuple[str, int, Any, Any]]]:
    """Return the nodes whose scores are kept, and each plugin's scores of them."""
    if not attempt.table:
        return (), []
    if len(attempt.scored) <= SCORED:
        return attempt.scored, [(p, w, _even(r), _even(e)) for p, w, r, e in attempt.table]
    of_best = itemgetter(*attempt.best(SCORED))
    return of_best(attempt.scored), [
        (plugin, weight, _even(of_best(raw)), _even(of_best(even)))
        for plugin, weight, raw, even in attempt.table
    ]


def _even(scores: Scores) -> int | Scores:
    """Return one number for scores that are equal."""
    return scores[0] if scores.count(scores[0]) == len(scores) else scores


def _column(nodes: Sequence[str], scores: int | list[int]) -> list[int]:
    return [scores] * len(nodes) if isinstance(scores, int) else scores
