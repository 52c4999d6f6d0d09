"""What roles and bindings share: free names, and changes that are checked twice."""

from __future__ import annotations

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors
from apimachinery.validation.names import is_path_segment
from apiserver.registry.strategy import MetadataCheck, Strategy, StrategyContext


class RBACStrategy(Strategy):
    """A changed object is checked as a new one and as a change: each cause comes twice."""

    allow_create_on_update = True
    name_rule = staticmethod(is_path_segment)
    metadata_checks = (MetadataCheck.WHOLE, MetadataCheck.WHOLE, MetadataCheck.CHANGES)

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from self.validate(new, ctx)
        yield from self.validate(new, ctx)
