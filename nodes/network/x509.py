"""Judging a server's certificate as Go's crypto/x509 does, in its words and on the cluster's time.

OpenSSL would judge by the machine's clock and in words of its own, which Kubernetes' users do not
know. Signatures are checked by `cryptography`; what is here is which certificates to compare.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from apimachinery.clock import format_time

# Longer chains are nobody's: a root, two issuers and a leaf are four.
MAX_CHAIN = 8
# Signatures that are looked at for one certificate, as in Go: a bundle may hold any number of
# authorities of one name.
MAX_CHECKS = 100
# What extensions raise that cannot be read; they are read when they are asked for.
MALFORMED = (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
Chain = Sequence[x509.Certificate]


class CertificateError(Exception):
    """A certificate that is not trusted; the text is Go's."""


def verify(
    chain: Chain,
    roots: Iterable[x509.Certificate],
    now: datetime,
    *,
    name: str = "",
    usage: x509.ObjectIdentifier = SERVER,
) -> None:
    """Check what a peer has shown, its own certificate first. Raises CertificateError.

    `name` is a host name or an address; "" is not looked at.
    """
    leaf = chain[0]
    _check_time(leaf, now)
    try:
        if name:
            _check_name(leaf, name)
        _check_issuers(leaf, chain[1:], tuple(roots), now)
        usages = _usages(leaf)
    except MALFORMED:
        raise CertificateError("x509: malformed certificate") from None
    if usages and not {usage, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & usages:
        raise CertificateError("x509: certificate specifies an incompatible key usage")


def _check_time(certificate: x509.Certificate, now: datetime) -> None:
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if first <= now <= last:
        return
    word, bound = ("before", first) if now < first else ("after", last)
    shown = format_time(now.astimezone(UTC))
    raise CertificateError(
        "x509: certificate has expired or is not yet valid: "
        f"current time {shown} is {word} {format_time(bound)}"
    )


# -- names ---------------------------------------------------------------------------------------


def _check_name(leaf: x509.Certificate, name: str) -> None:
    hosts, addresses, has_names = _names(leaf)
    try:
        wanted = ipaddress.ip_address(name)
    except ValueError:
        if any(_matches(host, name) for host in hosts):
            return
        if not has_names and _matches(_common_name(leaf), name):
            raise CertificateError(
                "x509: certificate relies on legacy Common Name field, use SANs instead"
            ) from None
        _refuse_name(hosts, name)
        return
    if wanted in addresses:
        return
    if not addresses:
        raise CertificateError(
            f"x509: cannot validate certificate for {name} because it doesn't contain any IP SANs"
        )
    _refuse_name([str(address) for address in addresses], name)


def _refuse_name(valid: Sequence[str], name: str) -> None:
    if not valid:
        raise CertificateError(
            f"x509: certificate is not valid for any names, but wanted to match {name}"
        )
    raise CertificateError(f"x509: certificate is valid for {', '.join(valid)}, not {name}")


def _names(leaf: x509.Certificate) -> tuple[list[str], list[object], bool]:
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [], [], False
    addresses: list[object] = list(found.get_values_for_type(x509.IPAddress))
    return found.get_values_for_type(x509.DNSName), addresses, True


def _matches(pattern: str, name: str) -> bool:
    """Compare host names; a star stands for the whole of the first label."""
    have = pattern.lower().removesuffix(".").split(".")
    want = name.lower().removesuffix(".").split(".")
    if not all(have) or len(have) != len(want):
        return False
    return have == want or (have[0] == "*" and have[1:] == want[1:])


def _common_name(certificate: x509.Certificate) -> str:
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[-1].value) if found else ""


# -- issuers -------------------------------------------------------------------------------------


def _check_issuers(
    leaf: x509.Certificate, others: Chain, roots: Sequence[x509.Certificate], now: datetime
) -> None:
    """Follow the issuers of a certificate up to a root."""
    current, hint, checks = leaf, "", 0
    for _ in range(MAX_CHAIN):
        if current in roots:
            return
        for candidate in (*roots, *others):
            if candidate.subject != current.issuer or candidate == current:
                continue
            checks += 1
            if checks > MAX_CHECKS:
                raise CertificateError(
                    "x509: signature check attempts limit reached while verifying certificate chain"
                )
            problem = _issued_by(current, candidate, now)
            if not problem:
                break
            hint = hint or _hint(problem, candidate)
        else:
            raise CertificateError(f"x509: certificate signed by unknown authority{hint}")
        if candidate in roots:
            return
        current = candidate
    raise CertificateError("x509: certificate signed by unknown authority")


def _issued_by(certificate: x509.Certificate, issuer: x509.Certificate, now: datetime) -> str:
    """Return why a certificate of the right name did not issue another one, "" if it did."""
    try:
        if not issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return "x509: certificate is not authorized to sign other certificates"
        _check_time(issuer, now)
        certificate.verify_directly_issued_by(issuer)
    except x509.ExtensionNotFound:
        return "x509: invalid signature: parent certificate cannot sign this kind of certificate"
    except CertificateError as error:
        return str(error)
    except (InvalidSignature, TypeError, *MALFORMED):
        if isinstance(issuer.public_key(), rsa.RSAPublicKey):
            return "crypto/rsa: verification error"
        return "x509: ECDSA verification failure"
    return ""


def _hint(problem: str, candidate: x509.Certificate) -> str:
    shown = _common_name(candidate) or f"serial:{candidate.serial_number}"
    return (
        f' (possibly because of "{problem}" while trying to verify candidate authority '
        f'certificate "{shown}")'
    )


def _usages(leaf: x509.Certificate) -> set[x509.ObjectIdentifier]:
    try:
        return set(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return set()
