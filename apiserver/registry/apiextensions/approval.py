"""Groups of the Kubernetes community: who defines kinds there has to say who approved of them."""

from __future__ import annotations

import json
from typing import NamedTuple

from apimachinery.cel.errors import EvalError
from apimachinery.cel.libs.urls import parse_url
from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, invalid, required

ANNOTATION = "api-approved.kubernetes.io"
_PROTECTED = ("k8s.io", "kubernetes.io")
_NEEDED = f'protected groups must have approval annotation "{ANNOTATION}"'
_SEE = "see https://github.com/kubernetes/enhancements/pull/1111"


class Approval(NamedTuple):
    """What the annotation says: as a condition, its reason, and why in words."""

    status: str
    reason: str
    message: str


def approval_of(crd: Obj) -> Approval | None:
    """Return what a definition says of its approval, None where it needs none."""
    group = crd["spec"].get("group") or ""
    if not any(group == each or group.endswith(f".{each}") for each in _PROTECTED):
        return None
    given = (crd["metadata"].get("annotations") or {}).get(ANNOTATION) or ""
    if not given:
        return Approval("False", "MissingAnnotation", f"{_NEEDED}, {_SEE}")
    if given.startswith("unapproved"):
        shown = json.dumps(given, ensure_ascii=False)
        return Approval("False", "UnapprovedAnnotation", f"not approved: {shown}")
    if _is_url(given):
        return Approval("True", "ApprovedAnnotation", f"approved in {given}")
    why = f'{_NEEDED} with either a URL or a reason starting with "unapproved", {_SEE}'
    return Approval("False", "InvalidAnnotation", why)


def _is_url(text: str) -> bool:
    try:
        url = parse_url(text)
    except EvalError:
        return False
    return bool(url.host and url.scheme)


def approval_errors(crd: Obj, old: Obj | None = None) -> FieldErrors:
    """Yield that the approval is missing or cannot be read, unless it was so before."""
    now = approval_of(crd)
    before = approval_of(old) if old is not None else None
    if now is None or (before is not None and before.reason == now.reason):
        return
    where = (Path("metadata") / "annotations").key(ANNOTATION)
    if now.reason == "MissingAnnotation":
        yield required(where, now.message)
    elif now.reason == "InvalidAnnotation":
        yield invalid(where, crd["metadata"]["annotations"][ANNOTATION], now.message)
