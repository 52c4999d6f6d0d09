"""Certificates and requests for them, as they travel: PEM in base64."""

from __future__ import annotations

import base64
import binascii
import re

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

BLOCK = re.compile(rb"-----BEGIN ([^-\n]*)-----\s*\n(.*?)-----END \1-----", re.DOTALL)


def why_no_request(text: str) -> str | None:
    """Return why a text is no certificate request, None if it is one with a good signature."""
    match = BLOCK.search(_bytes(text))
    if match is None or match[1] != b"CERTIFICATE REQUEST":
        return "PEM block type must be CERTIFICATE REQUEST"
    try:
        request = x509.load_der_x509_csr(base64.b64decode(match[2]))
        if not request.is_signature_valid:
            return "x509: ECDSA verification failure"
    except (ValueError, UnsupportedAlgorithm, InvalidSignature):
        return "asn1: structure error: tags don't match"
    return None


def why_no_certificate(text: str) -> str | None:
    """Return why a text is no chain of certificates; the empty text is fine."""
    if not text:
        return None
    blocks = list(BLOCK.finditer(_bytes(text)))
    if not blocks:
        return "must contain at least one CERTIFICATE PEM block"
    for match in blocks:
        kind = match[1].decode(errors="replace")
        if kind != "CERTIFICATE":
            return f'only CERTIFICATE PEM blocks are allowed, found "{kind}"'
        if b":" in match[2]:
            return "no PEM block headers are permitted"
        try:
            x509.load_der_x509_certificate(base64.b64decode(match[2]))
        except ValueError:
            return "x509: malformed certificate"
    return None


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return b""
