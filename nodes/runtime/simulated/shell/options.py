"""Reading a command's options the way getopt does, as far as our commands need it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Options:
    """flags: options without a value, and how often; values: the others; rest: arguments."""

    flags: dict[str, int] = field(default_factory=dict)
    values: dict[str, list[str]] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)
    unknown: str = ""

    def has(self, *names: str) -> bool:
        return any(name in self.flags for name in names)

    def value(self, *names: str, default: str = "") -> str:
        found = [text for name in names for text in self.values.get(name, ())]
        return found[-1] if found else default

    def number(self, *names: str, default: float) -> float:
        try:
            return float(self.value(*names, default=str(default)).rstrip("s"))
        except ValueError:
            return default


def parse_options(
    args: Sequence[str], flags: str, values: str, long_values: Sequence[str] = ()
) -> Options:
    """Read short options (letters of `flags`, and of `values` for those with one) and long ones."""
    found = Options()
    queue = list(args)
    while queue:
        arg = queue.pop(0)
        if arg == "--":
            found.rest += queue
            break
        if arg.startswith("--"):
            _long(found, arg[2:], queue, long_values)
        elif arg.startswith("-") and len(arg) > 1:
            _short(found, arg[1:], queue, flags, values)
        else:
            found.rest.append(arg)
    return found


def _long(found: Options, name: str, queue: list[str], long_values: Sequence[str]) -> None:
    name, equals, value = name.partition("=")
    if equals:
        found.values.setdefault(name, []).append(value)
    elif name in long_values:
        found.values.setdefault(name, []).append(queue.pop(0) if queue else "")
    else:
        found.flags[name] = found.flags.get(name, 0) + 1


def _short(found: Options, letters: str, queue: list[str], flags: str, values: str) -> None:
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter in values:
            value = letters or (queue.pop(0) if queue else "")
            found.values.setdefault(letter, []).append(value)
            return
        if letter not in flags and not found.unknown:
            found.unknown = letter
        found.flags[letter] = found.flags.get(letter, 0) + 1
