"""Who uses a claim."""

from __future__ import annotations

from apimachinery.meta import Obj, name_of, namespace_of
from apimachinery.volumes import claim_names
from nodes.client.informer import Informer
from nodes.client.lister import Key

CLAIMS = "claims"


def index_claims(pods: Informer) -> None:
    """Keep the pods by the claims that they use."""
    pods.add_index(CLAIMS, lambda pod: [f"{namespace_of(pod)}/{n}" for n in claim_names(pod)])


def users_of(pods: Informer, claim: Key) -> list[Obj]:
    """Return the pods that use a claim, by name."""
    return sorted(pods.by_index(CLAIMS, f"{claim.namespace}/{claim.name}"), key=name_of)
