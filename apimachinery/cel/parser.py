"""Reads an expression into a tree, by descent; the words of errors are those of CEL's parser.

After an error the parser goes on as ANTLR does: it leaves out one token that is too much, thinks
of one that is missing, or goes to where the rule that it is in may end. Until it has read a token
again it is silent.
"""

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
# What an expression may begin with, and what may stand there as well: in lists, maps, calls.
_SIGNS = ("[", "{", "(", ".", "-", "!")
_ORDER = ("[", "]", "{", "}", "(", ")", ".", ",", "-", "!", "?")
_WORDS = "'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER"
# What may follow an expression wherever it stands.
_FOLLOWING = frozenset((*_RELATIONS, "+", "-", "*", "/", "%", "&&", "||", "?", ".", "["))
DEEPEST = 250
LONGEST = 100_000

T = TypeVar("T")


class _GiveUpError(Exception):
    """Nothing more can be made of a text."""


def parse(source: str, *, bindings: bool = False) -> Node:
    """Read an expression; `bindings` allows cel.bind. Raises CompileError."""
    if len(source) > LONGEST:
        why = f"expression code point size exceeds limit: size: {len(source)}, limit {LONGEST}"
        raise CompileError(source, [Issue(-1, why)])
    parser = _Parser(source, bindings=bindings)
    tree = parser.whole()
    if parser.issues:
        raise CompileError(source, parser.issues)
    return tree


class _Parser:
    """Each method reads one level of CEL's grammar."""

    def __init__(self, source: str, *, bindings: bool) -> None:
        self.issues: list[Issue] = []
        self._bindings = bindings
        self._tokens = list(lexer.tokens(source, self.issues))
        self._at = 0
        self._depth = 0
        self._silent = False
        # The signs that end what is open.
        self._open: list[str] = []

    def whole(self) -> Node:
        found: Node = Literal(0, None)
        try:
            found = self._expression()
            token = self._token
            if token.kind != "end" and not self._silent:
                last = self._tokens[self._at + 1].kind == "end"
                word = "extraneous" if last else "mismatched"
                self._report(f"Syntax error: {word} input '{token.text}' expecting <EOF>")
        except _GiveUpError:
            pass
        return found

    @property
    def _token(self) -> lexer.Token:
        return self._tokens[self._at]

    def _advance(self) -> lexer.Token:
        token = self._token
        if token.kind != "end":
            self._at += 1
        self._silent = False
        return token

    def _report(self, why: str, offset: int | None = None) -> None:
        if not self._silent:
            at = self._token.offset if offset is None else offset
            self.issues.append(Issue(at, why))
        self._silent = True

    def _is(self, token: lexer.Token, *signs: str) -> bool:
        return token.kind in ("sign", "name") and token.text in signs

    def _take(self, *signs: str) -> str:
        """Move over one of some signs; return it, or "" where none of them stands."""
        token = self._token
        return self._advance().text if self._is(token, *signs) else ""

    def _need(self, sign: str, shown: str = "") -> None:
        """Move over a sign that has to be there. `shown`: what might stand there, in words."""
        if self._take(sign) or self._silent:
            return
        token, following = self._token, self._tokens[self._at + 1 : self._at + 2]
        expected = shown or f"'{sign}'"
        if following and self._is(following[0], sign):
            self._report(f"Syntax error: extraneous input '{token.text}' expecting {expected}")
            self._advance()
            self._take(sign)
        elif not shown and self._may_follow(sign, token):
            self._report(f"Syntax error: missing '{sign}' at '{token.text}'")
        else:
            self._report(f"Syntax error: mismatched input '{token.text}' expecting {expected}")
            raise _GiveUpError

    def _may_follow(self, sign: str, token: lexer.Token) -> bool:
        """Tell whether a token may stand after a sign that is missing before it."""
        if sign == ":":
            return self._open[-1:] == ["}"] and self._starts(token)
        around = self._open[:-1]
        if token.kind == "end":
            return not around
        return self._is(token, *_FOLLOWING, *((",", around[-1]) if around else ()))

    def _ends(self, token: lexer.Token) -> bool:
        """Tell whether an expression may end before a token."""
        more = (*self._open, ",") if self._open else ()
        return token.kind == "end" or self._is(token, *_FOLLOWING, *more)

    def _starts(self, token: lexer.Token, *more: str) -> bool:
        if token.kind in ("text", "number") or self._is(token, *_SIGNS, *more):
            return True
        return token.kind == "name" and token.text != "in"

    def _sync(self, *more: str) -> bool:
        """Come to where an expression begins, or one of more signs stands; tell whether it does."""
        if self._starts(self._token, *more):
            return True
        token, following = self._token, self._tokens[self._at + 1 : self._at + 2]
        signs = [one for one in _ORDER if one in (*_SIGNS, *more)]
        shown = ", ".join("'\\u003F'" if one == "?" else f"'{one}'" for one in signs)
        expected = f"{{{shown}, {_WORDS}}}"
        if (following and self._starts(following[0], *more)) or self._after_not(token):
            self._report(f"Syntax error: extraneous input '{token.text}' expecting {expected}")
            if token.kind != "end":
                self._advance()
            return token.kind != "end"
        self._report(f"Syntax error: mismatched input '{token.text}' expecting {expected}")
        self._recover()
        return False

    def _after_not(self, token: lexer.Token) -> bool:
        """Tell whether a text ends after "!", which ANTLR takes for one token too much."""
        before = self._tokens[max(0, self._at - 1)]
        return token.kind == "end" and self._is(before, "!")

    def _recover(self) -> None:
        """Go to where the rule that failed may end."""
        while not self._ends(self._token):
            self._at += 1

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            self.issues = [Issue(-1, f"expression recursion limit exceeded: {DEEPEST}")]
            raise _GiveUpError

    def _expression(self) -> Node:
        self._deeper()
        found = self._disjunction()
        at = self._token.offset
        if self._take("?"):
            chosen = self._disjunction()
            self._need(":", "':'")
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
        if not self._sync():
            return Literal(self._token.offset, None)
        if self._is_negative():
            return self._member()
        at, sign, count = self._token.offset, self._take("!", "-"), 1
        if not sign:
            return self._member()
        while self._take(sign):
            count += 1
        if sign == "-" and self._token.kind == "end":
            self._report("Syntax error: no viable alternative at input '-'")
            self._silent = False
        operand = self._member() if self._sync() else Literal(at, None)
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
                found = self._indexed(found, offset)
            elif self._opens_struct(found):
                found = self._struct(found)
            else:
                return found

    def _indexed(self, target: Node, offset: int) -> Node:
        self._open.append("]")
        self._sync("?")
        function = "_[?_]" if self._take("?") else "_[_]"
        found = Call(offset, function, None, [target, self._expression()])
        self._need("]")
        self._open.pop()
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
            self._field_error(token)
            token = self._token
        self._advance()
        at = self._token.offset
        self._need(":", "':'")
        return Entry(at, token.text.strip("`"), self._expression(), optional)

    def _field_error(self, token: lexer.Token) -> None:
        expected = "{'}', ',', '\\u003F', IDENTIFIER, ESC_IDENTIFIER}"
        following = self._tokens[self._at + 1 : self._at + 2]
        if following and following[0].kind in ("name", "quoted"):
            self._report(f"Syntax error: extraneous input '{token.text}' expecting {expected}")
            self._advance()
            return
        self._report(f"Syntax error: mismatched input '{token.text}' expecting {expected}")
        raise _GiveUpError

    def _selection(self, target: Node, offset: int) -> Node:
        optional = bool(self._take("?"))
        token = self._token
        if token.kind not in ("name", "quoted") or token.text in (*_LITERALS, "in"):
            if optional:
                why = f"mismatched input '{token.text}' expecting {{IDENTIFIER, ESC_IDENTIFIER}}"
            else:
                seen = "" if token.kind == "end" else token.text
                why = f"no viable alternative at input '.{seen}'"
            self._report(f"Syntax error: {why}")
            self._recover()
            return target
        self._advance()
        at = self._token.offset
        if token.kind == "name" and not optional and self._take("("):
            return self._expanded(at, token.text, target, self._arguments())
        return Select(offset, target, token.text.strip("`"), optional=optional)

    def _arguments(self) -> list[Node]:
        self._open.append(")")
        found: list[Node] = []
        self._sync(")")
        if not self._is(self._token, ")"):
            found.append(self._expression())
            while self._take(","):
                found.append(self._expression())
        self._need(")")
        self._open.pop()
        return found

    def _expanded(self, at: int, name: str, target: Node | None, args: list[Node]) -> Node:
        try:
            return expand(at, name, target, args, bindings=self._bindings)
        except Issue as issue:
            self.issues.append(issue)
            return Literal(at, None)

    def _primary(self) -> Node:
        token = self._token
        if token.kind == "name" and token.text in _LITERALS:
            self._advance()
            return Literal(token.offset, _LITERALS[token.text])
        if self._is_negative():
            self._advance()
            return self._literal(token.offset, negative=True)
        if token.kind in ("text", "number"):
            return self._literal(token.offset)
        if self._take("("):
            self._open.append(")")
            found = self._expression()
            self._need(")")
            self._open.pop()
            return found
        if self._take("["):
            return self._list(token.offset)
        if self._take("{"):
            self._sync("}", ",", "?")
            return MapNode(token.offset, self._listed("}", self._entry))
        return self._name("." if self._take(".") else "")

    def _literal(self, offset: int, *, negative: bool = False) -> Node:
        token = self._advance()
        try:
            if token.kind == "text":
                return Literal(offset, lexer.string(token))
            return Literal(offset, lexer.number(token, negative=negative))
        except Issue as issue:
            self.issues.append(Issue(offset, issue.why))
            return Literal(offset, None)

    def _list(self, offset: int) -> Node:
        optional: set[int] = set()
        elements: list[Node] = []

        def element() -> Node:
            if self._take("?"):
                optional.add(len(elements))
            found = self._expression()
            elements.append(found)
            return found

        self._sync("]", ",", "?")
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
            self._report(f"Syntax error: mismatched input '{token.text}' expecting IDENTIFIER")
            self._recover()
            return Literal(token.offset, None)
        self._advance()
        if token.text in _RESERVED:
            self.issues.append(Issue(token.offset, f"reserved identifier: {token.text}"))
            return Literal(token.offset, None)
        at = self._token.offset
        if self._take("("):
            return self._expanded(at, dot + token.text, None, self._arguments())
        return Name(token.offset, dot + token.text)

    def _listed(self, end: str, read: Callable[[], T]) -> list[T]:
        """Read up to the sign that ends a list, a map or an object; a last comma is allowed."""
        self._open.append(end)
        found: list[T] = []
        if self._take(","):
            self._need(end)
            self._open.pop()
            return found
        while not self._take(end):
            found.append(read())
            if self._take(","):
                if not self._starts(self._token, end, "?"):
                    self._need(end)
                    break
            else:
                self._need(end, f"{{'{end}', ','}}")
                break
        self._open.pop()
        return found


def _balance(function: str, parts: list[Node], offsets: list[int]) -> Node:
    if len(parts) == 1:
        return parts[0]
    middle = len(offsets) // 2
    left = _balance(function, parts[: middle + 1], offsets[:middle])
    right = _balance(function, parts[middle + 1 :], offsets[middle + 1 :])
    return Call(offsets[middle], function, None, [left, right])
