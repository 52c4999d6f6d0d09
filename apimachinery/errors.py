"""Every refusal of the API, as one tree of exceptions that turn into a Status.

    ApiError
    +- BadRequest 400          +- Conflict 409 Conflict        +- TooManyRequests 429
    +- Unauthorized 401        +- AlreadyExists 409            |  +- Overloaded 429
    +- Forbidden 403           +- Expired 410 Expired          +- InternalError 500
    +- NotFound 404            +- Gone 410 Gone                +- ServiceUnavailable 503
    +- MethodNotAllowed 405    +- TooLarge 413                 +- Timeout 504
    +- NotAcceptable 406       +- UnsupportedMediaType 415     +- Invalid 422

Messages, reasons and details are those of k8s.io/apimachinery/pkg/api/errors. Only the last
step of a request makes a Status out of one of these; nothing else knows of HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from apimachinery.gvk import GroupKind, GroupResource
from apimachinery.validation.field import FieldError

# In characters. Where every item of a list shows the whole list, an answer grows with its square.
_MOST_TOLD = 16 * 2**20


class ApiError(Exception):
    """A refusal with a code, a reason, a message for people, and details for programs."""

    code = 500
    reason = "InternalError"

    def __init__(
        self,
        message: str,
        *,
        details: dict[str, Any] | None = None,
        reason: str | None = None,
        code: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.code = code if code is not None else type(self).code
        self.reason = reason if reason is not None else type(self).reason

    @property
    def retry_after(self) -> int | None:
        """Seconds for the Retry-After header, where the client is asked to wait."""
        return (self.details or {}).get("retryAfterSeconds")

    def has_cause(self, reason: str) -> bool:
        """Tell whether a cause of a kind is among the details (errors.HasStatusCause)."""
        causes = (self.details or {}).get("causes") or ()
        return any(cause.get("reason") == reason for cause in causes)

    def status(self) -> dict[str, Any]:
        """Return the `Status` object of kind v1 that clients read."""
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = self.details
        body["code"] = self.code
        return body


def _about(resource: GroupResource, name: str, **more: Any) -> dict[str, Any]:
    details: dict[str, Any] = {}
    if name:
        details["name"] = name
    if resource.group:
        details["group"] = resource.group
    if resource.resource:
        details["kind"] = resource.resource
    return details | more


class BadRequest(ApiError):
    """The request cannot be understood."""

    code, reason = 400, "BadRequest"


class Unauthorized(ApiError):
    """The credentials are not known."""

    code, reason = 401, "Unauthorized"

    def __init__(self, message: str = "Unauthorized") -> None:
        super().__init__(message)


class Forbidden(ApiError):
    """The user is known and may not; or an admission plugin refuses."""

    code, reason = 403, "Forbidden"

    def __init__(self, resource: GroupResource, name: str, why: str) -> None:
        if not resource.resource:
            message = f"forbidden: {why}"
        elif name:
            message = f'{resource} "{name}" is forbidden: {why}'
        else:
            message = f"{resource} is forbidden: {why}"
        super().__init__(message, details=_about(resource, name))


class NotFound(ApiError):
    """No such object."""

    code, reason = 404, "NotFound"

    def __init__(self, resource: GroupResource, name: str) -> None:
        super().__init__(f'{resource} "{name}" not found', details=_about(resource, name))


class PathNotFound(NotFound):
    """No such path: nothing is served there."""

    def __init__(self) -> None:
        ApiError.__init__(self, "the server could not find the requested resource", details={})


class MethodNotAllowed(ApiError):
    """The resource exists and cannot do that."""

    code, reason = 405, "MethodNotAllowed"

    def __init__(self, resource: GroupResource, verb: str) -> None:
        super().__init__(
            f'{verb} is not supported on resources of kind "{resource}"',
            details=_about(resource, ""),
        )


class NotAcceptable(ApiError):
    """None of the media types that the client accepts can be made."""

    code, reason = 406, "NotAcceptable"


class AlreadyExists(ApiError):
    """An object of that name is there."""

    code, reason = 409, "AlreadyExists"

    def __init__(self, resource: GroupResource, name: str) -> None:
        super().__init__(f'{resource} "{name}" already exists', details=_about(resource, name))


class Conflict(ApiError):
    """The object is not what the client thought it was.

    `sent` is the revision that it meant and `stored` the one that there is, where that is why.
    """

    code, reason = 409, "Conflict"
    sent = stored = ""

    def __init__(self, resource: GroupResource, name: str, why: str) -> None:
        super().__init__(
            f'Operation cannot be fulfilled on {resource} "{name}": {why}',
            details=_about(resource, name),
        )


MODIFIED = (
    "the object has been modified; please apply your changes to the latest version and try again"
)


class Gone(ApiError):
    """What was asked for is no longer there."""

    code, reason = 410, "Gone"


class Expired(ApiError):
    """The revision asked for is older than what is kept; list again."""

    code, reason = 410, "Expired"


class TooLarge(ApiError):
    """The body is larger than the server takes."""

    code, reason = 413, "RequestEntityTooLarge"


class UnsupportedMediaType(ApiError):
    """The body's media type cannot be read."""

    code, reason = 415, "UnsupportedMediaType"


class Invalid(ApiError):
    """The object was understood and is wrong; each cause names a field."""

    code, reason = 422, "Invalid"

    def __init__(self, kind: GroupKind, name: str, errors: Iterable[FieldError]) -> None:
        found = list(_told(errors))
        texts = list(dict.fromkeys(f"{error.path}: {words}" for error, words in found))
        joined = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
        message = f'{kind} "{name}" is invalid' + (f": {joined}" if texts else "")
        details: dict[str, Any] = {}
        if name:
            details["name"] = name
        if kind.group:
            details["group"] = kind.group
        if kind.kind:
            details["kind"] = kind.kind
        if found:
            details["causes"] = [_cause(error, words) for error, words in found]
        super().__init__(message, details=details)


def _told(errors: Iterable[FieldError]) -> Iterator[tuple[FieldError, str]]:
    """Yield each error with its message, until they are too long for anybody to read."""
    left = _MOST_TOLD
    for error in errors:
        words = error.message
        yield error, words
        left -= len(words)
        if left < 0:
            return


def _cause(error: FieldError, words: str) -> dict[str, str]:
    cause = {"reason": error.type.value[0], "message": words}
    # What is wrong as a whole names no field.
    return cause | {"field": error.path} if error.path else cause


class TooManyRequests(ApiError):
    """The client, or an eviction, has to wait."""

    code, reason = 429, "TooManyRequests"

    def __init__(
        self, message: str, retry_after: int = 0, details: dict[str, Any] | None = None
    ) -> None:
        wait = {"retryAfterSeconds": retry_after} if retry_after else {}
        super().__init__(message, details=(details or {}) | wait)


class Overloaded(TooManyRequests):
    """More is under way, or waits, than the server takes. It is answered as a line of text."""

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__("Too many requests, please try again later.", retry_after)


class InternalError(ApiError):
    """Our own fault."""

    code, reason = 500, "InternalError"

    def __init__(self, why: str) -> None:
        super().__init__(f"Internal error occurred: {why}", details={"causes": [{"message": why}]})


class ServiceUnavailable(ApiError):
    """Not now: starting, stopping, or the part that answers is away."""

    code, reason = 503, "ServiceUnavailable"


class Timeout(ApiError):
    """The answer did not come in time; the outcome is not known."""

    code, reason = 504, "Timeout"
