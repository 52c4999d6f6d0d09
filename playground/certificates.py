"""The instance's CA and serving certificate: made once, renewed before they end."""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from apimachinery.clock import Clock
from apiserver.auth.pki import CertificateAuthority, create_authority, issue_serving_certificate
from playground.instance import Instance, write_private

_RENEW_BEFORE = timedelta(days=30)


def ensure_serving(instance: Instance, clock: Clock, *names: str) -> str:
    """Have a CA, and a serving certificate for these names; return the CA's certificate in PEM."""
    if not instance.ca_certificate_file.exists() or not instance.ca_key_file.exists():
        made = create_authority("kubeground-ca", clock)
        write_private(instance.ca_key_file, made.key)
        write_private(instance.ca_certificate_file, made.certificate, 0o644)
        instance.serving_certificate_file.unlink(missing_ok=True)
    ca_pem = instance.ca_certificate_file.read_text()
    if not _serves(instance, clock, names):
        ca = CertificateAuthority(ca_pem, instance.ca_key_file.read_text())
        issued = issue_serving_certificate(ca, clock, *names)
        write_private(instance.serving_key_file, issued.key)
        write_private(instance.serving_certificate_file, issued.certificate, 0o644)
    return ca_pem


def _serves(instance: Instance, clock: Clock, names: tuple[str, ...]) -> bool:
    """Tell whether the certificate that is there is good for these names, for a while yet."""
    file = instance.serving_certificate_file
    if not file.exists() or not instance.serving_key_file.exists():
        return False
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    if certificate.not_valid_after_utc - clock.now() < _RENEW_BEFORE:
        return False
    extension = certificate.extensions.get_extension_for_oid(
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME
    ).value
    known = {str(entry.value) for entry in extension}  # type: ignore[attr-defined]
    return all(not name or name in known or name in ("0.0.0.0", "::") for name in names)  # noqa: S104
