"""Certificates and their keys as TLS secrets hold them, judged in the words of Go's crypto/tls."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
)

from apiserver.registry.certificates.pem import BLOCK

_CERTIFICATE, _KEY = "CERTIFICATE", "PRIVATE KEY"

Block = tuple[str, bytes]


def key_pair_problem(certificate: bytes, key: bytes) -> str:
    """Return why a certificate and a key, both in PEM, are no pair; "" where they are one."""
    chain, skipped = _certificates(_blocks(certificate))
    if not chain:
        return _no_certificate(skipped)
    private, skipped = _private_key(_blocks(key))
    if private is None:
        return _no_key(skipped)
    try:
        public = x509.load_der_x509_certificate(chain[0]).public_key()
    except ValueError:
        return "x509: malformed certificate"
    try:
        # Whether the numbers of an RSA key are prime is not looked at: that takes a quarter of a
        # second where it has 4096 bits, seconds where it is larger, and nobody is served meanwhile.
        loaded: PrivateKeyTypes = load_der_private_key(
            private, None, unsafe_skip_rsa_key_validation=True
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "tls: failed to parse private key"
    own = loaded.public_key()
    if type(own) is not type(public):
        return "tls: private key type does not match public key type"
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if own.public_bytes(*form) != public.public_bytes(*form):
        return "tls: private key does not match public key"
    return ""


def _blocks(text: bytes) -> list[Block]:
    found = []
    for match in BLOCK.finditer(text):
        try:
            found.append((match[1].decode(errors="replace"), base64.b64decode(match[2])))
        except binascii.Error:
            continue
    return found


def _certificates(blocks: Sequence[Block]) -> tuple[list[bytes], list[str]]:
    chain = [content for kind, content in blocks if kind == _CERTIFICATE]
    return chain, [kind for kind, _ in blocks if kind != _CERTIFICATE]


def _private_key(blocks: Sequence[Block]) -> tuple[bytes | None, list[str]]:
    skipped: list[str] = []
    for kind, content in blocks:
        if kind == _KEY or kind.endswith(f" {_KEY}"):
            return content, skipped
        skipped.append(kind)
    return None, skipped


def _no_certificate(skipped: list[str]) -> str:
    if not skipped:
        return "tls: failed to find any PEM data in certificate input"
    if len(skipped) == 1 and skipped[0].endswith(_KEY):
        return (
            "tls: failed to find certificate PEM data in certificate input, "
            "but did find a private key; PEM inputs may have been switched"
        )
    return (
        'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping '
        f"PEM blocks of the following types: [{' '.join(skipped)}]"
    )


def _no_key(skipped: list[str]) -> str:
    if not skipped:
        return "tls: failed to find any PEM data in key input"
    if skipped == [_CERTIFICATE]:
        return "tls: found a certificate rather than a key in the PEM for the private key"
    return (
        'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after '
        f"skipping PEM blocks of the following types: [{' '.join(skipped)}]"
    )
