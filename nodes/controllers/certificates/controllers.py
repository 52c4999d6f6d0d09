"""The three controllers of certificate signing requests."""

from __future__ import annotations

import base64

from cryptography import x509

from apimachinery.clock import parse_time
from apimachinery.errors import NotFound
from apimachinery.meta import Obj, name_of, uid_of
from nodes.client.controller import DONE, Result
from nodes.client.lister import Key
from nodes.client.resources import CERTIFICATESIGNINGREQUESTS, Res
from nodes.controllers.certificates import requests
from nodes.controllers.common.base import ManagedController
from nodes.controllers.common.conditions import is_true

_REVIEWS = Res(
    "authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False
)
_HOUR = 3600.0
_PENDING = 24 * _HOUR
# Between two looks at what may not be approved (yet).
_SOONEST, _LATEST = 0.2, 1000.0


def _conditions(csr: Obj) -> list[Obj]:
    return (csr.get("status") or {}).get("conditions") or []


def _condition(kind: str, reason: str, message: str, at: str) -> Obj:
    return {
        "type": kind,
        "status": "True",
        "reason": reason,
        "message": message,
        "lastUpdateTime": at,
        "lastTransitionTime": at,
    }


def _parsed(csr: Obj) -> requests.Request | None:
    try:
        return requests.parse(csr)
    except ValueError:
        return None


class _Certificates(ManagedController):
    service_account = "certificate-controller"
    component = "certificate-controller"
    reconciles = CERTIFICATESIGNINGREQUESTS


class ApprovingController(_Certificates):
    """Approves the client certificates of kubelets that may have one."""

    name = "certificatesigningrequest-approving-controller"

    async def reconcile(self, key: Key) -> Result:
        csr = self.informer(CERTIFICATESIGNINGREQUESTS).get(*key)
        if csr is None or (csr.get("status") or {}).get("certificate"):
            return DONE
        if any(is_true(_conditions(csr), kind) for kind in ("Approved", "Denied")):
            return DONE
        request = _parsed(csr)
        spec = csr["spec"]
        if request is None or spec.get("signerName") != requests.KUBELET_CLIENT:
            return DONE
        if requests.kubelet_client_refusal(request, spec.get("usages") or ()):
            return DONE
        # Its own renewal is asked for by another name than its first one.
        for permission, own in (("selfnodeclient", "self "), ("nodeclient", "")):
            if own and request.common_name != spec.get("username"):
                continue
            if await self._may(csr, permission):
                message = (
                    f"Auto approving {own}kubelet client certificate after SubjectAccessReview."
                )
                await self._approve(csr, message)
                return DONE
        # The right may be given later: it is asked for again, ever more seldom.
        age = self.clock.seconds() - parse_time(csr["metadata"]["creationTimestamp"]).timestamp()
        return Result(requeue_after=min(max(age, _SOONEST), _LATEST))

    async def _may(self, csr: Obj, permission: str) -> bool:
        spec = csr["spec"]
        review: Obj = {
            "apiVersion": _REVIEWS.api_version,
            "kind": _REVIEWS.kind,
            "metadata": {},
            "spec": {
                "user": spec.get("username") or "",
                "uid": spec.get("uid") or "",
                "groups": spec.get("groups") or [],
                "extra": spec.get("extra") or {},
                "resourceAttributes": {
                    "group": "certificates.k8s.io",
                    "resource": "certificatesigningrequests",
                    "verb": "create",
                    "subresource": permission,
                    "version": "*",
                },
            },
        }
        answer = await self.client.create(review, _REVIEWS)
        return bool((answer.get("status") or {}).get("allowed"))

    async def _approve(self, csr: Obj, message: str) -> None:
        new = _condition("Approved", "AutoApproved", message, self.clock.timestamp())
        status = {**(csr.get("status") or {}), "conditions": [*_conditions(csr), new]}
        changed = {**csr, "status": status}
        await self.client.update(changed, "approval", CERTIFICATESIGNINGREQUESTS)


class SigningController(_Certificates):
    """Signs what is approved, for the signers of Kubernetes."""

    name = "certificatesigningrequest-signing-controller"

    async def reconcile(self, key: Key) -> Result:
        csr = self.informer(CERTIFICATESIGNINGREQUESTS).get(*key)
        authority = self.manager.authority
        if csr is None or authority is None or not _is_to_be_signed(csr):
            return DONE
        request, spec, status = _parsed(csr), csr["spec"], csr.get("status") or {}
        if request is None:
            return DONE
        usages = spec.get("usages") or []
        if why := requests.refusal(spec["signerName"], request, usages):
            new = _condition("Failed", "SignerValidationFailure", why, self.clock.timestamp())
            status = {**status, "conditions": [*_conditions(csr), new]}
        else:
            seconds = spec.get("expirationSeconds")
            signed = authority.sign_request(requests.pem_of(csr), usages, seconds)
            status = {**status, "certificate": base64.b64encode(signed.encode()).decode()}
        await self.client.update_status({**csr, "status": status}, CERTIFICATESIGNINGREQUESTS)
        return DONE


def _is_to_be_signed(csr: Obj) -> bool:
    found = _conditions(csr)
    return (
        csr["spec"].get("signerName") in requests.SIGNERS
        and not (csr.get("status") or {}).get("certificate")
        and is_true(found, "Approved")
        and not is_true(found, "Failed")
    )


class CleanerController(_Certificates):
    """Deletes requests that are an hour past their outcome, or a day old without one."""

    name = "certificatesigningrequest-cleaner-controller"

    async def reconcile(self, key: Key) -> Result:
        csr = self.informer(CERTIFICATESIGNINGREQUESTS).get(*key)
        if csr is None:
            return DONE
        left = _ends(csr) - self.clock.seconds()
        if left > 0:
            return Result(requeue_after=left)
        try:
            await self.client.delete(CERTIFICATESIGNINGREQUESTS, "", name_of(csr), uid=uid_of(csr))
        except NotFound:
            return DONE
        return DONE


def _ends(csr: Obj) -> float:
    """Return when a request may go."""
    created = parse_time(csr["metadata"]["creationTimestamp"]).timestamp()
    ends = []
    certificate = (csr.get("status") or {}).get("certificate")
    for one in _conditions(csr):
        # What is approved and not signed may be signed yet.
        waits = one.get("type") == "Approved" and not certificate
        if one.get("lastUpdateTime"):
            since = parse_time(one["lastUpdateTime"]).timestamp()
            ends.append(since + (_PENDING if waits else _HOUR))
    if not _conditions(csr):
        ends.append(created + _PENDING)
    if certificate:
        issued = x509.load_pem_x509_certificate(base64.b64decode(certificate))
        ends.append(issued.not_valid_after_utc.timestamp())
    return min(ends, default=created + 365 * _PENDING)
