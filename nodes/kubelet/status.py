"""The status of a pod, from what the kubelet knows of its containers: pure, phase by phase.

Conditions and their reasons are those of pkg/kubelet/status/generate.go; the order in which they
stand is that of a real kubelet's first write.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apimachinery.meta import Obj
from apimachinery.restarts import may_restart_everything
from nodes.kubelet.records import ContainerRecord, container_id

RESTARTING = "AllContainersRestarting"
_ENDS = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}


@dataclass(slots=True)
class PodFacts:
    """All that a pod's status is made from."""

    records: Sequence[ContainerRecord]
    host_ip: str
    start_time: str
    now: str
    pod_ips: tuple[str, ...] = ()
    sandbox_ready: bool = False
    # Set once the kubelet has decided on an end by itself: (phase, reason, message).
    verdict: tuple[str, str, str] | None = None
    terminated: bool = False
    # All its containers are being ended to start over.
    restarting: bool = False
    # Why the kubelet takes the pod away to save the node, if it does.
    disrupted: str = ""


def pod_status(pod: Obj, facts: PodFacts) -> Obj:
    """Return the whole status. Conditions that others own are taken over from the pod."""
    main = [r for r in facts.records if r.kind == "main"]
    init = [r for r in facts.records if r.kind == "init"]
    ephemeral = [r for r in facts.records if r.kind == "ephemeral"]
    if facts.restarting and not facts.terminated:
        current = "Running" if _has_run(main) else "Pending"
    else:
        current = phase(pod, init, main, terminated=facts.terminated)
    status: Obj = {}
    if facts.verdict is not None:
        current, status["reason"], status["message"] = facts.verdict
        status = {key: value for key, value in status.items() if value}
    generation = pod["metadata"].get("generation")
    if generation:
        status["observedGeneration"] = generation
    status["phase"] = current
    status["conditions"] = conditions(pod, facts, current, init, main)
    status["hostIP"] = facts.host_ip
    status["hostIPs"] = [{"ip": facts.host_ip}]
    if facts.pod_ips:
        status["podIP"] = facts.pod_ips[0]
        status["podIPs"] = [{"ip": ip} for ip in facts.pod_ips]
    status["startTime"] = facts.start_time
    if init:
        status["initContainerStatuses"] = [container_status(r, pod) for r in init]
    status["containerStatuses"] = [container_status(r, pod) for r in main]
    if ephemeral:
        status["ephemeralContainerStatuses"] = [container_status(r, pod) for r in ephemeral]
    if qos := (pod.get("status") or {}).get("qosClass"):
        status["qosClass"] = qos
    return status


def phase(
    pod: Obj, init: list[ContainerRecord], main: list[ContainerRecord], *, terminated: bool
) -> str:
    """Return the pod's phase (getPhase): what its containers do, under its restart policy."""
    policy = pod["spec"].get("restartPolicy") or "Always"
    if not _has_run(main):
        failed = [r for r in init if not r.sidecar and r.exited and not r.succeeded]
        if not all(r.comes_back(policy) for r in failed):
            return "Failed"
        if not all(r.started or r.exited if r.sidecar else r.succeeded for r in init):
            return "Pending"
    if any(r.status is None and r.last is None for r in main):
        return "Pending"
    if any(r.running for r in main):
        return "Running"
    return _phase_of_ended(main, policy, terminated=terminated)


def _phase_of_ended(main: list[ContainerRecord], policy: str, *, terminated: bool) -> str:
    """Return the phase of a pod of which no container runs just now."""
    if not terminated and any(r.comes_back(policy) for r in main):
        return "Running"
    return "Succeeded" if all(r.succeeded for r in main) else "Failed"


def _has_run(main: list[ContainerRecord]) -> bool:
    return any(r.has_run for r in main)


def conditions(
    pod: Obj,
    facts: PodFacts,
    current: str,
    init: list[ContainerRecord],
    main: list[ContainerRecord],
) -> list[Obj]:
    """Return the kubelet's conditions, with transition times kept where nothing changed."""
    old = {c["type"]: c for c in (pod.get("status") or {}).get("conditions") or ()}
    ready_containers, why = _containers_ready(current, main, init)
    ready, ready_why = _pod_ready(pod, old, current, ready=ready_containers, why=why)
    made = [
        ("PodReadyToStartContainers", facts.sandbox_ready, ("", "")),
        ("Initialized", *_initialized(current, init, main)),
        ("Ready", ready, ready_why),
        ("ContainersReady", ready_containers, why),
        ("PodScheduled", True, ("", "")),
    ]
    if may_restart_everything(pod["spec"]):
        made.append((RESTARTING, *_starting_over(current, restarting=facts.restarting)))
    if facts.disrupted:
        made.append(("DisruptionTarget", True, ("TerminationByKubelet", facts.disrupted)))
    own = {name for name, _, _ in made}
    result = []
    generation = pod["metadata"].get("generation")
    for name, value, (reason, message) in made:
        text = "True" if value else "False"
        condition: Obj = {"type": name}
        if generation:
            condition["observedGeneration"] = generation
        condition["status"] = text
        condition["lastProbeTime"] = None
        before = old.get(name, {})
        same = before.get("status") == text
        condition["lastTransitionTime"] = before.get("lastTransitionTime") if same else facts.now
        if reason:
            condition["reason"] = reason
        if message:
            condition["message"] = message
        result.append(condition)
    result += [condition for name, condition in old.items() if name not in own]
    return result


def _initialized(
    current: str, init: list[ContainerRecord], main: list[ContainerRecord]
) -> tuple[bool, tuple[str, str]]:
    if current == "Succeeded":
        return True, ("PodCompleted", "")
    left = [
        r.name for r in init if not (r.started if r.sidecar else r.succeeded or _did_succeed(r))
    ]
    if not left or _has_run(main):
        return True, ("", "")
    names = " ".join(left)
    return False, (
        "ContainersNotInitialized",
        f"containers with incomplete status: [{names}]",
    )


def _did_succeed(record: ContainerRecord) -> bool:
    return not record.anew and (record.last or {}).get("exitCode") == 0


def _starting_over(current: str, *, restarting: bool) -> tuple[bool, tuple[str, str]]:
    if current in _ENDS:
        return False, (_ENDS[current], "")
    if restarting:
        return True, ("RestartAllContainersStarted", "container exited with restart policy rule")
    return False, ("", "")


def is_restarting(pod: Obj) -> bool:
    """Tell whether a pod's status says that all its containers are being ended to start over."""
    told = (pod.get("status") or {}).get("conditions") or ()
    return any(one["type"] == RESTARTING and one["status"] == "True" for one in told)


def _containers_ready(
    current: str, main: list[ContainerRecord], init: list[ContainerRecord]
) -> tuple[bool, tuple[str, str]]:
    if current in _ENDS:
        return False, (_ENDS[current], "")
    counted = [r for r in init if r.sidecar] + main
    unready = [r.name for r in counted if not r.ready]
    if not unready:
        return True, ("", "")
    return False, ("ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]")


def _pod_ready(
    pod: Obj, old: dict[str, Obj], current: str, *, ready: bool, why: tuple[str, str]
) -> tuple[bool, tuple[str, str]]:
    gates = [g["conditionType"] for g in pod["spec"].get("readinessGates") or ()]
    missing = []
    for gate in gates:
        found = old.get(gate)
        if found is None:
            missing.append(
                f'corresponding condition of pod readiness gate "{gate}" does not exist.'
            )
        elif found.get("status") != "True":
            missing.append(
                f'the status of pod readiness gate "{gate}" is not "True", but {found["status"]}'
            )
    if not ready:
        return False, why
    if missing:
        return False, ("ReadinessGatesNotReady", ", ".join(missing))
    return True, ("", "")


def container_status(record: ContainerRecord, pod: Obj) -> Obj:
    """Return one entry of containerStatuses."""
    spec = record.spec
    image = record.image
    shown = (image.repo_tags[0] if image and image.repo_tags else "") or spec.get("image") or ""
    status: Obj = {
        "name": record.name,
        "state": record.state(),
        "lastState": {"terminated": record.last} if record.last else {},
        "ready": record.ready if not _plain_init(record) else record.succeeded,
        "restartCount": record.restarts,
        "image": shown,
        "imageID": (image.repo_digests[0] if image and image.repo_digests else ""),
    }
    if record.id:
        status["containerID"] = container_id(record.id)
    status["started"] = record.started if not _plain_init(record) else record.running
    resources = spec.get("resources") or {}
    if record.running:
        if resources.get("requests"):
            status["allocatedResources"] = resources["requests"]
        status["resources"] = resources
    if mounts := [_mount(mount) for mount in spec.get("volumeMounts") or ()]:
        status["volumeMounts"] = mounts
    if record.running and record.status is not None:
        user, group = record.status.user
        groups = [group, *(pod["spec"].get("securityContext") or {}).get("supplementalGroups", ())]
        status["user"] = {
            "linux": {"uid": user, "gid": group, "supplementalGroups": list(dict.fromkeys(groups))}
        }
    return status


def _plain_init(record: ContainerRecord) -> bool:
    return record.kind == "init" and not record.sidecar


def _mount(mount: Obj) -> Obj:
    shown: Obj = {"name": mount["name"], "mountPath": mount["mountPath"]}
    if mount.get("readOnly"):
        shown["readOnly"] = True
        shown["recursiveReadOnly"] = mount.get("recursiveReadOnly") or "Disabled"
    return shown
