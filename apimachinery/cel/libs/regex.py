"""`find` and `findAll`: Kubernetes' functions for parts that match a pattern."""

from __future__ import annotations

from apimachinery.cel.functions import Overload, function
from apimachinery.cel.regexes import compile_pattern


def _find(text: str, pattern: str) -> str:
    match = compile_pattern(pattern).search(text)
    return match.group(0) if match is not None else ""


def _find_all(text: str, pattern: str, most: int = -1) -> list[str]:
    found: list[str] = []
    for match in compile_pattern(pattern).finditer(text):
        if 0 <= most <= len(found):
            break
        found.append(match.group(0))
    return found


REGEX: list[Overload] = [
    function("string.find(string) -> string", _find),
    function("string.findAll(string) -> list(string)", _find_all),
    function("string.findAll(string, int) -> list(string)", _find_all),
]
