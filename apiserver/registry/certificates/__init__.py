"""Certificate signing requests: certificates.k8s.io/v1."""

from __future__ import annotations

from apiserver.registry.certificates.certificatesigningrequests import CERTIFICATESIGNINGREQUESTS
from apiserver.registry.resource import Resource

RESOURCES: tuple[Resource, ...] = (CERTIFICATESIGNINGREQUESTS,)
