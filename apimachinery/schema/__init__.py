"""The type table: what every built-in kind is made of, as Kubernetes' own types say it.

`types()` gives the table; `decode` reads an object by it, `openapi` publishes it. The table is
a file that `python -m apimachinery.schema.build` makes from the installed schema package and
from our own `apimachinery/data/go_types.json`; nobody edits it.
"""

from apimachinery.schema.table import Field, Schema, TypeTable, types

__all__ = ["Field", "Schema", "TypeTable", "types"]
