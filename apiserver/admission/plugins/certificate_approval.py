"""CertificateApproval: approving a request takes the right to approve for its signer."""

from __future__ import annotations

from apiserver.admission.interfaces import UPDATE, AdmissionRequest, May, Rule
from apiserver.admission.signers import may_use_signer, signer_name


class CertificateApproval:
    """Checks the verb `approve` on the signer."""

    name = "CertificateApproval"
    handles = Rule(("certificatesigningrequests.certificates.k8s.io",), (UPDATE,), ("approval",))

    def __init__(self, may: May) -> None:
        self._may = may

    def validate(self, request: AdmissionRequest) -> None:
        # The old object counts: whoever changes the signer as well must not profit from it.
        signer = signer_name(request.old_object)
        if not may_use_signer(self._may, request.user, "approve", signer):
            raise request.refusal(
                f'user not permitted to approve requests with signerName "{signer}"'
            )
