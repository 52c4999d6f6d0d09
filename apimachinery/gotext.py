"""Values of JSON as Go prints them: messages of Kubernetes show what they refuse.

Whole numbers are Go's int64 and others float64, as Kubernetes' decoder reads them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson


def plain(value: Any) -> str:
    """Print a value as `%v` does: map[a:1 b:[x y]]."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{plain(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(plain, value)) + "]"
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _float(value) if isinstance(value, float) else str(value)


def text(value: Any) -> str:
    """Print a value as `%s` does, which is made for texts alone."""
    if isinstance(value, str):
        return value
    return f"%!s({type_name(value)}={plain(value)})" if value is not None else "%!s(<nil>)"


def syntax(value: Any) -> str:
    """Print a value as `%#v` does: as Go's source has it."""
    if isinstance(value, dict):
        parts = ", ".join(f"{quoted(key)}:{syntax(value[key])}" for key in sorted(value))
        return f"map[string]interface {{}}{{{parts}}}"
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(map(syntax, value)) + "}"
    if value is None:
        return "interface {}(nil)"
    return quoted(value) if isinstance(value, str) else plain(value)


def selector_syntax(selector: Any) -> str:
    """Print a label selector as its own type does with `%v`."""
    if selector is None:
        return "nil"
    labels = selector.get("matchLabels") or {}
    matching = "".join(f"{key}: {labels[key]}," for key in sorted(labels))
    rules = "".join(
        f"LabelSelectorRequirement{{Key:{one.get('key')},Operator:{one.get('operator')},"
        f"Values:{plain(one.get('values') or [])},}},"
        for one in selector.get("matchExpressions") or ()
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{matching}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{rules}}},}}"
    )


def quoted(value: str) -> str:
    """Print a text as `%q` does."""
    return orjson.dumps(value).decode()


def type_name(value: Any) -> str:
    """Name a value's type as `%T` does."""
    if isinstance(value, dict):
        return "map[string]interface {}"
    if isinstance(value, list):
        return "[]interface {}"
    return "<nil>" if value is None else kind(value)


def kind(value: Any) -> str:
    """Name a value's kind as Go's reflection does."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int):
        return "int64"
    if isinstance(value, float):
        return "float64"
    return "map" if isinstance(value, dict) else "slice"


def _float(value: float) -> str:
    """Print a float: with an exponent where that is below -4 or above 5."""
    number = Decimal(repr(value)).normalize()
    power = number.adjusted()
    if -5 < power < 6:
        return f"{number:f}"
    sign, digits, _ = number.as_tuple()
    shown = "".join(map(str, digits))
    point = "." if len(shown) > 1 else ""
    return f"{'-' * sign}{shown[0]}{point}{shown[1:]}e{power:+03d}"
