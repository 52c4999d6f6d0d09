"""Which form an answer takes: JSON or YAML, the object itself, a Table, or metadata alone.

A client's Accept header is the same from request to request, so what it comes to is remembered.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from apimachinery.errors import ApiError, NotAcceptable

JSON, YAML = "application/json", "application/yaml"
_TYPES = {
    "*/*": JSON,
    "application/*": JSON,
    JSON: JSON,
    YAML: YAML,
}
_OBJECTS = frozenset(
    ("meta.k8s.io", version, transform)
    for version in ("v1", "v1beta1")
    for transform in ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
)
_DISCOVERY = frozenset(
    ("apidiscovery.k8s.io", version, "APIGroupDiscoveryList") for version in ("v2", "v2beta1")
)
AVAILABLE = (
    "application/json, application/yaml, application/vnd.kubernetes.protobuf, "
    "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"
)


@dataclass(frozen=True, slots=True)
class Output:
    """The form of an answer. `transform` is "" for the object itself."""

    media_type: str = JSON
    transform: str = ""
    version: str = ""

    @property
    def plain(self) -> bool:
        """True where stored bytes can be sent as they are."""
        return not self.transform and self.media_type is JSON


DEFAULT = Output()


@lru_cache(maxsize=256)
def negotiate(accept: str, *, discovery: bool = False) -> Output | None:
    """Return the first form in an Accept header that can be made, None where there is none."""
    if not accept or accept in (JSON, "*/*"):
        return DEFAULT
    for media_type, _, given in sorted(_clauses(accept), key=lambda one: -one[1]):
        output = _output(media_type, given, _DISCOVERY if discovery else _OBJECTS)
        if output is not None:
            return output
    return None


def not_acceptable() -> ApiError:
    """Return the refusal of an Accept header that nothing satisfies."""
    text = f"406: Not Acceptable\n\nAvailable representations: {AVAILABLE}"
    return NotAcceptable(text, details={})


def _clauses(accept: str) -> list[tuple[str, float, dict[str, str]]]:
    found = []
    for clause in accept.split(","):
        media_type, *rest = [part.strip() for part in clause.split(";")]
        given = dict(part.partition("=")[::2] for part in rest if part)
        found.append((media_type, _quality(given.pop("q", "1")), given))
    return found


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


def _output(
    media_type: str, given: dict[str, str], known: frozenset[tuple[str, str, str]]
) -> Output | None:
    chosen = _TYPES.get(media_type)
    if chosen is None:
        return None
    transform = given.get("as", "")
    if not transform:
        return Output(chosen)
    wanted = given.get("g", ""), given.get("v", ""), transform
    return Output(chosen, transform, wanted[1]) if wanted in known else None
