"""One request to the worker's control API, and what a handler of it may ask of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from apimachinery.errors import BadRequest, NotFound
from apiserver.storage import ClusterRecord
from playground.cluster import RunningCluster
from playground.fleet import CLUSTERS, Fleet

# The status code, and what becomes JSON. Faults of the caller are ApiErrors.
Answer: TypeAlias = tuple[int, Any]
SUCCESS = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}


@dataclass(frozen=True, slots=True)
class Call:
    """A request below /kubeground/v1/clusters. `parts` is the path after that, in pieces."""

    fleet: Fleet
    parts: Sequence[str]
    query: Mapping[str, Sequence[str]]
    body: bytes
    headers: Sequence[tuple[bytes, bytes]] = ()

    @property
    def name(self) -> str:
        """Return the name of the cluster that it is about."""
        return self.parts[0]

    def cluster(self) -> RunningCluster:
        """Return the cluster that it is about. Raises NotFound, or that it rests."""
        found = self.fleet.find(self.name)
        if found is None:
            if (sleeper := self.fleet.sleeper(self.name)) is not None:
                raise sleeper.refusal()
            raise NotFound(CLUSTERS, self.name)
        return found

    def record(self) -> ClusterRecord:
        """Return the record of the cluster, at rest or not. Raises NotFound."""
        sleeper = self.fleet.sleeper(self.name)
        return sleeper.record if sleeper is not None else self.cluster().store.record

    def text(self, name: str, default: str = "") -> str:
        """Return a query parameter, the first one of its name."""
        return (self.query.get(name) or [default])[0]

    def number(self, name: str, default: int) -> int:
        """Return a query parameter that is a number. Raises BadRequest."""
        text = self.text(name, str(default))
        if not (text.isascii() and text.isdigit()):
            raise BadRequest(f'{name}: strconv.ParseUint: parsing "{text}": invalid syntax')
        return int(text[:18])

    def json(self) -> dict[str, Any]:
        """Return the body. Raises BadRequest."""
        try:
            given = orjson.loads(self.body)
        except ValueError as error:
            raise BadRequest(f"the body is not JSON: {error}") from error
        if not isinstance(given, dict):
            raise BadRequest("the body is not a JSON object")
        return given


Handler: TypeAlias = Callable[[Call], Awaitable[Answer]]
# By method, number of parts of the path, and the word after the cluster's name.
Routes: TypeAlias = Mapping[tuple[str, int, str], Handler]
