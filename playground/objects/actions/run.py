"""Does one action to one object, as the user, and says what the API answered. Raises Refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

import orjson
from django.utils import timezone

from playground.objects import facts
from playground.objects.actions import requests, rollback
from playground.objects.actions.requests import Call, Options, Target
from playground.objects.reading import Reader
from playground.sandboxes.gateway import Refused

AUDIT_ID = "Audit-Id"


def run(
    action: str, target: Target, options: Options, reader: Reader, *, dry: bool
) -> dict[str, Any]:
    """Do it, or ask what the API would say to it; return the outcome for the page."""
    call = _call(action, target, options, reader, dry=dry)
    params = {**call.params, **({"dryRun": "All"} if dry else {})}
    answer = reader.write(call.method, call.path, call.body, call.content_type, **params)
    found = orjson.loads(answer.content) if answer.content else {}
    return {
        "name": target.name,
        "namespace": target.namespace,
        "dry_run": dry,
        "audit_id": answer.headers.get(AUDIT_ID) or "",
        "message": _words(action, found),
        "revision": str((found.get("metadata") or {}).get("resourceVersion") or ""),
    }


def _call(action: str, target: Target, options: Options, reader: Reader, *, dry: bool) -> Call:
    if action == "undo":
        return rollback.call(target, int(options.get("revision") or 0), reader)
    if action == "trigger":
        cronjob = reader.get(target.path)
        body = requests.job_of(cronjob, str(options.get("jobName") or ""))
        return Call("POST", f"/apis/batch/v1/namespaces/{target.namespace}/jobs", body)
    if action in ("label", "annotate"):
        _refuse_overwriting(action, target, options, reader)
    if action == "restart":
        _refuse_paused(target, reader)
    now = timezone.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return requests.request_of(action, target, options, now=now, dry=dry)


def _refuse_overwriting(action: str, target: Target, options: Options, reader: Reader) -> None:
    """Keep a value that is there, as kubectl does without --overwrite."""
    if options.get("overwrite"):
        return
    item = reader.get(target.path)
    for key in requests.overwritten(action, item, options):
        field = "labels" if action == "label" else "annotations"
        value = facts.meta(item)[field][key]
        text = f"'{key}' already has a value ({value}), and --overwrite is false"
        raise Refused(409, {"reason": "Conflict", "message": text})


def _refuse_paused(target: Target, reader: Reader) -> None:
    if target.resource.plural != "deployments":
        return
    if facts.spec(reader.get(target.path)).get("paused"):
        text = f"can't restart paused deployment (run rollout resume first): {target.name}"
        raise Refused(409, {"reason": "Paused", "message": text})


def _words(action: str, answer: Mapping[str, Any]) -> str:
    """Return what the API said beside yes: a Status has words, an object what it waits for."""
    if answer.get("kind") == "Status":
        return str(answer.get("message") or "")
    finalizers = (answer.get("metadata") or {}).get("finalizers")
    if action == "delete" and finalizers:
        return f"waits for {', '.join(finalizers)}"
    return ""
