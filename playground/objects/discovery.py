"""Which kinds a cluster serves, as its own discovery says: built-in and custom alike."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import orjson

from playground.sandboxes.gateway import Gateway, Identity

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
# A custom resource shows up this soon; asking for each page would double its cost.
KEPT_SECONDS = 5.0
FORGOTTEN_SECONDS = 60.0
CORE = "core"  # stands for the group without a name in addresses


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind that can be listed."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    short: tuple[str, ...]
    verbs: tuple[str, ...]
    subresources: tuple[str, ...] = ()

    @property
    def slug_group(self) -> str:
        return self.group or CORE

    @property
    def title(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def many(self) -> str:
        """Return what several are called: "Pods", "NetworkPolicies", "People" of a Person."""
        pairs = zip(self.kind.lower(), self.plural, strict=False)
        same = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
        return self.kind[:same] + self.plural[same:]

    def path(self, namespace: str = "", name: str = "") -> str:
        """Return the address of the list, or of one object, within a cluster's API."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        middle = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{root}{middle}/{self.plural}" + (f"/{name}" if name else "")


class Catalog:
    """What clusters serve, remembered for a few seconds."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Identity], tuple[float, list[Resource]]] = {}

    def forget(self, cluster: str | None = None) -> None:
        """Ask again, about one cluster or about all."""
        for key in [one for one in self._known if cluster in (None, one[0])]:
            self._known.pop(key, None)

    def resources(self, gateway: Gateway, cluster: str, identity: Identity) -> list[Resource]:
        """Return every kind that can be listed, core first, then by group and name."""
        key = (cluster, identity)
        at, found = self._known.get(key, (0.0, []))
        if not found or time.monotonic() - at > KEPT_SECONDS:
            found = sorted(
                _read(gateway, cluster, identity), key=lambda r: (r.group != "", r.group, r.plural)
            )
            now = time.monotonic()
            for old in [
                one for one, (at, _) in self._known.items() if now - at > FORGOTTEN_SECONDS
            ]:
                self._known.pop(old, None)
            self._known[key] = (now, found)
        return found


CATALOG = Catalog()


def find(resources: list[Resource], group: str, version: str, plural: str) -> Resource | None:
    """Return the kind that an address names, or None."""
    wanted = "" if group == CORE else group
    for resource in resources:
        if (resource.group, resource.version, resource.plural) == (wanted, version, plural):
            return resource
    return None


def find_kind(resources: list[Resource], group: str, kind: str) -> Resource | None:
    """Return the resource of a kind, whatever its version: owner references name kinds."""
    for resource in resources:
        if (resource.group, resource.kind) == (group, kind):
            return resource
    return None


def _read(gateway: Gateway, cluster: str, identity: Identity) -> Iterator[Resource]:
    for root in ("/api", "/apis"):
        answer = gateway.api(cluster, identity, root, accept=f"{AGGREGATED},application/json")
        for group in orjson.loads(answer.content).get("items") or ():
            yield from _of_group(group)


def _of_group(group: Mapping[str, Any]) -> Iterator[Resource]:
    """Yield a group's kinds, each at its preferred version alone."""
    seen: set[str] = set()
    name = (group.get("metadata") or {}).get("name") or ""
    for version in group.get("versions") or ():
        for item in version.get("resources") or ():
            if "list" not in item.get("verbs", ()) or item["resource"] in seen:
                continue
            seen.add(item["resource"])
            yield Resource(
                group=name,
                version=version["version"],
                plural=item["resource"],
                kind=(item.get("responseKind") or {}).get("kind", ""),
                namespaced=item.get("scope") == "Namespaced",
                short=tuple(item.get("shortNames") or ()),
                verbs=tuple(item["verbs"]),
                subresources=tuple(sub["subresource"] for sub in item.get("subresources") or ()),
            )
