"""One webhook: which requests it is asked about, and one question put to it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from time import perf_counter
from typing import Any

from apimachinery.cel.admission import Shape
from apimachinery.errors import ApiError, BadRequest, InternalError
from apiserver.admission.hooks.conditions import HOLDS, Conditions, Outcome
from apiserver.admission.hooks.inquiry import Inquiry
from apiserver.admission.hooks.matching import EXEMPT, Match
from apiserver.admission.hooks.places import Places
from apiserver.admission.interfaces import AdmissionRequest
from apiserver.admission.webhooks import review
from apiserver.admission.webhooks.review import PatchError, ResponseError, Verdict
from apiserver.registry.calling import Address, Call, CallError, ClientError, post

logger = logging.getLogger(__name__)
_SHAPE = Shape(authorizer=True)
_QUIET = ("None", "NoneOnDryRun")
_DEFAULT_TIMEOUT = 10


class CallingError(Exception):
    """A webhook that could not be asked; its failure policy says what that means."""

    def __init__(self, webhook: str, why: str) -> None:
        super().__init__(f'failed calling webhook "{webhook}": {why}')


class Webhook:
    """A webhook of a configuration, compiled."""

    def __init__(self, spec: Mapping[str, Any], configuration: str, index: int) -> None:
        self.name: str = spec.get("name") or ""
        self.key = (configuration, self.name, index)
        self.configuration = configuration
        self.match = Match(spec, "rules")
        self.has_rules = bool(spec.get("rules"))
        self.conditions = Conditions(spec.get("matchConditions"), _SHAPE)
        self.fails_open = spec.get("failurePolicy") == "Ignore"
        self.if_needed = spec.get("reinvocationPolicy") == "IfNeeded"
        self.timeout = spec.get("timeoutSeconds") or _DEFAULT_TIMEOUT
        self._quiet = spec.get("sideEffects") in _QUIET
        versions = spec.get("admissionReviewVersions") or ()
        self._version = next((each for each in versions if each in review.VERSIONS), "v1")
        self._address = Address.read(spec.get("clientConfig") or {})

    def might(self, request: AdmissionRequest, places: Places) -> bool:
        if str(request.resource) in EXEMPT or not self.has_rules:
            return False
        return self.match.might(request, places)

    def admits(self, inquiry: Inquiry) -> Outcome:
        """Tell whether the conditions let the request through to the webhook."""
        return self.conditions.check(inquiry.values()) if self.conditions else HOLDS

    async def ask(self, inquiry: Inquiry, call: Call, uid: str, *, mutating: bool) -> Verdict:
        """Put a request to the webhook. Raises CallingError, BadRequest."""
        if inquiry.request.dry_run and not self._quiet:
            raise BadRequest(f'admission webhook "{self.name}" does not support dry run')
        body = review.review(inquiry, self._version, uid)
        began = perf_counter()
        try:
            verdict = await self._answer(call, body, uid, mutating=mutating)
        except CallingError as error:
            self._note_call(inquiry.request, began, failure=str(error))
            raise
        self._note_call(inquiry.request, began, allowed=verdict.allowed)
        self._take_notes(inquiry.request, verdict)
        return verdict

    async def _answer(self, call: Call, body: bytes, uid: str, *, mutating: bool) -> Verdict:
        try:
            answer = await post(call, self._address, body, float(self.timeout))
        except CallError as error:
            raise CallingError(self.name, f"failed to call webhook: {error}") from None
        except ClientError as error:
            raise CallingError(self.name, f"could not get REST client: {error}") from None
        try:
            return review.read(answer, self._version, uid, mutating=mutating)
        except ResponseError as error:
            why = f"received invalid webhook response: {error}"
            raise CallingError(self.name, why) from None
        except PatchError as error:
            raise CallingError(self.name, str(error)) from None

    def _note_call(
        self, request: AdmissionRequest, began: float, *, allowed: bool = False, failure: str = ""
    ) -> None:
        """Tell the trace of the request that this webhook was asked."""
        request.calls.append(
            {
                "name": self.name,
                "configuration": self.configuration,
                "seconds": round(perf_counter() - began, 6),
                "timeoutSeconds": self.timeout,
                "failurePolicy": "Ignore" if self.fails_open else "Fail",
                "allowed": allowed,
                "failure": failure[:1024],
            }
        )

    def _take_notes(self, request: AdmissionRequest, verdict: Verdict) -> None:
        request.warnings += verdict.warnings
        for key, value in verdict.annotations.items():
            request.annotations[f"{self.name}/{key}"] = value

    def failed(self, error: CallingError) -> ApiError | None:
        """Return what a failed call means: None where the request goes on without it."""
        if self.fails_open:
            logger.warning("Failed calling webhook, failing open %s: %s", self.name, error)
            return None
        return InternalError(str(error))
