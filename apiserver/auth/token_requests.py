"""TokenRequest: a fresh token for a service account, bound to what it is made for."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from apimachinery.clock import format_time
from apimachinery.errors import BadRequest, Conflict, Invalid, NotFound
from apimachinery.gvk import GroupKind, GroupResource, GroupVersion
from apimachinery.meta import Obj, name_of, namespace_of
from apimachinery.validation.field import FieldError, Path, invalid
from apiserver.auth.attributes import quote
from apiserver.auth.cluster import ClusterAuth
from apiserver.auth.remarks import Remarks
from apiserver.auth.tokens import reference
from apiserver.storage.types import Key

KIND = GroupKind("authentication.k8s.io", "TokenRequest")
DEFAULT_SECONDS = 60 * 60
LEAST_SECONDS = 10 * 60
MOST_SECONDS = 1 << 32
# Pods that read their token once would break after an hour. The token that admission mounts asks
# for this odd life; it gets a year, and a warning in the audit log from the hour on.
MOUNTED_SECONDS = 60 * 60 + 7
_ISSUED = "authentication.kubernetes.io/issued-credential-id"
EXTENDED_SECONDS = 365 * 24 * 60 * 60


class _Bound(NamedTuple):
    claims: dict[str, dict[str, str]]
    to_pod: bool


def create_token(
    auth: ClusterAuth, service_account: Obj, request: Obj, remarks: Remarks | None = None
) -> Obj:
    """Return the request with its token. Raises Invalid, BadRequest, NotFound or Conflict."""
    _check_metadata(service_account, request)
    spec = request.get("spec") or {}
    seconds = spec.get("expirationSeconds")
    seconds = DEFAULT_SECONDS if seconds is None else seconds
    if errors := list(_validate(seconds)):
        raise Invalid(KIND, "", errors)
    audiences = spec.get("audiences") or list(auth.options.audiences)
    wanted = spec.get("boundObjectRef")
    bound = _bind(auth, service_account, wanted) if wanted else _Bound({}, False)
    remarks = remarks or Remarks()
    seconds = _shortened(auth, seconds, remarks)
    life, warn_after = _life(auth, seconds, bound, audiences)
    now = auth.clock.now()
    jti = str(uuid.uuid4())
    token = auth.tokens.issue(service_account, audiences, life, bound.claims, warn_after, jti)
    remarks.annotations[_ISSUED] = f"JTI={jti}"
    expires = format_time(now.fromtimestamp(int(now.timestamp()) + seconds, now.tzinfo))
    return {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {
            "name": name_of(service_account),
            "namespace": namespace_of(service_account),
            "creationTimestamp": auth.clock.timestamp(),
        },
        "spec": {
            "audiences": audiences,
            "expirationSeconds": seconds,
            "boundObjectRef": wanted or None,
        },
        "status": {"token": token, "expirationTimestamp": expires},
    }


def _check_metadata(service_account: Obj, request: Obj) -> None:
    metadata, path = request.get("metadata") or {}, Path("metadata")
    for field, value in (
        ("name", name_of(service_account)),
        ("namespace", namespace_of(service_account)),
    ):
        given = metadata.get(field)
        if given and given != value:
            words = f"must match the service account {field} if specified"
            raise Invalid(KIND, name_of(service_account), [invalid(path / field, given, words)])


def _validate(seconds: int) -> Iterator[FieldError]:
    path = Path("spec") / "expirationSeconds"
    if seconds < LEAST_SECONDS:
        yield invalid(path, seconds, "may not specify a duration less than 10 minutes")
    if seconds > MOST_SECONDS:
        yield invalid(path, seconds, "may not specify a duration larger than 2^32 seconds")


def _shortened(auth: ClusterAuth, seconds: int, remarks: Remarks) -> int:
    longest = int(auth.options.longest_token)
    if not 0 < longest < seconds:
        return seconds
    told = f"requested expiration of {seconds} seconds shortened to {longest} seconds"
    remarks.warnings.append(told)
    return longest


def _life(
    auth: ClusterAuth, seconds: int, bound: _Bound, audiences: Sequence[str]
) -> tuple[int, int]:
    """Return the token's life, and after how long its use is worth a warning (0: never)."""
    ours = set(audiences) <= set(auth.options.audiences)
    if auth.options.extend_tokens and bound.to_pod and seconds == MOUNTED_SECONDS and ours:
        return EXTENDED_SECONDS, seconds
    return seconds, 0


def _bind(auth: ClusterAuth, service_account: Obj, wanted: Mapping[str, Any]) -> _Bound:
    version = GroupVersion.parse(wanted.get("apiVersion") or "")
    kind = wanted.get("kind") or ""
    name, namespace = wanted.get("name") or "", namespace_of(service_account)
    if version.group or kind not in {"Pod", "Node", "Secret"}:
        shown = f"{version.group}/{version.version}, Kind={kind}"
        raise BadRequest(f"cannot bind token to object of type {shown}")
    resource = f"{kind.lower()}s"
    found = auth.objects.get(Key(resource, "" if kind == "Node" else namespace, name))
    if found is None:
        raise NotFound(GroupResource("", resource), name)
    obj = auth.parse(found)
    claims = {kind.lower(): reference(obj)}
    if kind == "Pod":
        _check_pod(service_account, obj)
        claims |= _node_claim(auth, obj)
    uid = wanted.get("uid") or ""
    if uid and uid != found.uid:
        raise Conflict(
            GroupResource("", kind),
            name,
            f"the UID in the bound object reference ({uid}) does not match the UID in record. "
            "The object might have been deleted and then recreated",
        )
    return _Bound(claims, to_pod=kind == "Pod")


def _check_pod(service_account: Obj, pod: Obj) -> None:
    runs_as = (pod.get("spec") or {}).get("serviceAccountName") or ""
    name = name_of(service_account)
    if runs_as != name:
        raise BadRequest(
            f"cannot bind token for serviceaccount {quote(name)} to pod running with different "
            "serviceaccount name."
        )


def _node_claim(auth: ClusterAuth, pod: Obj) -> dict[str, dict[str, str]]:
    name = (pod.get("spec") or {}).get("nodeName") or ""
    if not name:
        return {}
    node = auth.objects.get(Key("nodes", "", name))
    return {"node": {"name": name} | ({"uid": node.uid} if node is not None else {})}
