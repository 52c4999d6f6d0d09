"""The schema of one version of a custom kind, in every form in which it is used.

Nothing is read before somebody writes or explains such an object: large definitions have schemas
of megabytes, and most of them are never looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TypeAlias

from apimachinery.cel.rules import Rules
from apimachinery.meta import Obj
from apimachinery.structural.merging import MergeSchema, merge_schema
from apimachinery.structural.publishing import published
from apimachinery.structural.schema import Structural, has_rules

# Compiles the rules of a schema; None where it has none.
RuleCompiler: TypeAlias = Callable[[Obj], Rules | None]


def no_rules(schema: Obj) -> Rules | None:
    """Return no check for any schema: rules are not looked at."""
    del schema
    return None


class VersionSchema:
    """The schema of a version; `load` reads it, once."""

    def __init__(self, load: Callable[[], Obj], compile_rules: RuleCompiler = no_rules) -> None:
        self._load = load
        self._compile_rules = compile_rules

    @cached_property
    def node(self) -> Obj:
        """The openAPIV3Schema as it was written."""
        return self._load()

    @cached_property
    def structural(self) -> Structural:
        return Structural(self.node, root=True)

    @cached_property
    def merging(self) -> MergeSchema:
        return merge_schema(self.structural)

    @cached_property
    def published(self) -> bytes:
        return published(self.node)

    @cached_property
    def status(self) -> Obj | None:
        """The part that is about status alone."""
        found: Obj | None = (self.node.get("properties") or {}).get("status")
        return found

    @cached_property
    def rules(self) -> Rules | None:
        return self._compile_rules(self.node) if has_rules(self.node) else None
