"""Reads an expression into a tree, by descent; the words of errors are those of CEL's parser."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from apimachinery.cel import lexer
from apimachinery.cel.ast import (
    Call,
    Entry,
    ListNode,
    Literal,
    MapNode,
    Name,
    Node,
    Select,
    StructNode,
    names,
)
from apimachinery.cel.errors import CompileError, Issue
from apimachinery.cel.macros import expand

_LITERALS = {"true": True, "false": False, "null": None}
_RESERVED = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)
_RELATIONS = ("==", "!=", "<=", "<", ">=", ">", "in")
_OPERATORS = {"in": "@in"}
_STARTS = (
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, "
    "STRING, BYTES, IDENTIFIER}"
)
DEEPEST = 250
LONGEST = 100_000

T = TypeVar("T")


def parse(source: str, *, bindings: bool = False) -> Node:
    """Read an expression; `bindings` allows cel.bind. Raises CompileError."""
    if len(source) > LONGEST:
        why = f"expression code point size exceeds limit: size: {len(source)}, limit {LONGEST}"
        raise CompileError(source, [Issue(0, why)])
    try:
        return _Parser(source, bindings=bindings).whole()
    except Issue as issue:
        raise CompileError(source, [issue]) from None


class _Parser:
    """Each method reads one level of CEL's grammar."""

    def __init__(self, source: str, *, bindings: bool) -> None:
        self._bindings = bindings
        self._tokens = list(lexer.tokens(source))
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        found = self._expression()
        if self._token.kind != "end":
            raise self._error(f"extraneous input '{self._token.text}' expecting <EOF>")
        return found

    @property
    def _token(self) -> lexer.Token:
        return self._tokens[self._at]

    def _error(self, why: str) -> Issue:
        return Issue(self._token.offset, f"Syntax error: {why}")

    def _take(self, *signs: str) -> str:
        """Move over one of some signs; return it, or "" where none of them stands."""
        token = self._token
        if token.kind in ("sign", "name") and token.text in signs:
            self._at += 1
            return token.text
        return ""

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            raise self._error(f"mismatched input '{self._token.text}' expecting '{sign}'")

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error(f"expression recursion limit exceeded: {DEEPEST}")

    def _expression(self) -> Node:
        self._deeper()
        found = self._disjunction()
        at = self._token.offset
        if self._take("?"):
            chosen = self._disjunction()
            self._need(":")
            found = Call(at, "_?_:_", None, [found, chosen, self._expression()])
        self._depth -= 1
        return found

    def _disjunction(self) -> Node:
        return self._balanced(self._conjunction, "||")

    def _conjunction(self) -> Node:
        return self._balanced(self._relation, "&&")

    def _balanced(self, read: Callable[[], Node], sign: str) -> Node:
        """Read a row of one operator as a tree that is not deeper than it has to be."""
        parts = [read()]
        offsets: list[int] = []
        while True:
            at = self._token.offset
            if not self._take(sign):
                return _balance(f"_{sign}_", parts, offsets)
            offsets.append(at)
            parts.append(read())

    def _relation(self) -> Node:
        return self._binary(self._sum, *_RELATIONS)

    def _sum(self) -> Node:
        return self._binary(self._product, "+", "-")

    def _product(self) -> Node:
        return self._binary(self._unary, "*", "/", "%")

    def _binary(self, read: Callable[[], Node], *signs: str) -> Node:
        found = read()
        while True:
            at = self._token.offset
            sign = self._take(*signs)
            if not sign:
                return found
            name = _OPERATORS.get(sign, f"_{sign}_")
            found = Call(at, name, None, [found, read()])

    def _unary(self) -> Node:
        if self._is_negative():
            return self._member()
        at, sign, count = self._token.offset, self._take("!", "-"), 1
        if not sign:
            return self._member()
        while self._take(sign):
            count += 1
        operand = self._member()
        return Call(at, f"{sign}_", None, [operand]) if count % 2 else operand

    def _is_negative(self) -> bool:
        """Tell whether a minus and the number that it belongs to stand here."""
        token = self._token
        if token.kind != "sign" or token.text != "-":
            return False
        following = self._tokens[self._at + 1]
        return following.kind == "number" and following.text[-1] not in "uU"

    def _member(self) -> Node:
        found = self._primary()
        while True:
            offset = self._token.offset
            if self._take("."):
                found = self._selection(found, offset)
            elif self._take("["):
                function = "_[?_]" if self._take("?") else "_[_]"
                found = Call(offset, function, None, [found, self._expression()])
                self._need("]")
            elif self._opens_struct(found):
                found = self._struct(found)
            else:
                return found

    def _opens_struct(self, found: Node) -> bool:
        return self._token.text == "{" and self._token.kind == "sign" and bool(names(found))

    def _struct(self, found: Node) -> Node:
        offset = self._token.offset
        self._need("{")
        return StructNode(offset, names(found) or "", self._listed("}", self._field))

    def _field(self) -> Entry:
        optional = bool(self._take("?"))
        token = self._token
        if token.kind not in ("name", "quoted"):
            raise self._error(f"mismatched input '{token.text}' expecting IDENTIFIER")
        self._at += 1
        at = self._token.offset
        self._need(":")
        return Entry(at, token.text.strip("`"), self._expression(), optional)

    def _selection(self, target: Node, offset: int) -> Node:
        optional = bool(self._take("?"))
        token = self._token
        if token.kind not in ("name", "quoted") or token.text in (*_LITERALS, "in"):
            seen = "" if token.kind == "end" else token.text
            offset = max(0, self._tokens[self._at].offset)
            raise Issue(offset, f"Syntax error: no viable alternative at input '.{seen}'")
        self._at += 1
        at = self._token.offset
        if token.kind == "name" and not optional and self._take("("):
            args = self._listed(")", self._expression)
            return expand(at, token.text, target, args, bindings=self._bindings)
        return Select(offset, target, token.text.strip("`"), optional=optional)

    def _primary(self) -> Node:
        token = self._token
        if token.kind == "name" and token.text in _LITERALS:
            self._at += 1
            return Literal(token.offset, _LITERALS[token.text])
        if self._is_negative():
            self._at += 2
            return Literal(token.offset, lexer.number(self._tokens[self._at - 1], negative=True))
        if token.kind in ("text", "number"):
            self._at += 1
            read = lexer.string if token.kind == "text" else lexer.number
            return Literal(token.offset, read(token))
        if self._take("("):
            found = self._expression()
            self._need(")")
            return found
        if self._take("["):
            return self._list(token.offset)
        if self._take("{"):
            return MapNode(token.offset, self._listed("}", self._entry))
        return self._name("." if self._take(".") else "")

    def _list(self, offset: int) -> Node:
        optional: set[int] = set()
        elements: list[Node] = []

        def element() -> Node:
            if self._take("?"):
                optional.add(len(elements))
            found = self._expression()
            elements.append(found)
            return found

        self._listed("]", element)
        return ListNode(offset, elements, frozenset(optional))

    def _entry(self) -> Entry:
        optional = bool(self._take("?"))
        key = self._expression()
        at = self._token.offset
        self._need(":")
        return Entry(at, key, self._expression(), optional)

    def _name(self, dot: str) -> Node:
        token = self._token
        if token.kind != "name" or token.text == "in" or token.text in _LITERALS:
            raise self._error(f"mismatched input '{token.text}' expecting {_STARTS}")
        if token.text in _RESERVED:
            raise Issue(token.offset, f"reserved identifier: {token.text}")
        self._at += 1
        at = self._token.offset
        if self._take("("):
            return expand(at, dot + token.text, None, self._listed(")", self._expression))
        return Name(token.offset, dot + token.text)

    def _listed(self, end: str, read: Callable[[], T]) -> list[T]:
        found: list[T] = []
        while not self._take(end):
            found.append(read())
            if not self._take(","):
                self._need(end)
                break
        return found


def _balance(function: str, parts: list[Node], offsets: list[int]) -> Node:
    if len(parts) == 1:
        return parts[0]
    middle = len(offsets) // 2
    left = _balance(function, parts[: middle + 1], offsets[:middle])
    right = _balance(function, parts[middle + 1 :], offsets[middle + 1 :])
    return Call(offsets[middle], function, None, [left, right])
