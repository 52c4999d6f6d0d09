"""The way to the cluster worker: its control API as ourselves, a cluster's API as the user.

    GatewayError
     ├─ Unreachable     nothing answered: the worker restarts, or never started
     └─ Refused         it answered with a Status: code, reason, message, causes

The admin token never leaves the site: a browser's request arrives as the user's session and goes
on as an impersonation, so that the API's own rules decide what the user sees.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote

import httpx
import orjson
from django.conf import settings

from playground.instance import Instance

CONTROL = "/kubeground/v1/clusters"
USER_AGENT = "kubeground-site"
# A list of 20,000 pods takes a second on a busy machine; longer than this is a fault.
TIMEOUT = httpx.Timeout(15.0, connect=3.0)
CREATION = httpx.Timeout(60.0, connect=3.0)
IMPORT = httpx.Timeout(180.0, connect=3.0)
# Every request of a page takes one; watches have a client of their own.
LIMITS = httpx.Limits(max_connections=64, max_keepalive_connections=16)


class GatewayError(Exception):
    """The cluster worker did not do what was asked."""


class Unreachable(GatewayError):
    """Nothing answered."""


class Refused(GatewayError):
    """The answer was a Status of failure."""

    def __init__(self, code: int, status: Mapping[str, Any], audit: str = "") -> None:
        super().__init__(str(status.get("message") or f"The API answered {code}."))
        self.code = code
        # By this the cluster's trace of the request is found.
        self.audit = audit
        self.reason = str(status.get("reason") or "")
        details = status.get("details") or {}
        self.about = str(details.get("name") or "")
        self.causes: list[dict[str, str]] = list(details.get("causes") or ())

    @property
    def message(self) -> str:
        return str(self)

    @property
    def paused(self) -> str:
        """Return the name of the cluster that does not answer because it was paused."""
        resting = any(cause.get("reason") == PAUSED for cause in self.causes)
        return self.about if resting else ""


_TEXTS = ("uid", "owner", "template", "created", "version", "used", "expires")
# The cause in the Status of a cluster at rest.
PAUSED = "ClusterPaused"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster as the control API describes it."""

    name: str
    uid: str
    owner: str
    template: str
    nodes: int
    created: str
    revision: int
    state: str
    version: str = ""
    pods: int = 0
    used: str = ""
    expires: str = ""

    @property
    def paused(self) -> bool:
        return self.state == "paused"

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> Cluster:
        """Return what an item of the list says; a field that is missing is empty."""
        texts = {key: str(item.get(key) or "") for key in _TEXTS}
        return cls(
            name=str(item["name"]),
            nodes=int(item.get("nodes") or 0),
            pods=int(item.get("pods") or 0),
            revision=int(item.get("revision") or 0),
            state=str(item.get("state") or "running"),
            **texts,
        )


@dataclass(frozen=True, slots=True)
class Identity:
    """As whom the API of a cluster is asked."""

    user: str
    groups: tuple[str, ...]

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Return the headers that make the request the user's."""
        return [
            ("Impersonate-User", self.user),
            *(("Impersonate-Group", group) for group in self.groups),
        ]


class Gateway:
    """Calls of pages and of the REST API; each blocks its thread until the answer is there."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def close(self) -> None:
        """Close the connections; the next call would fail."""
        self._client.close()

    def clusters(self) -> list[Cluster]:
        """Return every cluster, oldest first."""
        found = [Cluster.read(item) for item in self._control("GET", CONTROL)["items"]]
        return sorted(found, key=lambda cluster: (cluster.created, cluster.name))

    def create(self, name: str, owner: str, **wanted: Any) -> dict[str, Any]:
        """Make a cluster; return its name, server and kubeconfig.

        `wanted` may have: template, nodes, features.
        """
        body = {"name": name, "owner": owner, **wanted}
        # The worker goes on to answer others meanwhile: 5,000 pods take a while to be stored.
        return self._control("POST", CONTROL, json=body, timeout=CREATION)

    def fork(self, source: str, name: str, owner: str, **wanted: Any) -> dict[str, Any]:
        """Make a cluster that begins as another was; `wanted` may have: revision, expires."""
        body = {"name": name, "owner": owner, **wanted}
        place = f"{CONTROL}/{quote(source)}/fork"
        return self._control("POST", place, json=body, timeout=CREATION)

    def import_recording(
        self, name: str, owner: str, content: Iterable[bytes], expires: float | None
    ) -> dict[str, Any]:
        """Make a cluster of a recording; return what the file had that the cluster has not."""
        about = {"owner": owner} | ({"expires": str(expires)} if expires else {})
        place = f"{CONTROL}/{quote(name)}/import"
        # Written as a generator: httpx sends it in pieces, as it is read from the upload.
        pieces = (bytes(piece) for piece in content)
        return self._control("POST", place, params=about, content=pieces, timeout=IMPORT)

    def delete(self, name: str) -> None:
        """Delete a cluster and everything in it."""
        self._control("DELETE", f"{CONTROL}/{quote(name)}")

    def change(self, name: str, what: Mapping[str, Any]) -> dict[str, Any]:
        """Change what is known of a cluster: its owner, or when it expires."""
        return self._control("PATCH", f"{CONTROL}/{quote(name)}", json=what)

    def pause(self, name: str) -> None:
        """Put a cluster to rest."""
        self._control("POST", f"{CONTROL}/{quote(name)}/pause")

    def resume(self, name: str, expires: float | None) -> None:
        """Open a cluster that rests, until its time is up."""
        path = f"{CONTROL}/{quote(name)}/resume"
        self._control("POST", path, json={"expires": expires}, timeout=CREATION)

    def picture(self, name: str, since: int) -> dict[str, Any]:
        """Return what a small picture of a cluster shows, if it is newer than a revision."""
        path = f"{CONTROL}/{quote(name)}/picture"
        return self._control("GET", path, params={"since": since})

    def control(self, name: str, *path: str, method: str = "GET", **options: Any) -> dict[str, Any]:
        """Return what the worker's control API says of a cluster."""
        below = "/".join(quote(part, safe="") for part in (name, *path))
        return self._control(method, f"{CONTROL}/{below}", **options)

    def kubeconfig(self, name: str, user: str) -> str:
        """Return a kubeconfig for the user, as YAML."""
        answer = self._control("GET", f"{CONTROL}/{quote(name)}/kubeconfig", params={"user": user})
        return str(answer["kubeconfig"])

    def kubeconfig_for(
        self,
        name: str,
        user: str,
        groups: Sequence[str],
        days: float,
        *,
        token: str = "",
        holder: str = "",
    ) -> str:
        """Return a kubeconfig for anybody, good for some days; with a token if there is one.

        `holder` is the account that it is given to.
        """
        body = {"user": user, "groups": [*groups], "days": days, "token": token, "holder": holder}
        return str(self.page("POST", name, "kubeconfig", body)["kubeconfig"])

    def as_user(
        self, name: str, identity: Identity, /, *path: str, **params: str | Sequence[str]
    ) -> dict[str, Any]:
        """Return what the control API says of a cluster, as far as the user may know it."""
        return self._as_user("GET", name, identity, path, params=params)

    def post_as_user(
        self, name: str, identity: Identity, /, *path: str, body: Any
    ) -> dict[str, Any]:
        """Ask the control API something that takes a body, as the user."""
        return self._as_user("POST", name, identity, path, json=body)

    def _as_user(
        self, method: str, name: str, identity: Identity, path: Sequence[str], **options: Any
    ) -> dict[str, Any]:
        below = "/".join(quote(part, safe="") for part in (name, *path))
        headers = httpx.Headers(identity.headers)
        response = self._send(method, f"{CONTROL}/{below}", headers, **options)
        return dict(orjson.loads(response.content))

    def revoke(self, name: str, holder: str) -> None:
        """Let what an account was given count no more; with "" what anybody was given."""
        self.page("POST", name, "revoke", {"holder": holder})

    def access(
        self, name: str, identity: Identity, page: str, params: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return who may do what ("access"), or why somebody may ("why"), to who may know it."""
        return self.as_user(name, identity, page, **params)

    def first_connection(self, name: str) -> dict[str, str] | None:
        """Return the first request of a client that is not the site, or None."""
        found = self._control("GET", f"{CONTROL}/{quote(name)}/connections").get("first")
        return dict(found) if found else None

    def api(
        self,
        cluster: str,
        identity: Identity,
        path: str,
        params: Mapping[str, str] | None = None,
        accept: str = "application/json",
        *,
        rev: int | None = None,
    ) -> httpx.Response:
        """Return what a cluster's API answers to a GET as the user; raises when it refuses.

        With `rev` it answers as the cluster was at that revision.
        """
        headers = httpx.Headers([*identity.headers, ("Accept", accept)])
        return self._send("GET", f"{api_root(cluster, rev)}{path}", headers, params=params)

    def search(
        self, cluster: str, identity: Identity, words: str, limit: int, rev: int | None = None
    ) -> dict[str, Any]:
        """Return the objects that the user may list whose names fit best, and how many do."""
        about = [("q", words), ("limit", str(limit)), ("user", identity.user)]
        about += [] if rev is None else [("rev", str(rev))]
        params = [*about, *(("group", group) for group in identity.groups)]
        return self._control("GET", f"{CONTROL}/{quote(cluster)}/search", params=params)

    def page(self, method: str, cluster: str, page: str, body: Any = None) -> dict[str, Any]:
        """Ask one of the control API's pages of a cluster; raises when it refuses."""
        return self._control(method, f"{CONTROL}/{quote(cluster)}/{quote(page)}", json=body)

    def moment(self, cluster: str, rev: int | None = None) -> dict[str, Any]:
        """Return when a revision was (or the newest), and the ends of the log."""
        params = {} if rev is None else {"rev": str(rev)}
        return self._control("GET", f"{CONTROL}/{quote(cluster)}/history/moment", params=params)

    def history(
        self, cluster: str, identity: Identity, page: str = "", **params: str
    ) -> dict[str, Any]:
        """Return what the log tells on one of its pages, as far as the user may know it."""
        return self.as_user(cluster, identity, "history", *page.split("/")[1:], **params)

    def write(
        self,
        cluster: str,
        identity: Identity,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        params: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Return what a cluster's API answers to a change as the user; raises when it refuses."""
        named = ("Content-Type", content_type)
        headers = httpx.Headers([*identity.headers, ("Accept", "application/json"), named])
        # Bytes are a text that is sent as it is.
        content = body if body is None or isinstance(body, bytes) else orjson.dumps(body)
        path = f"/clusters/{quote(cluster)}{path}"
        return self._send(method, path, headers, params=params, content=content)

    def _control(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        response = self._send(method, path, None, **options)
        found = orjson.loads(response.content) if response.content else {}
        return dict(found)

    def _send(
        self, method: str, path: str, headers: httpx.Headers | None, **options: Any
    ) -> httpx.Response:
        try:
            response = self._client.request(method, path, headers=headers, **options)
        except httpx.HTTPError as error:
            raise Unreachable(f"The cluster worker does not answer: {error}") from error
        if response.is_error:
            audit = response.headers.get("Audit-Id") or ""
            raise refusal(response.status_code, response.content, audit)
        return response


def api_root(cluster: str, rev: int | None = None) -> str:
    """Return where a cluster's API is served, now or as of a revision."""
    name = quote(cluster)
    return f"/clusters/{name}" if rev is None else f"{CONTROL}/{name}/at/{rev}"


def refusal(code: int, body: bytes, audit: str = "") -> Refused:
    """Return the error that an answer holds, Status or not."""
    try:
        status = orjson.loads(body)
    except orjson.JSONDecodeError:
        status = {}
    return Refused(code, status if isinstance(status, dict) else {}, audit)


def connection_options() -> dict[str, Any]:
    """Return what any client of the worker needs: its address, our CA, our token."""
    instance = Instance(settings.DATA_DIR)
    trust: ssl.SSLContext | bool = True
    if settings.API_URL.startswith("https://"):
        trust = ssl.create_default_context(cafile=str(instance.ca_certificate_file))
    return {
        "base_url": settings.API_URL,
        "verify": trust,
        "headers": {
            "Authorization": f"Bearer {instance.admin_token()}",
            "User-Agent": USER_AGENT,
        },
        # The machine's proxy settings are for other addresses.
        "trust_env": False,
    }


@cache
def gateway() -> Gateway:
    """Return the process's gateway; its client may be used by many threads at once."""
    return Gateway(httpx.Client(**connection_options(), timeout=TIMEOUT, limits=LIMITS))
