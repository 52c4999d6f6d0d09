"""Disruption budgets: policy/v1."""

from __future__ import annotations

from apimachinery.gvk import GroupVersion
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import StatusStrategy, Strategy
from apiserver.registry.table import AGE, NAME, field

_GROUP = GroupVersion("policy", "v1")


class PodDisruptionBudgetStrategy(Strategy):
    """The structure of a PodDisruptionBudget alone is checked."""

    has_generation = True


_PODDISRUPTIONBUDGETS = PodDisruptionBudgetStrategy()
PODDISRUPTIONBUDGETS = Resource(
    kind=_GROUP.kind("PodDisruptionBudget"),
    plural="poddisruptionbudgets",
    singular="poddisruptionbudget",
    short=("pdb",),
    strategy=_PODDISRUPTIONBUDGETS,
    subresources={"status": Subresource(strategy=StatusStrategy(_PODDISRUPTIONBUDGETS))},
    columns=(
        NAME,
        Column("Min Available", field("spec.minAvailable", "N/A")),
        Column("Max Unavailable", field("spec.maxUnavailable", "N/A")),
        Column("Allowed Disruptions", field("status.disruptionsAllowed", 0), type="integer"),
        AGE,
    ),
)

RESOURCES: tuple[Resource, ...] = (PODDISRUPTIONBUDGETS,)
