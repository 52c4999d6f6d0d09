"""Signing certificate requests with a cluster's CA: the subject and names as asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from apimachinery.clock import Clock
from apiserver.auth.pki import BACKDATE, CertificateAuthority

LONGEST_SECONDS = 365 * 24 * 3600.0
SHORTEST_SECONDS = 600.0

_KEY_USAGES = {
    "signing": "digital_signature",
    "digital signature": "digital_signature",
    "content commitment": "content_commitment",
    "key encipherment": "key_encipherment",
    "key agreement": "key_agreement",
    "data encipherment": "data_encipherment",
    "cert sign": "key_cert_sign",
    "crl sign": "crl_sign",
    "encipher only": "encipher_only",
    "decipher only": "decipher_only",
}
_EXTENDED = {
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "s/mime": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp signing": ExtendedKeyUsageOID.OCSP_SIGNING,
}


def sign_request(
    ca: CertificateAuthority,
    pem: bytes,
    usages: Sequence[str],
    seconds: float | None,
    clock: Clock,
) -> str:
    """Return a certificate for a request, in PEM. Raises ValueError if it cannot be read."""
    request = x509.load_pem_x509_csr(pem)
    wanted = LONGEST_SECONDS if seconds is None else float(seconds)
    life = timedelta(seconds=min(max(wanted, SHORTEST_SECONDS), LONGEST_SECONDS))
    # A certificate that outlives its CA would be of no use.
    end = min(clock.now() + life, ca.certificate.not_valid_after_utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(request.subject)
        .issuer_name(ca.certificate.subject)
        .public_key(request.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - BACKDATE)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key()),
            critical=False,
        )
    )
    if (usage := _key_usage(usages)) is not None:
        builder = builder.add_extension(usage, critical=True)
    if extended := [_EXTENDED[usage] for usage in usages if usage in _EXTENDED]:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=False)
    try:
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        builder = builder.add_extension(names.value, critical=names.critical)
    except x509.ExtensionNotFound:
        pass  # the subject alone says who it is
    certificate = builder.sign(ca.key, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_usage(usages: Sequence[str]) -> x509.KeyUsage | None:
    """Return what the key may do, None if that is left open: an empty list would forbid all."""
    asked = {_KEY_USAGES[usage] for usage in usages if usage in _KEY_USAGES}
    if not asked:
        return None
    values = {name: name in asked for name in _KEY_USAGES.values()}
    # These two say how a key agrees, and mean nothing without that.
    for name in ("encipher_only", "decipher_only"):
        values[name] = values[name] and values["key_agreement"]
    return x509.KeyUsage(**values)
