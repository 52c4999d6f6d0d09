"""The selectors in the ResourceAttributes of an access review: read, and checked.

A selector only ever narrows a question down, so a part that nobody understands is left out, and
the answer says so: authorization is then asked about more than was meant, never about less.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from apimachinery.errors import BadRequest
from apimachinery.fields import FieldRequirement, parse_fields
from apimachinery.labels import Selector, from_label_selector, parse_selector
from apimachinery.validation.field import FieldError, Path, forbidden, invalid, required
from apiserver.registry.podspec.selectors import requirement_errors

_KINDS = ("fieldSelector", "labelSelector")
_SIGNS = {"In": "=", "NotIn": "!="}


def errors(attributes: Mapping[str, Any], path: Path) -> Iterator[FieldError]:
    """Yield what is wrong with the selectors; unknown operators are not, clients may be newer."""
    for kind in _KINDS:
        selector = attributes.get(kind)
        if selector is not None:
            yield from _selector_errors(selector, path / kind)


def _selector_errors(selector: Mapping[str, Any], path: Path) -> Iterator[FieldError]:
    raw, requirements = selector.get("rawSelector") or "", selector.get("requirements") or ()
    if raw and requirements:
        words = "may not specified at the same time as requirements"
        yield invalid(path / "rawSelector", raw, words)
    if not raw and not requirements:
        words = f"when {path} is specified, requirements or rawSelector is required"
        yield required(path / "requirements", words)
    of_labels = path.text.endswith("labelSelector")
    for index, requirement in enumerate(requirements):
        place = (path / "requirements")[index]
        if of_labels:
            yield from requirement_errors(requirement, place, any_operator=True)
        else:
            yield from _field_errors(requirement, place)


def _field_errors(requirement: Mapping[str, Any], path: Path) -> Iterator[FieldError]:
    operator, values = requirement.get("operator") or "", requirement.get("values") or ()
    if not requirement.get("key"):
        yield required(path / "key", "must be specified")
    if operator in {"In", "NotIn"} and not values:
        yield required(path / "values", "must be specified when `operator` is 'In' or 'NotIn'")
    if operator in {"Exists", "DoesNotExist"} and values:
        words = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        yield forbidden(path / "values", words)


def read(attributes: Mapping[str, Any]) -> tuple[tuple[FieldRequirement, ...], list[str]]:
    """Return the field requirements, and what an answer says of parts that were left out."""
    problems: list[str] = []
    fields, every_field = _fields(attributes.get("fieldSelector") or {})
    labels, every_label = _labels(attributes.get("labelSelector") or {})
    for kind, kept, whole in (
        ("fieldSelector", bool(fields), every_field),
        ("labelSelector", bool(labels), every_label),
    ):
        if not whole:
            partly = "partially ignored" if kept else "ignored"
            problems.append(f"spec.resourceAttributes.{kind} {partly} due to parse error")
    return tuple(fields), problems


def _fields(selector: Mapping[str, Any]) -> tuple[list[FieldRequirement], bool]:
    """Return the requirements that can be read, and whether these are all."""
    kept: list[FieldRequirement] = []
    whole = True
    if raw := selector.get("rawSelector"):
        try:
            kept = list(parse_fields(raw).requirements)
        except BadRequest:
            whole = False
    if requirements := selector.get("requirements"):
        signs = [_SIGNS.get(each.get("operator") or "") for each in requirements]
        kept = [
            FieldRequirement(each.get("key") or "", sign, each["values"][0])
            for each, sign in zip(requirements, signs, strict=True)
            if sign and len(each.get("values") or ()) == 1
        ]
        whole = len(kept) == len(requirements)
    return kept, whole


def _labels(selector: Mapping[str, Any]) -> tuple[list[Selector], bool]:
    """Return what can be read of a label selector, and whether that is all."""
    kept: list[Selector] = []
    whole = True
    if raw := selector.get("rawSelector"):
        try:
            kept = [parse_selector(raw)]
        except BadRequest:
            whole = False
    if requirements := selector.get("requirements"):
        kept = []
        for each in requirements:
            try:
                kept.append(from_label_selector({"matchExpressions": [each]}))
            except BadRequest:
                continue
        whole = len(kept) == len(requirements)
    return kept, whole
