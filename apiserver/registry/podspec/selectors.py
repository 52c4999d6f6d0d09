"""What a metav1.LabelSelector may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, forbidden, invalid, required
from apimachinery.validation.names import is_label_value, is_qualified_name
from apiserver.registry.podspec.checks import obey


def selector_errors(selector: Obj | None, path: Path) -> FieldErrors:
    """Yield what is wrong with a LabelSelector; None selects nothing and is right."""
    if not selector:
        return
    labels = selector.get("matchLabels")
    if labels:
        yield from label_errors(labels, path / "matchLabels")
    for at, requirement in enumerate(selector.get("matchExpressions") or ()):
        yield from requirement_errors(requirement, (path / "matchExpressions")[at])


def label_errors(labels: dict[str, str], path: Path) -> FieldErrors:
    """Yield which keys and values cannot be those of labels."""
    for key, value in labels.items():
        yield from obey(is_qualified_name, key, path)
        yield from obey(is_label_value, value, path)


def requirement_errors(
    requirement: Mapping[str, Any], path: Path, *, any_operator: bool = False
) -> FieldErrors:
    """Yield what is wrong with one requirement; `any_operator` lets operators be unknown."""
    operator, values = requirement.get("operator") or "", requirement.get("values") or ()
    if operator in ("In", "NotIn"):
        if not values:
            yield required(path / "values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            yield forbidden(
                path / "values",
                "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
            )
    elif not any_operator:
        yield invalid(path / "operator", operator, "not a valid selector operator")
    yield from obey(is_qualified_name, requirement.get("key") or "", path / "key")
    for at, value in enumerate(values):
        yield from obey(is_label_value, value, (path / "values")[at])
