"""Certificate signing requests: certificates.k8s.io/v1."""

from __future__ import annotations

from apimachinery.gvk import GroupVersion
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import StatusStrategy, Strategy
from apiserver.registry.table import AGE, NAME, field

_GROUP = GroupVersion("certificates.k8s.io", "v1")

_CERTIFICATESIGNINGREQUESTS = Strategy()
CERTIFICATESIGNINGREQUESTS = Resource(
    kind=_GROUP.kind("CertificateSigningRequest"),
    plural="certificatesigningrequests",
    singular="certificatesigningrequest",
    namespaced=False,
    short=("csr",),
    strategy=_CERTIFICATESIGNINGREQUESTS,
    subresources={
        "approval": Subresource(strategy=StatusStrategy(_CERTIFICATESIGNINGREQUESTS)),
        "status": Subresource(strategy=StatusStrategy(_CERTIFICATESIGNINGREQUESTS)),
    },
    columns=(
        NAME,
        AGE,
        Column("SignerName", field("spec.signerName")),
        Column("Requestor", field("spec.username")),
    ),
)

RESOURCES: tuple[Resource, ...] = (CERTIFICATESIGNINGREQUESTS,)
