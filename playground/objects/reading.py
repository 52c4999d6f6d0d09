"""Reads a cluster's API for a page, as its user. What one may not read is missing, and noted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import orjson
from django.http import Http404
from django.utils.translation import gettext as _

from playground.accounts.models import User
from playground.objects import discovery
from playground.objects.discovery import CATALOG, Resource
from playground.sandboxes import access
from playground.sandboxes.gateway import Cluster, Gateway, Identity, Refused

Object = Mapping[str, Any]
METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"


class Reader:
    """One user's view of one cluster, for the length of a request; of its past with `rev`."""

    def __init__(self, gateway: Gateway, user: User, name: str, rev: int | None = None) -> None:
        self.gateway = gateway
        self.rev = rev
        self.user = user
        self.cluster: Cluster = access.find(gateway, user, name)
        self.identity: Identity = access.identity(user, self.cluster)
        self.resources = CATALOG.resources(gateway, self.cluster.name, self.identity)
        # What could not be read, in the API's words: parts of a page say so instead of lying.
        self.refusals: list[str] = []
        # Kinds whose lists were refused: what is not in them may be there.
        self.unread: set[str] = set()

    def kind(self, group: str, version: str, plural: str) -> Resource:
        """Return the kind that an address names; raises Http404."""
        found = discovery.find(self.resources, group, version, plural)
        if found is None:
            text = _("The cluster serves no kind “%(plural)s” in %(group)s/%(version)s.")
            raise Http404(text % {"plural": plural, "group": group, "version": version})
        return found

    def titled(self, title: str) -> Resource:
        """Return a kind by plural and group, as in "deployments.apps"; raises Http404."""
        found = self.named(title)
        if found is None:
            raise Http404(_("The cluster serves no kind “%(kind)s”.") % {"kind": title})
        return found

    def named(self, title: str) -> Resource | None:
        """Return a kind by plural and group: "deployments.apps", "pods"."""
        return next((one for one in self.resources if one.title == title), None)

    def get(self, path: str, accept: str = "application/json", **params: str) -> dict[str, Any]:
        """Return what the API answers; raises Refused."""
        answer = self.gateway.api(
            self.cluster.name, self.identity, path, params, accept, rev=self.rev
        )
        return dict(orjson.loads(answer.content))

    def maybe(self, path: str, **params: str) -> Object | None:
        """Return an object, or None where there is none or one may not see it."""
        try:
            return self.get(path, **params)
        except Refused as error:
            self._note(error)
            return None

    def items(
        self, title: str, namespace: str = "", *, metadata: bool = False, **params: str
    ) -> list[Object]:
        """Return a list's objects; none of a kind that is not served or may not be listed."""
        resource = self.named(title)
        if resource is None:
            return []
        try:
            accept = METADATA if metadata else "application/json"
            found = self.get(resource.path(namespace), accept, **params).get("items") or []
        except Refused as error:
            self._note(error)
            self.unread.add(title)
            return []
        return list(found)

    def count(self, resource: Resource, namespace: str = "") -> int:
        """Return how many objects a list has, without reading them."""
        try:
            answer = self.get(resource.path(namespace), METADATA, limit="1")
        except Refused as error:
            self._note(error)
            return 0
        left = int((answer.get("metadata") or {}).get("remainingItemCount") or 0)
        return len(answer.get("items") or ()) + left

    def write(self, method: str, path: str, body: Any, content_type: str, **params: str) -> Any:
        """Send a change as the user; return the answer. Raises Refused."""
        response: httpx.Response = self.gateway.write(
            self.cluster.name,
            self.identity,
            method,
            path,
            body,
            content_type=content_type,
            params=params,
        )
        return response

    def _note(self, error: Refused) -> None:
        if error.code == 403:
            self.refusals.append(error.message)
        elif error.code != 404:
            raise error
