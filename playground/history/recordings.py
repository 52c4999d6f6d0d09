"""A cluster's log as one file: gzipped JSON with a change a line, made while it is sent.

Values of Secrets stay out unless they are asked for, and so does what an annotation of kubectl
repeats of them. Tokens of service accounts never go out.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import orjson
from asgiref.sync import sync_to_async

from playground.sandboxes.gateway import Cluster

KIND, API_VERSION = "Recording", "kubeground.io/v1"
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_TOKEN = "kubernetes.io/service-account-token"
# zlib's own number for a gzip header and trailer.
_GZIP = 16 + zlib.MAX_WBITS

Page = Mapping[str, Any]


async def pack(
    cluster: Cluster, first: Page, page: Callable[[int], Page], *, secrets: bool
) -> AsyncIterator[bytes]:
    """Yield the file. `first` is the log's first page, `page(after)` each of the others."""
    squeeze = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
    head = {
        "kind": KIND,
        "apiVersion": API_VERSION,
        "cluster": {"name": cluster.name, "template": first["template"], "nodes": first["nodes"]},
        "oldest": first["oldest"],
        "newest": first["newest"],
        "secrets": secrets,
        "failures": first["failures"],
    }
    yield squeeze.compress(orjson.dumps(head)[:-1] + b',"changes":[')
    found, separator = first, b"\n"
    while found["next"] is not None:
        lines = [orjson.dumps(_shown(change, secrets=secrets)) for change in found["changes"]]
        if lines:
            yield squeeze.compress(separator + b",\n".join(lines))
            separator = b",\n"
        found = await sync_to_async(page, thread_sensitive=False)(found["next"])
    yield squeeze.compress(b"\n]}\n") + squeeze.flush()


def _shown(change: Mapping[str, Any], *, secrets: bool) -> Mapping[str, Any]:
    if change["resource"] != "secrets":
        return change
    obj = dict(change["object"])
    if secrets and obj.get("type") != _TOKEN:
        return change
    obj["data"] = dict.fromkeys(obj.get("data") or {}, "")
    meta = dict(obj.get("metadata") or {})
    notes = {k: v for k, v in (meta.get("annotations") or {}).items() if k != _APPLIED}
    if "annotations" in meta:
        meta["annotations"] = notes
    obj["metadata"] = meta
    return {**change, "object": obj}
