"""Image references as containerd reads them, and whether a registry would have such an image.

There is no registry here, so a name decides: what looks like an image is one; what looks like a
mistake fails in containerd's own words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nodes.runtime.cri import Code, RuntimeCallError

_REFERENCE = re.compile(
    r"^(?P<name>[a-zA-Z0-9][a-zA-Z0-9._/:-]*?)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?$"
)
_VERSION = re.compile(r"^v?(\d+)(?:\.(\d+))?")
_MISTAKES = re.compile(
    r"nope|does-?not-?exist|non-?existent|no-?such|invalid|missing|broken|wrong|typo"
    r"|not-?found|fake|bogus|^bad\b|^bad$|-bad$"
)
# Words that tags of official images are made of.
_TAG_WORDS = (
    "latest stable mainline alpine slim perl otel bookworm bullseye buster trixie jammy noble "
    "focal bionic xenial plucky questing glibc musl uclibc edge rolling lts current dev main "
    "master debian ubuntu unstable testing sid fpm apache cli management full minimal devel "
    "nightly innovation oraclelinux windowsservercore"
)
_WORDS = frozenset(_TAG_WORDS.split())


@dataclass(slots=True, frozen=True)
class Reference:
    """A full reference: docker.io/library/nginx:1.27, perhaps with a digest."""

    host: str
    path: str
    tag: str
    digest: str = ""

    @property
    def repository(self) -> str:
        return f"{self.host}/{self.path}"

    def __str__(self) -> str:
        if self.digest:
            return f"{self.repository}@{self.digest}"
        return f"{self.repository}:{self.tag}"


def parse_reference(text: str) -> Reference:
    """Complete a reference as containerd does. INVALID_ARGUMENT if it is none."""
    match = _REFERENCE.match(text)
    name = match["name"] if match else ""
    host, slash, path = name.partition("/")
    if not slash or ("." not in host and ":" not in host and host != "localhost"):
        host, path = "docker.io", name if slash else f"library/{name}"
    if match is None or not path or path != path.lower() or "//" in path or ":" in path:
        raise RuntimeCallError(
            Code.INVALID_ARGUMENT,
            f'failed to parse image reference "{text}": invalid reference format',
        )
    digest = match["digest"] or ""
    return Reference(host, path, match["tag"] or ("" if digest else "latest"), digest)


def check_host(reference: Reference) -> None:
    """Fail as a pull does when the registry's name does not resolve."""
    host = reference.host.partition(":")[0]
    if host.endswith((".invalid", ".example", ".test")) or _MISTAKES.search(host):
        raise failed_pull(
            reference,
            f'failed to do request: Head "https://{reference.host}/v2/{reference.path}/manifests/'
            f'{reference.tag or reference.digest}": dial tcp: lookup {host}: no such host',
        )


def check_unknown(reference: Reference, official: frozenset[str]) -> None:
    """Fail for a repository that is not in the catalogue and cannot exist."""
    library = reference.path.removeprefix("library/")
    unofficial = (
        reference.host == "docker.io"
        and reference.path.startswith("library/")
        and library not in official
    )
    if unofficial or _MISTAKES.search(reference.path):
        raise failed_pull(
            reference,
            "pull access denied, repository does not exist or may require authorization: "
            "server message: insufficient_scope: authorization failed",
        )


def check_tag(reference: Reference, highest: tuple[int, int]) -> None:
    """Fail for a tag that the repository cannot have."""
    if reference.digest or _is_plausible(reference, highest):
        return
    raise not_found(reference)


def _is_plausible(reference: Reference, highest: tuple[int, int]) -> bool:
    tag = reference.tag
    if _MISTAKES.search(tag):
        return False
    version = _VERSION.match(tag)
    if version:
        numbers = (int(version[1]), int(version[2] or 0))
        return numbers <= highest if highest != (0, 0) else numbers[0] < 900
    if reference.host == "docker.io" and reference.path.startswith("library/"):
        return all(word.rstrip("0123456789.") in _WORDS for word in tag.split("-"))
    return True


def not_found(reference: Reference) -> RuntimeCallError:
    """Return the error of a pull of what the registry does not have."""
    return RuntimeCallError(
        Code.NOT_FOUND,
        f'failed to pull and unpack image "{reference}": failed to resolve reference '
        f'"{reference}": {reference}: not found',
    )


def failed_pull(reference: Reference, why: str) -> RuntimeCallError:
    """Return the error of a pull that the registry refused, or could not answer."""
    return RuntimeCallError(
        Code.UNKNOWN,
        f'failed to pull and unpack image "{reference}": failed to resolve reference '
        f'"{reference}": {why}',
    )
