"""Volume claims, volumes and storage classes in words."""

from __future__ import annotations

from django.utils.translation import gettext as _

from playground.objects import facts
from playground.objects.reading import Object
from playground.objects.summary.parts import (
    Context,
    Parts,
    Sentence,
    joined,
    known,
    pod_rows,
    text,
)


def claim(item: Object, context: Context) -> Parts:
    """Yield the summary of a PersistentVolumeClaim."""
    spec, status, namespace = facts.spec(item), facts.status(item), facts.namespace(item)
    volume, phase = str(spec.get("volumeName") or ""), status.get("phase")
    class_ = str(spec.get("storageClassName") or "")
    if phase == "Bound":
        yield Sentence(_("It is bound to a volume."), "good")
    elif phase == "Lost":
        yield Sentence(_("Its volume is gone."), "bad")
    else:
        yield _waiting(class_, context)
    yield known(
        (_("Volume"), context.to("persistentvolumes", "", volume) if volume else None),
        (
            _("Asked for"),
            text(((spec.get("resources") or {}).get("requests") or {}).get("storage")),
        ),
        (_("Capacity"), text((status.get("capacity") or {}).get("storage"))),
        (_("Access"), joined(spec.get("accessModes"))),
        (_("Storage class"), context.to("storageclasses.storage.k8s.io", "", class_)),
        (_("Mode"), text(spec.get("volumeMode"))),
    )
    using = [
        pod
        for pod in context.items("pods", namespace)
        if any(
            k == "PersistentVolumeClaim" and n == facts.name(item)
            for k, n, _use in facts.references(pod)
        )
    ]
    yield pod_rows(_("Pods that use it"), using, context, _("No pod uses it."))


def _waiting(class_: str, context: Context) -> Sentence:
    found = context.one("storageclasses.storage.k8s.io", "", class_)
    if found and found.get("volumeBindingMode") == "WaitForFirstConsumer":
        return Sentence(_("It waits for a pod that uses it: then its volume is made."), "waiting")
    return Sentence(_("It waits for a volume that fits."), "waiting")


def volume(item: Object, context: Context) -> Parts:
    """Yield the summary of a PersistentVolume."""
    spec, phase = facts.spec(item), facts.status(item).get("phase")
    policy = spec.get("persistentVolumeReclaimPolicy")
    reference = spec.get("claimRef") or {}
    space, name = str(reference.get("namespace") or ""), str(reference.get("name") or "")
    told = {
        "Available": (_("No claim has it yet."), "good"),
        "Bound": (_("A claim has it."), "good"),
        "Released": (_("Its claim is gone; no other can have it until it is cleared."), "waiting"),
        "Failed": (_("It could not be cleared."), "bad"),
    }.get(str(phase), (str(phase or ""), "plain"))
    yield Sentence(*told)
    remark = {
        "Delete": _("the data goes with the claim"),
        "Retain": _("the data stays when the claim goes"),
    }.get(str(policy), "")
    source = next((key for key in spec if key in _SOURCES), "")
    class_ = str(spec.get("storageClassName") or "")
    yield known(
        (
            _("Claim"),
            context.to("persistentvolumeclaims", space, name, f"{space}/{name}") if name else None,
        ),
        (_("Capacity"), text((spec.get("capacity") or {}).get("storage"))),
        (_("Access"), joined(spec.get("accessModes"))),
        (_("Reclaim policy"), text(policy, remark=remark)),
        (_("Storage class"), context.to("storageclasses.storage.k8s.io", "", class_)),
        (_("Kept in"), text(source)),
    )


_SOURCES = {
    "hostPath",
    "local",
    "nfs",
    "csi",
    "iscsi",
    "fc",
    "awsElasticBlockStore",
    "gcePersistentDisk",
}


def storage_class(item: Object, context: Context) -> Parts:
    """Yield the summary of a StorageClass."""
    annotations = facts.meta(item).get("annotations") or {}
    if annotations.get("storageclass.kubernetes.io/is-default-class") == "true":
        yield Sentence(_("Claims that name no class get this one."), "good")
    yield known(
        (_("Provisioner"), text(item.get("provisioner"))),
        (_("Reclaim policy"), text(item.get("reclaimPolicy"))),
        (_("Binding"), text(item.get("volumeBindingMode"))),
        (_("May grow"), text(_("yes") if item.get("allowVolumeExpansion") else _("no"))),
        (_("Parameters"), joined([f"{k}={v}" for k, v in (item.get("parameters") or {}).items()])),
    )
