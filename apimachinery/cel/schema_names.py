"""Names of properties that are no names in CEL, and how they are written there instead."""

from __future__ import annotations

import re

_SIGNS = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_BACK = {written: sign for sign, written in _SIGNS.items()}
_SIGN = re.compile(r"__|\.|-|/")
_WRITTEN = re.compile("|".join(_BACK))
_PLAIN = re.compile(r"[A-Za-z_.\-/][A-Za-z0-9_.\-/]*")
_KEYWORDS = frozenset(
    [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)


# Keywords that are no names wherever they stand.
_NEVER_A_NAME = frozenset({"true", "false", "null", "in"})


def escape(name: str) -> str | None:
    """Return how a property is named in CEL, None where it cannot be."""
    if name in _KEYWORDS:
        return f"__{name}__"
    if not _PLAIN.fullmatch(name):
        return None
    return _SIGN.sub(lambda match: _SIGNS[match[0]], name)


def written(name: str) -> tuple[str, ...]:
    """Return all ways to write a property: a keyword also stands for itself."""
    escaped = escape(name)
    if escaped is None:
        return ()
    return (escaped, name) if name in _KEYWORDS - _NEVER_A_NAME else (escaped,)


def unescape(name: str) -> str:
    """Return the property that a name in CEL means."""
    if "__" not in name:
        return name
    if name.startswith("__") and name.endswith("__") and name[2:-2] in _KEYWORDS:
        return name[2:-2]
    return _WRITTEN.sub(lambda match: _BACK[match[0]], name)
