"""Amounts of resources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apimachinery.cel.errors import EvalError
from apimachinery.cel.functions import Overload, function
from apimachinery.cel.values import INT_MAX, INT_MIN, Opaque
from apimachinery.quantity import NANO, Quantity, QuantityError, parse


@dataclass(frozen=True, slots=True)
class Amount(Opaque):
    """A quantity as a value of expressions."""

    quantity: Quantity
    type_name = "kubernetes.Quantity"


def _parse(text: str) -> Amount:
    if text != text.strip():
        raise EvalError(
            "quantities must match the regular expression "
            "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )
    try:
        return Amount(parse(text))
    except QuantityError as error:
        raise EvalError(str(error)) from None


def _is_quantity(text: str) -> bool:
    try:
        _parse(text)
    except EvalError:
        return False
    return True


def _is_integer(amount: Amount) -> bool:
    whole, rest = divmod(amount.quantity.nano, NANO)
    return not rest and INT_MIN <= whole <= INT_MAX


def _as_integer(amount: Amount) -> int:
    if not _is_integer(amount):
        raise EvalError("cannot convert value to integer")
    return amount.quantity.nano // NANO


def _other(value: Any) -> Quantity:
    return value.quantity if isinstance(value, Amount) else Quantity(value * NANO)


def _order(a: Amount, b: Amount) -> int:
    return (a.quantity > b.quantity) - (a.quantity < b.quantity)


QUANTITIES: list[Overload] = [
    function("quantity(string) -> Quantity", _parse),
    function("isQuantity(string) -> bool", _is_quantity),
    function("Quantity.sign() -> int", lambda a: (a.quantity.nano > 0) - (a.quantity.nano < 0)),
    function("Quantity.isInteger() -> bool", _is_integer),
    function("Quantity.asInteger() -> int", _as_integer),
    function("Quantity.asApproximateFloat() -> double", lambda a: a.quantity.as_float()),
    function("Quantity.isGreaterThan(Quantity) -> bool", lambda a, b: _order(a, b) > 0),
    function("Quantity.isLessThan(Quantity) -> bool", lambda a, b: _order(a, b) < 0),
    function("Quantity.compareTo(Quantity) -> int", _order),
    *[
        function(f"Quantity.{name}({kind}) -> Quantity", run)
        for name, run in (
            ("add", lambda a, b: Amount(a.quantity + _other(b))),
            ("sub", lambda a, b: Amount(a.quantity - _other(b))),
        )
        for kind in ("Quantity", "int")
    ],
]
