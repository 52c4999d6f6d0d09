"""ValidatingAdmissionWebhook: asks all webhooks that a request matches, at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from apimachinery.errors import ApiError
from apiserver.admission.hooks.inquiry import Inquiry
from apiserver.admission.interfaces import ANY, AdmissionRequest, Operation, Rule
from apiserver.admission.webhooks import review
from apiserver.admission.webhooks.configurations import (
    ValidatingWebhooks,
    WebhookSurroundings,
    inquire,
    matched,
)
from apiserver.admission.webhooks.webhook import CallingError, Webhook

_FAILED_OPEN = "failed-open.validating.webhook.admission.k8s.io/round_0_index_"


class ValidatingAdmissionWebhook:
    """Refuses what a webhook denies, or cannot be asked about."""

    name = "ValidatingAdmissionWebhook"
    handles = Rule((ANY,), tuple(Operation), (ANY,))

    def __init__(self, around: WebhookSurroundings) -> None:
        self._around = around
        self.followed = ValidatingWebhooks(around.objects, around.places)

    def concerns(self, request: AdmissionRequest) -> bool:
        webhooks = self.followed.hooks(request)
        return bool(webhooks) and any(True for _ in matched(request, webhooks, self._around))

    async def validate_async(self, request: AdmissionRequest) -> None:
        asked = list[Coroutine[Any, Any, ApiError | None]]()
        webhooks = self.followed.hooks(request)
        for webhook, place in matched(request, webhooks, self._around):
            inquiry = await inquire(request, webhook, place, self._around)
            if isinstance(inquiry, ApiError):
                raise inquiry
            if inquiry is not None:
                asked.append(self._ask(webhook, inquiry, len(asked)))
        async with asyncio.TaskGroup() as group:
            answers = [group.create_task(each) for each in asked]
        for answer in answers:
            refusal = answer.result()
            if refusal is not None:
                raise refusal

    async def _ask(self, webhook: Webhook, inquiry: Inquiry, order: int) -> ApiError | None:
        try:
            verdict = await webhook.ask(
                inquiry, self._around.call, self._around.uid(), mutating=False
            )
        except CallingError as error:
            if webhook.fails_open:
                inquiry.request.annotations[f"{_FAILED_OPEN}{order}"] = webhook.name
            return webhook.failed(error)
        except ApiError as error:
            return error
        return None if verdict.allowed else review.denial(webhook.name, verdict.status)
