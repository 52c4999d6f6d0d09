"""Admission policies and webhooks: admissionregistration.k8s.io/v1."""

from __future__ import annotations

from apiserver.registry.admissionregistration.mutatingadmissionpolicies import (
    MUTATINGADMISSIONPOLICIES,
)
from apiserver.registry.admissionregistration.mutatingadmissionpolicybindings import (
    MUTATINGADMISSIONPOLICYBINDINGS,
)
from apiserver.registry.admissionregistration.mutatingwebhookconfigurations import (
    MUTATINGWEBHOOKCONFIGURATIONS,
)
from apiserver.registry.admissionregistration.validatingadmissionpolicies import (
    VALIDATINGADMISSIONPOLICIES,
)
from apiserver.registry.admissionregistration.validatingadmissionpolicybindings import (
    VALIDATINGADMISSIONPOLICYBINDINGS,
)
from apiserver.registry.admissionregistration.validatingwebhookconfigurations import (
    VALIDATINGWEBHOOKCONFIGURATIONS,
)
from apiserver.registry.resource import Resource

RESOURCES: tuple[Resource, ...] = (
    MUTATINGADMISSIONPOLICIES,
    MUTATINGADMISSIONPOLICYBINDINGS,
    MUTATINGWEBHOOKCONFIGURATIONS,
    VALIDATINGADMISSIONPOLICIES,
    VALIDATINGADMISSIONPOLICYBINDINGS,
    VALIDATINGWEBHOOKCONFIGURATIONS,
)
