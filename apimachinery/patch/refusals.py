"""How a server refuses a patch that it cannot apply: three ways, by how far the reading came."""

from __future__ import annotations

from typing import Any

from apimachinery.errors import ApiError, BadRequest, Invalid


def undecodable(why: str) -> ApiError:
    """Say that the patch itself has the wrong shape (400)."""
    return BadRequest(f"error decoding patch: {why}")


def inapplicable() -> ApiError:
    """Say that a well-formed patch does not fit the object (422); Kubernetes hides the reason."""
    return ApiError(
        "the server rejected our request due to an error in our request",
        code=Invalid.code,
        reason=Invalid.reason,
        details={},
    )


def failed(why: str) -> ApiError:
    """Report an error that Kubernetes does not classify: 500 without a reason."""
    return ApiError(why, code=500, reason="")


def json_type(value: Any) -> str:
    """Name a value's type as Go's JSON decoder does."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, (int, float)):
        return "number"
    return "object" if isinstance(value, dict) else "array"
