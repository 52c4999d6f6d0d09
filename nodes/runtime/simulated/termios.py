"""The settings of a terminal, as termios has them: its size, its flags, its control characters.

Names, bits and the values of a fresh terminal are those of Linux. Of the flags only `echo` changes
what a simulated terminal does; the others are kept and shown.
"""

from __future__ import annotations

from typing import NamedTuple


class Flag(NamedTuple):
    """One bit of one of the four words."""

    word: str
    bit: int
    initially: bool


WORDS = ("c", "i", "o", "l")
# In the order in which stty prints them.
FLAGS: dict[str, Flag] = {
    "parenb": Flag("c", 0o400, False),
    "parodd": Flag("c", 0o1000, False),
    "cstopb": Flag("c", 0o100, False),
    "cread": Flag("c", 0o200, True),
    "hupcl": Flag("c", 0o2000, False),
    "clocal": Flag("c", 0o4000, False),
    "crtscts": Flag("c", 0o20000000000, False),
    "ignbrk": Flag("i", 0o1, False),
    "brkint": Flag("i", 0o2, False),
    "ignpar": Flag("i", 0o4, False),
    "parmrk": Flag("i", 0o10, False),
    "inpck": Flag("i", 0o20, False),
    "istrip": Flag("i", 0o40, False),
    "inlcr": Flag("i", 0o100, False),
    "igncr": Flag("i", 0o200, False),
    "icrnl": Flag("i", 0o400, True),
    "ixon": Flag("i", 0o2000, True),
    "ixoff": Flag("i", 0o10000, False),
    "ixany": Flag("i", 0o4000, False),
    "imaxbel": Flag("i", 0o20000, False),
    "iutf8": Flag("i", 0o40000, False),
    "opost": Flag("o", 0o1, True),
    "ocrnl": Flag("o", 0o10, False),
    "onlcr": Flag("o", 0o4, True),
    "onocr": Flag("o", 0o20, False),
    "onlret": Flag("o", 0o40, False),
    "isig": Flag("l", 0o1, True),
    "icanon": Flag("l", 0o2, True),
    "iexten": Flag("l", 0o100000, True),
    "echo": Flag("l", 0o10, True),
    "echoe": Flag("l", 0o20, True),
    "echok": Flag("l", 0o40, True),
    "echonl": Flag("l", 0o100, False),
    "noflsh": Flag("l", 0o200, False),
    "tostop": Flag("l", 0o400, False),
    "echoctl": Flag("l", 0o1000, True),
    "echoke": Flag("l", 0o4000, True),
}
# Control characters by name: where each stands in termios, and its first value.
CHARACTERS: dict[str, tuple[int, int]] = {
    "intr": (0, 3),
    "quit": (1, 28),
    "erase": (2, 127),
    "kill": (3, 21),
    "eof": (4, 4),
    "eol": (11, 0),
    "eol2": (16, 0),
    "start": (8, 17),
    "stop": (9, 19),
    "susp": (10, 26),
    "rprnt": (12, 18),
    "werase": (14, 23),
    "lnext": (15, 22),
    "discard": (13, 15),
}
# 8 bits a character, and 38400 baud: CS8 and B38400 of c_cflag.
_REST = {"c": 0o60 | 0o17}
_COUNT = 32
_TIMES = {"time": (5, 0), "min": (6, 1)}
_INITIAL = {name for name, flag in FLAGS.items() if flag.initially}
_SANE_ON = {"cread", "brkint", "icrnl", "imaxbel", "opost", "onlcr", "isig", "icanon", "iexten"} | {
    "echo",
    "echoe",
    "echok",
    "echoctl",
    "echoke",
}
# What `sane` leaves as it is.
KEPT_BY_SANE = {"parenb", "parodd", "cstopb", "hupcl", "clocal", "crtscts"} | {
    "ignpar",
    "parmrk",
    "inpck",
    "istrip",
    "ixon",
}
_RAW_OFF = {name for name, flag in FLAGS.items() if flag.word == "i"} | {"opost", "isig", "icanon"}


class TerminalSettings:
    """The settings of one terminal. Its size is 0 until the client tells it."""

    __slots__ = ("characters", "columns", "flags", "rows")

    def __init__(self) -> None:
        self.rows = self.columns = 0
        self.flags: frozenset[str] = frozenset(_INITIAL)
        self.characters = {name: value for name, (_, value) in CHARACTERS.items()}

    @property
    def echo(self) -> bool:
        """Whether what is typed is shown."""
        return "echo" in self.flags

    def resize(self, rows: int, columns: int) -> None:
        self.rows, self.columns = max(0, rows) & 0xFFFF, max(0, columns) & 0xFFFF

    def set(self, name: str, *, on: bool) -> None:
        self.flags = self.flags | {name} if on else self.flags - {name}

    def sane(self) -> None:
        """Set what a person at a terminal expects."""
        self.flags = (self.flags & KEPT_BY_SANE) | _SANE_ON
        self.characters = {name: value for name, (_, value) in CHARACTERS.items()}

    def raw(self) -> None:
        """Hand every key on as it is."""
        self.flags -= _RAW_OFF

    def cooked(self) -> None:
        """Undo `raw`."""
        self.flags |= {"brkint", "ignpar", "istrip", "icrnl", "ixon", "opost", "isig", "icanon"}

    def saved(self) -> str:
        """Return the settings as `stty -g` prints them."""
        words = dict.fromkeys(WORDS, 0) | _REST
        for name in self.flags:
            words[FLAGS[name].word] |= FLAGS[name].bit
        places = [0] * _COUNT
        for name, (place, _) in CHARACTERS.items():
            places[place] = self.characters[name]
        for place, value in _TIMES.values():
            places[place] = value
        return ":".join(f"{number:x}" for number in (*(words[w] for w in "iocl"), *places))

    def restore(self, saved: str) -> bool:
        """Take over what `saved` returned; False if it is nothing of the kind."""
        try:
            numbers = [int(part, 16) for part in saved.split(":")]
        except ValueError:
            return False
        if len(numbers) != 4 + _COUNT:
            return False
        words = dict(zip("iocl", numbers, strict=False))
        self.flags = frozenset(name for name, flag in FLAGS.items() if words[flag.word] & flag.bit)
        for name, (place, _) in CHARACTERS.items():
            self.characters[name] = numbers[4 + place] & 0xFF
        return True
