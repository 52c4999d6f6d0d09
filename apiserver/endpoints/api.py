"""One cluster's API: what is served, to whom, by which rules, and a memory of who asked what.

A `ClusterApi` is put together by the composition root out of parts that know nothing of each
other. It holds no requests: `chain.serve` takes it along with each.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from enum import Enum
from typing import Any, Protocol

from apimachinery.clock import Clock
from apimachinery.meta import Obj
from apiserver.admission.chain import AdmissionChain
from apiserver.auth.cluster import ClusterAuth
from apiserver.endpoints.aggregation.remotes import Remotes
from apiserver.endpoints.auditing import Auditor
from apiserver.endpoints.metrics import Metrics
from apiserver.endpoints.options import ServingOptions
from apiserver.endpoints.pace import Pace
from apiserver.endpoints.trace import Traces
from apiserver.endpoints.trouble import Trouble
from apiserver.flowcontrol.filter import FlowFilter
from apiserver.flowcontrol.inflight import InFlightLimit
from apiserver.registry.catalog import Catalog
from apiserver.registry.core import componentstatuses
from apiserver.registry.metadata import Identity
from apiserver.registry.objects import StoredObjects
from apiserver.registry.resource import Resource
from apiserver.registry.store import Registry
from apiserver.storage import ClusterStore, Entry

# Returns the objects of a namespace ("" for all), or of one name ("" for all of them).
Read = Callable[[str, str], Awaitable[list[Obj]]]


class Phase(Enum):
    """What a cluster is about to do."""

    STARTING = "starting"
    SERVING = "serving"
    STOPPING = "stopping"


class NodeStreams(Protocol):
    """What the API server asks of kubelets: logs, and connections into containers."""

    def logs(
        self, node: str, namespace: str, pod: str, container: str, options: Mapping[str, str]
    ) -> AsyncIterator[bytes]:
        """Yield a container's log; goes on as long as `follow` says."""
        ...

    async def connect(self, request: Any, scope: Any, receive: Any, send: Any) -> None:
        """Serve an upgraded connection (exec, attach, portforward), which was authorized."""
        ...


class Proxy(Protocol):
    """Reaches ports of pods, services and nodes on the cluster's network."""

    async def fetch(self, request: Any, target: Any) -> Any:
        """Return the answer of what listens there."""
        ...


class ClusterApi:
    """The API of one cluster."""

    def __init__(
        self,
        *,
        name: str,
        store: ClusterStore,
        clock: Clock,
        auth: ClusterAuth,
        admission: AdmissionChain,
        catalog: Catalog | None = None,
        objects: StoredObjects | None = None,
        allocators: Mapping[str, Any] | None = None,
        source: random.Random | None = None,
        options: ServingOptions | None = None,
    ) -> None:
        self.name = name
        self.store = store
        self.clock = clock
        # What clients wait for: a cluster's own time may stand still, or run. Set by the
        # composition root, where the two are not the same.
        self.wall = clock
        self.auth = auth
        self.admission = admission
        self.catalog = catalog or Catalog()
        # Set by the composition root once the nodes are there; without them there are no logs.
        self.streams: NodeStreams | None = None
        self.proxy: Proxy | None = None
        # Names and uids can be repeated when the source is seeded; nothing secret comes from it.
        self.options = options = options or ServingOptions()
        self.identity = Identity(source or random.Random())  # noqa: S311
        self.objects = objects or StoredObjects(store)
        self.registry = Registry(store, clock, self.identity, self.objects, allocators)
        self.registry.room = options.room
        # Watches over HTTP that are open.
        self.watches = 0
        # Streams and connections that are open, each by what ends it.
        self.open_streams: set[Callable[[], object]] = set()
        # Tells what a definition of the past had served; without it, what is served now counts.
        self.custom_kind: Callable[[Entry], Resource | None] | None = None
        # Kinds of which nothing is stored: what there is, is computed when it is read.
        self.computed: dict[str, Read] = {}
        self.computed[componentstatuses.COMPONENTSTATUSES.key] = componentstatuses.read
        # Group-versions that are served by others, behind Services.
        self.remotes = Remotes()
        self.flow: FlowFilter | InFlightLimit = (
            FlowFilter(store, clock, options.flow, options.turns, options.request_timeout)
            if options.flow.enabled
            else InFlightLimit(options.flow)
        )
        self.audit: Auditor | None = (
            Auditor(options.audit, name, clock, options.audit_log) if options.audit else None
        )
        # What is broken of it on purpose.
        self.trouble = Trouble()
        self.traces = Traces()
        self.metrics = Metrics()
        self.pace = Pace()
        self.started = clock.seconds()
        # The composition root says otherwise while it starts and ends the cluster's parts.
        self.phase = Phase.SERVING
        # Documents made from one generation of the catalog, by name.
        self._documents: dict[Any, Any] = {}
        self._generation = self.catalog.generation

    def document(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what `make` makes of the catalog, made once for each state of it.

        None is no document: clients choose the paths, and what is not there must not be kept.
        """
        if self._generation != self.catalog.generation:
            self._generation = self.catalog.generation
            self._documents.clear()
        found = self._documents.get(key)
        if found is None and (found := make()) is not None:
            self._documents[key] = found
        return found
