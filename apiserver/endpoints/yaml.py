"""YAML as Kubernetes reads and writes it: the parts of YAML 1.1 that JSON can say.

Reading: `y`, `n`, `on`, `off` are booleans, times stay text. Writing: keys in order.
"""

from __future__ import annotations

import re
from typing import Any

import yaml as pyyaml
from yaml import YAMLError

_Loader: Any = getattr(pyyaml, "CSafeLoader", pyyaml.SafeLoader)
_Dumper: Any = getattr(pyyaml, "CSafeDumper", pyyaml.SafeDumper)
_BOOLEANS = {"y": True, "n": False}
_LETTER = re.compile(r"^[yYnN]$")

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
    return _text_keys(pyyaml.load(text, Loader=_KubernetesLoader))  # noqa: S506 - a safe loader


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


def _text_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {_key(key): _text_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_text_keys(item) for item in value]
    return value


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return key if isinstance(key, str) else str(key)
