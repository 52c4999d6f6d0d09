"""Controllers of pods in words: how far a rollout is, and which pods there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from playground.objects import facts
from playground.objects.facts import condition
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
    pod_rows,
    text,
)

REVISION = "deployment.kubernetes.io/revision"


def deployment(item: Object, context: Context) -> Parts:
    """Yield the summary of a Deployment."""
    spec, status = facts.spec(item), facts.status(item)
    yield _rollout(item)
    strategy = spec.get("strategy") or {}
    rolling = strategy.get("rollingUpdate") or {}
    pace = ", ".join(f"{key} {value}" for key, value in rolling.items())
    yield known(
        (_("Wanted"), text(spec.get("replicas", 1))),
        (_("Up to date"), text(status.get("updatedReplicas") or 0)),
        (_("Ready"), text(status.get("readyReplicas") or 0)),
        (_("Available"), text(status.get("availableReplicas") or 0)),
        (_("Strategy"), text(strategy.get("type"), remark=pace)),
        (_("Revision"), text((facts.meta(item).get("annotations") or {}).get(REVISION))),
        (_("Selector"), code(facts.selector_text(spec.get("selector")))),
        (_("Paused"), text(_("yes"), "waiting") if spec.get("paused") else None),
    )
    uid = {str(facts.meta(item).get("uid"))}
    sets = facts.owned_by(context.items("replicasets.apps", facts.namespace(item)), uid)
    yield _replica_sets(sets, context)
    below = {str(facts.meta(one).get("uid")) for one in sets}
    yield from _pods(item, below, context)


def _rollout(item: Object) -> Sentence:
    """Return how far a Deployment's rollout is, as `kubectl rollout status` counts it."""
    spec, status = facts.spec(item), facts.status(item)
    wanted = int(spec.get("replicas", 1))
    updated = int(status.get("updatedReplicas") or 0)
    available = int(status.get("availableReplicas") or 0)
    total = int(status.get("replicas") or 0)
    failed = condition(item, "Progressing")
    if failed.get("reason") == "ProgressDeadlineExceeded":
        return Sentence(_("The rollout is stuck."), "bad", str(failed.get("message") or ""))
    if spec.get("paused"):
        return Sentence(_("The rollout is paused: changes of the template wait."), "waiting")
    if int(facts.meta(item).get("generation") or 0) > int(status.get("observedGeneration") or 0):
        return Sentence(_("The controller has not seen the last change yet."), "waiting")
    if not wanted:
        return Sentence(_("It is scaled to zero: no pods run."), "plain")
    given = {"wanted": wanted, "updated": updated, "available": available, "old": total - updated}
    if updated < wanted:
        told = _("Rolling out: %(updated)d of %(wanted)d pods are of the new template.")
        return Sentence(told % given, "waiting", _trouble(item))
    if total > updated:
        told = ngettext(
            "Rolling out: %(old)d old pod is still to end.",
            "Rolling out: %(old)d old pods are still to end.",
            total - updated,
        )
        return Sentence(told % given, "waiting")
    if available < wanted:
        told = _("%(available)d of %(wanted)d pods are available.")
        return Sentence(told % given, "waiting", _trouble(item))
    told = ngettext(
        "Its pod is up to date and available.",
        "All %(wanted)d pods are up to date and available.",
        wanted,
    )
    return Sentence(told % given, "good")


def _trouble(item: Object) -> str:
    failing = condition(item, "ReplicaFailure")
    return str(failing.get("message") or "") if failing.get("status") == "True" else ""


def _replica_sets(sets: list[Object], context: Context) -> Rows:
    def number(one: Object) -> int:
        return int((facts.meta(one).get("annotations") or {}).get(REVISION) or 0)

    rows = tuple(
        (
            text(number(one)),
            context.to("replicasets.apps", facts.namespace(one), facts.name(one)),
            text(_of(facts.status(one).get("readyReplicas"), facts.spec(one).get("replicas"))),
            joined(images(facts.spec(one).get("template") or {})),
            moment(facts.meta(one).get("creationTimestamp")),
        )
        for one in sorted(sets, key=number, reverse=True)
    )
    headings = (_("Revision"), _("ReplicaSet"), _("Ready"), _("Images"), _("Age"))
    return Rows(_("Revisions"), headings, rows, empty=_("No ReplicaSet has been made yet."))


def _of(ready: Any, wanted: Any) -> str:
    return f"{ready or 0}/{wanted or 0}"


def images(template: Mapping[str, Any]) -> list[str]:
    """Return the images of a pod template."""
    inner = template.get("spec") or {}
    return [str(one.get("image")) for one in inner.get("containers") or ()]


def _pods(item: Object, uids: set[str], context: Context) -> Parts:
    namespace = facts.namespace(item)
    pods = facts.owned_by(context.items("pods", namespace), uids)
    selector = facts.selector_text(facts.spec(item).get("selector"))
    yield pod_rows(_("Pods"), pods, context, _("There are no pods."), ns=namespace, q=selector)


def replica_set(item: Object, context: Context) -> Parts:
    """Yield the summary of a ReplicaSet or ReplicationController."""
    spec, status = facts.spec(item), facts.status(item)
    wanted, ready = int(spec.get("replicas", 1)), int(status.get("readyReplicas") or 0)
    yield _counted(item, wanted, ready)
    yield known(
        (_("Wanted"), text(wanted)),
        (_("Ready"), text(ready)),
        (_("Available"), text(status.get("availableReplicas") or 0)),
        (_("Images"), joined(images(spec.get("template") or {}))),
        (_("Revision"), text((facts.meta(item).get("annotations") or {}).get(REVISION))),
    )
    yield from _pods(item, {str(facts.meta(item).get("uid"))}, context)


def _counted(item: Object, wanted: int, ready: int) -> Sentence:
    given = {"wanted": wanted, "ready": ready}
    if not wanted:
        return Sentence(_("It wants no pods."), "plain")
    if ready >= wanted:
        told = ngettext("Its pod is ready.", "All %(wanted)d pods are ready.", wanted)
        return Sentence(told % given, "good")
    told = _("%(ready)d of %(wanted)d pods are ready.")
    return Sentence(told % given, "waiting", _trouble(item))


def stateful_set(item: Object, context: Context) -> Parts:
    """Yield the summary of a StatefulSet."""
    spec, status = facts.spec(item), facts.status(item)
    wanted, ready = int(spec.get("replicas", 1)), int(status.get("readyReplicas") or 0)
    yield _counted(item, wanted, ready)
    namespace = facts.namespace(item)
    service = str(spec.get("serviceName") or "")
    strategy = spec.get("updateStrategy") or {}
    yield known(
        (_("Wanted"), text(wanted)),
        (_("Ready"), text(ready)),
        (_("Up to date"), text(status.get("updatedReplicas") or 0)),
        (_("Service"), context.to("services", namespace, service) if service else None),
        (_("Update strategy"), text(strategy.get("type"))),
        (_("Partition"), text((strategy.get("rollingUpdate") or {}).get("partition"))),
        (_("Order"), text(spec.get("podManagementPolicy"))),
        (_("Images"), joined(images(spec.get("template") or {}))),
    )
    yield from _claims(item, context)
    yield from _pods(item, {str(facts.meta(item).get("uid"))}, context)


def _claims(item: Object, context: Context) -> Parts:
    namespace = facts.namespace(item)
    templates = [facts.name(one) for one in facts.spec(item).get("volumeClaimTemplates") or ()]
    prefixes = tuple(f"{template}-{facts.name(item)}-" for template in templates)
    if not prefixes:
        return
    claims = [
        one
        for one in context.items("persistentvolumeclaims", namespace)
        if facts.name(one).startswith(prefixes)
    ]
    rows = tuple(
        (
            context.to("persistentvolumeclaims", namespace, facts.name(one)),
            text(facts.status(one).get("phase")),
            text((facts.status(one).get("capacity") or {}).get("storage")),
        )
        for one in claims
    )
    yield Rows(_("Volume claims"), (_("Name"), _("Phase"), _("Capacity")), rows, _("None yet."))


def daemon_set(item: Object, context: Context) -> Parts:
    """Yield the summary of a DaemonSet."""
    status = facts.status(item)
    wanted = int(status.get("desiredNumberScheduled") or 0)
    ready = int(status.get("numberReady") or 0)
    if not wanted:
        yield Sentence(_("No node asks for its pod."), "plain")
    else:
        told = _("%(ready)d of %(wanted)d nodes have a ready pod.")
        state = "good" if ready >= wanted else "waiting"
        yield Sentence(told % {"ready": ready, "wanted": wanted}, state)
    misplaced = int(status.get("numberMisscheduled") or 0)
    yield known(
        (_("Nodes"), text(wanted)),
        (_("Ready"), text(ready)),
        (_("Up to date"), text(status.get("updatedNumberScheduled") or 0)),
        (_("On a node that should have none"), text(misplaced, "waiting") if misplaced else None),
        (_("Update strategy"), text((facts.spec(item).get("updateStrategy") or {}).get("type"))),
        (_("Images"), joined(images(facts.spec(item).get("template") or {}))),
    )
    yield from _pods(item, {str(facts.meta(item).get("uid"))}, context)


def job(item: Object, context: Context) -> Parts:
    """Yield the summary of a Job."""
    spec, status = facts.spec(item), facts.status(item)
    yield _job_sentence(item)
    yield known(
        (_("Completions"), text(f"{status.get('succeeded') or 0}/{spec.get('completions') or 1}")),
        (_("Active"), text(status.get("active") or 0)),
        (_("Failed"), text(status.get("failed") or 0)),
        (_("Parallel"), text(spec.get("parallelism"))),
        (_("Tries"), text(spec.get("backoffLimit"), remark=_("before it is given up"))),
        (_("Deadline"), text(_seconds(spec.get("activeDeadlineSeconds")))),
        (_("Kept when done"), text(_seconds(spec.get("ttlSecondsAfterFinished")))),
        (_("Started"), moment(status.get("startTime"))),
        (_("Ended"), moment(status.get("completionTime"))),
        (_("Images"), joined(images(spec.get("template") or {}))),
    )
    yield from _pods(item, {str(facts.meta(item).get("uid"))}, context)


def _seconds(value: Any) -> str:
    return "" if value is None else f"{value} s"


def _job_sentence(item: Object) -> Sentence:
    failed, done = condition(item, "Failed"), condition(item, "Complete")
    if failed.get("status") == "True":
        return Sentence(_("It was given up."), "bad", str(failed.get("message") or ""))
    if done.get("status") == "True":
        return Sentence(_("It has completed."), "good")
    if facts.spec(item).get("suspend"):
        return Sentence(_("It is suspended: no pods run."), "waiting")
    status = facts.status(item)
    given = {
        "done": status.get("succeeded") or 0,
        "of": facts.spec(item).get("completions") or 1,
        "active": status.get("active") or 0,
    }
    told = _("%(done)s of %(of)s are done, %(active)s run now.")
    return Sentence(told % given, "waiting")


def cron_job(item: Object, context: Context) -> Parts:
    """Yield the summary of a CronJob."""
    spec, status = facts.spec(item), facts.status(item)
    if spec.get("suspend"):
        yield Sentence(_("It is suspended: no Job is made."), "waiting")
    else:
        yield Sentence(
            _("It makes a Job at %(schedule)s.") % {"schedule": spec.get("schedule")}, "good"
        )
    yield known(
        (_("Schedule"), code(spec.get("schedule"))),
        (_("Time zone"), text(spec.get("timeZone"))),
        (_("When one still runs"), text(spec.get("concurrencyPolicy"), remark=_policy(spec))),
        (_("Last made"), moment(status.get("lastScheduleTime"))),
        (_("Last success"), moment(status.get("lastSuccessfulTime"))),
        (_("Kept"), text(_kept(spec))),
    )
    uid = {str(facts.meta(item).get("uid"))}
    jobs = facts.owned_by(context.items("jobs.batch", facts.namespace(item)), uid)
    jobs.sort(key=lambda one: str(facts.meta(one).get("creationTimestamp")), reverse=True)
    rows = tuple(
        (
            context.to("jobs.batch", facts.namespace(one), facts.name(one)),
            Cell(_job_sentence(one).text, state=_job_sentence(one).state),
            moment(facts.meta(one).get("creationTimestamp")),
        )
        for one in jobs
    )
    yield Rows(_("Jobs"), (_("Name"), _("State"), _("Age")), rows, _("It has made none yet."))


def _policy(spec: Mapping[str, Any]) -> str:
    return {
        "Allow": _("a second one runs beside it"),
        "Forbid": _("the new one is skipped"),
        "Replace": _("the old one is deleted"),
    }.get(str(spec.get("concurrencyPolicy")), "")


def _kept(spec: Mapping[str, Any]) -> str:
    given = {
        "good": spec.get("successfulJobsHistoryLimit", 3),
        "bad": spec.get("failedJobsHistoryLimit", 1),
    }
    return _("%(good)s good, %(bad)s failed") % given


def scaler(item: Object, context: Context) -> Parts:
    """Yield the summary of a HorizontalPodAutoscaler."""
    spec, status = facts.spec(item), facts.status(item)
    now, wanted = status.get("currentReplicas") or 0, status.get("desiredReplicas") or 0
    able = condition(item, "ScalingActive")
    if able.get("status") == "False":
        yield Sentence(_("It cannot scale now."), "bad", str(able.get("message") or ""))
    elif now != wanted:
        told = _("It scales from %(now)s to %(wanted)s.")
        yield Sentence(told % {"now": now, "wanted": wanted}, "waiting")
    else:
        yield Sentence(_("%(now)s replicas are what its metrics ask for.") % {"now": now}, "good")
    yield known(
        (
            _("Scales"),
            context.to_reference(spec.get("scaleTargetRef") or {}, facts.namespace(item)),
        ),
        (_("Least"), text(spec.get("minReplicas", 1))),
        (_("Most"), text(spec.get("maxReplicas"))),
        (_("Now"), text(now)),
        (_("Wanted"), text(wanted)),
        (_("Last scaled"), moment(status.get("lastScaleTime"))),
    )
    current = status.get("currentMetrics") or ()
    rows = tuple(
        (text(_metric_name(one)), text(_metric(one, "target")), text(_current(one, current)))
        for one in spec.get("metrics") or ()
    )
    if rows:
        yield Rows(_("Metrics"), (_("Metric"), _("Target"), _("Now")), rows)


def _inner(metric: Mapping[str, Any]) -> Mapping[str, Any]:
    kind = str(metric.get("type") or "")
    return metric.get(kind[:1].lower() + kind[1:]) or {}


def _metric_name(metric: Mapping[str, Any]) -> str:
    inner = _inner(metric)
    name = inner.get("name") or (inner.get("metric") or {}).get("name") or ""
    return f"{metric.get('type')} {name}"


def _metric(metric: Mapping[str, Any], field: str) -> str:
    value = _inner(metric).get(field) or {}
    if value.get("averageUtilization") is not None:
        return f"{value['averageUtilization']} %"
    return str(value.get("averageValue") or value.get("value") or "")


def _current(metric: Mapping[str, Any], current: Any) -> str:
    for one in current:
        if _metric_name(one) == _metric_name(metric):
            return _metric(one, "current")
    return _("unknown")


def budget(item: Object, context: Context) -> Parts:
    """Yield the summary of a PodDisruptionBudget."""
    spec, status = facts.spec(item), facts.status(item)
    allowed = int(status.get("disruptionsAllowed") or 0)
    told = ngettext("%(n)d pod may be evicted now.", "%(n)d pods may be evicted now.", allowed) % {
        "n": allowed
    }
    yield Sentence(
        told if allowed else _("No pod may be evicted now."), "good" if allowed else "waiting"
    )
    yield known(
        (_("At least available"), text(spec.get("minAvailable"))),
        (_("At most unavailable"), text(spec.get("maxUnavailable"))),
        (
            _("Healthy"),
            text(f"{status.get('currentHealthy') or 0}/{status.get('desiredHealthy') or 0}"),
        ),
        (_("Selector"), code(facts.selector_text(spec.get("selector")))),
    )
    namespace = facts.namespace(item)
    pods = [
        pod
        for pod in context.items("pods", namespace)
        if facts.selects(spec.get("selector"), facts.meta(pod).get("labels") or {})
    ]
    yield pod_rows(_("Pods that it protects"), pods, context, _("It selects no pods."))
