"""The worker's own small API, for the site: clusters are made, listed and deleted here.

It is served beside the Kubernetes API on the secure port, below /kubeground/v1, to whoever shows
the instance's token, and to nobody else. Errors are Statuses, as everywhere on that port.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import parse_qs

import orjson

from apimachinery.clock import format_time
from apimachinery.errors import (
    ApiError,
    BadRequest,
    Invalid,
    MethodNotAllowed,
    NotFound,
    PathNotFound,
    TooLarge,
    Unauthorized,
)
from apimachinery.gvk import GroupKind
from apimachinery.validation.field import FieldErrors, Path, invalid, not_supported, required
from apimachinery.validation.names import is_dns1123_label
from playground.cluster import RunningCluster
from playground.cluster_templates import TEMPLATES
from playground.fleet import CLUSTERS, Fleet
from playground.machines import LARGEST

PREFIX = "/kubeground/v1/"
_KIND = GroupKind("kubeground.io", "Cluster")
_LARGEST_BODY = 64 * 1024

Answer = tuple[int, Any]


class Control:
    """An ASGI application."""

    def __init__(self, fleet: Fleet, token: str) -> None:
        self._fleet = fleet
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            self._authenticate(scope)
            body = await _body(receive)
            code, answer = await self._route(scope, body)
        except ApiError as error:
            code, answer = error.code, error.status()
        payload = orjson.dumps(answer)
        await send(
            {
                "type": "http.response.start",
                "status": code,
                "headers": [
                    (b"content-type", b"application/json"),
                    (b"content-length", str(len(payload)).encode()),
                ],
            }
        )
        await send({"type": "http.response.body", "body": payload})

    def _authenticate(self, scope: Any) -> None:
        given = next((v for k, v in scope["headers"] if k == b"authorization"), b"")
        if not hmac.compare_digest(given, self._expected):
            raise Unauthorized

    async def _route(self, scope: Any, body: bytes) -> Answer:
        parts = scope["path"].removeprefix(PREFIX).rstrip("/").split("/")
        handlers: dict[tuple[str, int, str], Callable[..., Awaitable[Answer]]] = {
            ("GET", 1, ""): self._list,
            ("POST", 1, ""): self._create,
            ("GET", 2, ""): self._get,
            ("DELETE", 2, ""): self._delete,
            ("GET", 3, "kubeconfig"): self._kubeconfig,
            ("GET", 3, "audit"): self._audit,
            ("GET", 3, "connections"): self._connections,
            ("GET", 4, "decisions"): self._decisions,
        }
        if parts[0] != "clusters":
            raise PathNotFound
        what = parts[2] if len(parts) > 2 else ""
        handler = handlers.get((scope["method"], len(parts), what))
        if handler is None:
            known = any(n == len(parts) and w == what for _, n, w in handlers)
            raise MethodNotAllowed(CLUSTERS, scope["method"]) if known else PathNotFound()
        query = parse_qs(scope["query_string"].decode())
        return await handler(parts[1:], query, body)

    async def _list(self, parts: list[str], query: Any, body: bytes) -> Answer:
        return 200, {"items": [summary(cluster) for cluster in self._fleet]}

    async def _create(self, parts: list[str], query: Any, body: bytes) -> Answer:
        given = _json(body)
        wanted = {"nodes": 3, "template": "default", "owner": "", **given}
        if errors := list(_errors(wanted)):
            raise Invalid(_KIND, str(wanted.get("name") or ""), errors)
        cluster = await self._fleet.create(
            wanted["name"],
            nodes=wanted["nodes"],
            template=wanted["template"],
            owner=wanted["owner"],
        )
        return 201, summary(cluster) | {"kubeconfig": cluster.admin_kubeconfig()}

    async def _get(self, parts: list[str], query: Any, body: bytes) -> Answer:
        return 200, summary(self._find(parts[0]))

    async def _delete(self, parts: list[str], query: Any, body: bytes) -> Answer:
        await self._fleet.delete(parts[0])
        return 200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}

    async def _kubeconfig(self, parts: list[str], query: Any, body: bytes) -> Answer:
        user = (query.get("user") or ["kubernetes-admin"])[0]
        return 200, {"kubeconfig": self._find(parts[0]).admin_kubeconfig(user)}

    async def _audit(self, parts: list[str], query: Any, body: bytes) -> Answer:
        """Return the last audit events, the newest first; `limit` says how many."""
        audit = self._find(parts[0]).api.audit
        text = (query.get("limit") or ["100"])[0]
        if not (text.isascii() and text.isdigit()):
            raise BadRequest(f'strconv.ParseUint: parsing "{text}": invalid syntax')
        events = islice(audit.memory, min(int(text[:9]), len(audit.memory))) if audit else ()
        return 200, {"items": [orjson.Fragment(event) for event in events]}

    async def _connections(self, parts: list[str], query: Any, body: bytes) -> Answer:
        return 200, {"first": self._find(parts[0]).first_client}

    async def _decisions(self, parts: list[str], query: Any, body: bytes) -> Answer:
        attempts = self._find(parts[0]).scheduler.decisions.of(parts[2])
        return 200, {"items": [attempt.as_json() for attempt in attempts]}

    def _find(self, name: str) -> RunningCluster:
        cluster = self._fleet.find(name)
        if cluster is None:
            raise NotFound(CLUSTERS, name)
        return cluster


def summary(cluster: RunningCluster) -> dict[str, Any]:
    """Return what the list shows of a cluster."""
    record = cluster.store.record
    return {
        "name": record.name,
        "uid": record.uid,
        "owner": record.owner,
        "template": record.template,
        "nodes": record.nodes,
        "created": format_time(datetime.fromtimestamp(record.created, UTC)),
        "revision": cluster.store.revision,
        "server": cluster.server,
        "state": "running",
    }


_TEXT = re.compile(r"[^\x00-\x1f]{0,253}")


def _errors(wanted: dict[str, Any]) -> FieldErrors:
    name, nodes = wanted.get("name"), wanted["nodes"]
    if not name:
        yield required(Path("name"), "a cluster needs a name")
    elif not isinstance(name, str):
        yield invalid(Path("name"), name, "must be a string")
    else:
        for message in is_dns1123_label(name):
            yield invalid(Path("name"), name, message)
    if isinstance(nodes, bool) or not isinstance(nodes, int) or not 0 <= nodes <= LARGEST:
        yield invalid(Path("nodes"), nodes, f"must be between 0 and {LARGEST}, inclusive")
    if not isinstance(wanted["template"], str) or wanted["template"] not in TEMPLATES:
        yield not_supported(Path("template"), wanted["template"], sorted(TEMPLATES))
    if not isinstance(wanted["owner"], str) or not _TEXT.fullmatch(wanted["owner"]):
        yield invalid(Path("owner"), wanted["owner"], "must be a short text")


def _json(body: bytes) -> dict[str, Any]:
    try:
        given = orjson.loads(body)
    except ValueError as error:
        raise BadRequest(f"the body is not JSON: {error}") from error
    if not isinstance(given, dict):
        raise BadRequest("the body is not a JSON object")
    return given


async def _body(receive: Any) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise BadRequest("the client has gone")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > _LARGEST_BODY:
            raise TooLarge("the body is larger than 64 KiB")
        if not message.get("more_body"):
            return b"".join(parts)
