"""Claims that have no devices, and pods whose claims are not there."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from apimachinery.resourceclaims import is_allocated, pod_claims
from playground.objects.facts import DEVICE_CLAIMS, DEVICE_CLASSES, DEVICE_TEMPLATES, references
from playground.objects.facts import device_classes as classes_of
from playground.why.causes.facts import condition, name, namespace, shown, spec, words
from playground.why.model import Cause, Fix, Object, Ref, World


def has_no_devices(claim: Object, world: World) -> Iterator[Cause]:
    """A claim is given devices together with a node for a pod that uses it."""
    if is_allocated(claim):
        return
    missing = [one for one in classes_of(spec(claim)) if not world.one(DEVICE_CLASSES, "", one)]
    fixes: tuple[Fix, ...] = ()
    if missing:
        text = _("Its device class %(name)s is not there.") % {"name": missing[0]}
        fixes = (Fix(_("Create the DeviceClass, or make the claim anew with one that is there.")),)
    elif not _users(claim, world):
        text = _("No pod uses it: devices come with the node of the first pod that does.")
        fixes = (Fix(_("Make a pod that uses it.")),)
    elif world.items("resourceslices.resource.k8s.io"):
        text = _("A pod uses it that no node has the devices for.")
    else:
        text = _("There are no devices: no ResourceSlice tells of any.")
        fixes = (Fix(_("Create a ResourceSlice that lists devices, as a driver would.")),)
    yield Cause(
        text,
        condition="status.allocation",
        rule=_("The scheduler gives devices to a claim when it finds a node for a pod."),
        fixes=fixes,
    )


def claim_is_missing(pod: Object, world: World) -> Iterator[Cause]:
    """A pod is not scheduled before each of its claims is there."""
    if spec(pod).get("nodeName"):
        return
    space = namespace(pod)
    for one in pod_claims(pod):
        if not one.needed:
            continue
        kind, title, wanted = "ResourceClaim", DEVICE_CLAIMS, one.claim
        if not wanted:
            kind, title, wanted = "ResourceClaimTemplate", DEVICE_TEMPLATES, one.template
        if world.one(title, space, wanted) is not None:
            continue
        found = condition(pod, "PodScheduled")
        yield Cause(
            _("Its %(kind)s %(name)s is not there.") % {"kind": kind, "name": wanted},
            condition=shown(found) if found else "",
            verbatim=words(found),
            rule=_("A pod is not scheduled before each of its claims is there."),
            fixes=(Fix(_("Create %(kind)s %(name)s.") % {"kind": kind, "name": wanted}),),
        )


def claims_behind(pod: Object, world: World) -> Iterator[Ref]:
    """Yield the claims of a pod that have no devices."""
    for kind, wanted, _use in references(pod):
        if kind != "ResourceClaim":
            continue
        claim = world.one(DEVICE_CLAIMS, namespace(pod), wanted)
        if claim is not None and not is_allocated(claim):
            yield Ref(DEVICE_CLAIMS, namespace(pod), wanted)


def _users(claim: Object, world: World) -> bool:
    wanted = ("ResourceClaim", name(claim))
    return any(
        (kind, other) == wanted
        for pod in world.items("pods", namespace(claim))
        for kind, other, _use in references(pod)
    )
