"""Claims that have no volume."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from playground.why.causes.facts import events, meta, name, ref, spec, status, users
from playground.why.model import Cause, Fix, Object, World

_DEFAULT = "storageclass.kubernetes.io/is-default-class"


def is_unbound(claim: Object, world: World) -> Iterator[Cause]:
    """A claim waits for a volume that fits, or for somebody to make one."""
    if status(claim).get("phase") not in ("Pending", "Lost"):
        return
    said = events(
        world,
        claim,
        "FailedBinding",
        "ProvisioningFailed",
        "WaitForFirstConsumer",
        "ExternalProvisioning",
    )
    classes = world.items("storageclasses.storage.k8s.io")
    text, fixes = _reason(claim, world, classes)
    yield Cause(
        text,
        condition=f"phase={status(claim)['phase']}",
        verbatim=str(said[0].get("message") or "") if said else "",
        rule=_("A claim is bound to a volume that fits; its class may have one made."),
        fixes=tuple(fixes),
    )


def _reason(claim: Object, world: World, classes: list[Object]) -> tuple[str, list[Fix]]:
    wanted = spec(claim).get("storageClassName")
    if status(claim).get("phase") == "Lost":
        return _("The volume that it was bound to is gone, with what was on it."), []
    found = next((one for one in classes if name(one) == wanted), None)
    if wanted and found is None:
        return _("Its storage class %(name)s is not there.") % {"name": wanted}, _other(
            claim, classes
        )
    if found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer":
        if not users(world, claim):
            make = Fix(_("Make a pod that uses it."))
            return _("Its class waits for the first pod that uses it, and there is none."), [make]
        return _("A pod uses it that is on no node yet: its volume comes with the node."), []
    if found is not None:
        return _("Its class %(name)s has not made a volume yet.") % {"name": wanted}, []
    if wanted is None and not any(_is_default(one) for one in classes):
        return _("It names no storage class, and none is the default."), _other(claim, classes)
    return _("No volume fits, and nobody makes one for a claim without a class."), _other(
        claim, classes
    )


def _other(claim: Object, classes: list[Object]) -> list[Fix]:
    """Claims cannot change their class: make another, or make the class."""
    names = ", ".join(sorted(map(name, classes)))
    where = ref("persistentvolumeclaims", claim)
    fixes = [Fix(_("Create a PersistentVolume that fits, or the class that is missing."))]
    if names:
        fixes.append(
            Fix(
                _("Make the claim anew with one of the classes that there are: %(names)s.")
                % {"names": names},
                f"kubectl delete pvc {where.name} -n {where.namespace}",
            )
        )
    return fixes


def _is_default(one: Object) -> bool:
    return (meta(one).get("annotations") or {}).get(_DEFAULT) == "true"
