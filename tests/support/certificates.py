"""CAs and certificates for servers on the simulated network."""

from __future__ import annotations

import ipaddress
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from apimachinery.clock import Clock, ManualClock

_LIFE = timedelta(days=3000)
_USAGES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}


class Authority:
    """A CA: `pem` is its certificate."""

    def __init__(self, name: str, clock: Clock | None = None, parent: Authority | None = None):
        self._clock = clock or ManualClock()
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.subject = _name(name)
        issuer = parent or self
        made = self._builder(self.subject, issuer.subject, self.key)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.certificate = made.sign(issuer.key, hashes.SHA256())
        self.pem = _pem(self.certificate)

    def authority(self, name: str) -> Authority:
        """Return a CA that this one has issued."""
        return Authority(name, self._clock, self)

    def issue(
        self, *names: str, common_name: str = "", usage: str = "server"
    ) -> tuple[bytes, bytes]:
        """Return a certificate for names and addresses, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._builder(_name(common_name), self.subject, key)
        made = made.add_extension(x509.ExtendedKeyUsage([_USAGES[usage]]), critical=False)
        if names:
            shown = x509.SubjectAlternativeName([_general(name) for name in names])
            made = made.add_extension(shown, critical=False)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return _pem(made.sign(self.key, hashes.SHA256())), private

    def _builder(self, subject, issuer, key):
        now = self._clock.now()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _LIFE)
            .not_valid_after(now + _LIFE)
        )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)] if text else [])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
