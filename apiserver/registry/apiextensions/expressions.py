"""Rules in CEL within a schema: whether they are well formed, compile, and are cheap enough."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from apimachinery.cel import fieldpaths
from apimachinery.cel.env import Program
from apimachinery.cel.estimates import estimate
from apimachinery.cel.ranges import UNBOUNDED
from apimachinery.cel.rules import Rule, compile_rule
from apimachinery.cel.sizes import Sized, sized
from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldErrors,
    Path,
    forbidden,
    internal,
    invalid,
    not_supported,
    required,
)
from apiserver.registry.apiextensions import gotypes

_RULES = "x-kubernetes-validations"
_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
# What one rule of a definition may be estimated to cost, and all of them together.
RULE_LIMIT, TOTAL_LIMIT = 10_000_000, 100_000_000
_MOST_SHOWN = 4
_CONTRIBUTED = (
    "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
)
_TOTAL = f"{_RULES} estimated rule cost total for entire OpenAPIv3 schema"


def rule_form_errors(schema: Obj, path: Path) -> FieldErrors:
    """Yield what is wrong with x-kubernetes-validations, the expressions aside."""
    for at, rule in enumerate(schema.get(_RULES) or ()):
        where = (path / _RULES)[at]
        yield from _text_errors(rule, where)
        shown = rule.get("messageExpression") or ""
        if shown and not shown.strip():
            why = "messageExpression must be non-empty if specified"
            yield required(where / "messageExpression", why)
        if rule.get("reason") is not None and rule["reason"] not in _REASONS:
            yield not_supported(where / "reason", rule["reason"], _REASONS)
        if rule.get("fieldPath"):
            yield from _field_path_errors(rule["fieldPath"], schema, where / "fieldPath")


def _text_errors(rule: Obj, where: Path) -> FieldErrors:
    text, message = rule.get("rule") or "", rule.get("message") or ""
    if not text.strip():
        yield required(where / "rule", "rule is not specified")
    elif message and not message.strip():
        yield invalid(where / "message", message, "message must be non-empty if specified")
    elif _has_lines(message.strip()):
        yield invalid(where / "message", message, "message must not contain line breaks")
    elif _has_lines(text.strip()) and not message:
        yield required(where / "message", "message must be specified if rule contains line breaks")


def _field_path_errors(text: str, schema: Obj, where: Path) -> FieldErrors:
    if not text.strip():
        yield invalid(where, text, "fieldPath must be non-empty if specified")
    if _has_lines(text):
        yield invalid(where, text, "fieldPath must not contain line breaks")
    if fieldpaths.find(text, schema) is None:
        yield invalid(where, text, "fieldPath must be a valid path")


def _has_lines(text: str) -> bool:
    return "\n" in text or "\r" in text


class RulePlace(NamedTuple):
    """A place in a schema where rules are looked at."""

    # How many such values one object may have; None: nothing bounds it.
    most: int | None
    # The place is that of a whole object, or of an embedded one.
    resource: bool = False

    def below(self, schema: Obj) -> RulePlace:
        """Return the place of a part of a schema that stands here."""
        count = _multiplied(schema)
        if self.most is None or count is None:
            return RulePlace(None)
        return RulePlace(min(UNBOUNDED, self.most * count))


def _multiplied(schema: Obj) -> int | None:
    """Return how often the parts of a schema may be there for each time that it is."""
    kind = schema.get("type")
    bound: int | None = 1
    if kind == "array":
        bound = schema.get("maxItems")
    elif kind == "object" and schema.get("additionalProperties") is not None:
        bound = schema.get("maxProperties")
    return None if bound is None else max(0, bound)


@dataclass(slots=True)
class Costs:
    """What the rules of one schema are estimated to cost, while they are looked at."""

    # No rule is refused for its own cost: the schema has been stored before.
    unchanged: bool = False
    total: int = 0
    _largest: list[tuple[int, Path]] = field(default_factory=list)

    def add(self, cost: int, path: Path, name: str) -> FieldErrors:
        """Count an expression; yield that it is too expensive for itself."""
        self.total = min(UNBOUNDED, self.total + cost)
        if cost >= TOTAL_LIMIT // 100:
            self._largest.append((cost, path))
        if cost > RULE_LIMIT and not self.unchanged:
            yield forbidden(path, _exceeded(name, cost, RULE_LIMIT))

    def errors(self, path: Path) -> FieldErrors:
        """Yield that all rules together are too expensive, and which of them are so most."""
        if self.total <= TOTAL_LIMIT:
            return
        largest = sorted(self._largest, key=lambda one: one[0], reverse=True)
        for _, where in largest[:_MOST_SHOWN]:
            yield forbidden(where, _CONTRIBUTED)
        yield forbidden(path, _exceeded(_TOTAL, self.total, TOTAL_LIMIT))


def _exceeded(name: str, cost: int, limit: int) -> str:
    by = cost / limit
    factor = "more than 100" if by > 100 else f"{by:f}" if by < 1.5 else f"{by:.1f}"
    return (
        f"{name} exceeds budget by factor of {factor}x (try simplifying the rule, or adding "
        "maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"
    )


def rule_errors(
    schema: Obj, path: Path, place: RulePlace, apart: Path | None, costs: Costs
) -> FieldErrors:
    """Yield which rules of one place cannot be compiled, or are too expensive.

    `apart`: where a list begins whose elements cannot be told from one update to the next.
    """
    rules = schema.get(_RULES) or ()
    if not rules:
        return
    resource = place.resource or bool(schema.get("x-kubernetes-embedded-resource"))
    size = sized(schema, root=resource)
    if size is None:
        why = f"internal error: failed to retrieve type information for {_RULES}"
        yield internal(path / _RULES, why)
        return
    for at, spec in enumerate(rules):
        where = (path / _RULES)[at]
        rule = compile_rule(spec, schema, root=resource)
        yield from costs.add(
            _cost(rule.program, size, place), where / "rule", "estimated rule cost"
        )
        yield from _one_errors(rule, where)
        if rule.message is not None:
            cost = estimate(rule.message.tree, size)
            name = "estimated messageExpression cost"
            yield from costs.add(cost, where / "messageExpression", name)
        yield from _transition_errors(rule, where, apart)


def _cost(program: Program | None, size: Sized, place: RulePlace) -> int:
    if program is None:
        return 0
    count = size.cardinality if place.most is None else place.most
    return min(UNBOUNDED, estimate(program.tree, size) * count)


def _one_errors(rule: Rule, where: Path) -> FieldErrors:
    if rule.problem:
        yield invalid(where / "rule", gotypes.rule(rule.spec), rule.problem)
    elif rule.message_problem:
        yield invalid(where / "messageExpression", gotypes.rule(rule.spec), rule.message_problem)


def _transition_errors(rule: Rule, where: Path, apart: Path | None) -> FieldErrors:
    if rule.of_transitions and apart is not None:
        why = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {apart}"
        yield invalid(where / "rule", rule.spec["rule"], why)
    elif not rule.of_transitions and rule.spec.get("optionalOldSelf") is not None:
        why = "may not be set if oldSelf is not used in rule"
        yield invalid(where / "optionalOldSelf", rule.spec["optionalOldSelf"], why)
