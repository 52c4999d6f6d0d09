"""Who may see which cluster, and as whom they ask its API: one place for both."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.utils.translation import gettext as _

from playground.accounts.models import User
from playground.sandboxes.gateway import Cluster, Gateway, Identity

# The owner of a cluster is its administrator, as with any cluster that one made oneself.
OWNER_GROUPS = ("system:masters", "system:authenticated")


def signed_in(user: User | AnonymousUser) -> User:
    """Return the user of a view that asks for a session."""
    assert isinstance(user, User)  # noqa: S101 - login_required saw to it
    return user


def may_see(user: User, cluster: Cluster) -> bool:
    """Tell whether the cluster exists for this user."""
    return user.is_operator or cluster.owner == user.get_username()


def visible(user: User, clusters: Iterable[Cluster]) -> list[Cluster]:
    """Return the clusters that the user may see."""
    return [cluster for cluster in clusters if may_see(user, cluster)]


def find(gateway: Gateway, user: User, name: str) -> Cluster:
    """Return the named cluster; one of somebody else's is as missing as one that never was."""
    for cluster in gateway.clusters():
        if cluster.name == name and may_see(user, cluster):
            return cluster
    raise Http404(_("There is no cluster “%(name)s”. It may have been deleted.") % {"name": name})


def identity(user: User) -> Identity:
    """Return as whom the API of a cluster that the user may see is asked."""
    return Identity(user.get_username(), OWNER_GROUPS)


def limit_reached(user: User, clusters: Iterable[Cluster]) -> bool:
    """Tell whether a learner has as many clusters as they may have; operators have no limit."""
    return not user.is_operator and len(visible(user, clusters)) >= settings.CLUSTERS_PER_LEARNER
