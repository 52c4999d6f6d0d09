"""stty: the terminal's size, flags and control characters."""

from __future__ import annotations

from nodes.runtime.simulated.shell.call import Call
from nodes.runtime.simulated.termios import CHARACTERS, FLAGS, KEPT_BY_SANE, WORDS, TerminalSettings

_SPEED = "speed 38400 baud;"
_WIDTH = 80


async def stty(call: Call) -> int:
    """Print the settings, or change them."""
    args = _without_device(call.args)
    terminal = call.process.terminal
    if terminal is None:
        return await call.fail("stty: standard input: Inappropriate ioctl for device")
    if not args:
        await call.out(f"{_SPEED} line = 0;\n{_changed(terminal)}\n")
        return 0
    while args:
        arg = args.pop(0)
        if shown := _show(terminal, arg):
            await call.out(f"{shown}\n")
        elif arg in ("rows", "cols", "columns") or arg in CHARACTERS:
            if not args:
                return await call.fail(f"stty: missing argument to '{arg}'")
            value = args.pop(0)
            if not _assign(terminal, arg, value):
                return await call.fail(f"stty: invalid integer argument: '{value}'")
        elif not _switch(terminal, arg):
            return await call.fail(f"stty: invalid argument '{arg}'")
    return 0


def _without_device(args: list[str]) -> list[str]:
    """Leave out -F DEVICE: there is one terminal."""
    if args[:1] in (["-F"], ["--file"]):
        return args[2:]
    return [arg for arg in args if not arg.startswith(("--file=", "-F"))]


def _show(terminal: TerminalSettings, arg: str) -> str:
    if arg == "size":
        return f"{terminal.rows} {terminal.columns}"
    if arg == "speed":
        return "38400"
    if arg in ("-g", "--save"):
        return terminal.saved()
    return _all(terminal) if arg in ("-a", "--all") else ""


def _all(terminal: TerminalSettings) -> str:
    characters = [f"{name} = {_key(value)};" for name, value in terminal.characters.items()]
    lines = [f"{_SPEED} rows {terminal.rows}; columns {terminal.columns}; line = 0;"]
    lines += _wrapped([*characters, "min = 1;", "time = 0;"])
    for word in WORDS:
        names = [name for name, flag in FLAGS.items() if flag.word == word]
        shown = [name if name in terminal.flags else f"-{name}" for name in names]
        if word == "c":
            shown.insert(2, "cs8")
        lines += _wrapped(shown)
    return "\n".join(lines)


def _changed(terminal: TerminalSettings) -> str:
    """Return the flags that are not as `sane` would have them."""
    sane = TerminalSettings()
    sane.sane()
    names = [
        name
        for name in FLAGS
        if name not in KEPT_BY_SANE and (name in sane.flags) != (name in terminal.flags)
    ]
    return " ".join(name if name in terminal.flags else f"-{name}" for name in names)


def _wrapped(words: list[str]) -> list[str]:
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + 1 + len(word) > _WIDTH:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".lstrip()
    return lines


def _key(value: int) -> str:
    if value == 0:
        return "<undef>"
    return "^?" if value == 127 else f"^{chr(value + 64)}" if value < 32 else chr(value)


def _assign(terminal: TerminalSettings, name: str, value: str) -> bool:
    if name in CHARACTERS:
        code = _code(value)
        if code is None:
            return False
        terminal.characters[name] = code
        return True
    if not value.isdecimal() or len(value) > 5:
        return False
    rows, columns = terminal.rows, terminal.columns
    number = int(value)
    terminal.resize(number if name == "rows" else rows, columns if name == "rows" else number)
    return True


def _code(value: str) -> int | None:
    """Read a control character: ^C, undef, a number, or itself."""
    if value in ("undef", "^-", ""):
        return 0
    if value == "^?":
        return 127
    if value.startswith("^") and len(value) == 2:
        return ord(value[1].upper()) & 0x1F
    if len(value) == 1:
        return ord(value) & 0xFF
    return int(value) if value.isdecimal() and len(value) <= 3 and int(value) < 256 else None


def _switch(terminal: TerminalSettings, arg: str) -> bool:
    on, name = not arg.startswith("-"), arg.removeprefix("-")
    if arg == "sane":
        terminal.sane()
    elif name in ("raw", "cooked"):
        if on == (name == "raw"):
            terminal.raw()
        else:
            terminal.cooked()
    elif name == "cbreak":
        terminal.set("icanon", on=not on)
    elif name in FLAGS:
        terminal.set(name, on=on)
    elif ":" in arg:
        return terminal.restore(arg)
    else:
        # Any line speed is as good as another here.
        return arg.isdecimal() and len(arg) < 8
    return True
