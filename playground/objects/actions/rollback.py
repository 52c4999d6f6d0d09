"""Earlier revisions of a Deployment, StatefulSet or DaemonSet: what differs, and the way back."""

from __future__ import annotations

from difflib import unified_diff
from typing import Any

import yaml

from playground.objects import facts
from playground.objects.actions.requests import Call, Target
from playground.objects.reading import Object, Reader
from playground.sandboxes.gateway import Refused

REVISION = "deployment.kubernetes.io/revision"
CAUSE = "kubernetes.io/change-cause"
HASH = "pod-template-hash"
# Annotations of a ReplicaSet that are its own, not the Deployment's.
_OWN = {
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
}


def revisions(target: Target, reader: Reader) -> list[dict[str, Any]]:
    """Return the revisions, the newest first, each with what going back would change."""
    item = reader.maybe(target.path) or {}
    now = _template(facts.spec(item).get("template") or {})
    found = []
    for number, source in sorted(_numbered(target, item, reader), reverse=True, key=_first):
        template = _template(_template_of(target, source))
        found.append(
            {
                "revision": number,
                "cause": (facts.meta(source).get("annotations") or {}).get(CAUSE) or "",
                "created": facts.meta(source).get("creationTimestamp") or "",
                "name": facts.name(source),
                "current": template == now,
                "diff": _difference(now, template),
            }
        )
    return found


def call(target: Target, revision: int, reader: Reader) -> Call:
    """Return the request that goes back; 0 is the revision before this one. Raises Refused."""
    item = reader.get(target.path)
    if facts.spec(item).get("paused"):
        text = (
            "cannot rollback a paused deployment; resume it first with "
            f"'kubectl rollout resume deployment/{target.name}'"
        )
        raise Refused(409, {"reason": "Paused", "message": text})
    known = sorted(_numbered(target, item, reader), key=_first)
    source = _chosen(known, revision)
    if source is None:
        text = (
            "no rollout history found"
            if not revision
            else f"unable to find specified revision {revision} in history"
        )
        raise Refused(404, {"reason": "NotFound", "message": text})
    if target.resource.plural != "deployments":
        # A ControllerRevision holds the patch itself.
        return Call(
            "PATCH", target.path, source.get("data") or {}, "application/strategic-merge-patch+json"
        )
    template = _template_of(target, source)
    annotations = _annotations(item, source)
    body = [
        {"op": "test", "path": "/metadata/uid", "value": facts.meta(item).get("uid")},
        {"op": "replace", "path": "/spec/template", "value": template},
        {"op": "add", "path": "/metadata/annotations", "value": annotations},
    ]
    return Call("PATCH", target.path, body, "application/json-patch+json")


def _annotations(item: Object, source: Object) -> dict[str, str]:
    """Return the Deployment's annotations of that time, with those that are always its own."""
    kept = {k: v for k, v in (facts.meta(item).get("annotations") or {}).items() if k in _OWN}
    back = {k: v for k, v in (facts.meta(source).get("annotations") or {}).items() if k not in _OWN}
    return {**back, **kept}


def _first(pair: tuple[int, Object]) -> int:
    return pair[0]


def _numbered(target: Target, item: Object, reader: Reader) -> list[tuple[int, Object]]:
    uid = str(facts.meta(item).get("uid") or "")
    deployment = target.resource.plural == "deployments"
    title = "replicasets.apps" if deployment else "controllerrevisions.apps"
    found = []
    for one in facts.owned_by(reader.items(title, target.namespace), {uid}):
        text = (facts.meta(one).get("annotations") or {}).get(REVISION) if deployment else None
        number = int(text or 0) if deployment else int(one.get("revision") or 0)
        if number:
            found.append((number, one))
    return found


def _chosen(known: list[tuple[int, Object]], revision: int) -> Object | None:
    if revision:
        return next((one for number, one in known if number == revision), None)
    return known[-2][1] if len(known) > 1 else None


def _template_of(target: Target, source: Object) -> Object:
    if target.resource.plural != "deployments":
        data = source.get("data") or {}
        return dict((data.get("spec") or {}).get("template") or {})
    template = dict(facts.spec(source).get("template") or {})
    meta = dict(template.get("metadata") or {})
    meta["labels"] = {k: v for k, v in (meta.get("labels") or {}).items() if k != HASH}
    return {**template, "metadata": meta}


def _template(template: Object) -> Object:
    """Return a template without what only the API writes, to compare."""
    meta = {
        k: v for k, v in (template.get("metadata") or {}).items() if v and k != "creationTimestamp"
    }
    return {**{k: v for k, v in template.items() if k != "$patch"}, "metadata": meta}


def _difference(now: Object, then: Object) -> str:
    before, after = (yaml.safe_dump(one, sort_keys=True).splitlines() for one in (now, then))
    return "\n".join(unified_diff(before, after, "now", "then", lineterm="", n=2))
