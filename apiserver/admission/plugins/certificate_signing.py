"""CertificateSigning: putting a certificate on a request takes the right to sign for its signer."""

from __future__ import annotations

from apiserver.admission.interfaces import UPDATE, AdmissionRequest, May, Rule
from apiserver.admission.signers import may_use_signer, signer_name


class CertificateSigning:
    """Checks the verb `sign` on the signer when the certificate or the conditions change."""

    name = "CertificateSigning"
    handles = Rule(("certificatesigningrequests.certificates.k8s.io",), (UPDATE,), ("status",))

    def __init__(self, may: May) -> None:
        self._may = may

    def validate(self, request: AdmissionRequest) -> None:
        new = (request.object or {}).get("status") or {}
        old = (request.old_object or {}).get("status") or {}
        if all(new.get(field) == old.get(field) for field in ("certificate", "conditions")):
            return
        signer = signer_name(request.old_object)
        if not may_use_signer(self._may, request.user, "sign", signer):
            raise request.refusal(f'user not permitted to sign requests with signerName "{signer}"')
