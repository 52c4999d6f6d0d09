"""YAML as Kubernetes reads and writes it: the parts of YAML 1.1 that JSON can say.

Reading: `y`, `n`, `on`, `off` are booleans, times stay text. Writing: keys in order.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import yaml as pyyaml
from yaml import YAMLError

from apimachinery import gotext
from apiserver.endpoints.depth import DEEPEST

_Loader: Any = getattr(pyyaml, "CSafeLoader", pyyaml.SafeLoader)
_Dumper: Any = getattr(pyyaml, "CSafeDumper", pyyaml.SafeDumper)
_BOOLEANS = {"y": True, "n": False}
_LETTER = re.compile(r"^[yYnN]$")

# Values in a document: one without aliases has fewer than it has bytes.
_LARGEST_EXPANSION = 100_000
# What Go's reader, an older libyaml, says otherwise.
_GO_WORDS = {
    "found a tab character that violates indentation": (
        "found character that cannot start any token"
    ),
}
_TOO_DEEP = "exceeded max depth"

__all__ = ["YAMLError", "dump", "load", "words"]


class _KubernetesLoader(_Loader):  # type: ignore[misc]
    """The safe loader, with single-letter booleans and without times."""


_KubernetesLoader.yaml_implicit_resolvers = {
    first: [one for one in found if one[0] != "tag:yaml.org,2002:timestamp"]
    for first, found in _Loader.yaml_implicit_resolvers.items()
}
_KubernetesLoader.add_implicit_resolver("tag:kubeground,2025:letter", _LETTER, list("yYnN"))
_KubernetesLoader.add_constructor(
    "tag:kubeground,2025:letter",
    lambda loader, node: _BOOLEANS[loader.construct_scalar(node).lower()],
)


# What the safe loader raises for a value that a tag does not fit.
_NO_VALUE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_NUMBERS = range(-(2**63), 2**64)


def _read_int(loader: Any, node: Any) -> int | float | str:
    """Read a number as Go does: none of base 60, and a float where it has no 64 bits."""
    text = str(loader.construct_scalar(node))
    if ":" in text:
        return text
    try:
        found: int = loader.construct_yaml_int(node)
    except ValueError:  # more digits than anybody reads
        return text
    if found in _NUMBERS:
        return found
    return float(found) if abs(found) < sys.float_info.max else text


def _read_float(loader: Any, node: Any) -> float | str:
    text = str(loader.construct_scalar(node))
    return text if ":" in text else float(loader.construct_yaml_float(node))


def _read_binary(loader: Any, node: Any) -> str:
    found: bytes = loader.construct_yaml_binary(node)
    return found.decode(errors="replace")


# What JSON has no word for is what Go makes of it.
for _tag, _read in (
    ("int", _read_int),
    ("float", _read_float),
    ("binary", _read_binary),
    ("set", lambda loader, node: loader.construct_mapping(node)),
):
    _KubernetesLoader.add_constructor(f"tag:yaml.org,2002:{_tag}", _read)


class _KubernetesDumper(_Dumper):  # type: ignore[misc]
    """The safe dumper, with the quotes that Go's encoder uses."""


def _represent_text(dumper: Any, text: str) -> Any:
    """Quote what would be read as something else; write lines as lines."""
    if "\n" in text:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|")
    resolved = _RESOLVER.resolve(pyyaml.ScalarNode, text, (True, False))
    quoted = resolved != "tag:yaml.org,2002:str" or _LETTER.match(text)
    style = '"' if quoted else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_RESOLVER: Any = pyyaml.SafeLoader("")
_KubernetesDumper.add_representer(str, _represent_text)


def load(text: bytes, doubled: list[str] | None = None) -> Any:
    """Read the first document; keys become text, as they are in JSON. Raises YAMLError.

    What is said of keys that a map has twice is added to `doubled`.
    """
    _check_events(text, [] if doubled is None else doubled)
    loader = _KubernetesLoader(text)
    try:
        found = loader.get_data()
    except _NO_VALUE as error:
        raise YAMLError(f"cannot decode a value as its tag says: {error}") from None
    finally:
        loader.dispose()
    return _Expansion(max(len(text), _LARGEST_EXPANSION)).text_keys(found)


def words(error: YAMLError) -> str:
    """Return an error in the words of Go's decoder."""
    problem = getattr(error, "problem", None)
    if not problem:
        return f"yaml: {error}"
    problem = _GO_WORDS.get(problem, problem)
    scanner = isinstance(error, pyyaml.scanner.ScannerError)
    for mark in (error.context_mark, error.problem_mark):  # type: ignore[attr-defined]
        if mark is not None and mark.line:
            return f"yaml: line {mark.line + scanner}: {problem}"
    return f"yaml: {problem}"


def dump(value: Any) -> bytes:
    """Write a value as Kubernetes prints it."""
    text: bytes = pyyaml.dump(
        value,
        Dumper=_KubernetesDumper,
        default_flow_style=False,
        allow_unicode=True,
        encoding="utf-8",
        width=2**31 - 1,
    )
    return text


def _check_events(text: bytes, doubled: list[str]) -> None:
    """Refuse what is nested deeper than the loader's stack: it would end the process."""
    open_ones: list[_Keys | None] = []
    for event in _events(text):
        if isinstance(event, pyyaml.CollectionStartEvent):
            if open_ones and (keys := open_ones[-1]) is not None:
                keys.begins(event)
            open_ones.append(_Keys() if isinstance(event, pyyaml.MappingStartEvent) else None)
            if len(open_ones) > DEEPEST:
                raise YAMLError(_TOO_DEEP)
        elif isinstance(event, pyyaml.DocumentEndEvent):
            return
        elif isinstance(event, pyyaml.CollectionEndEvent):
            open_ones.pop()
            if open_ones and (keys := open_ones[-1]) is not None:
                keys.ended(doubled)
        elif isinstance(event, pyyaml.NodeEvent) and open_ones and open_ones[-1] is not None:
            open_ones[-1].begins(event)
            open_ones[-1].ended(doubled)


class _Keys:
    """The keys of one map, as its events come by."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._key: str | None = None
        self._at_key = True
        self._line = 0

    def begins(self, event: Any) -> None:
        """Note where a key or a value begins."""
        self._line = event.start_mark.line + 1
        if self._at_key:
            self._key = getattr(event, "value", None)

    def ended(self, doubled: list[str]) -> None:
        """Note that a key or a value is complete; say so where its key was there before."""
        if not self._at_key and self._key is not None:
            if self._key in self._seen:
                key = gotext.quoted(self._key)
                doubled.append(f"line {self._line}: key {key} already set in map")
            self._seen.add(self._key)
        self._at_key = not self._at_key


def _events(text: bytes) -> Iterator[Any]:
    """Yield what the reader meets. It looks ahead, and may have a deepest level of its own."""
    try:
        yield from pyyaml.parse(text, Loader=_Loader)
    except YAMLError as error:
        raise (YAMLError(_TOO_DEEP) if "nesting depth" in str(error) else error) from error


class _Expansion:
    """What a document says once its aliases are written out, with keys as text.

    A few hundred bytes of aliases of aliases say more than memory holds, and an alias inside of
    what it stands for says it for ever: both are refused.
    """

    def __init__(self, budget: int) -> None:
        self._left = budget
        self._inside: set[int] = set()

    def text_keys(self, value: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise YAMLError("document contains excessive aliasing")
        if isinstance(value, tuple):  # of !!omap and !!pairs, which are lists of maps elsewhere
            value = dict([value])
        if not isinstance(value, (dict, list)):
            return value
        if id(value) in self._inside:
            raise YAMLError("anchor value contains itself")
        self._inside.add(id(value))
        made: Any
        if isinstance(value, dict):
            made = {_key(key): self.text_keys(item) for key, item in value.items()}
        else:
            made = [self.text_keys(item) for item in value]
        self._inside.discard(id(value))
        return made


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return key if isinstance(key, str) else str(key)
