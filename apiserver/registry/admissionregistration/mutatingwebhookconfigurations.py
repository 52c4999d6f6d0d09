"""MutatingWebhookConfigurations: webhooks that may change what is written."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apiserver.registry.admissionregistration.hooks import WebhookConfigurationStrategy
from apiserver.registry.resource import Column, Resource
from apiserver.registry.table import AGE, NAME, count


class MutatingWebhookConfigurationStrategy(WebhookConfigurationStrategy):
    """A webhook may ask to be called again after others have changed the object."""

    reinvokes = True


MUTATINGWEBHOOKCONFIGURATIONS = Resource(
    kind=GroupVersionKind("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration"),
    plural="mutatingwebhookconfigurations",
    singular="mutatingwebhookconfiguration",
    namespaced=False,
    categories=("api-extensions",),
    strategy=MutatingWebhookConfigurationStrategy(),
    columns=(NAME, Column("Webhooks", count("webhooks"), type="integer"), AGE),
)
