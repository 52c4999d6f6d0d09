"""An object as YAML, as `kubectl get -o yaml` prints it, and its annotations that fit on a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

Object = Mapping[str, Any]
# Annotations longer than this are kept for the YAML.
LONGEST_VALUE = 200
# The object once more, with the values of a Secret; `kubectl describe` leaves it out, too.
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def short_annotations(item: Object) -> dict[str, str]:
    """Return the annotations that fit on a line."""
    found = (item.get("metadata") or {}).get("annotations") or {}
    return {
        key: value
        for key, value in found.items()
        if len(value) <= LONGEST_VALUE and key != LAST_APPLIED
    }


def without_values(secret: Object) -> dict[str, Any]:
    """Return a Secret without its values: a screen may be looked at by others."""
    hidden = dict.fromkeys(secret.get("data") or {}, "•••")
    metadata = dict(secret.get("metadata") or {})
    annotations = dict(metadata.get("annotations") or {})
    annotations.pop(LAST_APPLIED, None)
    return {**secret, "metadata": {**metadata, "annotations": annotations}, "data": hidden}


def to_yaml(item: Object, *, managed_fields: bool = False) -> str:
    """Return the object as YAML, as `kubectl get -o yaml` prints it."""
    metadata = dict(item.get("metadata") or {})
    if not managed_fields:
        metadata.pop("managedFields", None)
    shown = {**item, "metadata": metadata} if "metadata" in item else dict(item)
    text: str = yaml.dump(
        shown,
        Dumper=_Dumper,
        default_flow_style=False,
        sort_keys=True,
        allow_unicode=True,
        width=1000,
    )
    return text


class _Dumper(yaml.CSafeDumper):
    """Prints texts of several lines as blocks."""


def _text(dumper: Any, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    node: yaml.ScalarNode = dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)
    return node


_Dumper.add_representer(str, _text)
