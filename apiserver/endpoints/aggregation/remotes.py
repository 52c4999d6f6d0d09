"""The group-versions that extension API servers serve, and the way to these servers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from apimachinery.gvk import GroupVersion
from apimachinery.meta import Obj
from apiserver.endpoints.tunnels import Exchange

Fields = Iterable[tuple[str, str]]
DEFAULT_PORT = 443
# Bytes of the OpenAPI v2 documents of all servers of a cluster, as far as they are kept.
MAX_OPENAPI = 8 * 1024 * 1024
# Bytes of what they say that they serve. All of Kubernetes' own kinds take 60 KB.
MAX_DISCOVERY = 4 * 1024 * 1024
_APIS = "/apis/"


@dataclass(frozen=True, slots=True)
class Server:
    """A port of a Service behind which an extension API server is, and who vouches for it."""

    namespace: str
    service: str
    port: int = DEFAULT_PORT
    # PEM in base64, as the APIService holds it.
    ca_bundle: str = ""
    insecure: bool = False

    @classmethod
    def of(cls, apiservice: Obj) -> Server | None:
        """Return the server of an APIService, None for a local one."""
        spec: Mapping[str, Any] = apiservice.get("spec") or {}
        service = spec.get("service")
        if service is None:
            return None
        return cls(
            service.get("namespace") or "",
            service.get("name") or "",
            service.get("port") or DEFAULT_PORT,
            spec.get("caBundle") or "",
            bool(spec.get("insecureSkipTLSVerify")),
        )


class Servers(Protocol):
    """Reaches extension API servers on the cluster's network, as the front proxy they trust."""

    async def open(
        self,
        server: Server,
        method: str,
        target: str,
        fields: Fields,
        body: bytes = b"",
        timeout: float = 0.0,
    ) -> Exchange:
        """Send a request; return once the head of the answer is there.

        Raises Unresolved where the Service leads nowhere, CallError for all that happens later.
        """
        ...


class Unresolved(Exception):
    """The Service is not there, or has no endpoints."""


class OpenApiV2(NamedTuple):
    """What a server's OpenAPI v2 document says of one group-version, and which document that was.

    `part` is what `openapi_merging.part_of` makes of it.
    """

    part: bytes = b""
    etag: str = ""
    digest: bytes = b""


NO_OPENAPI = OpenApiV2()


@dataclass(slots=True)
class Remote:
    """One version of a group behind a Service."""

    name: str
    version: GroupVersion
    server: Server
    available: bool = False
    # What discovery says of it: the APIResources, and the version of an APIGroupDiscovery.
    resources: list[Obj] = field(default_factory=list)
    discovered: Obj = field(default_factory=dict)
    # Bytes of both.
    size: int = 0
    # Its entry in the index of OpenAPI documents, where it has one.
    openapi: Obj | None = None
    # What it said last: a server that does not answer may come back.
    openapi_v2: OpenApiV2 = NO_OPENAPI


class Remotes:
    """All of them, by group and version."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Remote] = {}
        # Set by the composition root; without it nobody is reached.
        self.servers: Servers | None = None

    def __bool__(self) -> bool:
        return bool(self._known)

    def __iter__(self) -> Iterator[Remote]:
        return iter(self._known.values())

    def put(self, remote: Remote) -> None:
        self._known[remote.version.group, remote.version.version] = remote

    def get(self, version: GroupVersion) -> Remote | None:
        return self._known.get((version.group, version.version))

    def has_room_for_discovery(self) -> bool:
        """Tell whether all that is known of what servers serve may be kept."""
        return sum(one.size for one in self) <= MAX_DISCOVERY

    def has_room(self) -> bool:
        """Tell whether all that is kept of OpenAPI v2 may be kept."""
        return sum(len(one.openapi_v2.part) for one in self) <= MAX_OPENAPI

    def remove(self, version: GroupVersion) -> bool:
        """Forget a group-version; tell whether it was known."""
        return self._known.pop((version.group, version.version), None) is not None

    def find(self, path: str) -> Remote | None:
        """Return who serves a path."""
        if not path.startswith(_APIS):
            return None
        group, _, rest = path[len(_APIS) :].partition("/")
        return self._known.get((group, rest.partition("/")[0]))
