"""Who may do what in one cluster: the door that every request passes.

`ClusterAuth` holds a cluster's credentials and an index of its roles, which follows the store's
events. Nothing here waits or reads a disk. What one cluster knows (its CA, its token key, its
roles) is unknown to every other, which is what keeps tenants apart.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from apimachinery.clock import Clock
from apimachinery.meta import Obj
from apiserver.auth.abac import AbacAuthorizer
from apiserver.auth.attributes import Attributes, Decision
from apiserver.auth.authentication import Authenticator, TokenUser
from apiserver.auth.impersonation import Headers, impersonate, wanted_user
from apiserver.auth.node import NodeAuthorizer, node_of
from apiserver.auth.options import DEFAULTS, AuthOptions
from apiserver.auth.pki import ClientVerifier, Revoked, create_cluster_authority
from apiserver.auth.rbac import NO_OPINION, RESOURCES, RoleIndex
from apiserver.auth.remarks import Remarks
from apiserver.auth.source import Objects
from apiserver.auth.tokens import ServiceAccountTokens, create_token_key
from apiserver.auth.user import MASTERS, User
from apiserver.auth.viewers import Viewers
from apiserver.storage.feed import Feed, Subscription
from apiserver.storage.types import Entry, Event, Key

log = logging.getLogger(__name__)

SUPERUSER = Decision(True, "", MASTERS)
_RESOURCE_RULE = ("verbs", "apiGroups", "resources", "resourceNames")
_PATH_RULE = ("verbs", "nonResourceURLs")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A cluster's own keys, in PEM: its client CA, and what signs service account tokens."""

    ca_certificate: str
    ca_key: str
    token_key: str
    # Which certificates count no more, though their time is not up.
    revoked: Revoked = dict


def create_credentials(cluster_uid: str, clock: Clock) -> Credentials:
    """Make the keys of a new cluster."""
    ca = create_cluster_authority(cluster_uid, clock)
    return Credentials(ca.certificate, ca.key, create_token_key())


class UserInfo(Protocol):
    """What a decision needs to know of a user."""

    @property
    def name(self) -> str: ...

    @property
    def groups(self) -> tuple[str, ...]: ...

    @property
    def uid(self) -> str: ...


class Authorizer(Protocol):
    """One of those who are asked whether a request may go on."""

    def decide(self, wanted: Attributes, /) -> Decision | None:
        """Return None for users that are not its business."""
        ...


@dataclass(frozen=True, slots=True)
class Always:
    """Says the same of everything."""

    decision: Decision

    def decide(self, wanted: Attributes, /) -> Decision | None:
        del wanted
        return self.decision


ALWAYS = {
    "AlwaysAllow": Always(Decision(True, "", "AlwaysAllow")),
    "AlwaysDeny": Always(Decision(False, "Everything is forbidden.", "AlwaysDeny")),
}
MODES = ("AlwaysAllow", "AlwaysDeny", "ABAC", "RBAC", "Node")


@dataclass(frozen=True, slots=True)
class ResolvedRules:
    """What a user may do in a namespace, as a SelfSubjectRulesReview lists it."""

    resource_rules: list[dict[str, Any]]
    non_resource_rules: list[dict[str, Any]]
    incomplete: bool = False
    error: str = ""


class ClusterAuth:
    """Authentication and authorization of one cluster."""

    def __init__(
        self,
        credentials: Credentials,
        objects: Objects,
        clock: Clock,
        instance_tokens: Mapping[bytes, User] | None = None,
        options: AuthOptions = DEFAULTS,
        wall: Clock | None = None,
        parse: Callable[[Entry], Obj] = Entry.obj,
    ) -> None:
        """`wall` is the clock of issuers outside of the cluster; `parse` reads what is stored."""
        self.objects = objects
        self.parse = parse
        self.clock = clock
        self.ca_certificate = credentials.ca_certificate
        self.options = options
        self.tokens = ServiceAccountTokens(
            credentials.token_key,
            objects,
            clock,
            options.service_account_issuers,
            options.audiences,
        )
        self.roles = RoleIndex()
        self._authorizers = [*map(self._authorizer, options.modes), Viewers()]
        self._authenticator = Authenticator(
            ClientVerifier(credentials.ca_certificate, clock, credentials.revoked),
            self.tokens,
            objects,
            instance_tokens or {},
            options,
            wall or clock,
        )
        self._subscriptions: list[Subscription] = []

    # -- following the cluster's roles ----------------------------------------------------------

    def start(self, feed: Feed, revision: int) -> None:
        """Read all roles and bindings as they are at `revision`, and follow them from there."""
        self._load()
        for resource in RESOURCES:
            subscription = feed.subscribe(
                resource, after=revision, sink=self._take, closed=lambda _reason: None
            )
            self._subscriptions.append(subscription)

    def stop(self) -> None:
        """Follow no more."""
        for subscription in self._subscriptions:
            subscription.cancel()
        self._subscriptions.clear()

    def _load(self) -> None:
        for resource in RESOURCES:
            for entry in self.objects.list(resource, None):
                self._put(entry.key, entry.obj())

    def _take(self, events: Sequence[Event]) -> None:
        for event in events:
            key = event.entry.key
            if event.type == "DELETED":
                self.roles.remove(*key)
            else:
                self._put(key, event.obj)

    def _put(self, key: Key, obj: Obj) -> None:
        """Take in a role or binding; one that cannot be understood grants nothing.

        A fault must not end the subscription: rights that were taken away would be kept.
        """
        try:
            self.roles.put(key.resource, obj)
        except Exception:
            log.exception("cannot read %s", "/".join(key))
            self.roles.remove(*key)

    # -- the questions --------------------------------------------------------------------------

    def authenticate(
        self,
        headers: Mapping[str, str],
        certificates: Sequence[bytes] = (),
        path: str = "",
        remarks: Remarks | None = None,
    ) -> User | Awaitable[User]:
        """Return who asks; see `Authenticator.authenticate`. Raises Unauthorized."""
        return self._authenticator.authenticate(headers, certificates, path, remarks)

    def token_user(
        self, token: str, audiences: Sequence[str] = ()
    ) -> TokenUser | Awaitable[TokenUser]:
        """Return whose a bearer token is. Raises TokenRefused with the words for a review."""
        return self._authenticator.token_user(token, audiences)

    def impersonate(self, user: User, headers: Headers, request: Attributes | None = None) -> User:
        """Return the user to go on as: `user`, or whom the Impersonate headers name.

        `headers` is a mapping, or pairs where a header may come more than once. `request` is what
        is asked for; with it the constrained modes of impersonation are open too. Raises
        BadRequest or Forbidden.
        """
        wanted = wanted_user(headers)
        return user if wanted is None else impersonate(wanted, user, self.authorize, request)

    def authorize(self, attributes: Attributes) -> Decision:
        """Decide: the superusers' group, then each authorizer until one says yes."""
        if MASTERS in attributes.user.groups:
            return SUPERUSER
        refusals = []
        for each in self._authorizers:
            decision = each.decide(attributes)
            if decision is not None:
                if decision.allowed:
                    return decision
                if decision.reason:
                    refusals.append(decision)
        if len(refusals) < 2:
            return refusals[0] if refusals else NO_OPINION
        return Decision(False, "\n".join(each.reason for each in refusals), refusals[0].by)

    def _authorizer(self, mode: str) -> Authorizer:
        if mode == "RBAC":
            return self.roles
        if mode == "Node":
            return NodeAuthorizer(self.objects, self.parse)
        if mode == "ABAC":
            return AbacAuthorizer(self.options.policies)
        return ALWAYS[mode]

    def may(
        self,
        user: UserInfo,
        verb: str,
        group: str,
        resource: str,
        name: str,
        namespace: str = "",
        subresource: str = "",
    ) -> bool:
        """Tell whether the user may do something to an object."""
        who = User(user.name, user.groups, user.uid)
        asked = Attributes(who, verb, group, "*", resource, subresource, namespace, name)
        return self.authorize(asked).allowed

    def rules_for(self, user: User, namespace: str) -> ResolvedRules:
        """List what RBAC lets the user do in the namespace."""
        resources: list[dict[str, Any]] = []
        paths: list[dict[str, Any]] = []
        for rule in self._rules(user, namespace):
            if rule.get("resources"):
                resources.append({key: rule[key] for key in _RESOURCE_RULE if rule.get(key)})
            if rule.get("nonResourceURLs"):
                paths.append({key: rule[key] for key in _PATH_RULE if rule.get(key)})
        if "Node" in self.options.modes and node_of(user) is not None:
            why = "node authorizer does not support user rule resolution"
            return ResolvedRules(resources, paths, incomplete=True, error=why)
        return ResolvedRules(resources, paths)

    def _rules(self, user: User, namespace: str) -> Iterator[Mapping[str, Any]]:
        """Yield the rules of every authorizer that can list them."""
        for mode in self.options.modes:
            if mode == "RBAC":
                yield from self.roles.rules_for(user, namespace)
            elif mode == "ABAC":
                yield from AbacAuthorizer(self.options.policies).rules(user, namespace)
            elif mode == "AlwaysAllow":
                yield {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
                yield {"verbs": ["*"], "nonResourceURLs": ["*"]}
