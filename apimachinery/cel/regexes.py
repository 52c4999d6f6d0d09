"""Regular expressions as Go has them, by RE2: linear in the text, whatever the pattern is."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

from apimachinery.cel.errors import EvalError

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 1 << 20


@lru_cache(maxsize=512)
def compile_pattern(pattern: str) -> Any:
    """Return a pattern ready to use. Raises EvalError."""
    try:
        return re2.compile(pattern, _OPTIONS)
    except re2.error as error:
        why = error.args[0] if error.args else ""
        text = why.decode(errors="replace") if isinstance(why, bytes) else str(why)
        raise EvalError(f"error parsing regexp: {text}") from None
