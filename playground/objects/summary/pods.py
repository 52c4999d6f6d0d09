"""A pod in words: where it runs, what its containers do, how they are probed, what they mount."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from playground.objects import facts
from playground.objects.reading import Object
from playground.objects.summary.parts import (
    Cell,
    Context,
    Parts,
    Rows,
    Sentence,
    code,
    joined,
    known,
    moment,
    state_of,
    text,
)
from playground.objects.summary.placement import placement
from playground.topology import podstatus

GROUPS = (
    ("init", "initContainers", "initContainerStatuses"),
    ("", "containers", "containerStatuses"),
    ("ephemeral", "ephemeralContainers", "ephemeralContainerStatuses"),
)


def summary(pod: Object, context: Context) -> Parts:
    """Yield the summary of a pod."""
    spec, status = facts.spec(pod), facts.status(pod)
    yield sentence(pod)
    node = str(spec.get("nodeName") or "")
    namespace = facts.namespace(pod)
    account = str(spec.get("serviceAccountName") or "")
    word = podstatus.display_status(pod)
    yield known(
        (_("Status"), text(word, state_of(word))),
        (_("Node"), context.to("nodes", "", node) if node else text(_("not scheduled yet"))),
        (_("Pod IP"), joined([one.get("ip") for one in status.get("podIPs") or ()])),
        (_("Host IP"), text(status.get("hostIP"))),
        (_("QoS class"), text(status.get("qosClass"), remark=_qos(status.get("qosClass")))),
        (_("Restart policy"), text(spec.get("restartPolicy"))),
        (
            _("Service account"),
            context.to("serviceaccounts", namespace, account) if account else None,
        ),
        (_("Priority class"), text(spec.get("priorityClassName"))),
        (_("Started"), moment(status.get("startTime"))),
        (_("Nominated node"), text(status.get("nominatedNodeName"))),
    )
    yield from placement(pod, context)
    yield from _containers(pod)
    yield from _probes(spec)
    yield from _volumes(pod, context)
    yield from _placement(spec)


def sentence(pod: Object) -> Sentence:
    """Return how a pod stands, with the API's own words for what holds it up."""
    status, spec = facts.status(pod), facts.spec(pod)
    ready, restarts = podstatus.readiness(pod)
    word, why = podstatus.display_status(pod), podstatus.why(pod)
    node = spec.get("nodeName")
    if facts.meta(pod).get("deletionTimestamp"):
        return Sentence(_("It is being deleted: its containers have been told to end."), "waiting")
    if not node and status.get("phase") == "Pending":
        return Sentence(_("No node has been found for it yet."), "waiting", why)
    if status.get("phase") == "Succeeded":
        return Sentence(_("All its containers have ended well."), "good")
    if status.get("phase") == "Failed":
        return Sentence(_("It failed and will not run again."), "bad", why)
    have, _slash, of = ready.partition("/")
    again = ngettext("It has restarted once.", "It has restarted %(n)d times.", restarts)
    given = {"have": have, "of": of, "node": node, "word": word, "n": restarts}
    if have == of and word == "Running":
        told, state = _("It runs on %(node)s, and all containers are ready."), "good"
    else:
        told = _("%(word)s on %(node)s: %(have)s of %(of)s containers ready.")
        state = "bad" if state_of(word) == "bad" else "waiting"
    text_ = f"{told} {again}" if restarts else told
    return Sentence(text_ % given, state, "" if state == "good" else why)


def _qos(word: Any) -> str:
    return {
        "Guaranteed": _("evicted last when the node runs short"),
        "Burstable": _("evicted before Guaranteed pods when the node runs short"),
        "BestEffort": _("evicted first when the node runs short"),
    }.get(str(word), "")


def all_containers(pod: Object) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Yield sort, spec and status of each container, those that start first before the others."""
    for sort, field, states in GROUPS:
        found = {one.get("name"): one for one in facts.status(pod).get(states) or ()}
        for spec in facts.spec(pod).get(field) or ():
            yield sort, spec, found.get(spec.get("name")) or {}


def _containers(pod: Object) -> Parts:
    rows = []
    for sort, spec, status in all_containers(pod):
        state, remark = _state(status)
        last = (status.get("lastState") or {}).get("terminated")
        sidecar = sort == "init" and spec.get("restartPolicy") == "Always"
        rows.append(
            (
                Cell(str(spec.get("name")), remark=_("sidecar") if sidecar else sort, code=True),
                code(spec.get("image")),
                Cell(state, state=state_of(state.partition(": ")[2] or state), remark=remark),
                text(_("yes") if status.get("ready") else _("no")),
                text(status.get("restartCount") or 0, remark=_ended(last) if last else ""),
                joined([_port(port) for port in spec.get("ports") or ()]),
                joined(_resources(spec.get("resources") or {})),
            )
        )
    headings = (
        _("Name"),
        _("Image"),
        _("State"),
        _("Ready"),
        _("Restarts"),
        _("Ports"),
        _("Requests and limits"),
    )
    yield Rows(_("Containers"), headings, tuple(rows))


def _state(status: Mapping[str, Any]) -> tuple[str, str]:
    states: Mapping[str, Any] = status.get("state") or {"waiting": {}}
    state, detail = next(iter(states.items()))
    words = {"running": _("Running"), "waiting": _("Waiting"), "terminated": _("Ended")}
    inner: Mapping[str, Any] = detail or {}
    reason = inner.get("reason")
    word = words.get(state, state)
    remark = str(inner.get("message") or "")
    if state == "terminated":
        remark = remark or _("exit code %(code)s") % {"code": inner.get("exitCode", 0)}
    return f"{word}: {reason}" if reason else word, remark


def _ended(last: Mapping[str, Any]) -> str:
    given = {"reason": last.get("reason") or _("ended"), "code": last.get("exitCode", 0)}
    return _("last: %(reason)s, exit code %(code)s") % given


def _port(port: Mapping[str, Any]) -> str:
    named = f"{port['name']} " if port.get("name") else ""
    host = f" → {port['hostPort']} on the node" if port.get("hostPort") else ""
    return f"{named}{port.get('containerPort')}/{port.get('protocol') or 'TCP'}{host}"


def _resources(resources: Mapping[str, Any]) -> list[str]:
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    return [
        f"{name} {requests.get(name, '-')} / {limits.get(name, '-')}"
        for name in dict.fromkeys([*requests, *limits])
    ]


_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def _probes(spec: Mapping[str, Any]) -> Parts:
    rows = []
    for container in spec.get("containers") or ():
        for kind in _PROBES:
            if probe := container.get(kind):
                every = probe.get("periodSeconds", 10)
                given = {"every": every, "n": probe.get("failureThreshold", 3)}
                rows.append(
                    (
                        code(container.get("name")),
                        text(kind.removesuffix("Probe"), remark=_meaning(kind)),
                        code(probe_text(probe)),
                        text(_("every %(every)s s, fails after %(n)s") % given),
                    )
                )
    if rows:
        headings = (_("Container"), _("Probe"), _("Asks"), _("How often"))
        yield Rows(_("Probes"), headings, tuple(rows))


def _meaning(kind: str) -> str:
    return {
        "startupProbe": _("until it passes, the others wait"),
        "readinessProbe": _("while it fails, Services send nothing"),
        "livenessProbe": _("when it fails, the container restarts"),
    }[kind]


def probe_text(probe: Mapping[str, Any]) -> str:
    """Return what a probe asks, on a line."""
    if http := probe.get("httpGet"):
        scheme = str(http.get("scheme") or "HTTP").lower()
        return (
            f"GET {scheme}://{http.get('host') or ''}:{http.get('port')}{http.get('path') or '/'}"
        )
    if tcp := probe.get("tcpSocket"):
        return f"TCP :{tcp.get('port')}"
    if grpc := probe.get("grpc"):
        return f"gRPC :{grpc.get('port')} {grpc.get('service') or ''}".strip()
    return " ".join((probe.get("exec") or {}).get("command") or ())


# The kinds behind a volume's source, and where the name stands.
_SOURCES: dict[str, tuple[str, str]] = {
    "configMap": ("configmaps", "name"),
    "secret": ("secrets", "secretName"),
    "persistentVolumeClaim": ("persistentvolumeclaims", "claimName"),
}


def _volumes(pod: Object, context: Context) -> Parts:
    mounts: dict[str, list[str]] = {}
    for _sort, container, _status in all_containers(pod):
        for mount in container.get("volumeMounts") or ():
            only = _(", read only") if mount.get("readOnly") else ""
            line = f"{mount.get('mountPath')} ({container.get('name')}{only})"
            mounts.setdefault(str(mount.get("name")), []).append(line)
    rows = [
        (
            code(volume.get("name")),
            _source(volume, pod, context),
            joined(mounts.get(str(volume.get("name")))),
        )
        for volume in facts.spec(pod).get("volumes") or ()
    ]
    if rows:
        yield Rows(_("Volumes"), (_("Name"), _("What"), _("Mounted at")), tuple(rows))


def _source(volume: Mapping[str, Any], pod: Object, context: Context) -> Cell:
    kind = next((key for key in volume if key != "name"), "emptyDir")
    source = volume.get(kind) or {}
    if kind in _SOURCES:
        title, field = _SOURCES[kind]
        name = str(source.get(field) or "")
        return context.to(title, facts.namespace(pod), name, f"{kind} {name}")
    if kind == "hostPath":
        return text(f"hostPath {source.get('path')}")
    if kind == "projected":
        parts: Sequence[str] = [key for one in source.get("sources") or () for key in one]
        return text(f"projected: {', '.join(parts)}")
    return text(kind)


def _placement(spec: Mapping[str, Any]) -> Parts:
    selector = [f"{key}={value}" for key, value in (spec.get("nodeSelector") or {}).items()]
    tolerations = [toleration_text(one) for one in spec.get("tolerations") or ()]
    affinity = sorted(spec.get("affinity") or {})
    yield known(
        (_("Node selector"), joined(selector)),
        (_("Tolerations"), joined(tolerations)),
        (_("Affinity"), joined(affinity)),
        (
            _("Topology spread"),
            joined([one.get("topologyKey") for one in spec.get("topologySpreadConstraints") or ()]),
        ),
        (_("Scheduler"), text(spec.get("schedulerName"))),
        title=_("Placement"),
    )


def toleration_text(one: Mapping[str, Any]) -> str:
    """Return a toleration as kubectl describes it."""
    value = f"={one['value']}" if one.get("value") else ""
    effect = f":{one['effect']}" if one.get("effect") else ""
    seconds = one.get("tolerationSeconds")
    lasting = f" for {seconds}s" if seconds is not None else ""
    return f"{one.get('key') or '*'}{value}{effect}{lasting}"
