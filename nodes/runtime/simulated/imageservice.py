"""Images of one simulated node: pulled once, at the speed of a good line, then there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from apimachinery.clock import Clock
from nodes.runtime.cri import (
    AuthConfig,
    Code,
    FilesystemUsage,
    Image,
    ImageSpec,
    PodSandboxConfig,
    RuntimeCallError,
)
from nodes.runtime.simulated.catalogue import FAMILIES, OFFICIAL, QUIET
from nodes.runtime.simulated.image import MIB, ImageFamily, PulledImage
from nodes.runtime.simulated.references import (
    Reference,
    check_host,
    check_tag,
    check_unknown,
    parse_reference,
)
from nodes.runtime.simulated.registry import Registries

# A pull of a usual image takes a fifth of a second: enough to be seen, too little to wait for.
_FASTEST, _SLOWEST, _LARGE = 0.05, 0.3, 200 * MIB
NANO = 1_000_000_000


@dataclass(slots=True)
class _Pull:
    done: asyncio.Future[None]


class SimulatedImages:
    """Keeps cri.ImageService."""

    def __init__(
        self,
        clock: Clock,
        seed: str,
        registries: Registries | None = None,
        own: Sequence[ImageFamily] = (),
    ) -> None:
        """`own`: images that mean something on this machine alone."""
        self._clock = clock
        self._own = {repository: each for each in own for repository in each.repositories}
        self._registries = registries if registries is not None else Registries()
        self._seed = seed
        self._images: dict[str, PulledImage] = {}
        self._pulling: dict[str, _Pull] = {}
        # Full names of those that have been restored.
        self._names: dict[str, str] = {}

    def find(self, image: str) -> PulledImage | None:
        """Return a pulled image by its reference, short or full, or by its id."""
        if image.startswith("sha256:"):
            return next((found for found in self._images.values() if found.id == image), None)
        try:
            return self._images.get(str(parse_reference(image)))
        except RuntimeCallError:
            return None

    async def list_images(self, filter: ImageSpec | None = None) -> list[Image]:  # noqa: A002
        found: dict[str, list[PulledImage]] = {}
        for pulled in self._images.values():
            if filter is None or self.find(filter.image) is pulled:
                found.setdefault(pulled.id, []).append(pulled)
        return [_image(same) for same in found.values()]

    async def image_status(self, image: ImageSpec) -> Image | None:
        pulled = self.find(image.image)
        if pulled is None:
            return None
        return self.described(pulled)

    async def pull_image(
        self,
        image: ImageSpec,
        auth: AuthConfig | None = None,
        sandbox_config: PodSandboxConfig | None = None,
    ) -> str:
        reference = parse_reference(image.image)
        name = str(reference)
        if name in self._images:
            return self._images[name].id
        if name in self._pulling:
            await asyncio.shield(self._pulling[name].done)
            return await self.pull_image(image, auth, sandbox_config)
        pull = self._pulling[name] = _Pull(asyncio.get_running_loop().create_future())
        try:
            await self._clock.sleep(_FASTEST)
            self._registries.check(reference)
            pulled = self._resolve(reference)
            await self._clock.sleep(self._download_time(pulled))
            self._images[name] = pulled
        finally:
            del self._pulling[name]
            pull.done.set_result(None)
        return pulled.id

    def restore(self, image: str) -> PulledImage:
        """Return an image that was on the node; it is again. RuntimeCallError if it cannot be."""
        name = self._names.get(image)
        if name is None:
            name = self._names[image] = str(parse_reference(image))
        pulled = self._images.get(name)
        if pulled is None:
            pulled = self._images[name] = self._resolve(parse_reference(image))
        return pulled

    def described(self, pulled: PulledImage) -> Image:
        """Return what CRI says of an image on the node."""
        return _image([same for same in self._images.values() if same.id == pulled.id])

    async def remove_image(self, image: ImageSpec) -> None:
        pulled = self.find(image.image)
        if pulled is not None:
            for name in [name for name, same in self._images.items() if same.id == pulled.id]:
                del self._images[name]

    def forget(self, name: str) -> None:
        """Remove an image, or all of a repository, that no longer is what it was."""
        for key, pulled in list(self._images.items()):
            if name in (key, pulled.repository):
                del self._images[key]

    async def image_fs_info(self) -> FilesystemUsage:
        sizes = {pulled.id: pulled.size for pulled in self._images.values()}
        return FilesystemUsage(
            timestamp=int(self._clock.seconds() * NANO),
            mountpoint="/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs",
            used_bytes=3 * sum(sizes.values()),
            inodes_used=2000 * len(sizes),
        )

    def _resolve(self, reference: Reference) -> PulledImage:
        if (family := self._own.get(reference.repository)) is None:
            return resolve(reference)
        return PulledImage(str(reference), reference.repository, reference.tag, family)

    def _download_time(self, pulled: PulledImage) -> float:
        jitter = Random(f"{self._seed}/{pulled.reference}").uniform(0.7, 1.3)  # noqa: S311
        share = min(1.0, pulled.size / _LARGE)
        return min(_SLOWEST - _FASTEST, (_SLOWEST - _FASTEST) * share * jitter)


def resolve(reference: Reference) -> PulledImage:
    """Return what a registry would send for a reference. RuntimeCallError if nothing."""
    check_host(reference)
    family = _BY_REPOSITORY.get(reference.repository)
    if family is None:
        check_unknown(reference, OFFICIAL)
        family = QUIET
    check_tag(reference, family.highest)
    tag = reference.tag or reference.digest
    return PulledImage(str(reference), reference.repository, tag, family)


def described(name: str) -> Image:
    """Return what CRI says of an image that a node has under this name alone."""
    return _image([resolve(parse_reference(name))])


_BY_REPOSITORY: dict[str, ImageFamily] = {
    repository: family for family in FAMILIES for repository in family.repositories
}


def _image(same: list[PulledImage]) -> Image:
    first = same[0]
    user = first.family.user
    return Image(
        id=first.id,
        repo_tags=tuple(pulled.reference for pulled in same if "@" not in pulled.reference),
        repo_digests=(f"{first.repository}@{first.digest}",),
        size=first.size,
        uid=int(user) if user.isdigit() else (0 if not user else None),
        username="" if user.isdigit() else user,
    )


def missing(image: str) -> RuntimeCallError:
    """Return the error of creating a container from an image that is not on the node."""
    return RuntimeCallError(Code.NOT_FOUND, f'failed to resolve image "{image}": not found')
