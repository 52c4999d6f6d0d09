"""What an extension API server says that it serves: its discovery, and its OpenAPI documents."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from apimachinery.gvk import GroupVersion
from apimachinery.meta import Obj
from apimachinery.schema import openapi_merging
from apiserver.endpoints.aggregation.availability import PROBER
from apiserver.endpoints.aggregation.proxying import MAX_WHOLE, user_fields
from apiserver.endpoints.aggregation.remotes import OpenApiV2, Remote, Servers, Unresolved
from apiserver.endpoints.negotiation import JSON
from apiserver.endpoints.tunnels import Exchange
from apiserver.registry.calling import CallError

logger = logging.getLogger(__name__)

TIMEOUT = 5.0
# What a server is told again is kept.
MAX_ETAG = 1024
_FORM = "application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList"
_ACCEPT = ",".join([*(_FORM.format(version) for version in ("v2", "v2beta1")), "application/json"])
_COPIED = ("shortNames", "categories")


async def discover(remote: Remote, servers: Servers) -> None:
    """Bring what is known of a group-version up to date; what cannot be read is stale."""
    path = f"/apis/{remote.version.api_version}"
    listed = await _read(remote, servers, path, JSON)
    if listed is None:
        remote.discovered = stale(remote)
        return
    remote.resources = [row for row in _list(listed, "resources") if _is_resource(row)]
    aggregated = await _read(remote, servers, "/apis", _ACCEPT)
    own = _version_of(aggregated or {}, remote.version)
    made = own or {"version": remote.version.version, "resources": _rows(remote)}
    remote.discovered = {**made, "freshness": "Current"}
    remote.size = len(orjson.dumps((remote.resources, made)))
    remote.openapi = await _openapi(remote, servers)
    remote.openapi_v2 = await _openapi_v2(remote, servers)


def forget(remote: Remote) -> None:
    """Keep nothing of what a server says that it serves."""
    remote.resources, remote.discovered, remote.size = [], {}, 0
    remote.discovered = stale(remote)


def stale(remote: Remote) -> Obj:
    """Return what discovery says of a version that cannot be asked."""
    found = {key: value for key, value in remote.discovered.items() if key != "freshness"}
    return {"version": remote.version.version, **found, "freshness": "Stale"}


async def _openapi(remote: Remote, servers: Servers) -> Obj | None:
    """Return the entry of an index of OpenAPI v3 documents, None where there is none."""
    found = await _read(remote, servers, "/openapi/v3", JSON)
    return _part(_part(found or {}, "paths"), f"apis/{remote.version.api_version}") or None


async def _openapi_v2(remote: Remote, servers: Servers) -> OpenApiV2:
    """Return what is to be known of the OpenAPI v2 document: what was, where nothing is new."""
    before = remote.openapi_v2
    asking = [("Accept", JSON), *([("If-None-Match", before.etag)] if before.etag else [])]
    answer = await _get(remote, servers, "/openapi/v2", asking)
    if answer is None or answer.status != 200:
        return before
    digest = hashlib.sha256(answer.body).digest()
    if digest == before.digest:
        return before._replace(etag=answer.etag)
    prefix = f"/apis/{remote.version.api_version}/"
    part = await asyncio.to_thread(openapi_merging.part_of, answer.body, prefix)
    if part is None:
        logger.warning("APIService %s: no OpenAPI v2 document, or too large a one", remote.name)
        return before._replace(etag=answer.etag, digest=digest)
    return OpenApiV2(part, answer.etag, digest)


async def _read(remote: Remote, servers: Servers, path: str, accept: str) -> Obj | None:
    """Return a document, None where there is none to be had."""
    answer = await _get(remote, servers, path, [("Accept", accept)])
    try:
        found = orjson.loads(answer.body) if answer and answer.status == 200 else None
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


class _Read(NamedTuple):
    """A whole answer."""

    status: int
    etag: str
    body: bytes


async def _get(
    remote: Remote, servers: Servers, path: str, asking: list[tuple[str, str]]
) -> _Read | None:
    """Return what a server answers, None where it does not, or with too much."""
    fields = [*asking, *user_fields(PROBER)]
    try:
        answer = await servers.open(remote.server, "GET", path, fields, timeout=TIMEOUT)
    except (CallError, Unresolved):
        return None
    try:
        async with asyncio.timeout(TIMEOUT):
            body = await _whole(answer)
    except (OSError, EOFError):
        return None
    finally:
        answer.close()
    etag = next((value for name, value in answer.fields if name.lower() == "etag"), "")
    return _Read(answer.status, etag[:MAX_ETAG], body)


async def _whole(answer: Exchange) -> bytes:
    """Return a body. Raises OSError for one that is too large: whoever serves it is a stranger."""
    body = bytearray()
    async for chunk in answer.body():
        body += chunk
        if len(body) > MAX_WHOLE:
            raise OSError("the document is too large")
    return bytes(body)


# -- what a document says, whatever it is ----------------------------------------------------------


def _part(document: Any, name: str) -> Obj:
    found = document.get(name) if isinstance(document, dict) else None
    return found if isinstance(found, dict) else {}


def _list(document: Any, name: str) -> list[Any]:
    found = document.get(name) if isinstance(document, dict) else None
    return found if isinstance(found, list) else []


def _is_resource(row: Any) -> bool:
    """Tell whether a row has what everybody looks for in an APIResource."""
    texts = isinstance(row, dict) and all(isinstance(row.get(k), str) for k in ("name", "kind"))
    return texts and all(isinstance(verb, str) for verb in _list(row, "verbs"))


def _version_of(document: Obj, version: GroupVersion) -> Obj | None:
    """Return a version out of an APIGroupDiscoveryList."""
    for group in _list(document, "items"):
        if _part(group, "metadata").get("name") == version.group:
            for one in _list(group, "versions"):
                if isinstance(one, dict) and one.get("version") == version.version:
                    return dict(one)
    return None


def _rows(remote: Remote) -> list[Obj]:
    """Return the resources of a legacy list as aggregated discovery has them."""
    whole = [row for row in remote.resources if "/" not in row["name"]]
    return [_row(row, remote) for row in whole]


def _row(row: Obj, remote: Remote) -> Obj:
    made: Obj = {
        "resource": row["name"],
        "responseKind": _kind(row, remote.version),
        "scope": "Namespaced" if row.get("namespaced") else "Cluster",
        "singularResource": row.get("singularName") or "",
        "verbs": list(row.get("verbs") or ()),
        **{key: row[key] for key in _COPIED if row.get(key)},
    }
    parts = _parts(row["name"], remote.resources)
    if parts:
        made["subresources"] = [
            {
                "subresource": part["name"].partition("/")[2],
                "responseKind": _kind(part, remote.version),
                "verbs": list(part.get("verbs") or ()),
            }
            for part in parts
        ]
    return made


def _parts(name: str, rows: Sequence[Obj]) -> list[Obj]:
    return [row for row in rows if row["name"].startswith(f"{name}/")]


def _kind(row: Obj, version: GroupVersion) -> Obj:
    return {
        "group": row.get("group") or version.group,
        "version": row.get("version") or version.version,
        "kind": row.get("kind") or "",
    }
