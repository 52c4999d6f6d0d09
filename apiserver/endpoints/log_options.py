"""What may be asked of a container's log, in the query of the request."""

from __future__ import annotations

from collections.abc import Mapping

from apimachinery.errors import BadRequest
from apimachinery.schema import scalars
from apimachinery.validation.field import FieldErrors, Path, forbidden, invalid

_NUMBERS = ("tailLines", "limitBytes", "sinceSeconds")


def log_option_errors(params: Mapping[str, str]) -> FieldErrors:
    """Yield what is wrong with the options of a log.

    Raises BadRequest for what is no number, or no time.
    """
    numbers = {name: _number(params.get(name)) for name in _NUMBERS}
    _check_time(params.get("sinceTime") or "")
    if (lines := numbers["tailLines"]) is not None and lines < 0:
        yield invalid(Path("tailLines"), lines, "must be greater than or equal to 0")
    if (most := numbers["limitBytes"]) is not None and most < 1:
        yield invalid(Path("limitBytes"), most, "must be greater than 0")
    since = numbers["sinceSeconds"]
    if since is not None and params.get("sinceTime"):
        why = "at most one of `sinceTime` or `sinceSeconds` may be specified"
        yield forbidden(Path(""), why)
    elif since is not None and since < 1:
        yield invalid(Path("sinceSeconds"), since, "must be greater than 0")
    if params.get("stream"):
        yield forbidden(Path("stream"), "may not be specified")


def _check_time(text: str) -> None:
    if text not in ("", "null"):
        try:
            scalars.time(text)
        except scalars.ScalarError as error:
            raise BadRequest(str(error)) from None


def _number(text: str | None) -> int | None:
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise BadRequest(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
