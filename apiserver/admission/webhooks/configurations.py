"""The webhooks of a cluster, out of the configurations of one kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from apimachinery.errors import ApiError, Forbidden
from apiserver.admission.hooks.following import Followed, Found
from apiserver.admission.hooks.inquiry import Ask, Inquiry
from apiserver.admission.hooks.matching import FindNamespace
from apiserver.admission.hooks.places import Place, Places
from apiserver.admission.interfaces import AdmissionRequest
from apiserver.admission.webhooks.webhook import Webhook
from apiserver.registry.calling import Call
from apiserver.registry.strategy import ObjectReader

GROUP = "admissionregistration.k8s.io"


@dataclass(frozen=True, slots=True)
class WebhookSurroundings:
    """What webhooks need of their cluster."""

    objects: ObjectReader
    places: Places
    ask: Ask
    call: Call
    # Makes the uid of a review.
    uid: Callable[[], str]

    @property
    def find_namespace(self) -> FindNamespace:
        return lambda name: self.objects.get("namespaces", "", name)


class Webhooks(Followed[Webhook]):
    """Webhooks in the order of their configurations' names, then as they are listed."""

    def build(self, found: Found) -> Sequence[Webhook]:
        (resource,) = self.resources
        return [
            Webhook(spec, name, index)
            for name, obj in sorted(found[resource].items())
            for index, spec in enumerate(obj.get("webhooks") or ())
        ]


class ValidatingWebhooks(Webhooks):
    """Those that look at objects."""

    resources = (f"validatingwebhookconfigurations.{GROUP}",)


class MutatingWebhooks(Webhooks):
    """Those that may change objects."""

    resources = (f"mutatingwebhookconfigurations.{GROUP}",)


def matched(
    request: AdmissionRequest, webhooks: Sequence[Webhook], around: WebhookSurroundings
) -> Iterator[tuple[Webhook, Place]]:
    """Yield the webhooks that a request matches now; conditions are looked at later."""
    for webhook in webhooks:
        place = webhook.match.place(request, around.places, around.find_namespace)
        if place is not None:
            yield webhook, place


async def inquire(
    request: AdmissionRequest, webhook: Webhook, place: Place, around: WebhookSurroundings
) -> Inquiry | ApiError | None:
    """Return what a webhook is asked, the refusal where its conditions fail, else None."""
    inquiry = Inquiry(request, place, around.find_namespace, around.ask)
    await inquiry.convert()
    outcome = webhook.admits(inquiry)
    if outcome.holds:
        return inquiry
    if outcome.problem and not webhook.fails_open:
        return Forbidden(request.resource, request.name, outcome.problem)
    return None
