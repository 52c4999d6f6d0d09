"""What is noted of a request when it is over: its trace, its counters."""

from __future__ import annotations

import logging
from time import perf_counter

from apimachinery.errors import ApiError
from apiserver.endpoints.metrics import Counted, Labels
from apiserver.endpoints.request import Answer, ApiRequest
from apiserver.endpoints.requestinfo import RequestInfo

logger = logging.getLogger(__name__)

_VERBS = frozenset(
    {
        "create",
        "delete",
        "deletecollection",
        "get",
        "head",
        "list",
        "options",
        "patch",
        "post",
        "put",
        "update",
        "watch",
    }
)
_APPLY = "application/apply-patch+yaml"
# Pages that kube-apiserver counts by their path.
_COUNTED_PAGES = frozenset({"/healthz", "/livez", "/readyz"})
# What of a client's words about itself is kept.
LONGEST_AGENT, LONGEST_MARK = 256, 64
# The server itself has ended these.
_TERMINATED = frozenset({413, 429, 504})


def finish(request: ApiRequest, answer: Answer | None, refusal: ApiError | None) -> None:
    """Note what became of a request; a stream is counted once it has ended."""
    trace, api = request.trace, request.api
    _close(request)
    api.traces.add(trace)
    if not trace.code:
        return  # the server ends, and nobody is answered any more
    # In process a watch has no stream, and goes on all the same.
    streaming = answer is not None and (
        answer.stream is not None or answer.code == 101 or request.info.verb == "watch"
    )
    if api.audit is not None:
        try:
            _audit(request, answer, refusal, streaming=streaming)
        except Exception:
            # Whoever asked gets what they asked for.
            logger.exception("audit: the last event of %s is lost", trace.audit_id)
    labels = labels_of(request)
    counted = api.metrics.counted(labels)
    if streaming:
        counted.running += 1
        request.on_end = Ending(request, counted)
    else:
        counted.add(trace.code, trace.seconds, request.size)
        api.pace.add(trace)
        if trace.code in _TERMINATED:
            api.metrics.terminated(labels, trace.code)
    if request.method:
        _note_checks(request)


def _close(request: ApiRequest) -> None:
    """Put into the trace what is known at the end alone."""
    trace = request.trace
    if request.method:
        # What people ask for. A worker's agent is its name, and never told.
        trace.agent = request.user_agent[:LONGEST_AGENT] or "unknown"
        headers = request.headers
        trace.terminal = headers.get("x-kubeground-terminal", "")[:LONGEST_MARK]
        trace.session = headers.get("kubectl-session", "")[:LONGEST_MARK]
    if request.user is not None:
        trace.groups = request.user.groups
    if request.flow is not None:
        trace.flow = request.flow.label
    if not trace.calls:
        trace.calls = None
    if trace.refusal is not None and trace.code == 401:
        # Which credentials were not known; of them nothing is kept.
        trace.refusal["attempted"] = _scheme(request)


def panicked(request: ApiRequest, error: BaseException) -> None:
    """Note that something failed that nobody foresaw."""
    if request.audit is not None:
        request.audit.panicked(error)
        request.audit = None  # that was the last of its events


def _audit(
    request: ApiRequest, answer: Answer | None, refusal: ApiError | None, *, streaming: bool
) -> None:
    audit = request.api.audit
    if request.audit is None and request.user is None and refusal is not None and audit is not None:
        # Refused before it was known who goes on: the credentials are not known, or may not be
        # those of somebody else.
        if request.real_user is not None:
            request.audit = audit.begin(request, request.real_user)
        elif refusal.code == 401:
            audit.unknown(request, _attempted(request), refusal.code)
            return
    if request.audit is None:
        return
    if streaming and answer is not None:
        request.audit.started(answer)
    else:
        request.audit.complete(answer, refusal)


def _attempted(request: ApiRequest) -> str:
    """Say which credentials came with a request."""
    scheme = _scheme(request)
    if not scheme:
        return "Authentication failed, no credentials provided"
    return f"Authentication failed, attempted: {scheme}"


def _scheme(request: ApiRequest) -> str:
    scheme = request.headers.get("authorization", "").strip().partition(" ")[0].lower()
    return scheme if scheme in ("basic", "bearer") else ""


class Ending:
    """What is called at the end of a stream; once more changes nothing."""

    __slots__ = ("_api", "_audited", "_began", "_code", "_counted", "_over", "_watch")

    def __init__(self, request: ApiRequest, counted: Counted) -> None:
        self._api, self._code, self._counted = request.api, request.trace.code, counted
        self._began = perf_counter() - request.trace.seconds
        self._watch = request.info.verb == "watch" and bool(request.method)
        self._api.watches += self._watch
        # Workers' watches stand for days: their requests are kept for the audit log alone.
        self._audited = request if request.audit is not None else None
        self._over = False

    def __call__(self) -> None:
        if self._over:
            return
        self._over = True
        self._api.watches -= self._watch
        self._counted.running -= 1
        self._counted.add(self._code, perf_counter() - self._began, 0)
        if self._audited is not None and self._audited.audit is not None:
            self._audited.audit.ended()


def _note_checks(request: ApiRequest) -> None:
    """Count authentication and authorization, which are the first stages of the trace."""
    metrics, stages = request.api.metrics, request.trace.stages
    user = request.user
    if user is None:
        if request.trace.code == 401:
            metrics.authentication.add("failure", stages[0].micros / 1e6)
        return
    metrics.authentication.add("success", stages[0].micros / 1e6)
    metrics.user(user.name)
    allowed = next((stage for stage in stages if stage.name == "authorization"), None)
    if allowed is not None:
        metrics.authorization.add("allowed", allowed.micros / 1e6)
    elif request.trace.code == 403:
        metrics.authorization.add("denied", stages[-1].micros / 1e6)


def labels_of(request: ApiRequest) -> Labels:
    """Return what a request is counted under; names that nothing is served by are not kept."""
    info = request.info
    verb = info.verb
    if verb not in _VERBS:
        verb = "other"  # a client may make up any
    elif verb == "patch" and request.content_type.startswith(_APPLY):
        verb = "apply"
    if not info.is_resource:
        return Labels(verb, subresource=info.path if info.path in _COUNTED_PAGES else "")
    served = request.served or request.api.catalog.find(info.group, info.version, info.resource)
    if served is None:
        return Labels(verb)
    part = info.subresource if info.subresource in served.resource.subresources else ""
    dry_run = "All" if request.params and request.params.get("dryRun") else ""
    return Labels(verb, info.group, info.version, info.resource, part, scope_of(info), dry_run)


def scope_of(info: RequestInfo) -> str:
    """Return how much a request is about, as k8s.io/apiserver's metrics say it."""
    if info.name or info.verb == "create":
        return "resource"
    return "namespace" if info.namespace else "cluster"
