"""Device selectors of dynamic resource allocation: what they may name, and what they must be."""

from __future__ import annotations

from apimachinery.caching import kept_if_short
from apimachinery.cel.admission import Compiled
from apimachinery.cel.env import CompileError, Env
from apimachinery.cel.estimates import estimate
from apimachinery.cel.functions import OPAQUE
from apimachinery.cel.sizes import Sized
from apimachinery.cel.types import BOOL, DYN, STRING, map_of, object_type

_DEVICE = object_type(
    "kubernetes.DRADevice",
    {
        "driver": STRING,
        "attributes": map_of(STRING, map_of(STRING, DYN)),
        "capacity": map_of(STRING, map_of(STRING, OPAQUE["Quantity"])),
        "allowMultipleAllocations": BOOL,
    },
)
# What a selector may be estimated to cost.
_LIMIT = 1_000_000
# Lengths that the API allows: of names, of domains, of values; and how many there may be.
_NAME, _DOMAIN, _VALUE, _MOST = Sized(2, 32), Sized(2, 63), Sized(0, 64), 32
_ATTRIBUTES = Sized(2, _MOST, element=_VALUE, key=_NAME, named=True)
_CAPACITIES = Sized(2, _MOST, element=Sized(8), key=_NAME)
_SIZES = Sized(
    2,
    fields={
        "driver": _DOMAIN,
        "attributes": Sized(2, _MOST, element=_ATTRIBUTES, key=_DOMAIN),
        "capacity": Sized(2, _MOST, element=_CAPACITIES, key=_DOMAIN),
        "allowMultipleAllocations": Sized(4),
    },
)
_ENV = Env({"device": _DEVICE}, bindings=True)


@kept_if_short(1024)
def compile_selector(text: str) -> Compiled:
    """Compile a selector; what is wrong is in the result."""
    try:
        program = _ENV.compile(text)
    except CompileError as error:
        return Compiled(text, None, f"compilation failed: {error}")
    if program.type.kind not in ("bool", "dyn"):
        why = f"must evaluate to bool or the unknown type, not {program.type}"
        return Compiled(text, None, why)
    return Compiled(text, program)


def is_too_complex(selector: Compiled) -> bool:
    """Tell whether a selector may cost more than devices can be looked at for."""
    return selector.program is not None and estimate(selector.program.tree, _SIZES) > _LIMIT
