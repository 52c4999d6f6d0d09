"""Go type expressions as text: what `go_types.json` and the type table write types in.

    string  *int32  []k8s.io/api/core/v1.Container  map[string]string  v1.Protocol=string

A name with a slash is a struct with its whole package; `short=underlying` is a named type of
another kind. Parsing is by prefix, so an expression is taken apart from the left.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, TypeAlias

Row: TypeAlias = list[Any]
_ABBREVIATED = re.compile(r"\$(\d+)\.")
_NAME = re.compile(r"[\w\-]+(?:[./][\w\-]+)+")


def read(path: Path) -> tuple[dict[str, list[Row]], dict[str, str]]:
    """Return the structs (name -> rows) and the other named types of a `go_types` file."""
    data = json.loads(path.read_bytes())
    packages: list[str] = data["packages"]

    def whole(text: str) -> str:
        return _ABBREVIATED.sub(lambda m: packages[int(m[1])] + ".", text)

    structs = {
        whole(name): [[row[0], row[1], whole(row[2]), row[3]] for row in rows]
        for name, rows in data["structs"].items()
    }
    return structs, {whole(name): whole(text) for name, text in data["named"].items()}


def resolve(expression: str, named: dict[str, str]) -> str:
    """Replace the outermost named types by `short=underlying`, down to the structs."""
    if expression.startswith("*"):
        return "*" + resolve(expression[1:], named)
    if expression.startswith("[]"):
        return "[]" + resolve(expression[2:], named)
    if expression.startswith("map["):
        key, value = split_map(expression)
        return f"map[{short_name(key)}]{resolve(value, named)}"
    if expression in named:
        return f"{short_name(expression)}={resolve(named[expression], named)}"
    return expression


def split_map(expression: str) -> tuple[str, str]:
    """Take `map[K]V` apart; a key is never itself a map here."""
    key, _, value = expression[4:].partition("]")
    return key, value


def short_name(expression: str) -> str:
    """Return the type as Go prints it in messages: `[]v1.Container`."""
    if "=" in expression:
        head, _, _ = expression.partition("=")
        # The name stands for all that follows: "*v1.Protocol=string" is "*v1.Protocol".
        return short_name(head)
    return _NAME.sub(lambda m: m[0].rpartition("/")[2], expression)


def definition_name(go_name: str) -> str:
    """Return the name of the OpenAPI definition of a struct.

    "k8s.io/api/core/v1.Pod" is "io.k8s.api.core.v1.Pod".
    """
    return "io." + go_name.replace("k8s.io/", "k8s.", 1).replace("/", ".")
