"""Workloads that do not get on: paused, held up by a quota, waiting for their pods."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apimachinery import quantity
from apimachinery.meta import is_deleting
from playground.why.causes.facts import (
    condition,
    first_pods,
    namespace,
    owned,
    ready,
    ref,
    shown,
    spec,
    status,
    words,
)
from playground.why.model import Cause, Fix, Object, Ref, World

_QUOTA = re.compile(r"exceeded quota: ([^,\s]+)")


def paused(deployment: Object, world: World) -> Iterator[Cause]:
    if not spec(deployment).get("paused"):
        return
    where = ref("deployments.apps", deployment)
    yield Cause(
        _("The Deployment is paused: changes of its template wait."),
        condition="spec.paused=true",
        rule=_("A paused Deployment is scaled, and not rolled out."),
        fixes=(
            Fix(
                _("Let it go on."),
                f"kubectl rollout resume deployment/{where.name} -n {where.namespace}",
                where,
                {"spec": {"paused": None}},
            ),
        ),
    )


def does_not_progress(deployment: Object, world: World) -> Iterator[Cause]:
    """Fewer pods than wanted are new and available: what its ReplicaSets wait for is why."""
    wanted, now = int(spec(deployment).get("replicas", 1)), status(deployment)
    as_wanted = now.get("updatedReplicas", 0) == now.get("availableReplicas", 0) == wanted
    if as_wanted and now.get("replicas", 0) == wanted:
        return
    found = condition(deployment, "Progressing")
    late = found.get("reason") == "ProgressDeadlineExceeded"
    given = {
        "n": now.get("availableReplicas", 0),
        "all": wanted,
        "new": now.get("updatedReplicas", 0),
    }
    text = _("%(n)d of %(all)d pods are available; of the newest template: %(new)d.") % given
    replicasets = [one for one in owned(world, "replicasets.apps", deployment) if _lacks(one)]
    yield Cause(
        text,
        condition=shown(found) if found else shown(condition(deployment, "Available")),
        verbatim=words(found) if late else "",
        rule=_("A rollout goes on as far as maxSurge and maxUnavailable let it."),
        leads_to=tuple(ref("replicasets.apps", one) for one in replicasets),
    )


def _lacks(replicaset: Object) -> bool:
    return int(status(replicaset).get("readyReplicas") or 0) < int(
        spec(replicaset).get("replicas") or 0
    )


def may_make_no_pods(workload: Object, world: World) -> Iterator[Cause]:
    """The API refuses the pods that it wants to make."""
    found = condition(workload, "ReplicaFailure")
    if found.get("status") != "True":
        return
    quotas = _QUOTA.findall(words(found))
    yield Cause(
        _("The API refuses the pods that it asks for."),
        condition=shown(found),
        verbatim=words(found),
        rule=_("Quotas, limits, policies and webhooks may refuse a pod."),
        leads_to=tuple(
            Ref("resourcequotas", namespace(workload), one) for one in dict.fromkeys(quotas)
        ),
    )


def quota_is_full(quota: Object, world: World) -> Iterator[Cause]:
    hard, used = status(quota).get("hard") or {}, status(quota).get("used") or {}
    for key, limit in hard.items():
        taken = used.get(key)
        if taken is None or quantity.parse(taken) < quantity.parse(limit):
            continue
        yield Cause(
            _("The quota of %(key)s is used up: %(used)s of %(hard)s.")
            % {"key": key, "used": taken, "hard": limit},
            condition=f"status.used.{key}={taken}",
            rule=_("A request that would go beyond a quota is refused, not held back."),
            fixes=tuple(_raise(quota, key)),
        )


def _raise(quota: Object, key: str) -> Iterator[Fix]:
    limit = (spec(quota).get("hard") or {}).get(key)
    if limit is None:
        return
    parsed = quantity.parse(limit)
    more = str(parsed + parsed) if parsed else "1"
    where = ref("resourcequotas", quota)
    patch = f'{{"spec":{{"hard":{{"{key}":"{more}"}}}}}}'
    yield Fix(
        _("Raise it, or remove something that counts."),
        f"kubectl patch resourcequota {where.name} -n {where.namespace} --type=merge -p '{patch}'",
        where,
        {"spec": {"hard": {key: more}}},
    )


def pods_are_not_ready(workload: Object, world: World) -> Iterator[Cause]:
    """It has made its pods; they are not as wanted themselves."""
    pods = [
        one for one in owned(world, "pods", workload) if status(one).get("phase") != "Succeeded"
    ]
    waiting = [one for one in pods if not ready(one) or is_deleting(one)]
    if not waiting:
        return
    text = ngettext(
        "%(n)d of its pods is not ready.", "%(n)d of its pods are not ready.", len(waiting)
    )
    yield Cause(
        text % {"n": len(waiting)},
        condition=f"readyReplicas={len(pods) - len(waiting)}",
        leads_to=first_pods(waiting),
    )


def suspended(job: Object, world: World) -> Iterator[Cause]:
    if not spec(job).get("suspend"):
        return
    where = ref("jobs.batch", job)
    yield Cause(
        _("The Job is suspended: it makes no pods."),
        condition=shown(condition(job, "Suspended"))
        if condition(job, "Suspended")
        else "spec.suspend=true",
        rule=_("A suspended Job has no pods at work."),
        fixes=(
            Fix(
                _("Let it go on."),
                f"kubectl patch job {where.name} -n {where.namespace}"
                ' -p \'{"spec":{"suspend":false}}\'',
                where,
                {"spec": {"suspend": False}},
            ),
        ),
    )


def job_failed(job: Object, world: World) -> Iterator[Cause]:
    found = condition(job, "Failed")
    if found.get("status") != "True":
        return
    yield Cause(
        _("The Job has failed, and makes no more pods."),
        condition=shown(found),
        verbatim=words(found),
        rule=_("A Job fails when backoffLimit is passed, or its time is up."),
    )
