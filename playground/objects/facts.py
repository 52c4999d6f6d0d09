"""Small questions about objects that several pages ask. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from apimachinery.nodes import condition_status
from apimachinery.pods import group_name
from apimachinery.resourceclaims import extended_claim, pod_claims, wishes

Object = Mapping[str, Any]
MIRROR = "kubernetes.io/config.mirror"
DEVICE_CLAIMS = "resourceclaims.resource.k8s.io"
DEVICE_TEMPLATES = "resourceclaimtemplates.resource.k8s.io"
GROUPS = "podgroups.scheduling.k8s.io"
DEVICE_CLASSES = "deviceclasses.resource.k8s.io"


def meta(item: Object) -> Mapping[str, Any]:
    """Return the metadata."""
    return item.get("metadata") or {}


def spec(item: Object) -> Mapping[str, Any]:
    """Return the spec."""
    return item.get("spec") or {}


def status(item: Object) -> Mapping[str, Any]:
    """Return the status."""
    return item.get("status") or {}


def name(item: Object) -> str:
    """Return the name."""
    return str(meta(item).get("name") or "")


def namespace(item: Object) -> str:
    """Return the namespace, empty for none."""
    return str(meta(item).get("namespace") or "")


def controller(item: Object) -> Mapping[str, Any] | None:
    """Return the owner reference of the controller, if there is one."""
    for reference in meta(item).get("ownerReferences") or ():
        if reference.get("controller"):
            return dict(reference)
    return None


def owned_by(items: Iterable[Object], uids: set[str]) -> list[Object]:
    """Return the objects that one of these owns."""
    return [
        item
        for item in items
        if any(one.get("uid") in uids for one in meta(item).get("ownerReferences") or ())
    ]


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Tell whether a label selector, with matchLabels and matchExpressions, selects labels.

    None selects nothing, an empty one everything.
    """
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_holds(one, labels) for one in selector.get("matchExpressions") or ())


def _holds(requirement: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = requirement.get("key") or "", requirement.get("values") or ()
    match requirement.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return False


def selector_text(selector: Mapping[str, Any] | None) -> str:
    """Return a label selector as kubectl prints it: "app=web,tier in (a,b)"."""
    if not selector:
        return ""
    parts = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for one in selector.get("matchExpressions") or ():
        key, values = one.get("key"), ",".join(one.get("values") or ())
        match one.get("operator"):
            case "In":
                parts.append(f"{key} in ({values})")
            case "NotIn":
                parts.append(f"{key} notin ({values})")
            case "Exists":
                parts.append(str(key))
            case "DoesNotExist":
                parts.append(f"!{key}")
    return ",".join(parts)


def is_mirror(pod: Object) -> bool:
    """Tell whether a pod only shows a static pod of a kubelet."""
    return MIRROR in (meta(pod).get("annotations") or {})


def ended(pod: Object) -> bool:
    """Tell whether all containers of a pod have ended for good."""
    return status(pod).get("phase") in ("Succeeded", "Failed")


def condition(item: Object, type_: str) -> Mapping[str, Any]:
    """Return one of an object's conditions, or an empty one."""
    found = status(item).get("conditions") or ()
    return next((dict(one) for one in found if one.get("type") == type_), {})


def over(item: Object) -> bool:
    """Tell whether a Job has come to its end, well or not."""
    ends = ("Complete", "Failed")
    return item.get("kind") == "Job" and any(condition_status(item, one) == "True" for one in ends)


def has_local_data(pod: Object) -> bool:
    """Tell whether a pod has data that goes with it: emptyDir volumes."""
    return any("emptyDir" in volume for volume in spec(pod).get("volumes") or ())


def references(pod: Object) -> Iterator[tuple[str, str, str]]:
    """Yield what a pod needs beside it: kind, name, and what for."""
    inner = spec(pod)
    if account := inner.get("serviceAccountName"):
        yield "ServiceAccount", account, "runs as"
    for volume in inner.get("volumes") or ():
        yield from _of_volume(volume)
    for secret in inner.get("imagePullSecrets") or ():
        yield "Secret", str(secret.get("name") or ""), "image pull secret"
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for container in inner.get(field) or ():
            yield from _of_container(container)
    yield from _of_devices(pod)
    if group := group_name(pod):
        yield "PodGroup", group, "scheduled with"


def _of_devices(pod: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the claims of devices; of one that is not made yet what it is made of."""
    for one in pod_claims(pod):
        if one.claim:
            yield "ResourceClaim", one.claim, f"devices {one.name}"
        elif one.needed:
            yield "ResourceClaimTemplate", one.template, f"devices {one.name}"
    if made := extended_claim(pod):
        yield "ResourceClaim", made, "extended resources"


def device_classes(claim_spec: Mapping[str, Any]) -> Iterator[str]:
    """Yield the classes of devices that a claim asks for, each once."""
    found: dict[str, None] = {}
    for request in (claim_spec.get("devices") or {}).get("requests") or ():
        for wish in wishes(request):
            found[str(wish.get("deviceClassName") or "")] = None
    yield from filter(None, found)


def _of_volume(volume: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    use = f"volume {volume.get('name')}"
    for source in (volume, *((volume.get("projected") or {}).get("sources") or ())):
        if "configMap" in source:
            yield "ConfigMap", str(source["configMap"].get("name") or ""), use
        if "secret" in source:
            secret = source["secret"]
            yield "Secret", str(secret.get("secretName") or secret.get("name") or ""), use
    if "persistentVolumeClaim" in volume:
        claim = volume["persistentVolumeClaim"]
        yield "PersistentVolumeClaim", str(claim.get("claimName") or ""), use


def _of_container(container: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    use = f"environment of {container.get('name')}"
    for source in container.get("envFrom") or ():
        if "configMapRef" in source:
            yield "ConfigMap", str(source["configMapRef"].get("name") or ""), use
        if "secretRef" in source:
            yield "Secret", str(source["secretRef"].get("name") or ""), use
    for variable in container.get("env") or ():
        source = variable.get("valueFrom") or {}
        if "configMapKeyRef" in source:
            yield "ConfigMap", str(source["configMapKeyRef"].get("name") or ""), use
        if "secretKeyRef" in source:
            yield "Secret", str(source["secretKeyRef"].get("name") or ""), use
