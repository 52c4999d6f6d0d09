"""An attempt as few bytes: 100 nodes with all their scores take some hundred.

Each node has a number, so that a text with one character a node says which was refused by whom.
Many nodes have the same scores: each such row of the table is kept once, and another text says
which node has which. What one pod after the other has in common is kept beside, once for all.
"""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Generic, TypeVar

import orjson

from nodes.scheduler.attempt import NEW, Attempt
from nodes.scheduler.devices.lacking import Lack
from nodes.scheduler.framework import Scores

# Nodes whose scores are kept, the best ones.
SCORED = 100
# Characters of the first text: nothing is known of a node, it has scores, and from here on one for
# each pair of a plugin and its reasons. Numbers in texts begin there too.
_UNSEEN, _FITS, _FIRST = " ", "!", ord("0")
# Shorter texts are not worth the time: zlib lets go of the interpreter, and has to get it back.
_WORTH_COMPRESSING = 1000

_Thing = TypeVar("_Thing", bound=Hashable)


class Numbers(Generic[_Thing]):
    """Numbers, given once."""

    def __init__(self) -> None:
        self.listed: list[_Thing] = []
        self._numbers: dict[_Thing, int] = {}

    def of(self, thing: _Thing) -> int:
        found = self._numbers.get(thing)
        if found is None:
            found = self._numbers[thing] = len(self.listed)
            self.listed.append(thing)
        return found

    def of_all(self, things: Sequence[_Thing]) -> list[int]:
        """Return the numbers of things of which most have one."""
        try:
            return [*map(self._numbers.__getitem__, things)]
        except KeyError:
            return [*map(self.of, things)]


class Names:
    """Numbers of nodes, and of what else is said again and again; attempts share them."""

    # Names of nodes that are gone, and other words, at which numbers are given anew.
    _SPARE = 1000

    def __init__(self) -> None:
        self.nodes = Numbers[str]()
        # Schedulers, and the plugins of tables with their weights.
        self.words = Numbers[str | tuple[tuple[str, int], ...]]()

        # Those that were asked for last: one attempt after the other scores the same nodes.
        self._last: tuple[Sequence[str], list[int], bool, str] = ((), [], True, "")

    def of_nodes(self, nodes: Sequence[str]) -> tuple[list[int], bool, str]:
        """Return the numbers of nodes, whether these are in order, and the text that says so."""
        last, numbers, in_order, marks = self._last
        if nodes is not last and nodes != last:
            numbers = self.nodes.of_all(nodes)
            in_order = numbers == sorted(numbers)
            marks = _marked(numbers, {}) if in_order else ""
            self._last = nodes, numbers, in_order, marks
        return numbers, in_order, marks

    def for_(self, nodes: int) -> Names:
        """Return these, or new ones where most of them are of nodes that are gone."""
        many = len(self.nodes.listed) > 2 * nodes + self._SPARE
        return Names() if many or len(self.words.listed) > self._SPARE else self


def pack(names: Names, attempt: Attempt) -> bytes:
    """Return an attempt as bytes."""
    kept, rows, columns = _table(attempt)
    numbers, in_order, marks = names.of_nodes(kept)
    kinds: list[tuple[str, tuple[str, ...], bool]] = []
    if attempt.refused:
        kinds, marks = _marks(names, attempt, numbers if in_order else ())
    content = orjson.dumps(
        (
            *(attempt.pod, attempt.number, attempt.at, attempt.node, attempt.message),
            *(attempt.evaluated, attempt.fitting),
            names.words.of(attempt.scheduler),
            names.words.of(tuple((column.plugin, column.weight) for column in attempt.table)),
            kinds,
            marks,
            "" if in_order else _text(numbers),
            rows,
            columns,
            _text(names.nodes.of_all(attempt.tied)),
            [(one.node, list(map(tuple, one.victims)), *one[2:]) for one in attempt.candidates],
            {phase: round(seconds * 1e6) for phase, seconds in attempt.seconds.items()},
            None if attempt.because == NEW else tuple(attempt.because),
            attempt.spared,
            {node: [*map(tuple, lacks)] for node, lacks in attempt.lacks.items()},
            attempt.group,
            attempt.held_back,
        )
    )
    if len(content) > _WORTH_COMPRESSING:
        return zlib.compress(content, 1)
    # What orjson returns keeps the room that it was written in, some 4 kB; a copy does not.
    return bytes(memoryview(content))


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
        refused[names.nodes.of(node)] = mark
    return list(kinds), _marked(numbers, refused)


def _marked(fitting: Sequence[int], refused: Mapping[int, str]) -> str:
    """Return a character for each node: that it has scores, who refused it, or that is unknown."""
    text = [_UNSEEN] * (max(chain(fitting, refused), default=-1) + 1)
    for number in fitting:
        text[number] = _FITS
    for number, mark in refused.items():
        text[number] = mark
    return "".join(text)


def _table(attempt: Attempt) -> tuple[Sequence[str], str, list[int | Scores | None]]:
    """Return the nodes whose scores are kept, which row each has, and the columns of these rows.

    The second is "" where each has its own; of two equal columns of a plugin one is None.
    """
    if not attempt.table:
        return (), "", []
    kept: Sequence[str] = attempt.scored
    table = [(column.raw, column.even) for column in attempt.table]
    if len(kept) > SCORED:
        of_best = itemgetter(*attempt.best(SCORED))
        kept, table = of_best(kept), [(of_best(raw), of_best(even)) for raw, even in table]
    # Most columns are the same for all nodes, or the same as the one before.
    columns: list[int | Scores | None] = []
    for raw, even in table:
        same = raw is even or tuple(raw) == tuple(even)
        columns += _even(raw), None if same else _even(even)
    parts = [*chain.from_iterable(table)]
    varied = [at for at, column in enumerate(columns) if not isinstance(column, int | None)]
    if not varied:
        return kept, _text([0] * len(kept)) if len(kept) > 1 else "", columns
    by_node = [*zip(*map(parts.__getitem__, varied), strict=True)]
    rows = {row: chr(_FIRST + at) for at, row in enumerate(dict.fromkeys(by_node))}
    for at, column in zip(varied, zip(*rows, strict=True), strict=True):
        columns[at] = column
    return kept, "".join(map(rows.__getitem__, by_node)) if len(rows) < len(kept) else "", columns


def _even(scores: Scores) -> int | Scores:
    """Return one number for scores that are equal."""
    first = scores[0]
    return first if first == scores[-1] and scores.count(first) == len(scores) else scores


def _text(numbers: Iterable[int]) -> str:
    """Return a character for each number. There are some 55,000: of nodes there are fewer."""
    return "".join(map(chr, map(_FIRST.__add__, numbers)))


def _numbers(text: str) -> list[int]:
    return [ord(character) - _FIRST for character in text]


def unpack(names: Names, content: bytes) -> dict[str, Any]:
    """Return the fields of an attempt: what `pack` was given, but for the uid."""
    if not content.startswith(b"["):
        content = zlib.decompress(content)
    (
        *plain,
        scheduler,
        plugins,
        kinds,
        marks,
        numbers,
        rows,
        columns,
        tied,
        candidates,
        seconds,
        (why),
        spared,
        lacks,
        group,
        held_back,
    ) = orjson.loads(content)
    fields = ("pod", "number", "at", "node", "message", "evaluated", "fitting")
    nodes = names.nodes.listed
    refused, unresolvable = {}, set()
    for at, mark in enumerate(marks):
        if mark not in (_UNSEEN, _FITS):
            plugin, reasons, hopeless = kinds[ord(mark) - _FIRST]
            refused[nodes[at]] = (plugin, tuple(reasons))
            if hopeless:
                unresolvable.add(nodes[at])
    scored = _numbers(numbers) or [at for at, mark in enumerate(marks) if mark == _FITS]
    return {
        **dict(zip(fields, plain, strict=True)),
        "scheduler": names.words.listed[scheduler],
        "refused": refused,
        "unresolvable": unresolvable,
        "scored": [nodes[at] for at in scored],
        "table": [
            (*plugin, *pair)
            for plugin, pair in zip(
                names.words.listed[plugins],
                _pairs(columns, _numbers(rows) or range(len(scored))),
                strict=True,
            )
        ],
        "tied": tuple(nodes[at] for at in _numbers(tied)),
        "candidates": candidates,
        "seconds": {phase: micro / 1e6 for phase, micro in seconds.items()},
        "because": why or NEW,
        "spared": spared,
        "lacks": {node: [Lack(*one) for one in given] for node, given in lacks.items()},
        "group": group,
        "held_back": held_back,
    }


def _pairs(
    columns: Sequence[int | list[int] | None], rows: Sequence[int]
) -> list[tuple[list[int], list[int]]]:
    """Return the two columns of each plugin, with a score for each node again."""
    found: list[list[int]] = []
    for column in columns:
        if column is None:
            found.append(found[-1])
        elif isinstance(column, int):
            found.append([column] * len(rows))
        else:
            found.append([column[row] for row in rows])
    return list(zip(found[::2], found[1::2], strict=True))
