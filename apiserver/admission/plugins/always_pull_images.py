"""AlwaysPullImages: no pod runs an image just because it is on the node already.

Whoever may not pull an image would otherwise run it by its name, once somebody else has.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apimachinery.validation.field import FieldError, Path, not_supported
from apiserver.admission.interfaces import CREATE, UPDATE, AdmissionRequest, Rule
from apiserver.admission.pod_specs import CONTAINERS, containers

ALWAYS = "Always"


class AlwaysPullImages:
    """Sets the pull policy of every container and image volume to Always."""

    name = "AlwaysPullImages"
    handles = Rule(("pods",), (CREATE, UPDATE))

    def admit(self, request: AdmissionRequest) -> None:
        if _no_new_images(request):
            return
        spec = (request.object or {}).get("spec") or {}
        for container in containers(spec):
            container["imagePullPolicy"] = ALWAYS
        for volume in spec.get("volumes") or ():
            if image := volume.get("image"):
                image["pullPolicy"] = ALWAYS

    def validate(self, request: AdmissionRequest) -> None:
        if _no_new_images(request):
            return
        errors = [str(error) for error in _errors((request.object or {}).get("spec") or {})]
        if errors:
            raise request.refusal(errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]")


def _errors(spec: dict[str, Any]) -> Iterator[FieldError]:
    for kind in CONTAINERS:
        for index, container in enumerate(spec.get(kind) or ()):
            policy = container.get("imagePullPolicy") or ""
            if policy != ALWAYS:
                place = (Path("spec") / kind)[index] / "imagePullPolicy"
                yield not_supported(place, policy, [ALWAYS])
    for index, volume in enumerate(spec.get("volumes") or ()):
        policy = (volume.get("image") or {"pullPolicy": ALWAYS}).get("pullPolicy") or ""
        if policy != ALWAYS:
            place = (Path("spec") / "volumes")[index] / "image" / "pullPolicy"
            yield not_supported(place, policy, [ALWAYS])


def _no_new_images(request: AdmissionRequest) -> bool:
    """Tell whether an update leaves the images as they were: such pods may stay as they are."""
    if request.operation is not UPDATE:
        return False
    old = _images((request.old_object or {}).get("spec") or {})
    return _images((request.object or {}).get("spec") or {}) <= old


def _images(spec: dict[str, Any]) -> set[str]:
    return {container.get("image") or "" for container in containers(spec)}
