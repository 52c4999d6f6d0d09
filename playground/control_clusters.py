"""Control API: clusters are listed, made, read, changed and deleted."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from apimachinery.clock import format_time
from apimachinery.errors import Invalid
from apimachinery.gvk import GroupKind
from apimachinery.validation.field import FieldErrors, Path, invalid, not_supported, required
from apimachinery.validation.names import is_dns1123_label
from playground.cluster import RunningCluster
from playground.cluster_templates import DEFAULT, TEMPLATES, template_of
from playground.cluster_templates.features import ALL
from playground.control_call import SUCCESS, Answer, Call, Routes
from playground.machines import LARGEST

_KIND = GroupKind("kubeground.io", "Cluster")
_TEXT = re.compile(r"[^\x00-\x1f]{0,253}")


async def list_clusters(call: Call) -> Answer:
    return 200, {"items": [summary(cluster) for cluster in call.fleet]}


async def create(call: Call) -> Answer:
    wanted = {"template": DEFAULT, "owner": "", "features": None, **call.json()}
    wanted.setdefault("nodes", template_of(str(wanted["template"])).size.nodes)
    if errors := list(_errors(wanted)):
        raise Invalid(_KIND, str(wanted.get("name") or ""), errors)
    cluster = await call.fleet.create(
        wanted["name"],
        nodes=wanted["nodes"],
        template=wanted["template"],
        owner=wanted["owner"],
        features=wanted["features"],
    )
    return 201, summary(cluster) | {"kubeconfig": cluster.admin_kubeconfig()}


async def read(call: Call) -> Answer:
    return 200, summary(call.cluster())


async def change(call: Call) -> Answer:
    """Give a cluster another owner."""
    cluster = call.cluster()
    wanted = {"owner": cluster.store.record.owner, **call.json()}
    if errors := list(_owner_errors(wanted["owner"])):
        raise Invalid(_KIND, call.name, errors)
    await call.fleet.set_owner(cluster, wanted["owner"])
    return 200, summary(cluster)


async def delete(call: Call) -> Answer:
    await call.fleet.delete(call.name)
    return 200, SUCCESS


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
    elif (size := template_of(str(wanted["template"])).size).fixed and nodes != size.nodes:
        yield invalid(Path("nodes"), nodes, f"this template has {size.nodes} nodes")
    if not isinstance(wanted["template"], str) or wanted["template"] not in TEMPLATES:
        yield not_supported(Path("template"), wanted["template"], sorted(TEMPLATES))
    yield from _owner_errors(wanted["owner"])
    yield from _feature_errors(wanted["features"])


def _feature_errors(features: Any) -> FieldErrors:
    if features is None:
        return
    if not isinstance(features, list):
        yield invalid(Path("features"), features, "must be a list")
        return
    for at, name in enumerate(features):
        if name not in ALL:
            yield not_supported(Path("features")[at], name, sorted(ALL))


def _owner_errors(owner: Any) -> FieldErrors:
    if not isinstance(owner, str) or not _TEXT.fullmatch(owner):
        yield invalid(Path("owner"), owner, "must be a short text")


ROUTES: Routes = {
    ("GET", 0, ""): list_clusters,
    ("POST", 0, ""): create,
    ("GET", 1, ""): read,
    ("PATCH", 1, ""): change,
    ("DELETE", 1, ""): delete,
}
