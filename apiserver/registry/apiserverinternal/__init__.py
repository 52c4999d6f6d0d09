"""What API servers tell each other: internal.apiserver.k8s.io/v1alpha1, if wanted."""

from __future__ import annotations

from apiserver.registry.apiserverinternal.storageversions import STORAGEVERSIONS
from apiserver.registry.resource import Resource

# Served where the feature StorageVersionAPI is on.
ALPHA: tuple[Resource, ...] = (STORAGEVERSIONS,)
