"""Members of one group may read what a cluster holds, and nothing else.

It is how a site lets people look at clusters that are not theirs, without an object of RBAC that
the owner of the cluster would find there. Secrets are not read, programs are not reached.
"""

from __future__ import annotations

from apiserver.auth.attributes import Attributes, Decision

VIEWERS = "kubeground:viewers"

_READS = frozenset({"get", "list", "watch"})
_SECRET = frozenset({"secrets"})
# Subresources through which a GET reaches into a program.
_INTO_PROGRAMS = frozenset({"exec", "attach", "portforward", "proxy"})
_MAY = Decision(True, f'allowed to read as a member of the group "{VIEWERS}"', "Viewers")


class Viewers:
    """An authorizer that only ever says yes to reading."""

    def decide(self, wanted: Attributes, /) -> Decision | None:
        """Return None for everybody else, and for what viewers may not do."""
        if VIEWERS not in wanted.user.groups or wanted.verb not in _READS:
            return None
        if wanted.resource_request and (
            wanted.resource in _SECRET or wanted.subresource in _INTO_PROGRAMS
        ):
            return None
        return _MAY
