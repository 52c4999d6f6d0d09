"""ValidatingWebhookConfigurations: webhooks that may refuse what is written."""

from __future__ import annotations

from apimachinery.gvk import GroupVersionKind
from apiserver.registry.admissionregistration.hooks import WebhookConfigurationStrategy
from apiserver.registry.resource import Column, Resource
from apiserver.registry.table import AGE, NAME, count

VALIDATINGWEBHOOKCONFIGURATIONS = Resource(
    kind=GroupVersionKind("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration"),
    plural="validatingwebhookconfigurations",
    singular="validatingwebhookconfiguration",
    namespaced=False,
    categories=("api-extensions",),
    strategy=WebhookConfigurationStrategy(),
    columns=(NAME, Column("Webhooks", count("webhooks"), type="integer"), AGE),
)
