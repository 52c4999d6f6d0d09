"""Keys and certificates: the instance's serving certificate, each cluster's own client CA.

Every cluster has a CA of its own, and only what that CA signed is a user of that cluster: the TLS
layer trusts the CAs of all clusters, so being let through TLS proves nothing here. All keys are
EC P-256: making one takes 75 us, signing 60 us.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from apimachinery.clock import Clock
from apiserver.auth.user import User

# The names under which pods reach the API, and the first address of the service range.
SERVICE_NAMES = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
SERVICE_ADDRESS = "10.96.0.1"
CA_DAYS = 3650
SERVING_DAYS = 365
CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"
# Certificates whose verification is remembered, per cluster; a kubectl has one.
MAX_VERIFIED = 1024
# Certificates are valid from a little earlier, for clients whose clocks are behind.
# The name that the front proxy shows to extension API servers.
FRONT_PROXY = "front-proxy-client"
# How many private keys the curve P-256 has, and one more.
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
BACKDATE = timedelta(minutes=5)


class BadCertificate(Exception):
    """A client certificate that this cluster does not accept; the text says why."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its private key, in PEM."""

    certificate: str
    key: str


class CertificateAuthority:
    """A CA that signs, from its certificate and key in PEM."""

    def __init__(self, certificate: str, key: str) -> None:
        self.pem = certificate
        self.certificate = x509.load_pem_x509_certificate(certificate.encode())
        loaded = serialization.load_pem_private_key(key.encode(), password=None)
        if not isinstance(loaded, ec.EllipticCurvePrivateKey):
            raise TypeError("a CA's key is an EC key")
        self.key = loaded


def create_authority(
    common_name: str, clock: Clock, key: ec.EllipticCurvePrivateKey | None = None
) -> Issued:
    """Make a self-signed CA, with a new key unless it has one already."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = _builder(name, name, key.public_key(), clock.now(), timedelta(days=CA_DAYS))
    certificate = (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _issued(certificate, key)


def create_cluster_authority(cluster_uid: str, clock: Clock) -> Issued:
    """Make a cluster's client CA; the uid in its name keeps it apart from every other."""
    return create_authority(f"kubernetes-ca-{cluster_uid}", clock)


def front_proxy_authority(ca_key: str, clock: Clock) -> Issued:
    """Make the CA of a cluster's front proxy, which extension API servers trust.

    Its key follows from the cluster's own, so it need not be kept: the certificate that was
    published once goes on to vouch for what is signed after a restart.
    """
    derived = HKDF(hashes.SHA256(), 32, salt=None, info=FRONT_PROXY.encode())
    number = int.from_bytes(derived.derive(ca_key.encode()), "big")
    key = ec.derive_private_key(number % (_ORDER - 1) + 1, ec.SECP256R1())
    return create_authority("front-proxy-ca", clock, key)


def issue_client_certificate(
    ca: CertificateAuthority,
    common_name: str,
    organizations: Iterable[str],
    clock: Clock,
    days: float = 365,
    held: Held | None = None,
) -> Issued:
    """Make a key and a certificate for a user (the common name) of groups (the organizations)."""
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, o) for o in organizations]
    if held is not None:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, held.text))
    if common_name:
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    subject, issuer = x509.Name(attributes), ca.certificate.subject
    builder = _builder(subject, issuer, key.public_key(), clock.now(), timedelta(days=days))
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    certificate = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(usage, critical=False)
        .sign(ca.key, hashes.SHA256())
    )
    return _issued(certificate, key)


def issue_serving_certificate(
    ca: CertificateAuthority, clock: Clock, *names: str, days: float = SERVING_DAYS
) -> Issued:
    """Make the API's serving certificate: local and service names, and the `names` given.

    Names that are addresses become address entries; duplicates and empty ones are dropped.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    wanted = (*LOCAL_NAMES, *names, *SERVICE_NAMES, SERVICE_ADDRESS)
    alternatives = [_general_name(name) for name in dict.fromkeys(wanted) if name]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")])
    issuer = ca.certificate.subject
    builder = _builder(subject, issuer, key.public_key(), clock.now(), timedelta(days=days))
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    certificate = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(usage, critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key()),
            critical=False,
        )
        .sign(ca.key, hashes.SHA256())
    )
    return _issued(certificate, key)


# Authorities between a client's certificate and the CA that are looked at.
LONGEST_CHAIN = 8


@dataclass(frozen=True, slots=True)
class Held:
    """To whom a certificate was given, as `holder_mark` has it, and when, in seconds."""

    holder: str
    since: float

    @property
    def text(self) -> str:
        return f"held:{self.holder}:{self.since:.6f}"

    @classmethod
    def read(cls, certificate: x509.Certificate) -> Held | None:
        """Return what a certificate says, None for one that was given to nobody."""
        for text in _values(certificate.subject, NameOID.ORGANIZATIONAL_UNIT_NAME):
            if found := _HELD.fullmatch(text):
                return cls(found[1], float(found[2]))
        return None


_HELD = re.compile(r"held:([0-9a-f]{32}):(\d{1,12}\.\d{6})")


def holder_mark(name: str) -> str:
    """Return what names a holder in certificates: a name may be longer than X.509 lets one be."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


# By the marks of holders, until when what they were given counts no more; "" is everybody.
Revoked = Callable[[], Mapping[str, float]]


class ClientVerifier:
    """Tells who a client certificate is, if this cluster's CA signed it and it is valid now."""

    def __init__(self, ca_certificate: str, clock: Clock, revoked: Revoked = dict) -> None:
        self._ca = x509.load_pem_x509_certificate(ca_certificate.encode())
        self._clock = clock
        self._revoked = revoked
        self._verified: dict[bytes, _Verified] = {}

    def user(self, chain: Sequence[bytes]) -> User | None:
        """Return a certificate's user, None for one without a name. Raises BadCertificate.

        `chain` is DER: the client's certificate, then those of authorities between it and the CA.
        """
        der = chain[0]
        found = self._verified.get(der)
        if found is None:
            found = _verify(chain, self._ca)
            if len(self._verified) >= MAX_VERIFIED:
                self._verified.clear()
            self._verified[der] = found
        now = self._clock.seconds()
        if now < found.not_before:
            raise BadCertificate("x509: certificate has expired or is not yet valid")
        if now > found.not_after:
            raise BadCertificate("x509: certificate has expired or is not yet valid")
        if found.held is not None and _is_revoked(found.held, self._revoked()):
            raise BadCertificate("x509: certificate has been revoked")
        return found.user


def _is_revoked(held: Held, revoked: Mapping[str, float]) -> bool:
    return any(held.since <= revoked.get(name, -1.0) for name in ("", held.holder))


@dataclass(frozen=True, slots=True)
class _Verified:
    user: User | None
    held: Held | None
    not_before: float
    not_after: float


def _verify(chain: Sequence[bytes], ca: x509.Certificate) -> _Verified:
    try:
        certificate, *others = [x509.load_der_x509_certificate(der) for der in chain]
        path = _path(certificate, others[:LONGEST_CHAIN], ca)
        is_client = all(map(_may_be_client, path))
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise BadCertificate("x509: malformed certificate") from error
    if not path:
        raise BadCertificate("x509: certificate signed by unknown authority")
    if not is_client:
        raise BadCertificate("x509: certificate specifies an incompatible key usage")
    return _Verified(
        _user(certificate, chain[0]),
        Held.read(certificate),
        max(each.not_valid_before_utc.timestamp() for each in path),
        min(each.not_valid_after_utc.timestamp() for each in path),
    )


def _path(
    certificate: x509.Certificate, others: Sequence[x509.Certificate], ca: x509.Certificate
) -> list[x509.Certificate]:
    """Return the certificates from a client's up to the one that the CA has issued; [] for none."""
    path = [certificate]
    while not _issued_by(path[-1], ca):
        below = len(path)
        above = [
            each
            for each in others
            if each not in path and _is_authority(each, below) and _issued_by(path[-1], each)
        ]
        if not above:
            return []
        path.append(above[0])
    return path


def _issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_authority(certificate: x509.Certificate, depth: int) -> bool:
    """Tell whether a certificate may issue others; `depth` counts those that are below it."""
    extensions = certificate.extensions
    try:
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return False
    try:
        usage = extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        usage = True
    # The path length counts authorities alone, the client's own certificate is none.
    longest = constraints.path_length
    return constraints.ca and usage and (longest is None or depth - 1 <= longest)


def _may_be_client(certificate: x509.Certificate) -> bool:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return any(
        usage in {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
        for usage in usages
    )


def _user(certificate: x509.Certificate, der: bytes) -> User | None:
    names = _values(certificate.subject, NameOID.COMMON_NAME)
    if not names or not names[-1]:
        return None
    groups = tuple(_values(certificate.subject, NameOID.ORGANIZATION_NAME))
    fingerprint = hashlib.sha256(der).hexdigest()
    return User(names[-1], groups, extra={CREDENTIAL_ID: (f"X509SHA256={fingerprint}",)})


def _values(name: x509.Name, oid: x509.ObjectIdentifier) -> Sequence[str]:
    return [str(attribute.value) for attribute in name.get_attributes_for_oid(oid)]


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    moment = now.astimezone(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - BACKDATE)
        .not_valid_after(moment + life)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _issued(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Issued:
    return Issued(certificate.public_bytes(serialization.Encoding.PEM).decode(), key_pem(key))


def key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    """Return a private key as PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
