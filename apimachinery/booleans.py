"""Booleans that stand in texts, as Go's strconv.ParseBool reads them."""

from __future__ import annotations

_TEXTS = dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True) | dict.fromkeys(
    ("0", "f", "F", "FALSE", "false", "False"), False
)


def parse_bool(text: str) -> bool:
    """Read a boolean. Raises ValueError, with Go's words, on what is none."""
    try:
        return _TEXTS[text]
    except KeyError:
        why = f'strconv.ParseBool: parsing "{text}": invalid syntax'
        raise ValueError(why) from None


def says_true(text: str | None) -> bool:
    """Tell whether a text says yes; where it is no boolean it does not."""
    return text is not None and _TEXTS.get(text, False)
