"""Whose requests one may see: those of a cluster, or of the one as whom one looks at it."""

from __future__ import annotations

from playground.accounts.models import User
from playground.sandboxes import access
from playground.sandboxes.gateway import Cluster


def only_of(user: User, cluster: Cluster) -> dict[str, str]:
    """Return the parameter that leaves one user's requests alone; nothing for oneself."""
    viewing = access.viewing_of(user, cluster)
    return {} if viewing is None else {"only": viewing.user}
