"""The image registries as all nodes of a cluster find them: what they have lost, which are down."""

from __future__ import annotations

from nodes.runtime.simulated.references import Reference, failed_pull, not_found


class Registries:
    """Nothing is lost and none is down, until somebody says so."""

    def __init__(self) -> None:
        # Full names: docker.io/library/nginx, or with a tag.
        self.missing: set[str] = set()
        self.down = False

    def check(self, reference: Reference) -> None:
        """Fail as a pull does when the registry has no such image, or does not answer."""
        if self.down:
            host = reference.host
            raise failed_pull(
                reference,
                f'failed to do request: Head "https://{host}/v2/{reference.path}/manifests/'
                f'{reference.tag or reference.digest}": dial tcp: lookup {host}: i/o timeout',
            )
        if reference.repository in self.missing or str(reference) in self.missing:
            raise not_found(reference)
