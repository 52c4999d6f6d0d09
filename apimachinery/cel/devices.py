"""Device selectors of dynamic resource allocation: what they may name, and what they must be."""

from __future__ import annotations

from functools import lru_cache

from apimachinery.cel.admission import Compiled
from apimachinery.cel.env import CompileError, Env
from apimachinery.cel.functions import OPAQUE
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
_ENV = Env({"device": _DEVICE}, bindings=True)


@lru_cache(maxsize=1024)
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
