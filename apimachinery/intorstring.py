"""Values that are a number or a percentage of another: maxSurge, minAvailable, targetPort."""

from __future__ import annotations

from typing import TypeAlias

IntOrString: TypeAlias = int | str


def scaled(value: IntOrString, total: int, *, round_up: bool) -> int:
    """Return a number as it is, a percentage as its share of `total`, rounded as asked.

    Raises ValueError on any other text.
    """
    if isinstance(value, int):
        return value
    if not value.endswith("%"):
        raise ValueError("invalid value for IntOrString: invalid type: string is not a percentage")
    digits = value[:-1]
    if not digits.lstrip("-").isdigit():
        raise ValueError(f'invalid value for IntOrString: invalid value "{value}": not a number')
    share = int(digits) * total
    return -(-share // 100) if round_up else share // 100
