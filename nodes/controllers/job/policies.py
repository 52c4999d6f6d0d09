"""What a Job's own rules say: of a pod that failed, and of the indexes that have succeeded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from apimachinery.meta import Obj, name_of, namespace_of
from nodes.controllers.job.indexes import Indexes

IGNORE, FAIL_JOB, FAIL_INDEX, COUNT = "Ignore", "FailJob", "FailIndex", "Count"


class Verdict(NamedTuple):
    """counts: towards the backoff limit. action: of the rule that matched. message: of FailJob."""

    counts: bool = True
    action: str = ""
    message: str = ""


COUNTED = Verdict()


def judge(job: Obj, pod: Obj) -> Verdict:
    """Return what the Job's podFailurePolicy says of a pod that failed; the first match holds."""
    policy = job["spec"].get("podFailurePolicy")
    for at, rule in enumerate((policy or {}).get("rules") or ()):
        why = _matches(rule, pod)
        if not why:
            continue
        action = rule.get("action", "")
        if action == FAIL_JOB:
            return Verdict(action=action, message=f"{why} matching {action} rule at index {at}")
        return Verdict(counts=action != IGNORE, action=action)
    return COUNTED


def _matches(rule: Obj, pod: Obj) -> str:
    """Return in words what of the pod a rule is about, "" if nothing is."""
    where, status = f"{namespace_of(pod)}/{name_of(pod)}", pod.get("status") or {}
    if rule.get("onExitCodes") is not None:
        for field in ("containerStatuses", "initContainerStatuses"):
            found = _exited(status.get(field) or (), rule["onExitCodes"])
            if found is not None:
                code = found["state"]["terminated"]["exitCode"]
                return f"Container {found['name']} for pod {where} failed with exit code {code}"
        return ""
    wanted = {(one.get("type"), one.get("status")) for one in rule.get("onPodConditions") or ()}
    for one in status.get("conditions") or ():
        if (one.get("type"), one.get("status")) in wanted:
            return f"Pod {where} has condition {one['type']}"
    return ""


def _exited(statuses: Sequence[Obj], requirement: Obj) -> Obj | None:
    """Return the first container that ended with a code that is asked for."""
    container, values = requirement.get("containerName"), requirement.get("values") or ()
    for one in statuses:
        ended = (one.get("state") or {}).get("terminated")
        if ended is None or container not in (None, one.get("name")):
            continue
        code = ended.get("exitCode") or 0
        if code and (code in values) == (requirement.get("operator") == "In"):
            return one
    return None


def success_message(job: Obj, succeeded: Indexes) -> str:
    """Return why the Job's successPolicy is met, "" while it is not."""
    policy = job["spec"].get("successPolicy")
    if policy is None or not succeeded:
        return ""
    completions = job["spec"].get("completions") or 0
    for at, rule in enumerate(policy.get("rules") or ()):
        if _is_met(rule, succeeded, completions):
            return f"Matched rules at index {at}"
    return ""


def _is_met(rule: Obj, succeeded: Indexes, completions: int) -> bool:
    count = rule.get("succeededCount")
    text = rule.get("succeededIndexes")
    if text is None:
        return count is not None and len(succeeded) >= count
    wanted = Indexes.parse(text, completions)
    common = succeeded.common(wanted)
    if not wanted:
        return False
    return common == len(wanted) or (count is not None and common >= count)
