"""How the REST API says no: one shape, {"error": {"code", "message", "fields"?, "causes"?,
"audit_id"?}}.

`fields` maps a field's name to what is wrong with it. What the cluster worker refuses keeps its
own words and status; `causes` are its own too, each with field, reason and message. `audit_id`
leads to the trace of the request that a cluster's API refused.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from playground.sandboxes.gateway import Refused, Unreachable


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the response for an exception of a view, or None for a fault of ours."""
    if isinstance(error, Unreachable):
        return _response(503, "Unavailable", str(error), headers={"Retry-After": "1"})
    if isinstance(error, Refused):
        fields = {cause.get("field", ""): [cause.get("message", "")] for cause in error.causes}
        code = error.reason or "Refused"
        more: dict[str, Any] = {"causes": error.causes, "audit_id": error.audit}
        return _response(error.code, code, error.message, fields, **more)
    if isinstance(error, Http404):
        return _response(404, "NotFound", str(error))
    if isinstance(error, PermissionDenied):
        return _response(403, "Forbidden", str(error))
    known = exception_handler(error, context)
    if known is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        wrong: Any = error.detail
        wrong = wrong if isinstance(wrong, dict) else {"": wrong}
        return _response(422, "Invalid", _sentence(wrong), wrong)
    assert isinstance(error, exceptions.APIException)  # noqa: S101 - the handler knows no other
    headers = {name: known[name] for name in ("WWW-Authenticate", "Retry-After") if name in known}
    return _response(known.status_code, _reason(error), str(error.detail), headers=headers)


def _response(
    status: int,
    code: str,
    message: str,
    fields: Any = None,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Response:
    body: dict[str, Any] = {"code": code, "message": message}
    body |= {name: one for name, one in {"fields": fields, **more}.items() if one}
    return Response({"error": body}, status=status, headers=headers)


def _reason(error: exceptions.APIException) -> str:
    codes = error.get_codes()
    word = codes if isinstance(codes, str) else "invalid"
    return "".join(part.capitalize() for part in word.split("_"))


def _sentence(fields: dict[str, Any]) -> str:
    parts = [f"{name}: {'; '.join(map(str, texts))}" for name, texts in fields.items()]
    return "; ".join(parts)
