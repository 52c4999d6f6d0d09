"""Client certificates that an authority below the cluster's CA has issued."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from apimachinery.clock import ManualClock
from apiserver.auth.pki import (
    BadCertificate,
    CertificateAuthority,
    ClientVerifier,
    create_authority,
)

# The machine's own time: the same certificates are shown to a real TLS server.
CLOCK = ManualClock(time.time())
_ISSUED = create_authority("root", CLOCK)
ROOT = CertificateAuthority(_ISSUED.certificate, _ISSUED.key)


class Holder:
    """A certificate and its key; the root's where `above` is None."""

    def __init__(self, name, above=None, ca=True, length=None, days=10, usage=None, odd=None):
        self.key = ec.generate_private_key(ec.SECP256R1())
        issuer, key = (
            (above.certificate.subject, above.key)
            if above
            else (ROOT.certificate.subject, ROOT.key)
        )
        now = CLOCK.now()
        constraints = x509.BasicConstraints(ca, length if ca else None)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(odd or constraints, critical=True)
        )
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        self.certificate = builder.sign(key, hashes.SHA256())

    @property
    def der(self):
        return self.certificate.public_bytes(serialization.Encoding.DER)


def user(*holders, clock=CLOCK):
    return ClientVerifier(_ISSUED.certificate, clock).user([each.der for each in holders])


def test_a_chain_that_cannot_be_read():
    odd = x509.UnrecognizedExtension(ExtensionOID.BASIC_CONSTRAINTS, b"no DER")
    middle = Holder("middle", odd=odd)
    with pytest.raises(BadCertificate, match=r"^x509: malformed certificate$"):
        user(Holder("ann", middle, ca=False), middle)


def test_an_authority_below_the_ca_may_issue():
    middle = Holder("middle")
    lower = Holder("lower", middle)
    leaf = Holder("ann", lower, ca=False, usage=ExtendedKeyUsageOID.CLIENT_AUTH)
    # The order of those above the client's own does not matter.
    assert user(leaf, middle, lower).name == "ann"
    assert user(Holder("bob", ca=False)).name == "bob"


@pytest.mark.parametrize(
    "chain",
    [
        lambda: (Holder("ann", Holder("middle"), ca=False),),
        lambda: (Holder("ann", fake := Holder("fake", ca=False), ca=False), fake),
        lambda: (
            Holder("ann", low := Holder("low", top := Holder("top", length=0)), ca=False),
            low,
            top,
        ),
    ],
)
def test_what_leads_to_the_ca_must_be_authorities(chain):
    with pytest.raises(BadCertificate, match="x509: certificate signed by unknown authority"):
        user(*chain())


def test_all_of_it_must_be_valid():
    middle = Holder("middle", days=2)
    leaf = Holder("ann", middle, ca=False)
    clock = ManualClock(CLOCK.seconds())
    verifier = ClientVerifier(_ISSUED.certificate, clock)
    assert verifier.user([leaf.der, middle.der]).name == "ann"
    clock.advance(3 * 24 * 3600)
    with pytest.raises(BadCertificate, match="x509: certificate has expired or is not yet valid"):
        verifier.user([leaf.der, middle.der])


def test_an_authority_for_servers_makes_no_clients():
    middle = Holder("middle", usage=ExtendedKeyUsageOID.SERVER_AUTH)
    with pytest.raises(BadCertificate, match="x509: certificate specifies an incompatible key"):
        user(Holder("ann", middle, ca=False), middle)
