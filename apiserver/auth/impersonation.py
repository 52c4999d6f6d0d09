"""Impersonation: acting as someone else, where every part of that someone must be allowed.

Kubernetes tries the constrained modes first (the verbs impersonate-on:MODE:VERB on what is asked
for, then impersonate:MODE on whom) and the original verb `impersonate` last; the first refusal is
the one that the client reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import unquote

from apimachinery.errors import ApiError, BadRequest
from apimachinery.validation.names import is_dns1123_subdomain
from apiserver.auth.attributes import Attributes, Decision, forbidden, quote
from apiserver.auth.user import (
    ANONYMOUS,
    AUTHENTICATED,
    MASTERS,
    UNAUTHENTICATED,
    User,
    service_account_groups,
)

USER, UID, GROUP = "impersonate-user", "impersonate-uid", "impersonate-group"
EXTRA = "impersonate-extra-"
NODE_USER = "system:node:"
NODES = "system:nodes"
NODE_NAME_KEY = "authentication.kubernetes.io/node-name"
GROUP_NAME = "authentication.k8s.io"
# From so many groups or extras on, one check for all of them is tried first.
MANY = 4

Authorize = Callable[[Attributes], Decision]
Headers = Mapping[str, str] | Iterable[tuple[str, str]]


def wanted_user(headers: Headers) -> User | None:
    """Return whom the headers name, None if they name nobody.

    Repeated headers (groups, extras) need pairs rather than a mapping. Raises BadRequest.
    """
    name = uid = ""
    groups: list[str] = []
    extra: dict[str, tuple[str, ...]] = {}
    for header, value in _impersonation(headers):
        if header == USER:
            name = name or value
        elif header == UID:
            uid = uid or value
        elif header == GROUP:
            groups.append(value)
        elif header.startswith(EXTRA):
            key = unquote(header.removeprefix(EXTRA))
            extra[key] = (*extra.get(key, ()), value)
    user = User(name, tuple(groups), uid, extra)
    if not name and (uid or groups or extra):
        raise BadRequest(f"requested {_go_syntax(user)} without impersonating a user name")
    return user if name else None


def impersonate(
    wanted: User, by: User, authorize: Authorize, request: Attributes | None = None
) -> User:
    """Return the user as whom the request goes on. Raises Forbidden."""
    first: ApiError | None = None
    for mode in _modes(wanted, by, request):
        try:
            return mode.check(wanted, by, authorize, request)
        except ApiError as error:
            first = first or error
    assert first is not None  # noqa: S101 - the original mode always answers
    raise first


@dataclass(frozen=True, slots=True)
class _Mode:
    """One way to impersonate; `name` is "" for the original one."""

    name: str = ""

    @property
    def verb(self) -> str:
        return f"impersonate:{self.name}" if self.name else "impersonate"

    def check(
        self, wanted: User, by: User, authorize: Authorize, request: Attributes | None
    ) -> User:
        if self.name and request is not None:
            verb = f"impersonate-on:{self.name}:{request.verb}"
            _require(authorize, replace(request, user=by, verb=verb))
        actual = self._check_name(wanted, by, authorize)
        if wanted.uid:
            _require(authorize, self._about(by, "uids", wanted.uid))
        self._check_groups(wanted, by, authorize)
        self._check_extra(wanted, by, authorize)
        return _with_all_users_group(actual)

    def _about(self, by: User, resource: str, name: str = "") -> Attributes:
        group = GROUP_NAME
        if not self.name and resource in {"users", "groups", "serviceaccounts"}:
            group = ""
        return Attributes(by, self.verb, group, "v1", resource, name=name)

    def _check_name(self, wanted: User, by: User, authorize: Authorize) -> User:
        actual, asked = wanted, self._about(by, "users", wanted.name)
        node = node_name(wanted.name)
        if self.name and node:
            everyone = "*" if self.name == "associated-node" else node
            asked = replace(asked, resource="nodes", name=everyone)
            actual = replace(wanted, groups=(NODES,))
        if account := service_account_name(wanted.name):
            namespace, name = account
            asked = replace(asked, resource="serviceaccounts", namespace=namespace, name=name)
            if not wanted.groups:
                actual = replace(wanted, groups=service_account_groups(namespace))
        _require(authorize, asked)
        return actual

    def _check_groups(self, wanted: User, by: User, authorize: Authorize) -> None:
        asked = self._about(by, "groups")
        if self.name:
            if "" in wanted.groups:
                raise forbidden(asked, "impersonating the empty string group is not allowed")
            if MASTERS in wanted.groups:
                why = "impersonating the system:masters group is not allowed"
                raise forbidden(replace(asked, name=MASTERS), why)
            everyone = replace(asked, name="*")
            if len(wanted.groups) >= MANY and authorize(everyone).allowed:
                return
        for group in wanted.groups:
            _require(authorize, replace(asked, name=group))

    def _check_extra(self, wanted: User, by: User, authorize: Authorize) -> None:
        asked = self._about(by, "userextras")
        if self.name:
            for key, values in wanted.extra.items():
                if not key:
                    raise forbidden(
                        asked, "impersonating the empty string key in extra is not allowed"
                    )
                if "" in values:
                    raise forbidden(
                        asked, "impersonating the empty string value in extra is not allowed"
                    )
            everyone = replace(asked, subresource="*", name="*")
            count = sum(map(len, wanted.extra.values()))
            if count >= MANY and authorize(everyone).allowed:
                return
        for key, values in wanted.extra.items():
            for value in values:
                _require(authorize, replace(asked, subresource=key, name=value))


def _modes(wanted: User, by: User, request: Attributes | None) -> Iterator[_Mode]:
    if request is not None:
        only_name = not (wanted.uid or wanted.groups or wanted.extra)
        node, account = node_name(wanted.name), service_account_name(wanted.name)
        if only_name and node:
            if service_account_name(by.name) and by.extra.get(NODE_NAME_KEY) == (node,):
                yield _Mode("associated-node")
            yield _Mode("arbitrary-node")
        if only_name and account:
            yield _Mode("serviceaccount")
        if not node and not account:
            yield _Mode("user-info")
    yield _Mode()


def _require(authorize: Authorize, asked: Attributes) -> None:
    decision = authorize(asked)
    if not decision.allowed:
        raise forbidden(asked, decision.reason)


def node_name(user: str) -> str:
    """Return the node that a user name stands for, "" if it stands for none."""
    name = user.removeprefix(NODE_USER) if user.startswith(NODE_USER) else ""
    return name if name and not is_dns1123_subdomain(name) else ""


def service_account_name(user: str) -> tuple[str, str] | None:
    """Return the namespace and name of the service account that a user name stands for."""
    parts = user.split(":")
    if len(parts) == 4 and parts[:2] == ["system", "serviceaccount"] and parts[2] and parts[3]:
        return parts[2], parts[3]
    return None


def _with_all_users_group(user: User) -> User:
    if user.name == ANONYMOUS:
        group = UNAUTHENTICATED
    elif UNAUTHENTICATED in user.groups:
        return user
    else:
        group = AUTHENTICATED
    return user if group in user.groups else replace(user, groups=(*user.groups, group))


def _impersonation(headers: Headers) -> Iterator[tuple[str, str]]:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    for name, value in pairs:
        if name.startswith("impersonate-"):
            yield name, value


def _go_syntax(user: User) -> str:
    groups = "[]string(nil)"
    if user.groups:
        groups = f"[]string{{{', '.join(map(quote, user.groups))}}}"
    extra = "map[string][]string(nil)"
    if user.extra:
        entries = (
            f"{quote(key)}:[]string{{{', '.join(map(quote, values))}}}"
            for key, values in sorted(user.extra.items())
        )
        extra = f"map[string][]string{{{', '.join(entries)}}}"
    return (
        f"&user.DefaultInfo{{Name:{quote(user.name)}, UID:{quote(user.uid)}, "
        f"Groups:{groups}, Extra:{extra}}}"
    )
