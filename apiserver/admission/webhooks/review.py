"""AdmissionReview: how a request is put to a webhook, and how its answer is read."""

from __future__ import annotations

import base64
import binascii
from typing import Any, NamedTuple

import orjson

from apimachinery.errors import ApiError, BadRequest
from apimachinery.meta import Obj
from apimachinery.patch import json as json_patch
from apiserver.admission.hooks.inquiry import Inquiry, request_object

GROUP = "admission.k8s.io"
VERSIONS = ("v1", "v1beta1")


class ResponseError(Exception):
    """An answer that is none; the text says what was wrong with what."""


class PatchError(Exception):
    """A patch that is none."""


class Verdict(NamedTuple):
    """What a webhook answered."""

    allowed: bool
    status: Obj | None
    patch: Any
    warnings: list[str]
    annotations: dict[str, str]


def review(inquiry: Inquiry, version: str, uid: str) -> bytes:
    """Return the body of an AdmissionReview of a request."""
    asked = {"uid": uid, **request_object(inquiry.request, inquiry.place)}
    options = asked.pop("options", None)
    dry_run = asked.pop("dryRun")
    asked |= {
        "object": inquiry.object,
        "oldObject": inquiry.old_object,
        "dryRun": dry_run,
        "options": options,
    }
    return orjson.dumps(
        {"kind": "AdmissionReview", "apiVersion": f"{GROUP}/{version}", "request": asked}
    )


def read(body: bytes, version: str, uid: str, *, mutating: bool) -> Verdict:
    """Read an answer. Raises ResponseError."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ResponseError(f"couldn't get version/kind; json parse error: {error}") from None
    if not isinstance(answer, dict):
        raise ResponseError("webhook response was absent")
    response = answer.get("response")
    if not isinstance(response, dict):
        raise ResponseError("webhook response was absent")
    if version == "v1":
        _check_kind(answer, response, uid)
    patch = _patch(response, version, mutating=mutating)
    status = response.get("status")
    return Verdict(
        bool(response.get("allowed")),
        status if isinstance(status, dict) else None,
        patch,
        [str(each) for each in response.get("warnings") or ()],
        {str(k): str(v) for k, v in (response.get("auditAnnotations") or {}).items()},
    )


def _check_kind(answer: Obj, response: Obj, uid: str) -> None:
    given = response.get("uid") or ""
    if given != uid:
        raise ResponseError(f'expected response.uid="{uid}", got "{given}"')
    wanted = f"{GROUP}/v1, Kind=AdmissionReview"
    got = f"{answer.get('apiVersion') or ''}, Kind={answer.get('kind') or ''}"
    if got != wanted:
        raise ResponseError(f"expected webhook response of {wanted}, got {got}")


def _patch(response: Obj, version: str, *, mutating: bool) -> Any:
    """Return the operations of a JSON patch; None where there is no patch."""
    patch, kind = response.get("patch") or "", response.get("patchType") or ""
    if not mutating:
        if patch or kind:
            part = "patch" if patch else "patchType"
            raise ResponseError(f"validating webhook may not return response.{part}")
        return None
    if not patch:
        if kind and version == "v1":
            raise ResponseError("webhook returned response.patchType but not response.patch")
        return None
    if version == "v1" and kind != "JSONPatch":
        if not kind:
            raise ResponseError("webhook returned response.patch but not response.patchType")
        raise ResponseError(f'webhook returned invalid response.patchType of "{kind}"')
    try:
        operations = orjson.loads(base64.b64decode(patch, validate=True))
        json_patch.check(operations, strict=False)
    except (ValueError, binascii.Error, ApiError) as error:
        raise PatchError(f"received undecodable patch in webhook response: {error}") from None
    return operations


def denial(webhook: str, status: Obj | None) -> ApiError:
    """Return the refusal that a webhook's status means."""
    status = status or {}
    said = f'admission webhook "{webhook}" denied the request'
    message, reason = status.get("message") or "", status.get("reason") or ""
    if message:
        said += f": {message}"
    elif reason:
        said += f": {reason}"
    else:
        said += " without explanation"
    code = status.get("code") or 0
    if not isinstance(code, int) or code < BadRequest.code:
        code = BadRequest.code
    details = status.get("details")
    return ApiError(
        said,
        details=details if isinstance(details, dict) else None,
        reason=str(reason),
        code=code,
    )
