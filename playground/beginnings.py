"""What no two clusters share: a uid, keys, names drawn by chance, and when the clock begins.

All that is arbitrary of a cluster comes from here, so that a seed makes a history repeatable; what
a cluster then draws by itself, it draws from sources seeded with its uid, or alike in
all clusters.
"""

from __future__ import annotations

import random
import uuid

from apimachinery.clock import Clock
from apiserver.auth.cluster import Credentials, create_credentials
from apiserver.auth.pki import front_proxy_authority
from nodes.client.loopclock import LoopClock
from playground.cluster_time import Start


class Beginnings:
    """Taken from the machine: nothing repeats."""

    def uid(self) -> str:
        """Return the uid of a new cluster."""
        return str(uuid.uuid4())

    def credentials(self, uid: str, clock: Clock) -> Credentials:
        """Return the keys of a new cluster."""
        return create_credentials(uid, clock)

    def front_proxy(self, credentials: Credentials, clock: Clock) -> str:
        """Return the certificate that a new cluster publishes of its front proxy."""
        return front_proxy_authority(credentials.ca_key, clock).certificate

    def chance(self, uid: str, revision: int) -> random.Random:
        """Return where the names and uids of objects come from, for a worker that begins there."""
        del uid, revision
        return random.Random()  # noqa: S311 - names, not secrets

    def clock(self, start: Start | None = None, last_write: float = 0.0) -> LoopClock:
        """Return the clock of a new cluster, or one that goes on from where an earlier stopped."""
        return (start or Start()).clock(last_write)
