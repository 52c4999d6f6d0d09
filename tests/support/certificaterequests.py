"""Certificate requests, as clients make them."""

from __future__ import annotations

import base64
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@cache
def certificate_request(common_name: str) -> str:
    """Return a request in PEM and base64, as `spec.request` has it."""
    return request_and_key(common_name)[0]


def request_and_key(common_name: str, *organizations: str) -> tuple[str, bytes]:
    """Return a request as `spec.request` has it, and its key in PEM."""
    parts = [(NameOID.ORGANIZATION_NAME, each) for each in organizations]
    parts.append((NameOID.COMMON_NAME, common_name))
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])
    key = ec.generate_private_key(ec.SECP256R1())
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return base64.b64encode(made.public_bytes(serialization.Encoding.PEM)).decode(), private
