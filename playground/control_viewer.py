"""As whom a page of the control API is asked, and what that user may see of a cluster."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from apiserver.auth.attributes import Attributes, Decision, forbidden
from apiserver.auth.user import MASTERS, User
from apiserver.registry.resource import Resource
from apiserver.storage import Key
from playground.cluster import RunningCluster
from playground.control_call import Call

# What the control plane does is told to whoever may `get` this path, as for the API's own page.
METRICS = "/metrics"


class Viewer:
    """Asks the cluster's authorizers, each question once.

    Whoever has the instance's token may name anybody, so the headers are believed; without them
    it is the instance itself that looks.
    """

    def __init__(self, cluster: RunningCluster, user: User) -> None:
        self._cluster, self._user = cluster, user
        self._known: dict[tuple[str, str], bool] = {}

    @classmethod
    def of(cls, call: Call, cluster: RunningCluster) -> Viewer:
        """Return who a call is made for."""
        name, groups = "", []
        for header, value in call.headers:
            if header == b"impersonate-user":
                name = value.decode(errors="replace")
            elif header == b"impersonate-group":
                groups.append(value.decode(errors="replace"))
        user = User(name, tuple(groups)) if name else User("kubeground", (MASTERS,))
        return cls(cluster, user)

    def may_list(self, resource: str, namespace: str = "") -> bool:
        """Tell whether the user may list a resource, in one namespace or in all."""
        if MASTERS in self._user.groups:
            return True
        asked = (resource, namespace)
        if asked not in self._known:
            wanted = self._attributes("list", Key(resource, namespace, ""))
            self._known[asked] = self._cluster.auth.authorize(wanted).allowed
        return self._known[asked]

    def refusal(self, resource: str) -> str:
        """Return the API's words for why the user may not list a resource."""
        wanted = self._attributes("list", Key(resource, "", ""))
        return forbidden(wanted, self._cluster.auth.authorize(wanted).reason).message

    def sight(self, resources: Iterable[Resource], namespaces: Sequence[str]) -> Hashable:
        """Return what of some kinds the user may list: equal for all who may list the same."""
        if MASTERS in self._user.groups:
            return MASTERS
        return tuple((one.key, self._sees(one, namespaces)) for one in resources)

    def _sees(self, resource: Resource, namespaces: Sequence[str]) -> bool | tuple[str, ...]:
        if self.may_list(resource.key) or not resource.namespaced:
            return self.may_list(resource.key)
        return tuple(space for space in namespaces if self.may_list(resource.key, space))

    def may_see_control_plane(self) -> bool:
        """Tell whether the user may read what the control plane does."""
        return MASTERS in self._user.groups or self._metrics()[1].allowed

    def require_control_plane(self) -> None:
        """Raise Forbidden where the user may not read what the control plane does."""
        if not self.may_see_control_plane():
            wanted, decision = self._metrics()
            raise forbidden(wanted, decision.reason)

    def _metrics(self) -> tuple[Attributes, Decision]:
        wanted = Attributes(self._user, "get", path=METRICS, resource_request=False)
        return wanted, self._cluster.auth.authorize(wanted)

    def require_get(self, key: Key) -> None:
        """Raise Forbidden where the user may not read an object."""
        wanted = self._attributes("get", key)
        decision = self._cluster.auth.authorize(wanted)
        if not decision.allowed:
            raise forbidden(wanted, decision.reason)

    def _attributes(self, verb: str, key: Key) -> Attributes:
        resource, _, group = key.resource.partition(".")
        known = self._cluster.api.catalog.get(key.resource)
        version = known.kind.version if known is not None else "v1"
        return Attributes(self._user, verb, group, version, resource, "", key.namespace, key.name)
