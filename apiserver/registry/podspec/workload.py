"""What all kinds that run pods from a template share: columns, hooks for status, fields."""

from __future__ import annotations

from apimachinery.meta import Obj
from apiserver.registry.resource import Column
from apiserver.registry.table import Value, dig


def keep_status(new: Obj, old: Obj) -> None:
    """Put the old status into an update of the main resource, which cannot change it."""
    if "status" in old:
        new["status"] = old["status"]
    else:
        new.pop("status", None)


def generation_changed(new: Obj, old: Obj) -> bool:
    """Tell whether an update counts: only then are there warnings about templates."""
    return bool(new["metadata"].get("generation") != old["metadata"].get("generation"))


def containers(path: str = "spec.template.spec.containers") -> tuple[Column, Column]:
    """Return the wide columns with the names and the images of a template's containers."""
    parts = tuple(path.split("."))

    def of(key: str) -> Value:
        def read(obj: Obj, now: float) -> str:
            return ",".join(c.get(key) or "" for c in dig(obj, parts) or ())

        return read

    return (
        Column("Containers", of("name"), priority=1),
        Column("Images", of("image"), priority=1),
    )


def number(path: str) -> Value:
    """Return the number at a path, 0 where there is none."""
    parts = tuple(path.split("."))

    def read(obj: Obj, now: float) -> int:
        return dig(obj, parts) or 0

    return read


def format_labels(labels: Obj | None) -> str:
    """Print labels as kubectl does: sorted pairs, `<none>` where there are none."""
    if not labels:
        return "<none>"
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels))


def format_selector(selector: Obj | None) -> str:
    """Print a LabelSelector as kubectl does: `<none>` where it is empty."""
    if not selector:
        return "<none>"
    labels = selector.get("matchLabels") or {}
    found = [(key, f"{key}={value}") for key, value in labels.items()]
    for one in selector.get("matchExpressions") or ():
        key, values = one.get("key") or "", ",".join(sorted(one.get("values") or ()))
        found.append((key, _OPERATORS.get(one.get("operator"), "{}").format(key, values)))
    return ",".join(text for _, text in sorted(found, key=lambda pair: pair[0])) or "<none>"


_OPERATORS = {
    "In": "{0} in ({1})",
    "NotIn": "{0} notin ({1})",
    "Exists": "{0}",
    "DoesNotExist": "!{0}",
}


def _selector(obj: Obj, now: float) -> str:
    return format_selector(obj["spec"].get("selector"))


SELECTOR = Column("Selector", _selector, priority=1)
