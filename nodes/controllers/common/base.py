"""What every controller of the manager is: who it acts as, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from apimachinery.gvk import GroupResource, GroupVersionKind
from apimachinery.meta import Obj
from nodes.client.controller import Context, Controller
from nodes.client.resources import ALL, Res
from nodes.controllers.common.counting import Counts


def built_in() -> Sequence[Res]:
    return ALL


def no_content(name: str) -> None:
    """Keep no content: there is none to forget."""


def no_schema(kind: GroupVersionKind) -> Obj | None:
    """Know no custom kind."""


class Authority(Protocol):
    """What signs with the keys of the cluster; the keys themselves stay where they are."""

    def sign_request(self, pem: bytes, usages: Sequence[str], seconds: float | None) -> str:
        """Return a certificate for a certificate request, both in PEM."""
        ...

    def account_token(self, account: Obj, secret: str) -> str:
        """Return the token of a service account that the secret of this name is to hold."""
        ...


@dataclass(frozen=True, slots=True)
class Served:
    """The kinds that a cluster serves now, custom ones included.

    resources: every resource that can be listed, watched and deleted.
    schema_of: the OpenAPI schema of a custom kind, None for any other.
    stale: the versions ("group/version") whose servers cannot say now what they serve.
    features: what is on of `apimachinery.features`.
    stored: how the API server stores built-in kinds: ServerStorageVersions by the names of their
    StorageVersions.
    """

    resources: Callable[[], Sequence[Res]] = built_in
    schema_of: Callable[[GroupVersionKind], Obj | None] = no_schema
    stale: Callable[[], Sequence[str]] = tuple
    features: frozenset[str] = frozenset()
    stored: Callable[[], Mapping[str, Obj]] = dict


@dataclass(frozen=True, slots=True)
class ManagerContext(Context):
    """A controller's context, and what the cluster as a whole knows.

    served: the kinds that are served now.
    root_ca: the PEM bundle by which pods know the API server.
    discard_volume: forget what a persistent volume held, by its name.
    authority: holds the cluster's keys, where there is one.
    counts: what is counted, where somebody can read it.
    """

    served: Served = field(default=Served())
    root_ca: str = ""
    discard_volume: Callable[[str], None] = field(default=no_content)
    authority: Authority | None = None
    counts: Counts | None = None


class Managed(Protocol):
    """What the manager runs. `service_account` acts; `component` signs the events.

    Without a service account it is the manager itself who acts, or the API server if it is one of
    the server's controllers.
    """

    name: ClassVar[str]
    service_account: ClassVar[str]
    component: ClassVar[str]

    def __init__(self, context: ManagerContext) -> None: ...

    def start(self) -> None: ...

    def release(self) -> None: ...

    def stop(self) -> None: ...

    @property
    def idle(self) -> bool: ...


class ManagedController(Controller):
    """A controller of one resource, as the manager runs it."""

    service_account: ClassVar[str]
    component: ClassVar[str]

    def __init__(self, context: ManagerContext) -> None:
        super().__init__(context)
        self.manager = context

    def count(self, metric: str, *labels: str, times: int = 1) -> None:
        """Count what happened; the values of labels come in the order of `COUNTED`."""
        if self.manager.counts is not None:
            self.manager.counts.add(metric, *labels, times=times)

    def measure(self, metric: str, value: float) -> None:
        """Put a value into a histogram of `MEASURED`."""
        if self.manager.counts is not None:
            self.manager.counts.measure(metric, value)


# Events tell of objects; nothing is collected or counted on their account.
EVENTS_OF_OLD_AND_NEW = frozenset(
    {GroupResource("", "events"), GroupResource("events.k8s.io", "events")}
)
