"""What the audit log is told of a request: events of audit.k8s.io/v1, as far as the policy wants.

An event is made at each stage: RequestReceived once it is known who asks, ResponseStarted where a
stream begins, ResponseComplete at the end, Panic where something failed that nobody foresaw. For
a request that no rule wants nothing is made but the look at the rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from apimachinery.clock import Clock
from apimachinery.errors import ApiError
from apimachinery.meta import Obj
from apimachinery.protobuf import decode_request
from apiserver.audit import policy
from apiserver.audit.log import AuditLog, encode
from apiserver.audit.memory import AuditMemory
from apiserver.audit.policy import Asked, Level, Policy, Verdict
from apiserver.auth.reviews import user_info
from apiserver.auth.user import User
from apiserver.endpoints import body, yaml
from apiserver.endpoints.encode import json_of
from apiserver.endpoints.request import Answer, ApiRequest

# The log of a process is about all clusters that it serves.
CLUSTER = "kubeground.io/cluster"
LONGEST_AGENT = 1024
_NOBODY = User("")
_ABOUT = ("namespace", "name", "uid", "resourceVersion")
_STATUS = ("status", "message", "reason", "details", "code")


class Auditor:
    """The audit log of one cluster."""

    def __init__(self, rules: Policy, cluster: str, clock: Clock, log: AuditLog | None) -> None:
        self._policy, self._cluster, self.clock, self._log = rules, cluster, clock, log
        self.memory = AuditMemory()
        # How many events there were, and requests by level.
        self.events = 0
        self.levels: dict[str, int] = dict.fromkeys(policy.LEVEL_NAMES.values(), 0)

    def begin(self, request: ApiRequest, user: User | None) -> Trail | None:
        """Take up a request; None where no rule wants it."""
        verdict = self._policy.verdict(_asked(request, user or _NOBODY))
        level = Level.NONE if verdict is None else verdict.level
        self.levels[policy.LEVEL_NAMES[level]] += 1
        if verdict is None:
            return None
        trail = Trail(self, request, verdict, user)
        trail.note(policy.RECEIVED)
        return trail

    def unknown(self, request: ApiRequest, message: str, code: int) -> None:
        """Take up a request of which nobody knows who asks: its refusal is its only event."""
        verdict = self._policy.verdict(_asked(request, _NOBODY))
        if verdict is not None:
            Trail(self, request, verdict, None).unknown(message, code)

    def take(self, event: dict[str, Any]) -> None:
        """Keep an event, and have it written."""
        event["annotations"] = {**event.get("annotations", {}), CLUSTER: self._cluster}
        encoded = encode(event)
        self.events += 1
        self.memory.add(encoded)
        if self._log is not None:
            self._log.put(event, encoded)


class Trail:
    """The events of one request."""

    def __init__(
        self, auditor: Auditor, request: ApiRequest, verdict: Verdict, user: User | None
    ) -> None:
        self._auditor, self._request, self._verdict = auditor, request, verdict
        self._user = user
        self._status: Obj | None = None
        self._answered: Any = None

    def started(self, answer: Answer) -> None:
        """A stream begins."""
        self._status = {"metadata": {}, "code": answer.code}
        self.note(policy.STARTED)

    def ended(self) -> None:
        """The stream has ended."""
        self.note(policy.COMPLETE)

    def complete(self, answer: Answer | None, refusal: ApiError | None) -> None:
        """The answer is made."""
        status: Obj = {}
        if refusal is not None:
            status = refusal.status()
            self._answered = status
        elif answer is not None:
            if answer.obj is not None and answer.obj.get("kind") == "Status" and answer.as_is:
                status = answer.obj
            if self._verdict.level is Level.REQUEST_RESPONSE and answer.text is None:
                self._answered = self._without_managed(orjson.loads(json_of(self._request, answer)))
        code = refusal.code if refusal is not None else answer.code if answer is not None else 0
        shown = {name: status[name] for name in _STATUS if name in status}
        self._status = {"metadata": {}, **shown, "code": code}
        self.note(policy.COMPLETE)

    def panicked(self, error: BaseException) -> None:
        """Something failed that nobody foresaw."""
        self._status = {
            "metadata": {},
            "status": "Failure",
            "message": f"APIServer panic'd: {error}",
            "reason": "InternalError",
            "code": 500,
        }
        self.note(policy.PANIC)

    def unknown(self, message: str, code: int) -> None:
        """Nobody knows who asks: the answer begins, and that is all."""
        self._status = {"metadata": {}, "message": message, "code": code}
        self.note(policy.STARTED)

    def note(self, stage: str) -> None:
        """Make the event of a stage, unless it is left out."""
        if stage in self._verdict.omit_stages:
            return
        request, verdict = self._request, self._verdict
        event: dict[str, Any] = {
            "kind": "Event",
            "apiVersion": policy.VERSION,
            "level": policy.LEVEL_NAMES[verdict.level],
            "auditID": request.trace.audit_id,
            "stage": stage,
            "requestURI": _address(request),
            "verb": request.info.verb,
            "user": user_info(self._user or _NOBODY),
        }
        known = stage != policy.RECEIVED
        if known and request.user is not None and request.user is not self._user:
            event["impersonatedUser"] = user_info(request.user)
        if request.peers:
            event["sourceIPs"] = list(request.peers)
        if agent := request.user_agent:
            cut = agent[:LONGEST_AGENT]
            event["userAgent"] = cut if cut == agent else cut + "...TRUNCATED"
        sent = self._sent() if known else None
        if request.info.is_resource:
            event["objectRef"] = _about(request, sent)
        if self._status is not None:
            event["responseStatus"] = self._status
        if sent is not None and verdict.level >= Level.REQUEST:
            event["requestObject"] = self._without_managed(sent)
        if self._answered is not None and verdict.level is Level.REQUEST_RESPONSE:
            event["responseObject"] = self._answered
        event["requestReceivedTimestamp"] = _moment(request.trace.at)
        event["stageTimestamp"] = self._auditor.clock.micro_timestamp()
        if known:
            event["annotations"] = request.trace.annotations
        self._auditor.take(event)

    def _sent(self) -> Any:
        """Return the body as an object, None where it is none, or cannot be read."""
        request = self._request
        if request.info.verb in ("get", "list", "watch") or not request.body:
            return None
        raw = request.body
        if not isinstance(raw, bytes):
            return raw
        media_type = body.media_type(request)
        try:
            if media_type == body.PROTOBUF:
                return decode_request(raw)
            if media_type in (body.YAML, body.APPLY_PATCH):
                return yaml.load(raw)
            return orjson.loads(raw)
        except (ApiError, ValueError, yaml.YAMLError):
            return None

    def _without_managed(self, found: Any) -> Any:
        """Return an object, or a list of them, without managedFields if the policy says so."""
        if not self._verdict.omit_managed_fields or not isinstance(found, dict):
            return found
        kept = dict(found)
        if isinstance(meta := kept.get("metadata"), dict) and "managedFields" in meta:
            kept["metadata"] = {k: v for k, v in meta.items() if k != "managedFields"}
        if isinstance(items := kept.get("items"), list):
            kept["items"] = [self._without_managed(item) for item in items]
        return kept


def _asked(request: ApiRequest, user: User) -> Asked:
    info = request.info
    return Asked(
        user.name,
        user.groups,
        info.verb,
        info.is_resource,
        info.group,
        info.resource,
        info.subresource,
        info.namespace,
        info.name,
        info.path,
    )


def _about(request: ApiRequest, sent: Any) -> dict[str, str]:
    """Return what a request is about; what the path leaves out, the object that was sent says."""
    info = request.info
    meta: Mapping[str, Any] = {}
    if isinstance(sent, dict) and info.verb in ("create", "update"):
        found = sent.get("metadata")
        meta = found if isinstance(found, dict) else {}
    known = {
        "resource": info.resource,
        "namespace": info.namespace,
        "name": info.name,
        "uid": "",
        "apiGroup": info.group,
        "apiVersion": info.version,
        "resourceVersion": "",
        "subresource": info.subresource,
    }
    for name in _ABOUT:
        known[name] = known[name] or str(meta.get(name) or "")
    return {name: value for name, value in known.items() if value}


def _address(request: ApiRequest) -> str:
    query = request.query or (urlencode(request.params) if request.params else "")
    path = quote(request.info.path, safe="/:@!$&'()*+,;=~")
    return f"{path}?{query}" if query else path


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
