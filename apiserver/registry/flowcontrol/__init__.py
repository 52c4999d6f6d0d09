"""Priority and fairness of requests: flowcontrol.apiserver.k8s.io/v1."""

from __future__ import annotations

from apimachinery.gvk import GroupVersion
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import StatusStrategy, Strategy
from apiserver.registry.table import AGE, NAME, field

_GROUP = GroupVersion("flowcontrol.apiserver.k8s.io", "v1")


class FlowSchemaStrategy(Strategy):
    """The structure of a FlowSchema alone is checked."""

    has_generation = True


_FLOWSCHEMAS = FlowSchemaStrategy()
FLOWSCHEMAS = Resource(
    kind=_GROUP.kind("FlowSchema"),
    plural="flowschemas",
    singular="flowschema",
    namespaced=False,
    strategy=_FLOWSCHEMAS,
    subresources={"status": Subresource(strategy=StatusStrategy(_FLOWSCHEMAS))},
    columns=(
        NAME,
        Column("PriorityLevel", field("spec.priorityLevelConfiguration.name")),
        Column("MatchingPrecedence", field("spec.matchingPrecedence")),
        Column("DistinguisherMethod", field("spec.distinguisherMethod.type", "<none>")),
        AGE,
    ),
)


class PriorityLevelConfigurationStrategy(Strategy):
    """The structure of a PriorityLevelConfiguration alone is checked."""

    has_generation = True


_PRIORITYLEVELCONFIGURATIONS = PriorityLevelConfigurationStrategy()
PRIORITYLEVELCONFIGURATIONS = Resource(
    kind=_GROUP.kind("PriorityLevelConfiguration"),
    plural="prioritylevelconfigurations",
    singular="prioritylevelconfiguration",
    namespaced=False,
    strategy=_PRIORITYLEVELCONFIGURATIONS,
    subresources={"status": Subresource(strategy=StatusStrategy(_PRIORITYLEVELCONFIGURATIONS))},
    columns=(
        NAME,
        Column("Type", field("spec.type")),
        Column(
            "NominalConcurrencyShares", field("spec.limited.nominalConcurrencyShares", "<none>")
        ),
        Column("Queues", field("spec.limited.limitResponse.queuing.queues", "<none>")),
        Column("HandSize", field("spec.limited.limitResponse.queuing.handSize", "<none>")),
        Column(
            "QueueLengthLimit",
            field("spec.limited.limitResponse.queuing.queueLengthLimit", "<none>"),
        ),
        AGE,
    ),
)

RESOURCES: tuple[Resource, ...] = (
    FLOWSCHEMAS,
    PRIORITYLEVELCONFIGURATIONS,
)
