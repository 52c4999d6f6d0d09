"""Who may see which cluster, what they may do with it, and as whom they ask its API.

The owner of a cluster and every operator may do all with it. An instructor may look at the
clusters of learners: nothing is changed, and no Secret is read. To everybody else a cluster is as
missing as one that never was.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from playground.accounts.models import Role, User
from playground.accounts.viewing import Viewing
from playground.sandboxes.gateway import Cluster, Gateway, Identity, gateway

# The owner of a cluster is its administrator, as with any cluster that one made oneself.
OWNER_GROUPS = ("system:masters", "system:authenticated")
# Whom every API server lets read, and for how many days by a kubeconfig: apiserver/auth/viewers.py.
VIEWING_DAYS = 30
VIEWER_GROUPS = ("kubeground:viewers", "system:authenticated")


class Asked(NamedTuple):
    """Who asks of which cluster, and as whom its API is asked."""

    user: User
    cluster: Cluster
    identity: Identity


def asked(user: User | AnonymousUser, name: str) -> Asked:
    """Return the named cluster for a view that asks for a session. Raises Http404."""
    found = signed_in(user)
    cluster = find(gateway(), found, name)
    return Asked(found, cluster, identity(found, cluster))


def signed_in(user: User | AnonymousUser) -> User:
    """Return the user of a view that asks for a session."""
    assert isinstance(user, User)  # noqa: S101 - login_required saw to it
    return user


def may_change(user: User, cluster: Cluster) -> bool:
    """Tell whether the user may do everything with the cluster."""
    return user.is_operator or cluster.owner == user.get_username()


def visible(user: User, clusters: Iterable[Cluster]) -> list[Cluster]:
    """Return the clusters that the user may see."""
    if user.is_operator:
        return list(clusters)
    owners = {user.get_username()}
    if user.role == Role.INSTRUCTOR:
        owners.update(User.objects.filter(role=Role.LEARNER).values_list("username", flat=True))
    return [cluster for cluster in clusters if cluster.owner in owners]


def own(user: User, clusters: Iterable[Cluster]) -> list[Cluster]:
    """Return the clusters that belong to the user."""
    return [cluster for cluster in clusters if cluster.owner == user.get_username()]


def find(gateway: Gateway, user: User, name: str) -> Cluster:
    """Return the named cluster; one that the user may not see is as missing as any."""
    named = (cluster for cluster in gateway.clusters() if cluster.name == name)
    for cluster in visible(user, named):
        return cluster
    raise Http404(_("There is no cluster “%(name)s”. It may have been deleted.") % {"name": name})


def find_to_change(gateway: Gateway, user: User, name: str) -> Cluster:
    """Return the named cluster to one who may change it. Raises PermissionDenied, Http404."""
    cluster = find(gateway, user, name)
    if not may_change(user, cluster):
        text = _("“%(name)s” belongs to %(owner)s. You may look at it, not change it.")
        raise PermissionDenied(text % {"name": cluster.name, "owner": cluster.owner})
    return cluster


def find_to_copy(gateway: Gateway, user: User, name: str) -> Cluster:
    """Return the named cluster to one who may have all that is in it.

    Who looks at it as somebody else may not: a copy is the user's own. Raises PermissionDenied,
    Http404.
    """
    text = _("You look at %(name)s as %(who)s. Be yourself again to fork it.")
    return _find_as_oneself(gateway, user, name, text)


def find_to_break(gateway: Gateway, user: User, name: str) -> Cluster:
    """Return the named cluster to one who may break it, and stop its time.

    Who looks at it as somebody else may not: no right of Kubernetes is for that. Raises
    PermissionDenied, Http404.
    """
    text = _("You look at %(name)s as %(who)s. Be yourself again to break it or change its time.")
    return _find_as_oneself(gateway, user, name, text)


def _find_as_oneself(gateway: Gateway, user: User, name: str, refusal: str) -> Cluster:
    cluster = find_to_change(gateway, user, name)
    if (viewing := viewing_of(user, cluster)) is not None:
        raise PermissionDenied(refusal % {"name": cluster.name, "who": viewing.user})
    return cluster


def is_oneself(user: User, cluster: Cluster) -> bool:
    """Tell whether the user may do everything with the cluster, and looks as nobody else."""
    return may_change(user, cluster) and viewing_of(user, cluster) is None


def identity(user: User, cluster: Cluster) -> Identity:
    """Return as whom the API of a cluster that the user may see is asked."""
    if (viewing := viewing_of(user, cluster)) is not None:
        return Identity(viewing.user, tuple(viewing.groups))
    groups = OWNER_GROUPS if may_change(user, cluster) else VIEWER_GROUPS
    return Identity(user.get_username(), groups)


def sight(identity: Identity, *, secrets: bool = True) -> Hashable:
    """Return what stands for all that one may read: equal for those who may read the same.

    Two groups may read whatever RBAC says, so that nobody has to be asked, and no rule takes it
    from them while they look: one everything, the other everything but Secrets. Whoever is in
    neither is told apart from all others.
    """
    groups = (OWNER_GROUPS[0],) if secrets else (OWNER_GROUPS[0], VIEWER_GROUPS[0])
    return groups if any(group in identity.groups for group in groups) else identity


def viewing_of(user: User, cluster: Cluster) -> Viewing | None:
    """Return as whom a user looks at a cluster, None for as themselves."""
    viewing = user.viewing
    return viewing if viewing is not None and viewing.cluster == cluster.uid else None


def kubeconfig(gateway: Gateway, user: User, cluster: Cluster) -> str:
    """Return a kubeconfig of one's own: of an administrator, or of one who only reads."""
    if may_change(user, cluster):
        return gateway.kubeconfig(cluster.name, user.get_username())
    name = user.get_username()
    groups = (VIEWER_GROUPS[0],)
    return gateway.kubeconfig_for(cluster.name, name, groups, VIEWING_DAYS, holder=name)


def limit_reached(user: User, clusters: Iterable[Cluster]) -> bool:
    """Tell whether a learner runs as many clusters as they may; the others have no limit."""
    if not _is_limited(user):
        return False
    running = [cluster for cluster in own(user, clusters) if not cluster.paused]
    return len(running) >= settings.CLUSTERS_PER_LEARNER


def end_of_time(user: User) -> float | None:
    """Return when a cluster that a user starts now is paused, in seconds; None for never."""
    if not settings.CLUSTER_HOURS or not _is_limited(user):
        return None
    return timezone.now().timestamp() + settings.CLUSTER_HOURS * 3600


def _is_limited(user: User) -> bool:
    return user.role == Role.LEARNER and not user.is_operator
