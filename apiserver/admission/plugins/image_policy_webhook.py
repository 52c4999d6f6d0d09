"""ImagePolicyWebhook: somebody outside the cluster says which images its pods may run."""

from __future__ import annotations

from typing import Any

from apimachinery.clock import Clock
from apimachinery.meta import annotations_of
from apiserver.admission.image_policy import BackendFailed, ImagePolicy, Reviewer
from apiserver.admission.interfaces import CREATE, UPDATE, AdmissionRequest, Rule
from apiserver.admission.pod_specs import containers

_ABOUT_IMAGES = ".image-policy.k8s.io/"
_NOTE = "imagepolicywebhook.image-policy.k8s.io/"


class ImagePolicyWebhook:
    """Asks the operator's backend about the images of each pod."""

    name = "ImagePolicyWebhook"
    handles = Rule(("pods",), (CREATE, UPDATE), ("", "ephemeralcontainers"))

    def __init__(self, policy: ImagePolicy, clock: Clock) -> None:
        self._default_allow = policy.default_allow
        self._reviewer = Reviewer(policy, clock)

    def concerns(self, request: AdmissionRequest) -> bool:
        return request.object is not None

    async def validate_async(self, request: AdmissionRequest) -> None:
        try:
            verdict = await self._reviewer.review(_spec(request))
        except BackendFailed as error:
            if not self._default_allow:
                raise request.refusal(str(error)) from error
            request.annotations[f"{_NOTE}failed-open"] = "true"
            return
        for key, value in verdict.annotations.items():
            request.annotations[f"{_NOTE}{key}"] = str(value)
        if not verdict.allowed:
            why = "one or more images rejected by webhook backend"
            if verdict.reason:
                told = "image policy webhook backend denied one or more images"
                why = f"{told}: {verdict.reason}"
            raise request.refusal(why)


def _spec(request: AdmissionRequest) -> dict[str, Any]:
    pod = request.object or {}
    kinds = ("ephemeralContainers",) if request.subresource else ("containers", "initContainers")
    notes = {key: note for key, note in annotations_of(pod).items() if _ABOUT_IMAGES in key}
    images = [
        {"image": each.get("image") or ""} for each in containers(pod.get("spec") or {}, kinds)
    ]
    spec: dict[str, Any] = {"containers": images, "namespace": request.namespace}
    return {**spec, "annotations": notes} if notes else spec
