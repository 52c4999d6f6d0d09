"""What a certificate request asks for, and whether a signer of Kubernetes signs that."""

from __future__ import annotations

import base64
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID

from apimachinery.meta import Obj

CLIENT = "kubernetes.io/kube-apiserver-client"
KUBELET_CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
KUBELET_SERVING = "kubernetes.io/kubelet-serving"
LEGACY = "kubernetes.io/legacy-unknown"
SIGNERS = (CLIENT, KUBELET_CLIENT, KUBELET_SERVING, LEGACY)

_NODE = "system:node:"
_OPTIONAL = ("digital signature", "key encipherment")


@dataclass(frozen=True, slots=True)
class Request:
    """A request's subject and alternative names."""

    common_name: str
    organizations: tuple[str, ...]
    dns: tuple[str, ...]
    addresses: tuple[str, ...]
    emails: tuple[str, ...]
    uris: tuple[str, ...]


def pem_of(csr: Obj) -> bytes:
    return base64.b64decode(csr["spec"].get("request") or "")


def parse(csr: Obj) -> Request:
    """Read the request. Raises ValueError."""
    request = x509.load_pem_x509_csr(pem_of(csr))
    names = _alternative_names(request)
    return Request(
        next(reversed(_values(request, NameOID.COMMON_NAME)), ""),
        tuple(_values(request, NameOID.ORGANIZATION_NAME)),
        tuple(names.get_values_for_type(x509.DNSName)) if names else (),
        tuple(map(str, names.get_values_for_type(x509.IPAddress))) if names else (),
        tuple(names.get_values_for_type(x509.RFC822Name)) if names else (),
        tuple(names.get_values_for_type(x509.UniformResourceIdentifier)) if names else (),
    )


def _values(request: x509.CertificateSigningRequest, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(one.value) for one in request.subject.get_attributes_for_oid(oid)]


def _alternative_names(
    request: x509.CertificateSigningRequest,
) -> x509.SubjectAlternativeName | None:
    try:
        return request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None


def refusal(signer: str, request: Request, usages: Sequence[str]) -> str:
    """Say why a signer does not sign such a request, "" if it does."""
    if signer == CLIENT:
        return _client_usages(usages)
    if signer == KUBELET_CLIENT:
        return kubelet_client_refusal(request, usages)
    if signer == KUBELET_SERVING:
        return _node_subject(request) or _serving(request, usages)
    return ""


def _client_usages(usages: Sequence[str]) -> str:
    for usage in usages:
        if usage not in (*_OPTIONAL, "client auth"):
            return f"invalid usage for client certificate: {usage}"
    if "client auth" not in usages:
        return "missing required usage for client certificate: client auth"
    return ""


def kubelet_client_refusal(request: Request, usages: Collection[str]) -> str:
    """Say why a request is not one of a kubelet for its client certificate, "" if it is."""
    if request.organizations != ("system:nodes",):
        return "subject organization is not system:nodes"
    for names, kind in (
        (request.dns, "DNS"),
        (request.emails, "Email"),
        (request.addresses, "IP"),
        (request.uris, "URI"),
    ):
        if names:
            return f"{kind} subjectAltNames are not allowed"
    if not request.common_name.startswith(_NODE):
        return f"subject common name does not begin with {_NODE}"
    return _usages(usages, "client auth")


def _node_subject(request: Request) -> str:
    if request.organizations != ("system:nodes",):
        return "subject organization is not system:nodes"
    if not request.common_name.startswith(_NODE):
        return f"subject common name does not begin with {_NODE}"
    return ""


def _serving(request: Request, usages: Collection[str]) -> str:
    if not request.dns and not request.addresses:
        return "DNS or IP subjectAltName is required"
    if request.emails:
        return "Email subjectAltNames are not allowed"
    if request.uris:
        return "URI subjectAltNames are not allowed"
    return _usages(usages, "server auth")


def _usages(usages: Collection[str], needed: str) -> str:
    # An RSA key is used for enciphering keys as well, others are not.
    if set(usages) in ({"digital signature", needed}, {*_OPTIONAL, needed}):
        return ""
    wanted = " ".join(sorted((*_OPTIONAL, needed)))
    return f"usages did not match [{wanted}]"
