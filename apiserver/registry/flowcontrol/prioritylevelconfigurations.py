"""PriorityLevelConfigurations: how many requests of a kind are served at once, and who waits."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    forbidden,
    invalid,
    not_supported,
    required,
)
from apiserver.registry.flowcontrol.flowschemas import condition_errors
from apiserver.registry.flowcontrol.mandatory import level_errors
from apiserver.registry.podspec.workload import keep_status
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import MetadataCheck, StatusStrategy, Strategy, StrategyContext
from apiserver.registry.table import AGE, NAME, dig, field

_SPEC = Path("spec")
_EXEMPT, _LIMITED = "Exempt", "Limited"
_MOST_QUEUES = 10_000_000
_HASH_BITS = 60
_ALL = 100
_SHARES = "must be a non-negative integer"


class PriorityLevelConfigurationStrategy(Strategy):
    """A level is limited, but for the one named exempt."""

    has_generation = True
    metadata_checks = (MetadataCheck.WHOLE,)

    def default(self, obj: Obj) -> None:
        spec = obj.setdefault("spec", {})
        if spec.get("type") == _EXEMPT and spec.get("exempt") is None:
            spec["exempt"] = {}
        for part, shares in (("exempt", 0), ("limited", 30)):
            found = spec.get(part)
            if found is None:
                continue
            if found.get("nominalConcurrencyShares") is None:
                found["nominalConcurrencyShares"] = shares
            if found.get("lendablePercent") is None:
                found["lendablePercent"] = 0
        queuing = dig(spec, ("limited", "limitResponse", "queuing"))
        for name, value in (("queues", 64), ("handSize", 8), ("queueLengthLimit", 50)):
            if queuing is not None and not queuing.get(name):
                queuing[name] = value

    def prepare_for_create(self, obj: Obj, ctx: StrategyContext) -> None:
        obj["status"] = {}

    def prepare_for_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> None:
        keep_status(new, old)

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        spec, kind = obj.get("spec") or {}, (obj.get("spec") or {}).get("type") or ""
        limited, exempt = spec.get("limited"), spec.get("exempt")
        if (obj["metadata"].get("name") == "exempt") != (kind == _EXEMPT):
            why = "type must be 'Exempt' if and only if name is 'exempt'"
            yield invalid(_SPEC / "type", kind, why)
        if kind == _EXEMPT:
            if limited is not None:
                yield forbidden(_SPEC / "limited", "must be nil if the type is not Limited")
            yield from _share_errors(exempt or {}, _SPEC / "exempt")
        elif kind == _LIMITED:
            if exempt is not None:
                yield forbidden(_SPEC / "exempt", "must be nil if the type is Limited")
            if limited is None:
                yield required(_SPEC / "limited", "must not be empty when type is Limited")
            else:
                yield from _limited_errors(limited, _SPEC / "limited")
        else:
            yield not_supported(_SPEC / "type", kind, (_EXEMPT, _LIMITED))
        yield from level_errors(obj)


def _share_errors(part: Obj, path: Path) -> FieldErrors:
    shares, lent = part.get("nominalConcurrencyShares"), part.get("lendablePercent")
    if shares is not None and shares < 0:
        yield invalid(path / "nominalConcurrencyShares", shares, _SHARES)
    if lent is not None and not 0 <= lent <= _ALL:
        yield invalid(path / "lendablePercent", lent, "must be between 0 and 100, inclusive")


def _limited_errors(limited: Obj, path: Path) -> FieldErrors:
    yield from _share_errors(limited, path)
    borrowed = limited.get("borrowingLimitPercent")
    if borrowed is not None and borrowed < 0:
        why = "if specified, must be a non-negative integer"
        yield invalid(path / "borrowingLimitPercent", borrowed, why)
    response, path = limited.get("limitResponse") or {}, path / "limitResponse"
    kind, queuing = response.get("type") or "", response.get("queuing")
    if kind == "Reject":
        if queuing is not None:
            why = "must be nil if limited.limitResponse.type is not Limited"
            yield forbidden(path / "queuing", why)
    elif kind == "Queue":
        if queuing is None:
            why = "must not be empty if limited.limitResponse.type is Limited"
            yield required(path / "queuing", why)
        else:
            yield from _queuing_errors(queuing, path / "queuing")
    else:
        yield not_supported(path / "type", kind, ("Queue", "Reject"))


def _queuing_errors(queuing: Obj, path: Path) -> FieldErrors:
    length, queues = queuing.get("queueLengthLimit") or 0, queuing.get("queues") or 0
    hand = queuing.get("handSize") or 0
    if length <= 0:
        yield invalid(path / "queueLengthLimit", length, "must be positive")
    if queues <= 0:
        yield invalid(path / "queues", queues, "must be positive")
    elif queues > _MOST_QUEUES:
        yield invalid(path / "queues", queues, f"must not be greater than {_MOST_QUEUES}")
    where = path / "handSize"
    if hand <= 0:
        yield invalid(where, hand, "must be positive")
    elif queues < hand:
        why = f"should not be greater than queues ({queues})"
        yield invalid(where, hand, why)
    elif _entropy(queues, hand) > _HASH_BITS:
        why = (
            f"required entropy bits of deckSize {queues} and handSize {hand} "
            f"should not be greater than {_HASH_BITS}"
        )
        yield invalid(where, hand, why)


def _entropy(queues: int, hand: int) -> int:
    """Return how many bits of a hash it takes to deal a hand of queues."""
    choices = 1
    for at in range(hand):
        choices *= queues - at
    return (choices - 1).bit_length()


class PriorityLevelConfigurationStatusStrategy(StatusStrategy):
    """Conditions have types, each once."""

    def validate_update(self, new: Obj, old: Obj, ctx: StrategyContext) -> FieldErrors:
        yield from condition_errors(dig(new, ("status", "conditions")) or ())


_QUEUING = "spec.limited.limitResponse.queuing"
_STRATEGY = PriorityLevelConfigurationStrategy()
PRIORITYLEVELCONFIGURATIONS = Resource(
    kind=GroupVersionKind("flowcontrol.apiserver.k8s.io", "v1", "PriorityLevelConfiguration"),
    plural="prioritylevelconfigurations",
    singular="prioritylevelconfiguration",
    namespaced=False,
    strategy=_STRATEGY,
    subresources={
        "status": Subresource(
            strategy=PriorityLevelConfigurationStatusStrategy(_STRATEGY, resets_metadata=True)
        )
    },
    columns=(
        NAME,
        Column("Type", field("spec.type")),
        Column(
            "NominalConcurrencyShares", field("spec.limited.nominalConcurrencyShares", "<none>")
        ),
        Column("Queues", field(f"{_QUEUING}.queues", "<none>")),
        Column("HandSize", field(f"{_QUEUING}.handSize", "<none>")),
        Column("QueueLengthLimit", field(f"{_QUEUING}.queueLengthLimit", "<none>")),
        AGE,
    ),
)
