"""Control API: clusters are listed, made, read, changed and deleted."""

from __future__ import annotations

import re
from typing import Any

from apimachinery.clock import format_seconds
from apimachinery.errors import Invalid
from apimachinery.gvk import GroupKind
from apimachinery.validation.field import FieldErrors, Path, invalid, not_supported, required
from apimachinery.validation.names import is_dns1123_label
from apiserver.storage import ClusterRecord
from nodes.kubelet.node import VERSION
from playground.cluster import RunningCluster
from playground.cluster_templates import DEFAULT, TEMPLATES, template_of
from playground.cluster_templates.features import ALL
from playground.control_call import SUCCESS, Answer, Call, Routes
from playground.machines import LARGEST
from playground.resting import EXPIRES, USED, Sleeper

KIND = GroupKind("kubeground.io", "Cluster")
_TEXT = re.compile(r"[^\x00-\x1f]{0,253}")


async def list_clusters(call: Call) -> Answer:
    running = [summary(cluster) for cluster in call.fleet]
    return 200, {"items": running + [asleep(each) for each in call.fleet.sleepers()]}


async def create(call: Call) -> Answer:
    wanted: dict[str, Any] = {"template": DEFAULT, "owner": "", "features": None, "expires": None}
    wanted |= call.json()
    wanted.setdefault("nodes", template_of(str(wanted["template"])).size.nodes)
    if errors := list(_errors(wanted)):
        raise Invalid(KIND, str(wanted.get("name") or ""), errors)
    cluster = await call.fleet.create(
        wanted["name"],
        nodes=wanted["nodes"],
        template=wanted["template"],
        owner=wanted["owner"],
        features=wanted["features"],
        expires=wanted["expires"],
    )
    return 201, summary(cluster) | {"kubeconfig": cluster.admin_kubeconfig(holder=wanted["owner"])}


async def read(call: Call) -> Answer:
    return 200, _described(call)


async def change(call: Call) -> Answer:
    """Give a cluster another owner, or another end."""
    record = call.record()
    wanted = {"owner": record.owner, "expires": record.settings.get(EXPIRES), **call.json()}
    if errors := [*_owner_errors(wanted["owner"]), *_expiry_errors(wanted["expires"])]:
        raise Invalid(KIND, call.name, errors)
    if record.owner != wanted["owner"]:
        await call.fleet.revoke(record, "")
    record.owner = wanted["owner"]
    await call.fleet.change(record, **{EXPIRES: wanted["expires"]})
    return 200, _described(call)


async def delete(call: Call) -> Answer:
    await call.fleet.delete(call.name)
    return 200, SUCCESS


def summary(cluster: RunningCluster) -> dict[str, Any]:
    """Return what the list shows of a cluster that runs."""
    about = _about(cluster.store.record, cluster.used)
    return about | {
        "nodes": len(cluster.store.list("nodes")),
        "pods": len(cluster.store.list("pods")),
        "revision": cluster.store.revision,
        "server": cluster.server,
        "state": "running",
    }


def asleep(sleeper: Sleeper) -> dict[str, Any]:
    """Return what the list shows of a cluster at rest."""
    about = _about(sleeper.record, sleeper.record.settings.get(USED) or 0.0)
    return about | {"pods": sleeper.pods, "state": "paused"}


def _about(record: ClusterRecord, used: float) -> dict[str, Any]:
    expires = record.settings.get(EXPIRES)
    return {
        "name": record.name,
        "uid": record.uid,
        "owner": record.owner,
        "template": record.template,
        "nodes": record.nodes,
        "version": VERSION,
        "created": format_seconds(record.created),
        "used": format_seconds(used) if used else None,
        "expires": format_seconds(expires) if expires else None,
        "revision": record.revision,
    }


def _described(call: Call) -> dict[str, Any]:
    sleeper = call.fleet.sleeper(call.name)
    return asleep(sleeper) if sleeper is not None else summary(call.cluster())


def _expiry_errors(expires: Any) -> FieldErrors:
    number = isinstance(expires, int | float) and not isinstance(expires, bool)
    if expires is not None and not (number and 0 < expires < 1e11):
        yield invalid(Path("expires"), expires, "must be seconds since 1970")


def new_errors(wanted: dict[str, Any]) -> FieldErrors:
    """Yield what is wrong with a new cluster's name, owner or end."""
    name = wanted.get("name")
    if not name:
        yield required(Path("name"), "a cluster needs a name")
    elif not isinstance(name, str):
        yield invalid(Path("name"), name, "must be a string")
    else:
        for message in is_dns1123_label(name):
            yield invalid(Path("name"), name, message)
    yield from _owner_errors(wanted["owner"])
    yield from _expiry_errors(wanted["expires"])


def _errors(wanted: dict[str, Any]) -> FieldErrors:
    yield from new_errors(wanted)
    nodes = wanted["nodes"]
    if isinstance(nodes, bool) or not isinstance(nodes, int) or not 0 <= nodes <= LARGEST:
        yield invalid(Path("nodes"), nodes, f"must be between 0 and {LARGEST}, inclusive")
    elif (size := template_of(str(wanted["template"])).size).fixed and nodes != size.nodes:
        yield invalid(Path("nodes"), nodes, f"this template has {size.nodes} nodes")
    if not isinstance(wanted["template"], str) or wanted["template"] not in TEMPLATES:
        yield not_supported(Path("template"), wanted["template"], sorted(TEMPLATES))
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
