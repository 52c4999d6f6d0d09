"""How a check words what it found: which containers, which values, one or several."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from apiserver.admission.pod_specs import containers

Spec = dict[str, Any]


class Finding(NamedTuple):
    """A reason, and what exactly is meant."""

    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})"


def plural(count: int, one: str, many: str) -> str:
    return one if count == 1 else many


def quoted(values: Iterable[str]) -> str:
    """Print values in quotes, with commas between."""
    return ", ".join(json.dumps(value, ensure_ascii=False) for value in values)


def named(names: list[str]) -> str:
    """Print `container "a"` or `containers "a", "b"`."""
    return f"{plural(len(names), 'container', 'containers')} {quoted(names)}"


def security(holder: Spec) -> Spec:
    """Return the security context of a pod's spec or of a container."""
    return holder.get("securityContext") or {}


def names_where(spec: Spec, wrong: Callable[[Spec], bool]) -> list[str]:
    """Return the names of the containers that are wrong."""
    return [each.get("name", "") for each in containers(spec) if wrong(each)]


def setters(spec: Spec, wrong: Callable[[Spec], bool]) -> list[str]:
    """Return who sets something wrong: "pod", and the containers that do, in words."""
    found = ["pod"] if wrong(spec) else []
    names = names_where(spec, wrong)
    return [*found, named(names)] if names else found


def holders(spec: Spec) -> Iterator[Spec]:
    """Yield everything with a security context: the pod, then its containers."""
    yield spec
    yield from containers(spec)


def is_windows(spec: Spec) -> bool:
    return bool((spec.get("os") or {}).get("name") == "windows")


def has_own_users(spec: Spec) -> bool:
    """Tell whether root in the pod is nobody on the node."""
    return spec.get("hostUsers") is False
