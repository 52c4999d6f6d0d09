"""Services that lead nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from playground.objects.facts import selects
from playground.why.causes.facts import first_pods, meta, name, namespace, ready, ref, spec
from playground.why.model import Cause, Fix, Object, World


def leads_nowhere(service: Object, world: World) -> Iterator[Cause]:
    """No ready pod has all labels of its selector, or its port."""
    if spec(service).get("type") == "ExternalName" or _addresses(service, world):
        return
    selector = spec(service).get("selector") or {}
    if not selector:
        yield Cause(
            _("It selects no pods, and nobody has made an EndpointSlice for it."),
            condition="spec.selector={}",
            rule=_("Only a Service with a selector gets its endpoints by itself."),
            fixes=(Fix(_("Give it a selector, or make an EndpointSlice that names it.")),),
        )
        return
    pods = world.items("pods", namespace(service))
    chosen = [
        one for one in pods if selects({"matchLabels": selector}, meta(one).get("labels") or {})
    ]
    if not chosen:
        yield _selects_nothing(service, pods)
        return
    waiting = [one for one in chosen if not ready(one)]
    if waiting:
        yield Cause(
            _("None of the pods that it selects is ready."),
            condition=f"spec.selector={_text(selector)}",
            rule=_("A pod that is not ready gets no traffic, and a rollout waits for it."),
            leads_to=first_pods(waiting),
        )
        return
    yield Cause(
        _("No pod that it selects has the port that it names."),
        condition=", ".join(
            f"targetPort={one.get('targetPort')}" for one in spec(service).get("ports") or ()
        ),
        rule=_("A port by name leads to the container's port of that name."),
        fixes=(Fix(_("Name a port that the containers have, or its number.")),),
    )


def _selects_nothing(service: Object, pods: list[Object]) -> Cause:
    selector = spec(service)["selector"]
    near = _nearest(selector, pods)
    fixes = [Fix(_("Change the selector to labels that pods have, or label the pods."))]
    if near:
        where = ref("services", service)
        text = ",".join(f"{key}={value}" for key, value in near.items())
        fixes.insert(
            0,
            Fix(
                _("Select %(labels)s, which pods have.") % {"labels": text},
                f"kubectl set selector service {where.name} -n {where.namespace} '{text}'",
                where,
                {"spec": {"selector": near}},
            ),
        )
    return Cause(
        _("No pod has all the labels that it selects."),
        condition=f"spec.selector={_text(selector)}",
        rule=_("A Service leads to ready pods that have all labels of its selector."),
        fixes=tuple(fixes),
    )


def _nearest(selector: dict[str, str], pods: list[Object]) -> dict[str, str]:
    """Return the same keys with the values of the pod that has most of them."""
    best: dict[str, str] = {}
    most = -1
    for pod in sorted(pods, key=name):
        labels = meta(pod).get("labels") or {}
        if set(selector) <= set(labels):
            same = sum(labels[key] == value for key, value in selector.items())
            if same > most:
                best, most = {key: labels[key] for key in selector}, same
    return best


def _addresses(service: Object, world: World) -> bool:
    for one in world.items("endpointslices.discovery.k8s.io", namespace(service)):
        labels = meta(one).get("labels") or {}
        if labels.get("kubernetes.io/service-name") != name(service):
            continue
        for end in one.get("endpoints") or ():
            if (end.get("conditions") or {}).get("ready", True) and (one.get("ports") or ()):
                return True
    return False


def _text(selector: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in selector.items())
