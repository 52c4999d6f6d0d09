"""Requests and what came of them: /kubeground/v1/clusters/NAME/traces.

    GET traces          the newest first. `user`, `verb`, `resource`, `namespace`, `object`
                        ("pods/default/web-1", or a part from its end), `terminal` (its id),
                        `session` (of a run of kubectl), `code` ("403", "4xx") and `who` (people,
                        workers, all) narrow it down, `limit` says how many. With `after` (a number)
                        only what ended since, and with `wait` (seconds) as soon as there is
                        something; `details` (seconds) has the stages of writes note for so long
                        what they do.
    GET traces/ID       one request, and all that came of it

`only` names a user who looks: nobody else's requests are told of, nor what came of theirs.

    PUT traces/details  {"seconds": 600} notes what stages do for so long, 0 ends that

What comes while somebody waits is collapsed: an answer holds the newest, and says how many it
leaves out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from apimachinery.errors import BadRequest, MethodNotAllowed, NotFound
from apimachinery.gvk import GroupResource
from apiserver.auth.nearest import nearest
from apiserver.auth.user import User
from apiserver.endpoints.trace import Trace, Traces
from playground.cluster import RunningCluster
from playground.control_call import Answer, Call, Routes
from playground.stories import Kept, story, worker_of

TRACES = GroupResource("kubeground.io", "traces")
MOST, USUAL = 500, 100
# What comes within this time is answered together.
_GATHER = 0.1
LONGEST_WAIT, LONGEST_RECORDING = 10.0, 3600.0
# Of a request that wrote many objects, for so many it is told who was sent them.
_HEARD = 50

_EXACT = ("verb", "resource", "namespace", "terminal", "session")

Test = Callable[[Trace], bool]


async def traces(call: Call) -> Answer:
    """Return the requests that are asked for, the newest first."""
    cluster, test = call.cluster(), _test(call)
    traces = cluster.api.traces
    after, limit = call.number("after", 0), min(call.number("limit", USUAL), MOST)
    if seconds := call.number("details", 0):
        traces.record_details(min(seconds, LONGEST_RECORDING))
    wait = min(call.number("wait", 0), LONGEST_WAIT)
    found = await wait_for(traces, after, test, wait)
    return 200, {
        "items": [trace.record() for trace in found[:limit]],
        "count": traces.count,
        "skipped": max(len(found) - limit, 0),
        "recording": traces.recording,
        "revision": cluster.store.revision,
    }


def _since(traces: Traces, after: int, test: Test) -> list[Trace]:
    if traces.count <= after:
        return []
    return [trace for trace in traces if trace.number > after and test(trace)]


async def wait_for(traces: Traces, after: int, test: Test, wait: float) -> list[Trace]:
    """Return what has ended since, as soon as there is anything, or nothing after a while."""
    loop = asyncio.get_running_loop()
    end = loop.time() + wait
    while not (found := _since(traces, after, test)) and (left := end - loop.time()) > 0:
        came = loop.create_future()
        traces.on_next(lambda came=came: came.done() or came.set_result(None))  # type: ignore[misc]
        await asyncio.wait([came], timeout=left)
        if traces.closed:
            break
        await asyncio.sleep(min(_GATHER, max(end - loop.time(), 0)))
    return found


def _test(call: Call) -> Test:
    """Return what tells whether a request is one of those asked for."""
    who, code = call.text("who", "all"), call.text("code")
    if who not in ("people", "workers", "all"):
        raise BadRequest(f'who={who[:80]!r}: must be "people", "workers" or "all"')
    exact = {name: value for name in _EXACT if (value := call.text(name))}
    user, only = call.text("user"), call.text("only")
    about = _about(call.text("object"))

    def test(trace: Trace) -> bool:
        if only and trace.user != only:
            return False
        if who == "people" and not trace.of_people:
            return False
        if who == "workers" and not (trace.cause or worker_of(trace.user)[1]):
            return False
        if user and user not in (trace.user, *worker_of(trace.user)):
            return False
        if code and not _is_code(trace.code, code):
            return False
        if about is not None and not about(trace):
            return False
        return all(
            getattr(trace.info if name == "namespace" else trace, name) == value
            for name, value in exact.items()
        )

    return test


def _about(text: str) -> Test | None:
    """Return what tells whether a request is about an object, or wrote it; None for any.

    "pods/default/web-1", "nodes/worker-1", "web-1"; a namespace that is "-" is none, a resource may
    have its group. Raises BadRequest.
    """
    if not text:
        return None
    parts = text.split("/")
    if len(parts) > 3 or not parts[-1]:
        raise BadRequest(f"object={text[:80]!r}: must be RESOURCE/NAMESPACE/NAME, or less of it")
    name = parts[-1]
    resource, _, group = parts[0].partition(".") if len(parts) > 1 else ("", "", "")
    namespace = None if len(parts) < 3 else "" if parts[1] == "-" else parts[1]

    def fits(one: str, one_group: str, its_namespace: str, its_name: str) -> bool:
        return (
            its_name == name
            and (not resource or one == resource)
            and (not group or one_group == group)
            and namespace in (None, its_namespace)
        )

    def test(trace: Trace) -> bool:
        for wrote in trace.wrote or ():
            one, _, its_group = wrote.key.resource.partition(".")
            if fits(one, its_group, wrote.key.namespace, wrote.key.name):
                return True
        # Most paths do not have the name: they need not be read.
        if name not in trace.path:
            return False
        info = trace.info
        return fits(info.resource, info.group, info.namespace, info.name)

    return test


def _is_code(code: int, wanted: str) -> bool:
    if wanted == "refused":
        return code >= 400
    return wanted == str(code) or wanted.lower() == f"{code // 100}xx"


async def record(call: Call) -> Answer:
    """Have stages note what they do, or end that."""
    if call.parts[2] != "details":
        raise MethodNotAllowed(TRACES, "PUT")
    traces, seconds = call.cluster().api.traces, call.json().get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
        raise BadRequest("seconds must be a number, 0 to end it")
    traces.record_details(min(seconds, LONGEST_RECORDING))
    return 200, {"recording": traces.recording}


async def one(call: Call) -> Answer:
    """Return a request and all that came of it."""
    cluster, audit_id = call.cluster(), call.parts[2]
    api = cluster.api
    trace = api.traces.get(audit_id)
    only = call.text("only")
    if trace is None or (only and trace.user != only):
        raise NotFound(TRACES, audit_id[:128])
    if only:
        return 200, _alone(cluster, trace)
    attempts = cluster.scheduler.decisions.of
    found = story(trace, Kept(api.traces, attempts, cluster.steps))
    found["audience"] = _audience(cluster, trace)
    found["nearest"], found["allowedNow"] = _rights(cluster, trace)
    found["clock"] = _clock(cluster)
    return 200, found


def _alone(cluster: RunningCluster, trace: Trace) -> dict[str, Any]:
    """Return a request without what others did because of it."""
    found = story(trace, Kept((), lambda _: (), ()))
    nobody: dict[str, Any] = {"audience": {}, "nearest": None, "allowedNow": None}
    return {**found, **nobody, "clock": _clock(cluster), "only": trace.user}


def _clock(cluster: RunningCluster) -> dict[str, float]:
    return {"rate": getattr(cluster.clock, "rate", 1.0)}


def _audience(cluster: RunningCluster, trace: Trace) -> dict[str, dict[str, int] | None]:
    """Return who was sent the changes of a request: revision -> name -> watches."""
    found: dict[str, dict[str, int] | None] = {}
    for one in (trace.wrote or ())[:_HEARD]:
        heard = cluster.store.hub.audience(one.revision)
        if heard is None:
            found[str(one.revision)] = None
            continue
        named: dict[str, int] = {}
        for user, count in heard.items():
            name = worker_of(user)[0] or "kube-apiserver"
            named[name] = named.get(name, 0) + count
        found[str(one.revision)] = dict(sorted(named.items()))
    return found


def _rights(cluster: RunningCluster, trace: Trace) -> tuple[dict[str, Any] | None, bool | None]:
    """Return the role that comes nearest to what was refused, and whether it is allowed by now."""
    if trace.decision is None or trace.decision.allowed:
        return None, None
    wanted = trace.info.asked_by(User(trace.user, trace.groups))
    if cluster.auth.authorize(wanted).allowed:
        return None, True
    near = nearest(cluster.auth.roles, wanted)
    return near.record() if near is not None else None, False


ROUTES: Routes = {
    ("GET", 2, "traces"): traces,
    ("GET", 3, "traces"): one,
    ("PUT", 3, "traces"): record,
}
