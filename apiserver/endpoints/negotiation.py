"""Which form an answer takes: JSON, YAML or protobuf; the object, a Table, or metadata alone.

A client's Accept header is the same from request to request, so what it comes to is remembered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from apimachinery.booleans import says_true
from apimachinery.caching import kept_if_short
from apimachinery.errors import ApiError, NotAcceptable

JSON, YAML = "application/json", "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
_TYPES = {
    "*/*": JSON,
    "application/*": JSON,
    JSON: JSON,
    YAML: YAML,
}
# What is made only for who takes nothing else: it costs twenty times what stored JSON does.
_LAST_RESORT = {PROTOBUF: PROTOBUF}
_OBJECTS = frozenset(
    ("meta.k8s.io", version, transform)
    for version in ("v1", "v1beta1")
    for transform in ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
)
_METADATA = frozenset(one for one in _OBJECTS if one[2] != "Table")
_DISCOVERY = frozenset(
    ("apidiscovery.k8s.io", version, "APIGroupDiscoveryList") for version in ("v2", "v2beta1")
)
AVAILABLE = (
    "application/json, application/yaml, application/vnd.kubernetes.protobuf, "
    "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"
)


_PRETTY_AGENTS = ("curl", "Wget", "Mozilla/5.0")


@dataclass(frozen=True, slots=True)
class Output:
    """The form of an answer. `transform` is "" for the object itself."""

    media_type: str = JSON
    transform: str = ""
    version: str = ""
    # JSON over several lines, as browsers and curl are given it.
    pretty: bool = False

    @property
    def plain(self) -> bool:
        """True where stored bytes can be sent as they are."""
        return not self.transform and self.media_type is JSON and not self.pretty


DEFAULT = Output()


@kept_if_short(256)
def negotiate(accept: str, *, discovery: bool = False, tables: bool = True) -> Output | None:
    """Return the first form in an Accept header that can be made, None where there is none.

    `discovery` knows the aggregated form and no other; without `tables` there are none.
    """
    if not accept or accept in (JSON, "*/*"):
        return DEFAULT
    clauses = sorted(_clauses(accept), key=lambda one: -one[1])
    known = _DISCOVERY if discovery else _OBJECTS if tables else _METADATA
    for types in (_TYPES, _LAST_RESORT):
        for media_type, _, given in clauses:
            output = _output(types.get(media_type), given, known)
            if output is not None:
                return output
    return None


def prettily(output: Output, params: Mapping[str, str], user_agent: str) -> Output:
    """Return the form in several lines where the query or the kind of client asks for it."""
    asked = params.get("pretty", "")
    pretty = says_true(asked) if asked else user_agent.startswith(_PRETTY_AGENTS)
    return replace(output, pretty=True) if pretty else output


def takes_text(accept: str) -> bool:
    """Tell whether a client takes plain text in UTF-8."""
    if not accept:
        return True
    return any(
        media_type in ("*/*", "text/*", "*/plain", "text/plain")
        and given in ({}, {"charset": "utf-8"})
        for media_type, _, given in _clauses(accept)
    )


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
    chosen: str | None, given: dict[str, str], known: frozenset[tuple[str, str, str]]
) -> Output | None:
    if chosen is None:
        return None
    transform = given.get("as", "")
    if not transform:
        return Output(chosen)
    if chosen is PROTOBUF and not transform.startswith("PartialObjectMetadata"):
        return None  # cells of a Table may be anything, which has no message
    wanted = given.get("g", ""), given.get("v", ""), transform
    return Output(chosen, transform, wanted[1]) if wanted in known else None
