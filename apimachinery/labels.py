"""Label selectors: the text of kubectl and URLs, and metav1.LabelSelector, as one thing.

A Selector is immutable and made once; `matches` is what runs for each object and event, so
the equality tests that most selectors consist of are kept apart from the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apimachinery.errors import BadRequest
from apimachinery.validation.names import is_label_value, is_qualified_name

_BINARY = ("in", "notin", "=", "==", "!=", "gt", "lt")
_EQUALS = frozenset({"=", "=="})
_SPECIAL = frozenset("=!(),><")
_SPACE = frozenset(" \t\r\n")
_TOKENS = frozenset({")", ",", "!", "==", "=", ">", "in", "<", "!=", "notin", "("})
_LABEL_SELECTOR_OPERATORS = {
    "In": "in",
    "NotIn": "notin",
    "Exists": "exists",
    "DoesNotExist": "!",
}


@dataclass(frozen=True, slots=True)
class Requirement:
    """One test: key, operator (in, notin, =, ==, !=, exists, !, gt, lt), sorted values."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.key)
        match self.operator:
            case "=" | "==" | "in":
                return value is not None and value in self.values
            case "!=" | "notin":
                return value is None or value not in self.values
            case "exists":
                return value is not None
            case "!":
                return value is None
            case _:
                return value is not None and _compare(value, self.operator, self.values[0])

    def __str__(self) -> str:
        if self.operator == "exists":
            return self.key
        if self.operator == "!":
            return f"!{self.key}"
        joined = ",".join(self.values)
        if self.operator in ("in", "notin"):
            return f"{self.key} {self.operator} ({joined})"
        sign = {"gt": ">", "lt": "<"}.get(self.operator, self.operator)
        return f"{self.key}{sign}{joined}"


class Selector:
    """A conjunction of requirements; no requirement matches everything."""

    __slots__ = ("_exact", "_hash", "_nothing", "_others", "requirements")

    def __init__(self, requirements: Iterable[Requirement] = (), *, nothing: bool = False) -> None:
        self.requirements = tuple(sorted(requirements, key=lambda one: one.key))
        self._exact = tuple(
            (one.key, one.values[0])
            for one in self.requirements
            if one.operator in _EQUALS or (one.operator == "in" and len(one.values) == 1)
        )
        self._others = tuple(
            one
            for one in self.requirements
            if not (one.operator in _EQUALS or (one.operator == "in" and len(one.values) == 1))
        )
        self._nothing = nothing
        self._hash: int | None = None

    @property
    def empty(self) -> bool:
        """True where every set of labels matches."""
        return not self.requirements and not self._nothing

    @property
    def exact(self) -> dict[str, str]:
        """The labels that have to have one certain value: what an index can use."""
        return dict(self._exact)

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        if self._nothing:
            return False
        found: Mapping[str, str] = labels or {}
        for key, value in self._exact:
            if found.get(key) != value:
                return False
        return all(one.matches(found) for one in self._others) if self._others else True

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))

    def __repr__(self) -> str:
        return "Selector(nothing)" if self._nothing else f"Selector({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Selector)
            and self.requirements == other.requirements
            and self._nothing == other._nothing
        )

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash((self.requirements, self._nothing))
        return self._hash


EVERYTHING = Selector()
NOTHING = Selector(nothing=True)


def parse_selector(text: str) -> Selector:
    """Read the selector language of kubectl -l. Raises BadRequest in Kubernetes' words."""
    if not text:
        return EVERYTHING
    requirements = list(_Parser(text).requirements())
    return Selector(requirements) if requirements else EVERYTHING


def from_set(labels: Mapping[str, str] | None) -> Selector:
    """Return the selector of exactly these labels, as a Service's selector means it."""
    return Selector(Requirement(key, "=", (value,)) for key, value in (labels or {}).items())


def from_label_selector(selector: Mapping[str, Any] | None) -> Selector:
    """Read metav1.LabelSelector: an absent one selects nothing, an empty one everything."""
    if selector is None:
        return NOTHING
    found = [Requirement(k, "=", (v,)) for k, v in (selector.get("matchLabels") or {}).items()]
    for expression in selector.get("matchExpressions") or ():
        operator = _LABEL_SELECTOR_OPERATORS.get(expression.get("operator", ""))
        if operator is None:
            given = expression.get("operator", "")
            raise BadRequest(f'"{given}" is not a valid label selector operator')
        values = expression.get("values") or ()
        found.append(_requirement(expression.get("key", ""), operator, values))
    return Selector(found) if found else EVERYTHING


def _compare(value: str, operator: str, bound: str) -> bool:
    number = _integer(value)
    limit = _integer(bound)
    if number is None or limit is None:
        return False
    return number > limit if operator == "gt" else number < limit


def _integer(text: str) -> int | None:
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit()):
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None


def _requirement(key: str, operator: str, given: Sequence[str]) -> Requirement:
    """Check as labels.NewRequirement does, and say all that is wrong."""
    wrong = _key_errors(key, "key")
    values = tuple(sorted(set(given)))
    shown = "[" + ",".join(f'"{value}"' for value in values) + "]"
    if operator in ("in", "notin") and not values:
        why = "for 'in', 'notin' operators, values set can't be empty"
        wrong.append(f"values: Invalid value: {shown}: {why}")
    elif operator in ("=", "==", "!=") and len(values) != 1:
        why = "exact-match compatibility requires one single value"
        wrong.append(f"values: Invalid value: {shown}: {why}")
    elif operator in ("exists", "!") and values:
        why = "values set must be empty for exists and does not exist"
        wrong.append(f"values: Invalid value: {shown}: {why}")
    elif operator in ("gt", "lt"):
        wrong += _bound_errors(values, shown)
    for index, value in enumerate(values):
        if messages := is_label_value(value):
            why = "; ".join(messages)
            wrong.append(f'values[{index}][{key}]: Invalid value: "{value}": {why}')
    if wrong:
        raise BadRequest(wrong[0] if len(wrong) == 1 else "[" + ", ".join(wrong) + "]")
    return Requirement(key, operator, values)


def _bound_errors(values: tuple[str, ...], shown: str) -> list[str]:
    if len(values) != 1:
        why = "for 'Gt', 'Lt' operators, exactly one value is required"
        return [f"values: Invalid value: {shown}: {why}"]
    if _integer(values[0]) is None:
        why = "for 'Gt', 'Lt' operators, the value must be an integer"
        return [f'values[0]: Invalid value: "{values[0]}": {why}']
    return []


def _key_errors(key: str, path: str) -> list[str]:
    if messages := is_qualified_name(key):
        return [f'{path}: Invalid value: "{key}": {"; ".join(messages)}']
    return []


class _Parser:
    """A reader with one token of lookahead; "" is the end, any other word an identifier."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0

    def requirements(self) -> Iterator[Requirement]:
        while True:
            kind, literal = self._peek()
            if kind == "end":
                return
            if kind not in ("identifier", "!"):
                raise BadRequest(f"found '{literal}', expected: !, identifier, or 'end of string'")
            try:
                yield self._requirement()
            except BadRequest as error:
                raise BadRequest(f"unable to parse requirement: {error.message}") from None
            kind, literal = self._next()
            if kind == "end":
                return
            if kind != ",":
                raise BadRequest(f"found '{literal}', expected: ',' or 'end of string'")
            kind, literal = self._peek()
            if kind not in ("identifier", "!"):
                raise BadRequest(f"found '{literal}', expected: identifier after ','")

    def _requirement(self) -> Requirement:
        kind, key = self._next()
        negated = kind == "!"
        if negated:
            kind, key = self._next()
        if kind != "identifier":
            raise BadRequest(f"found '{key}', expected: identifier")
        # The path is unset here, which Go prints as <nil>.
        if wrong := _key_errors(key, "<nil>"):
            raise BadRequest(wrong[0])
        if negated:
            return _requirement(key, "!", ())
        if self._peek()[0] in ("end", ","):
            return _requirement(key, "exists", ())
        operator = self._operator()
        values = self._set() if operator in ("in", "notin") else self._single()
        return _requirement(key, operator, values)

    def _operator(self) -> str:
        kind, literal = self._tokens[self._at]
        self._at += 1
        if kind in (">", "<"):
            return "gt" if kind == ">" else "lt"
        if kind in ("in", "notin", "=", "==", "!="):
            return kind
        raise BadRequest(f"found '{literal}', expected: {', '.join(_BINARY)}")

    def _single(self) -> list[str]:
        if self._peek()[0] in ("end", ","):
            return [""]
        kind, literal = self._next()
        if kind != "identifier":
            raise BadRequest(f"found '{literal}', expected: identifier")
        return [literal]

    def _set(self) -> list[str]:
        kind, literal = self._next()
        if kind != "(":
            raise BadRequest(f"found '{literal}' expected: '('")
        kind, literal = self._peek()
        if kind == ")":
            self._next()
            return []
        if kind not in ("identifier", ","):
            raise BadRequest(f"found '{literal}', expected: ',', ')' or identifier")
        values = self._list()
        if self._next()[0] != ")":
            raise BadRequest(f"found '{literal}', expected: ')'")
        return values

    def _list(self) -> list[str]:
        values: list[str] = []
        while True:
            kind, literal = self._next()
            if kind == "identifier":
                values.append(literal)
                kind, literal = self._peek()
                if kind == ")":
                    return values
                if kind != ",":
                    raise BadRequest(f"found '{literal}', expected: ',' or ')'")
            elif kind == ",":
                # A comma with nothing on one side of it stands for the empty value.
                if not values:
                    values.append("")
                following = self._peek()[0]
                if following == ")":
                    return [*values, ""]
                if following == ",":
                    self._next()
                    values.append("")
            else:
                raise BadRequest(f"found '{literal}', expected: ',', or identifier")

    def _peek(self) -> tuple[str, str]:
        kind, literal = self._tokens[self._at]
        return ("identifier" if kind in ("in", "notin") else kind), literal

    def _next(self) -> tuple[str, str]:
        found = self._peek()
        self._at += found[0] != "end"
        return found


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, literal); the longest run of signs that means something is one token."""
    at = 0
    while at < len(text):
        if text[at] in _SPACE:
            at += 1
        elif text[at] in _SPECIAL:
            sign = text[at : at + 2] if text[at : at + 2] in _TOKENS else text[at]
            yield sign, sign
            at += len(sign)
        else:
            start = at
            while at < len(text) and text[at] not in _SPECIAL and text[at] not in _SPACE:
                at += 1
            word = text[start:at]
            yield (word if word in ("in", "notin") else "identifier"), word
    yield "end", ""
