"""Admission policies and webhooks: admissionregistration.k8s.io/v1."""

from __future__ import annotations

from apimachinery.gvk import GroupVersion
from apiserver.registry.resource import Column, Resource, Subresource
from apiserver.registry.strategy import StatusStrategy, Strategy
from apiserver.registry.table import AGE, NAME, count, field

_GROUP = GroupVersion("admissionregistration.k8s.io", "v1")


class MutatingAdmissionPolicyStrategy(Strategy):
    """The structure of a MutatingAdmissionPolicy alone is checked."""

    has_generation = True


MUTATINGADMISSIONPOLICIES = Resource(
    kind=_GROUP.kind("MutatingAdmissionPolicy"),
    plural="mutatingadmissionpolicies",
    singular="mutatingadmissionpolicy",
    namespaced=False,
    categories=("api-extensions",),
    storage_version="v1beta1",
    strategy=MutatingAdmissionPolicyStrategy(),
    columns=(
        NAME,
        Column("Mutations", count("spec.mutations"), type="integer"),
        AGE,
    ),
)


class MutatingAdmissionPolicyBindingStrategy(Strategy):
    """The structure of a MutatingAdmissionPolicyBinding alone is checked."""

    has_generation = True


MUTATINGADMISSIONPOLICYBINDINGS = Resource(
    kind=_GROUP.kind("MutatingAdmissionPolicyBinding"),
    plural="mutatingadmissionpolicybindings",
    singular="mutatingadmissionpolicybinding",
    namespaced=False,
    categories=("api-extensions",),
    storage_version="v1beta1",
    strategy=MutatingAdmissionPolicyBindingStrategy(),
    columns=(
        NAME,
        Column("PolicyName", field("spec.policyName")),
        AGE,
    ),
)


class MutatingWebhookConfigurationStrategy(Strategy):
    """The structure of a MutatingWebhookConfiguration alone is checked."""

    has_generation = True


MUTATINGWEBHOOKCONFIGURATIONS = Resource(
    kind=_GROUP.kind("MutatingWebhookConfiguration"),
    plural="mutatingwebhookconfigurations",
    singular="mutatingwebhookconfiguration",
    namespaced=False,
    categories=("api-extensions",),
    strategy=MutatingWebhookConfigurationStrategy(),
    columns=(
        NAME,
        Column("Webhooks", count("webhooks"), type="integer"),
        AGE,
    ),
)


class ValidatingAdmissionPolicyStrategy(Strategy):
    """The structure of a ValidatingAdmissionPolicy alone is checked."""

    has_generation = True


_VALIDATINGADMISSIONPOLICIES = ValidatingAdmissionPolicyStrategy()
VALIDATINGADMISSIONPOLICIES = Resource(
    kind=_GROUP.kind("ValidatingAdmissionPolicy"),
    plural="validatingadmissionpolicies",
    singular="validatingadmissionpolicy",
    namespaced=False,
    categories=("api-extensions",),
    strategy=_VALIDATINGADMISSIONPOLICIES,
    subresources={"status": Subresource(strategy=StatusStrategy(_VALIDATINGADMISSIONPOLICIES))},
    columns=(
        NAME,
        Column("Validations", count("spec.validations"), type="integer"),
        AGE,
    ),
)


class ValidatingAdmissionPolicyBindingStrategy(Strategy):
    """The structure of a ValidatingAdmissionPolicyBinding alone is checked."""

    has_generation = True


VALIDATINGADMISSIONPOLICYBINDINGS = Resource(
    kind=_GROUP.kind("ValidatingAdmissionPolicyBinding"),
    plural="validatingadmissionpolicybindings",
    singular="validatingadmissionpolicybinding",
    namespaced=False,
    categories=("api-extensions",),
    strategy=ValidatingAdmissionPolicyBindingStrategy(),
    columns=(
        NAME,
        Column("PolicyName", field("spec.policyName")),
        AGE,
    ),
)


class ValidatingWebhookConfigurationStrategy(Strategy):
    """The structure of a ValidatingWebhookConfiguration alone is checked."""

    has_generation = True


VALIDATINGWEBHOOKCONFIGURATIONS = Resource(
    kind=_GROUP.kind("ValidatingWebhookConfiguration"),
    plural="validatingwebhookconfigurations",
    singular="validatingwebhookconfiguration",
    namespaced=False,
    categories=("api-extensions",),
    strategy=ValidatingWebhookConfigurationStrategy(),
    columns=(
        NAME,
        Column("Webhooks", count("webhooks"), type="integer"),
        AGE,
    ),
)

RESOURCES: tuple[Resource, ...] = (
    MUTATINGADMISSIONPOLICIES,
    MUTATINGADMISSIONPOLICYBINDINGS,
    MUTATINGWEBHOOKCONFIGURATIONS,
    VALIDATINGADMISSIONPOLICIES,
    VALIDATINGADMISSIONPOLICYBINDINGS,
    VALIDATINGWEBHOOKCONFIGURATIONS,
)
