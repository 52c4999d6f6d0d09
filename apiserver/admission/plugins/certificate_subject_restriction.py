"""CertificateSubjectRestriction: nobody becomes a superuser by a certificate request."""

from __future__ import annotations

import base64
import binascii

from cryptography import x509
from cryptography.x509.oid import NameOID

from apiserver.admission.interfaces import CREATE, AdmissionRequest, Rule
from apiserver.admission.signers import signer_name

CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"
MASTERS = "system:masters"


class CertificateSubjectRestriction:
    """Refuses client certificates for the group system:masters."""

    name = "CertificateSubjectRestriction"
    handles = Rule(("certificatesigningrequests.certificates.k8s.io",), (CREATE,))

    def validate(self, request: AdmissionRequest) -> None:
        if signer_name(request.object) != CLIENT_SIGNER:
            return
        spec = (request.object or {}).get("spec") or {}
        try:
            asked = x509.load_pem_x509_csr(base64.b64decode(spec.get("request") or ""))
        except (ValueError, binascii.Error) as error:
            why = "failed to parse CSR: PEM block type must be CERTIFICATE REQUEST"
            raise request.refusal(why) from error
        groups = asked.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        if any(group.value == MASTERS for group in groups):
            raise request.refusal(
                f"use of {CLIENT_SIGNER} signer with {MASTERS} group is not allowed"
            )
