"""Whether a script surely stands by itself: every quote, bracket and block that opens is closed.

One pass over the text, without recursion. What it does not follow for sure (here-documents, odd
brackets) it calls open; then the interpreter is asked, or the script is run as it is.
"""

from __future__ import annotations

import re

_BLOCKS = {
    "if": "fi",
    "while": "done",
    "until": "done",
    "for": "done",
    "select": "done",
    "case": "esac",
    "{": "}",
}
_CLOSERS = frozenset(_BLOCKS.values())
# After these words a command begins; after others it goes on.
_BEFORE_COMMANDS = frozenset(("then", "do", "else", "elif", "if", "while", "until", "!", "{"))
_MORE = ("|", "&&", "||", "\\")
_QUOTE, _VALUE = '"', "${"
_TOKEN = re.compile(
    r"""(?P<escape>\\.)|(?P<single>'[^']*')|(?P<document><<)|(?P<value>\$\{)|(?P<inner>\$\()"""
    r"""|(?P<mark>["`'(){}\n;&|])|(?P<space>[^\S\n]+)|(?P<word>[^\s\\'"`(){};&|$<]+|[$<\\])""",
    re.DOTALL,
)


def stands_alone(text: str) -> bool:
    """Whether nothing is open at the end of a script."""
    if text.rstrip().endswith(_MORE):
        return False
    reader = _Reader()
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or not reader.take(found.lastgroup or "", found[0]):
            return False
        at = found.end()
        if reader.comment:
            reader.comment = False
            line = text.find("\n", at)
            at = len(text) if line < 0 else line
    return not reader.open


class _Reader:
    def __init__(self) -> None:
        # What has to come, innermost last.
        self.open: list[str] = []
        self.comment = False
        self._command = True
        self._fresh = True

    def take(self, kind: str, token: str) -> bool:
        """Read one token; False if it cannot be followed."""
        inside = self.open[-1] if self.open else ""
        if inside in (_QUOTE, _VALUE):
            return self._quoted(kind, token, inside)
        if kind == "document" or token == "'":
            return False
        if kind == "space":
            self._fresh = True
            return True
        if kind == "inner":
            self._begin(")")
        elif kind == "value":
            self.open.append(_VALUE)
            self._go_on()
        elif kind == "mark":
            return self._mark(token, inside)
        else:
            return self._word(token) if kind == "word" else self._go_on()
        return True

    def _quoted(self, kind: str, token: str, inside: str) -> bool:
        closer = '"' if inside == _QUOTE else "}"
        if token == closer:
            self.open.pop()
        elif kind == "inner":
            self._begin(")")
        elif kind == "value":
            self.open.append(_VALUE)
        elif token == "`" or (token == '"' and inside == _VALUE) or kind == "single":
            # Backquotes in quotes and quotes in values have rules of their own; a single quote in
            # double quotes is a letter, and what stands between two of them is not skipped.
            return False
        return True

    def _mark(self, token: str, inside: str) -> bool:
        if token == '"':
            self.open.append(_QUOTE)
            return self._go_on()
        if token == "`":
            return False
        if token == "(":
            self._begin(")")
        elif token == ")":
            if inside == ")":
                self.open.pop()
            elif inside != "esac":
                return False
            self._command = self._fresh = True
        elif token in "{}":
            return self._word(token)
        else:
            self._command = self._fresh = True
        return True

    def _word(self, token: str) -> bool:
        if token.startswith("#") and self._fresh:
            self.comment = True
            return True
        if not (self._command and self._fresh):
            return self._go_on()
        if token in _CLOSERS:
            if not self.open or self.open.pop() != token:
                return False
            self._command = False
        elif token in _BLOCKS:
            self.open.append(_BLOCKS[token])
            self._command = token in _BEFORE_COMMANDS
        else:
            self._command = token in _BEFORE_COMMANDS
        self._fresh = False
        return True

    def _begin(self, closer: str) -> None:
        self.open.append(closer)
        self._command = self._fresh = True

    def _go_on(self) -> bool:
        self._command = self._fresh = False
        return True
