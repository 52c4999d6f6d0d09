"""Getting images: by policy, with a wait between failed pulls that doubles up to five minutes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from apimachinery.clock import Clock
from apimachinery.duration import format_duration
from apimachinery.meta import Obj
from nodes.runtime.cri import AuthConfig, Image, ImageService, ImageSpec, RuntimeCallError

# pkg/kubelet: MaxContainerBackOff and the first step of the image backoff.
FIRST_BACKOFF, LONGEST_BACKOFF = 10.0, 300.0

Report = Callable[[str, str, str], None]  # type, reason, message


@dataclass(frozen=True, slots=True)
class Ready:
    """The image is on the node. `reference` is what containers are created from."""

    reference: str
    image: Image | None


@dataclass(frozen=True, slots=True)
class NotReady:
    """Why the container waits, in the words of its status; look again after `retry_in`."""

    reason: str
    message: str
    retry_in: float | None = None


@dataclass(slots=True)
class _Backoff:
    delay: float
    until: float
    error: str


class ImageManager:
    """Images of one node, on behalf of its pods."""

    def __init__(self, service: ImageService, clock: Clock) -> None:
        self._service, self._clock = service, clock
        self._backoffs: dict[tuple[str, str], _Backoff] = {}

    async def ensure(
        self, pod_uid: str, container: Obj, report: Report, auth: AuthConfig | None = None
    ) -> Ready | NotReady:
        """Have the container's image on the node, pulling it where its policy says so."""
        name = container.get("image") or ""
        spec = ImageSpec(name, user_specified_image=name)
        policy = container.get("imagePullPolicy") or "IfNotPresent"
        present = await self._service.image_status(spec)
        if present is not None and policy != "Always":
            report(
                "Normal",
                "Pulled",
                f'Container image "{name}" already present on machine '
                "and can be accessed by the pod",
            )
            return Ready(present.id, present)
        if policy == "Never":
            message = f'Container image "{name}" is not present with pull policy of Never'
            report("Warning", "ErrImageNeverPull", message)
            return NotReady("ErrImageNeverPull", message)
        key = (pod_uid, name)
        if (waiting := self._backoffs.get(key)) is not None:
            left = waiting.until - self._clock.seconds()
            if left > 0:
                message = f'Back-off pulling image "{name}"'
                report("Normal", "BackOff", message)
                report("Warning", "Failed", "Error: ImagePullBackOff")
                return NotReady(
                    "ImagePullBackOff", f"{message}: ErrImagePull: {waiting.error}", left
                )
        return await self._pull(key, spec, report, auth)

    def forget(self, pod_uid: str) -> None:
        """Forget the waits of a pod that is gone."""
        for key in [key for key in self._backoffs if key[0] == pod_uid]:
            del self._backoffs[key]

    async def _pull(
        self, key: tuple[str, str], spec: ImageSpec, report: Report, auth: AuthConfig | None
    ) -> Ready | NotReady:
        name = spec.image
        report("Normal", "Pulling", f'Pulling image "{name}"')
        began = self._clock.seconds()
        try:
            reference = await self._service.pull_image(spec, auth)
        except RuntimeCallError as error:
            last = self._backoffs.get(key)
            delay = min(last.delay * 2, LONGEST_BACKOFF) if last else FIRST_BACKOFF
            self._backoffs[key] = _Backoff(delay, self._clock.seconds() + delay, str(error))
            report("Warning", "Failed", f'Failed to pull image "{name}": {error}')
            report("Warning", "Failed", "Error: ErrImagePull")
            # Looked at again at once, so that the wait shows as what it is.
            return NotReady("ErrImagePull", str(error), 1.0)
        self._backoffs.pop(key, None)
        image = await self._service.image_status(spec)
        took = format_duration(round(self._clock.seconds() - began, 3))
        size = image.size if image is not None else 0
        report(
            "Normal",
            "Pulled",
            f'Successfully pulled image "{name}" in {took} ({took} including waiting). '
            f"Image size: {size} bytes.",
        )
        return Ready(reference, image)
