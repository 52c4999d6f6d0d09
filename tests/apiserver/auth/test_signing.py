"""What a signed certificate says, and for how long."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from apimachinery.clock import ManualClock
from apiserver.auth.pki import CertificateAuthority, ClientVerifier, create_cluster_authority
from apiserver.auth.signing import sign_request

CLOCK = ManualClock()
ISSUED = create_cluster_authority("uid", CLOCK)
CA = CertificateAuthority(ISSUED.certificate, ISSUED.key)


def request(*organizations, dns=()):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, one) for one in organizations]
    subject.append(x509.NameAttribute(NameOID.COMMON_NAME, "jane"))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    if dns:
        names = x509.SubjectAlternativeName([x509.DNSName(one) for one in dns])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def signed(pem, usages=("client auth",), seconds=None):
    return x509.load_pem_x509_certificate(sign_request(CA, pem, usages, seconds, CLOCK).encode())


def test_it_is_a_user_of_the_cluster():
    certificate = signed(request("dev", "ops"))
    der = certificate.public_bytes(serialization.Encoding.DER)
    user = ClientVerifier(ISSUED.certificate, CLOCK).user([der])
    assert (user.name, user.groups) == ("jane", ("dev", "ops"))


@pytest.mark.parametrize(
    ("seconds", "days"), [(None, 365), (86400, 1), (1, 600 / 86400), (10**9, 365)]
)
def test_how_long_it_holds(seconds, days):
    certificate = signed(request(), seconds=seconds)
    left = certificate.not_valid_after_utc - CLOCK.now()
    assert abs(left - timedelta(days=days)) < timedelta(seconds=2)


def test_names_and_usages_are_those_asked_for():
    usages = ("digital signature", "server auth")
    certificate = signed(request(dns=("n1", "n1.example")), usages)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["n1", "n1.example"]
    extended = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(extended) == [ExtendedKeyUsageOID.SERVER_AUTH]
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_encipherment) == (True, False)


def test_without_key_usages_the_key_is_not_limited():
    with pytest.raises(x509.ExtensionNotFound):
        signed(request()).extensions.get_extension_for_class(x509.KeyUsage)


def test_what_is_no_request_is_refused():
    with pytest.raises(ValueError, match="PEM"):
        sign_request(CA, b"nonsense", ("client auth",), None, CLOCK)
