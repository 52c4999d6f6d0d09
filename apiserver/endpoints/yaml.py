"""YAML as Kubernetes reads and writes it: the parts of YAML 1.1 that JSON can say.

Reading: `y`, `n`, `on`, `off` are booleans, times stay text. Writing: keys in order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml as pyyaml
from yaml import YAMLError

from apiserver.endpoints.depth import DEEPEST

_Loader: Any = getattr(pyyaml, "CSafeLoader", pyyaml.SafeLoader)
_Dumper: Any = getattr(pyyaml, "CSafeDumper", pyyaml.SafeDumper)
_BOOLEANS = {"y": True, "n": False}
_LETTER = re.compile(r"^[yYnN]$")

# Values in a document: one without aliases has fewer than it has bytes.
_LARGEST_EXPANSION = 100_000
_TOO_DEEP = "exceeded max depth"

__all__ = ["YAMLError", "dump", "load"]


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


def load(text: bytes) -> Any:
    """Read one document; keys become text, as they are in JSON. Raises YAMLError."""
    _check_depth(text)
    found = pyyaml.load(text, Loader=_KubernetesLoader)  # noqa: S506 - a safe loader
    return _Expansion(max(len(text), _LARGEST_EXPANSION)).text_keys(found)


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


def _check_depth(text: bytes) -> None:
    """Refuse what is nested deeper than the loader's stack: it would end the process."""
    depth = 0
    for event in _events(text):
        if isinstance(event, pyyaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise YAMLError(_TOO_DEEP)
        elif isinstance(event, pyyaml.CollectionEndEvent):
            depth -= 1


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
