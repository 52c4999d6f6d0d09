"""Who may write which part of a claim's status: schedulers its devices, drivers what these say.

Whoever may write the status at all needs `resourceclaims/binding` besides for the devices and
their users, and `resourceclaims/driver` for the state of a driver's devices: of any node, or as a
service account on the node of the claim.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from apimachinery.errors import Invalid
from apimachinery.gvk import GroupKind
from apimachinery.meta import Obj, name_of
from apimachinery.validation.field import FieldErrors, Path
from apimachinery.validation.field import forbidden as forbidden_field
from apiserver.auth.attributes import Attributes, forbidden
from apiserver.auth.cluster import ClusterAuth
from apiserver.auth.user import User

CLAIMS = "resourceclaims.resource.k8s.io"
_KIND = GroupKind("resource.k8s.io", "ResourceClaim")
_STATUS = Path("status")
_BOUND = ("allocation", "reservedFor")
_ASSOCIATED, _ARBITRARY = "associated-node:", "arbitrary-node:"
_ACCOUNT = "system:serviceaccount:"
_NODE = "authentication.kubernetes.io/node-name"


def check_claim_status(auth: ClusterAuth, asked: Attributes, new: Obj, old: Obj) -> None:
    """Refuse a write of a claim's status that changes what the user may not. Raises Invalid."""
    status, before = new.get("status") or {}, old.get("status") or {}
    errors = [*_binding(auth, asked, status, before), *_driving(auth, asked, status, before)]
    if errors:
        raise Invalid(_KIND, name_of(new), errors)


def _binding(auth: ClusterAuth, asked: Attributes, status: Obj, before: Obj) -> FieldErrors:
    if all((status.get(part) or None) == (before.get(part) or None) for part in _BOUND):
        return
    if why := _refusal(auth, replace(asked, subresource="binding", namespace="", name="")):
        need = f'resource="resourceclaims/binding", verb="{asked.verb}" permission'
        what = f"changing status.allocation or status.reservedFor requires {need}: {why}"
        yield forbidden_field(_STATUS, what)


def _driving(auth: ClusterAuth, asked: Attributes, status: Obj, before: Obj) -> FieldErrors:
    drivers = sorted(set(_changed(status, before)))
    if not drivers:
        return
    verbs = [_ARBITRARY + asked.verb]
    if _stands_on(asked.user, _node_of(status.get("allocation") or {})):
        verbs.insert(0, _ASSOCIATED + asked.verb)
    for driver in drivers:
        part = replace(asked, subresource="driver", name=driver)
        refusals = [_refusal(auth, replace(part, verb=verb)) for verb in verbs]
        if all(refusals):
            need = f'resource="resourceclaims/driver", verb="[{" ".join(verbs)}]" permission'
            what = f"changing status.devices requires {need}: {refusals[0]}"
            yield forbidden_field(_STATUS / "devices", what)


def _refusal(auth: ClusterAuth, attributes: Attributes) -> str:
    """Return why something is not allowed, "" where it is."""
    decision = auth.authorize(attributes)
    return "" if decision.allowed else forbidden(attributes, decision.reason).message


def _changed(status: Obj, before: Obj) -> Iterator[str]:
    """Yield the drivers of devices whose state is other than it was.

    What is said of devices goes with them: that needs no right besides.
    """
    now, then = _by_device(status.get("devices")), _by_device(before.get("devices"))
    had = _by_device(((status.get("allocation") or {}).get("devices") or {}).get("results"))
    for key in now.keys() | then.keys():
        if now.get(key) != then.get(key) and (key in now or key in had):
            yield key[0]


def _by_device(given: Sequence[Obj] | None) -> dict[tuple[str, ...], Obj]:
    parts = ("driver", "pool", "device", "shareID")
    return {tuple(str(one.get(part) or "") for part in parts): one for one in given or ()}


def _node_of(allocation: Obj) -> str:
    """Return the one node from which the devices of a claim can be used, "" if there are more."""
    terms: list[Obj] = (allocation.get("nodeSelector") or {}).get("nodeSelectorTerms") or []
    if len(terms) != 1 or terms[0].get("matchExpressions"):
        return ""
    match terms[0].get("matchFields"):
        case [{"key": "metadata.name", "operator": "In", "values": [name]}]:
            return str(name)
    return ""


def _stands_on(user: User, node: str) -> bool:
    """Tell whether a user is a service account whose token is bound to this node."""
    nodes = [*user.extra.get(_NODE, ())]
    return bool(node) and user.name.startswith(_ACCOUNT) and nodes == [node]
