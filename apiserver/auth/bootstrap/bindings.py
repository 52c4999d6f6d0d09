"""Who is given the default roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Bound(NamedTuple):
    """A subject: its kind and name; service accounts live in kube-system."""

    kind: str
    name: str


def _group(name: str) -> Bound:
    return Bound("Group", name)


def _user(name: str) -> Bound:
    return Bound("User", name)


def account(name: str) -> Bound:
    return Bound("ServiceAccount", name)


EVERYONE = (_group("system:authenticated"), _group("system:unauthenticated"))
MANAGER, SCHEDULER = _user("system:kube-controller-manager"), _user("system:kube-scheduler")

# The binding of a ClusterRole has the role's own name. Each controller's is given to its account.
CLUSTER_ROLE_BINDINGS: dict[str, Sequence[Bound]] = {
    "cluster-admin": (_group("system:masters"),),
    "system:basic-user": (_group("system:authenticated"),),
    "system:discovery": (_group("system:authenticated"),),
    "system:kube-controller-manager": (MANAGER,),
    "system:kube-dns": (account("kube-dns"),),
    "system:kube-scheduler": (SCHEDULER,),
    "system:monitoring": (_group("system:monitoring"),),
    # Nodes get their rights from the Node authorizer; the binding stays for those who add to it.
    "system:node": (),
    "system:node-proxier": (_user("system:kube-proxy"),),
    "system:public-info-viewer": EVERYONE,
    "system:service-account-issuer-discovery": (_group("system:serviceaccounts"),),
    "system:volume-scheduler": (SCHEDULER,),
}

# (namespace, name) -> the Role and its subjects.
ROLE_BINDINGS: Mapping[tuple[str, str], tuple[str, Sequence[Bound]]] = {
    ("kube-public", "system:controller:bootstrap-signer"): (
        "system:controller:bootstrap-signer",
        (account("bootstrap-signer"),),
    ),
    ("kube-system", "system::extension-apiserver-authentication-reader"): (
        "extension-apiserver-authentication-reader",
        (MANAGER, SCHEDULER),
    ),
    ("kube-system", "system::leader-locking-kube-controller-manager"): (
        "system::leader-locking-kube-controller-manager",
        (MANAGER, account("kube-controller-manager"), account("leader-election-controller")),
    ),
    ("kube-system", "system::leader-locking-kube-scheduler"): (
        "system::leader-locking-kube-scheduler",
        (SCHEDULER, account("kube-scheduler")),
    ),
    ("kube-system", "system:controller:bootstrap-signer"): (
        "system:controller:bootstrap-signer",
        (account("bootstrap-signer"),),
    ),
    ("kube-system", "system:controller:cloud-provider"): (
        "system:controller:cloud-provider",
        (account("cloud-provider"),),
    ),
    ("kube-system", "system:controller:token-cleaner"): (
        "system:controller:token-cleaner",
        (account("token-cleaner"),),
    ),
}
