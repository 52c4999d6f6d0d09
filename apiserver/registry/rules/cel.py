"""Whether a CEL expression can be read: its grammar, and the words for what is wrong.

Types are the evaluator's affair. What comes out here is the tree of names and selections, so
that a kind which knows the shape of a variable can tell that a field is not there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n\f]+|//[^\n]*)
    |(?P<text>(?:[bB]?[rR]?|[rR][bB])(?:\"{3}(?:.|\n)*?\"{3}|'{3}(?:.|\n)*?'{3}
        |\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'))
    |(?P<number>0x[0-9a-fA-F]+[uU]?|[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?
        |[0-9]+[eE][+-]?[0-9]+|[0-9]+[uU]?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*|`[A-Za-z0-9_.\-/ ]+`)
    |(?P<sign>&&|\|\||<=|>=|==|!=|[-+*/%<>!?:.,()\[\]{}])""",
    re.VERBOSE,
)
_LITERALS = ("true", "false", "null")
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
_OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "in")
_STARTS = (
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, "
    "STRING, BYTES, IDENTIFIER}"
)
# A level takes a dozen calls, of which Python allows some hundreds.
_DEEPEST = 50


class CelError(ValueError):
    """An expression that cannot be compiled; the text shows where, as CEL's compiler does."""

    def __init__(self, source: str, offset: int, why: str) -> None:
        line = source.count("\n", 0, offset)
        column = offset - (source.rfind("\n", 0, offset) + 1)
        shown = source.split("\n")[line]
        place = f"{line + 1}:{column + 1}"
        super().__init__(f"ERROR: <input>:{place}: {why}\n | {shown}\n | {'.' * column}^")


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression: a name, a selection (`target.name`), or anything else."""

    kind: str  # "name", "select", "other"
    offset: int
    name: str = ""
    parts: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # name, text, number, sign, end
    text: str
    offset: int


def parse(source: str) -> Node:
    """Read an expression. Raises CelError."""
    return _Parser(source).whole()


def why_not(source: str) -> str | None:
    """Return why an expression cannot be compiled, None if it can."""
    try:
        parse(source)
    except CelError as error:
        return f"compilation failed: {error}"
    return None


def _tokens(source: str) -> Iterator[_Token]:
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            why = f"Syntax error: token recognition error at: '{source[at]}'"
            raise CelError(source, at, why)
        if match.lastgroup and match.lastgroup != "space":
            yield _Token(match.lastgroup, match[0], at)
        at = match.end()
    yield _Token("end", "<EOF>", len(source))


class _Parser:
    """A reader by descent; each method reads one level of CEL's grammar."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = list(_tokens(source))
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        found = self._expression()
        token = self._token
        if token.kind != "end":
            raise self._error(f"extraneous input '{token.text}' expecting <EOF>")
        return found

    @property
    def _token(self) -> _Token:
        return self._tokens[self._at]

    def _error(self, why: str) -> CelError:
        return CelError(self._source, self._token.offset, f"Syntax error: {why}")

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

    def _expression(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._error(f"expression recursion limit exceeded: {_DEEPEST}")
        found = self._binary(self._conjunction, "||")
        if self._take("?"):
            chosen = self._binary(self._conjunction, "||")
            self._need(":")
            found = Node("other", found.offset, parts=(found, chosen, self._expression()))
        self._depth -= 1
        return found

    def _conjunction(self) -> Node:
        return self._binary(self._relation, "&&")

    def _relation(self) -> Node:
        return self._binary(self._sum, *_OPERATORS)

    def _sum(self) -> Node:
        return self._binary(self._product, "+", "-")

    def _product(self) -> Node:
        return self._binary(self._unary, "*", "/", "%")

    def _binary(self, read: Callable[[], Node], *signs: str) -> Node:
        found = read()
        while self._take(*signs):
            found = Node("other", found.offset, parts=(found, read()))
        return found

    def _unary(self) -> Node:
        while self._take("!", "-"):
            pass
        return self._member()

    def _member(self) -> Node:
        found = self._primary()
        while True:
            offset = self._token.offset
            if self._take("."):
                found = self._selection(found, offset)
            elif self._take("["):
                self._take("?")
                found = Node("other", offset, parts=(found, self._expression()))
                self._need("]")
            elif found.kind in ("name", "select") and self._take("{"):
                found = Node("other", offset, parts=self._entries())
            else:
                return found

    def _selection(self, target: Node, offset: int) -> Node:
        self._take("?")
        token = self._token
        if token.kind != "name" or token.text in _LITERALS:
            seen = "" if token.kind == "end" else token.text
            raise self._error(f"no viable alternative at input '.{seen}'")
        self._at += 1
        if self._take("("):
            return Node("other", offset, token.text, (target, *self._listed(")")))
        return Node("select", offset, token.text.strip("`"), (target,))

    def _primary(self) -> Node:
        token = self._token
        if token.kind in ("text", "number") or token.text in _LITERALS:
            self._at += 1
            return Node("other", token.offset)
        if self._take("("):
            found = self._expression()
            self._need(")")
            return found
        if self._take("["):
            return Node("other", token.offset, parts=self._listed("]"))
        if self._take("{"):
            return Node("other", token.offset, parts=self._entries())
        self._take(".")
        return self._name()

    def _name(self) -> Node:
        token = self._token
        if token.kind != "name" or token.text == "in":
            raise self._error(f"mismatched input '{token.text}' expecting {_STARTS}")
        if token.text in _RESERVED:
            why = f"reserved identifier: {token.text}"
            raise CelError(self._source, token.offset, why)
        self._at += 1
        if self._take("("):
            return Node("other", token.offset, token.text, self._listed(")"))
        return Node("name", token.offset, token.text)

    def _listed(self, end: str) -> tuple[Node, ...]:
        found: list[Node] = []
        while not self._take(end):
            self._take("?")
            found.append(self._expression())
            if not self._take(","):
                self._need(end)
                break
        return tuple(found)

    def _entries(self) -> tuple[Node, ...]:
        found: list[Node] = []
        while not self._take("}"):
            self._take("?")
            found.append(self._expression())
            self._need(":")
            found.append(self._expression())
            if not self._take(","):
                self._need("}")
                break
        return tuple(found)
