"""x-kubernetes-validations: rules in CEL within the schema of a custom resource.

`compile_rules` makes one walker out of a schema; it visits only what has rules below it. A rule
that names `oldSelf` is about transitions: it is asked where there is an old value to compare with.
A rule that fails for what an update has left as it was is forgiven, and told as a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import orjson

from apimachinery.cel import fieldpaths
from apimachinery.cel.env import Budget, CompileError, CostExceeded, Env, EvalError, Program
from apimachinery.cel.readers import reader
from apimachinery.cel.schema import is_root, type_of_schema
from apimachinery.cel.types import Type, optional_of
from apimachinery.cel.values import NOTHING, Opt
from apimachinery.meta import Obj
from apimachinery.validation.field import (
    FieldError,
    FieldErrors,
    Path,
    duplicate,
    forbidden,
    invalid,
    required,
)


class Rules(Protocol):
    """Checks the rules of a schema."""

    def __call__(
        self,
        obj: Any,
        old: Any,
        *,
        path: Path | None = None,
        forgiven: list[FieldError] | None = None,
    ) -> Iterable[FieldError]:
        """Yield what is wrong with a value.

        old: what it was before, None where it is new. path: where it stands, None for a whole
        object. forgiven: takes what is wrong and was so before.
        """


# What the rules of one object may cost together: about a second.
RUNTIME_BUDGET = 10_000_000
LONGEST_MESSAGE = 5 * 1024
EXHAUSTED = (
    "validation failed due to running out of cost budget, no further validation rules will be run"
)
_KEY = "x-kubernetes-validations"
_Make = Callable[[Path, str, str], FieldError]
_ERRORS: Mapping[str, _Make] = {
    "FieldValueForbidden": lambda path, value, detail: forbidden(path, detail),
    "FieldValueRequired": lambda path, value, detail: required(path, detail),
    "FieldValueDuplicate": lambda path, value, detail: duplicate(path, value),
}


class Rule(NamedTuple):
    """One rule, ready to run; `program` is None where it could not be compiled."""

    spec: Mapping[str, Any]
    program: Program | None
    problem: str
    message: Program | None
    message_problem: str
    field_path: str

    @property
    def shown(self) -> str:
        """Return what errors call the rule."""
        return (self.spec.get("message") or self.spec.get("rule") or "").strip()

    @property
    def text(self) -> str:
        """Return what is said when the rule does not hold."""
        message = self.spec.get("message") or ""
        return message.strip() if message else f"failed rule: {self.shown}"

    @property
    def of_transitions(self) -> bool:
        return self.program is not None and "oldSelf" in self.program.uses


def compile_rule(spec: Mapping[str, Any], node: Mapping[str, Any], *, root: bool) -> Rule:
    """Compile a rule of a schema node; what is wrong stands in the rule."""
    kind = type_of_schema(node, root=root)
    if kind is None:
        shown = "true" if node.get("x-kubernetes-preserve-unknown-fields") else "false"
        why = (
            "rule declared on schema that does not support validation rules type: "
            f"'{node.get('type') or ''}' x-kubernetes-preserve-unknown-fields: '{shown}'"
        )
        return Rule(spec, None, why, None, "", "")
    old = optional_of(kind) if spec.get("optionalOldSelf") else kind
    env = Env({"self": kind, "oldSelf": old})
    program, problem = _compiled(env, spec.get("rule") or "")
    if program is not None and program.type.kind != "bool":
        program, problem = None, "cel expression must evaluate to a bool"
    message, message_problem = None, ""
    if program is not None and spec.get("messageExpression"):
        message, message_problem = _compiled(env, spec["messageExpression"])
        if message_problem:
            message_problem = f"messageExpression {message_problem}"
        elif message is not None and message.type.kind != "string":
            message, message_problem = None, "messageExpression must evaluate to a string"
    found = fieldpaths.find(spec["fieldPath"], node) if spec.get("fieldPath") else None
    path = found.text if found is not None else ""
    return Rule(spec, program, problem, message, message_problem, path)


def _compiled(env: Env, text: str) -> tuple[Program | None, str]:
    try:
        return env.compile(text), ""
    except CompileError as error:
        return None, f"compilation failed: {error}"


def compile_rules(schema: Obj, *, root: bool = True) -> Rules | None:
    """Return what checks the rules of a schema, None where it has none.

    root: the schema is that of a whole object.
    """
    return _compile_rules(orjson.dumps(schema), root)


@lru_cache(maxsize=256)
def _compile_rules(schema: bytes, root: bool) -> Rules | None:  # noqa: FBT001
    """Compile a schema; clusters that have the same definition share the result."""
    checker = _node(orjson.loads(schema), root=root)
    if checker is None:
        return None

    def check(
        obj: Any,
        old: Any,
        *,
        path: Path | None = None,
        forgiven: list[FieldError] | None = None,
    ) -> Iterator[FieldError]:
        yield from checker.check(_Visit(forgiven), path, obj, old, frozen=False)

    return check


class _Visit:
    """One object on its way through the rules."""

    def __init__(self, forgiven: list[FieldError] | None) -> None:
        self.budget = Budget(RUNTIME_BUDGET)
        self.over = False
        self.forgiven = forgiven


def _node(schema: Mapping[str, Any], *, root: bool) -> _Checker | None:
    checker = _Checker(schema, root=root)
    return checker if checker.useful else None


class _Checker:
    """The rules of one place in a schema, and what stands below it."""

    def __init__(self, node: Mapping[str, Any], *, root: bool) -> None:
        self._type: str = node.get("type") or ""
        self._rules = [compile_rule(spec, node, root=root) for spec in node.get(_KEY) or ()]
        kind: Type | None = type_of_schema(node, root=root) if self._rules else None
        self._read = reader(kind) if kind is not None else None
        self._properties = {}
        for name, part in (node.get("properties") or {}).items():
            below = _node(part, root=is_root(part))
            if below is not None:
                self._properties[name] = below
        items, additional = node.get("items"), node.get("additionalProperties")
        self._items = _node(items, root=is_root(items)) if isinstance(items, dict) else None
        self._additional = (
            _node(additional, root=is_root(additional)) if isinstance(additional, dict) else None
        )
        self._atomic = node.get("x-kubernetes-map-type") == "atomic"
        self._keys: tuple[str, ...] = ()
        if node.get("x-kubernetes-list-type") == "map":
            self._keys = tuple(node.get("x-kubernetes-list-map-keys") or ())

    @property
    def useful(self) -> bool:
        return bool(self._rules or self._properties or self._items or self._additional)

    def check(
        self, visit: _Visit, path: Path | None, value: Any, old: Any, *, frozen: bool
    ) -> FieldErrors:
        """Yield what is wrong here and below. `frozen`: nothing of this has changed."""
        if value is None or visit.over:
            return
        frozen = frozen or (old is not None and value == old)
        if self._rules:
            yield from self._own(visit, path or Path("<nil>"), path, value, old, frozen=frozen)
        if isinstance(value, dict):
            yield from self._of_map(visit, path or Path(""), value, old, frozen=frozen)
        elif isinstance(value, list) and self._items is not None:
            yield from self._of_list(visit, path or Path(""), value, old, frozen=frozen)

    def _of_map(
        self, visit: _Visit, path: Path, value: Obj, old: Any, *, frozen: bool
    ) -> FieldErrors:
        before = old if isinstance(old, dict) and not self._atomic else {}
        for name, part in value.items():
            below = self._properties.get(name)
            if below is not None:
                place = path / name
            elif self._additional is not None:
                below, place = self._additional, path.key(name)
            else:
                continue
            yield from below.check(visit, place, part, before.get(name), frozen=frozen)

    def _of_list(
        self, visit: _Visit, path: Path, value: list[Any], old: Any, *, frozen: bool
    ) -> FieldErrors:
        before: dict[tuple[Any, ...], Any] = {}
        if self._keys and isinstance(old, list):
            before = {self._key(each): each for each in old if isinstance(each, dict)}
        for at, part in enumerate(value):
            past = before.get(self._key(part)) if isinstance(part, dict) and before else None
            if self._items is not None:
                yield from self._items.check(visit, path[at], part, past, frozen=frozen)

    def _key(self, element: Obj) -> tuple[Any, ...]:
        return tuple(repr(element.get(key)) for key in self._keys)

    # -- the rules of this place -----------------------------------------------------------------

    def _own(
        self, visit: _Visit, shown: Path, path: Path | None, value: Any, old: Any, *, frozen: bool
    ) -> FieldErrors:
        try:
            current = value if self._read is None else self._read(value)
            past = old if self._read is None or old is None else self._read(old)
        except EvalError as error:
            yield invalid(shown, self._type, str(error))
            return
        for rule in self._rules:
            if visit.over:
                return
            if rule.of_transitions and old is None and not rule.spec.get("optionalOldSelf"):
                continue
            yield from self._one(visit, rule, shown, path, (current, past), frozen=frozen)

    def _one(
        self,
        visit: _Visit,
        rule: Rule,
        shown: Path,
        path: Path | None,
        values: tuple[Any, Any],
        *,
        frozen: bool,
    ) -> FieldErrors:
        if rule.program is None:
            yield invalid(shown, self._type, f"rule compile error: {rule.problem}")
            return
        current, past = values
        older = past
        if rule.spec.get("optionalOldSelf"):
            older = NOTHING if past is None else Opt(past)
        try:
            holds = rule.program.run({"self": current, "oldSelf": older}, visit.budget)
        except CostExceeded as error:
            visit.over = True
            yield invalid(shown, self._type, self._exceeded(visit, rule, error))
            return
        except EvalError as error:
            yield invalid(shown, self._type, _evaluation(rule, error))
            return
        is_forgiven = frozen and not rule.of_transitions
        if holds is True or (is_forgiven and visit.forgiven is None):
            return
        detail = self._message(visit, rule, current, older)
        place = shown
        if rule.field_path:
            place = path / rule.field_path if path is not None else Path(rule.field_path)
        make: _Make = _ERRORS.get(rule.spec.get("reason") or "", invalid)
        broken = make(place, self._type, detail)
        if not is_forgiven:
            yield broken
        elif visit.forgiven is not None:
            visit.forgiven.append(broken)

    def _exceeded(self, visit: _Visit, rule: Rule, error: CostExceeded) -> str:
        if visit.budget.left <= 0:
            return EXHAUSTED
        return (
            f"'{error}': no further validation rules will be run due to call cost exceeds limit "
            f"for rule: {rule.shown}"
        )

    def _message(self, visit: _Visit, rule: Rule, current: Any, past: Any) -> str:
        if rule.message is None:
            return rule.text
        try:
            found = rule.message.run({"self": current, "oldSelf": past}, visit.budget)
        except CostExceeded:
            visit.over = True
            return (
                "messageExpression evaluation failed due to running out of cost budget, no further "
                "validation rules will be run"
            )
        except EvalError:
            return rule.text
        return usable_message(found) or rule.text


def usable_message(found: Any) -> str:
    """Return the text of a messageExpression, "" where it cannot be shown."""
    text = found.strip() if isinstance(found, str) else ""
    return "" if "\n" in text or len(text.encode()) > LONGEST_MESSAGE else text


def _evaluation(rule: Rule, error: EvalError) -> str:
    if str(error).startswith("no such overload"):
        return (
            f"'{error}': call arguments did not match a supported operator, function or macro "
            f"signature for rule: {rule.shown}"
        )
    return f"{error} evaluating rule: {rule.shown}"
