"""MutatingAdmissionWebhook: asks webhooks one after the other, each about the last one's object."""

from __future__ import annotations

from typing import Any

import orjson

from apimachinery.errors import ApiError, InternalError
from apimachinery.patch import json as json_patch
from apiserver.admission.hooks.inquiry import Inquiry
from apiserver.admission.hooks.places import check_type, converted_back, put_back
from apiserver.admission.hooks.reinvocation import Reinvocation
from apiserver.admission.interfaces import ANY, AdmissionRequest, Operation, Rule
from apiserver.admission.webhooks import review
from apiserver.admission.webhooks.configurations import (
    MutatingWebhooks,
    WebhookSurroundings,
    inquire,
    matched,
)
from apiserver.admission.webhooks.review import Verdict
from apiserver.admission.webhooks.webhook import CallingError, Webhook

_MUTATION = "mutation.webhook.admission.k8s.io"
# Audited at level Request and above, since it holds the request's own data.
_PATCH = "patch.webhook.admission.k8s.io"


class MutatingAdmissionWebhook:
    """Changes objects as webhooks say, and asks them again where a later one has changed more."""

    name = "MutatingAdmissionWebhook"
    handles = Rule((ANY,), tuple(Operation), (ANY,))

    def __init__(self, around: WebhookSurroundings) -> None:
        self._around = around
        self.followed = MutatingWebhooks(around.objects, around.places)

    def concerns(self, request: AdmissionRequest) -> bool:
        webhooks = self.followed.hooks(request)
        return bool(webhooks) and any(True for _ in matched(request, webhooks, self._around))

    async def admit_async(self, request: AdmissionRequest) -> None:
        memory = Reinvocation.of(request, self.name)
        # What one webhook changes decides whether the next one matches.
        for order, webhook in enumerate(self.followed.hooks(request)):
            place = webhook.match.place(request, self._around.places, self._around.find_namespace)
            if place is None or memory.skips(request, webhook.key):
                continue
            inquiry = await inquire(request, webhook, place, self._around)
            if isinstance(inquiry, ApiError):
                raise inquiry
            if inquiry is not None:
                await self._ask(request, webhook, inquiry, memory, order)
        memory.end(request)

    async def _ask(
        self,
        request: AdmissionRequest,
        webhook: Webhook,
        inquiry: Inquiry,
        memory: Reinvocation,
        order: int,
    ) -> None:
        changed, notes = False, _Notes(request, webhook, order)
        try:
            verdict = await webhook.ask(
                inquiry, self._around.call, self._around.uid(), mutating=True
            )
            if not verdict.allowed:
                raise review.denial(webhook.name, verdict.status)
            changed = await _change(request, webhook, inquiry, verdict)
            if verdict.patch:
                notes.patched(verdict.patch)
        except CallingError as error:
            refusal = webhook.failed(error)
            if refusal is not None:
                raise refusal from None
            notes.failed_open()
        finally:
            notes.mutated(changed=changed)
        if changed:
            memory.changed(request)
        memory.called(webhook.key, if_needed=webhook.if_needed)


class _Notes:
    """What the audit log is told of one call."""

    def __init__(self, request: AdmissionRequest, webhook: Webhook, order: int) -> None:
        self._annotations, self._webhook = request.annotations, webhook.name
        self._place = f"round_{int(request.reinvoked)}_index_{order}"
        self._about = {"configuration": webhook.configuration, "webhook": webhook.name}

    def mutated(self, *, changed: bool) -> None:
        note = {**self._about, "mutated": changed}
        self._put(_MUTATION, orjson.dumps(note).decode())

    def patched(self, patch: Any) -> None:
        note = {**self._about, "patch": patch, "patchType": "JSONPatch"}
        self._put(_PATCH, orjson.dumps(note).decode())

    def failed_open(self) -> None:
        self._put(f"failed-open.{_MUTATION}", self._webhook)

    def _put(self, prefix: str, text: str) -> None:
        self._annotations[f"{prefix}/{self._place}"] = text


async def _change(
    request: AdmissionRequest, webhook: Webhook, inquiry: Inquiry, verdict: Verdict
) -> bool:
    """Carry out the patch of an answer; tell whether it changed anything."""
    if not verdict.patch:
        return False
    before = inquiry.object
    if before is None:
        raise InternalError(
            f'admission webhook "{webhook.name}" attempted to modify the object, which is not '
            "supported for this operation"
        )
    try:
        after = json_patch.apply(before, verdict.patch)
    except ApiError as error:
        raise InternalError(error.message) from None
    if after == before:
        return False
    check_type(before, after)
    put_back(request, inquiry.place, await converted_back(request, inquiry.place, after))
    return True
