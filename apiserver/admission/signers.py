"""Who may act for a signer of certificates: by its name, or by its domain as a whole."""

from __future__ import annotations

from typing import Any

from apiserver.admission.interfaces import May, UserInfo


def signer_name(request: dict[str, Any] | None) -> str:
    """Return the signer that a CertificateSigningRequest names."""
    return ((request or {}).get("spec") or {}).get("signerName") or ""


def may_use_signer(may: May, user: UserInfo, verb: str, signer: str) -> bool:
    """Tell whether the user may `verb` for the signer, or for all of its domain."""
    domain = signer.partition("/")[0]
    return any(
        may(user, verb, "certificates.k8s.io", "signers", name) for name in (signer, f"{domain}/*")
    )
