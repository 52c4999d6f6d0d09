"""A request as priority and fairness sees it."""

from __future__ import annotations

from typing import NamedTuple


class Digest(NamedTuple):
    """Who asks for what; also the key under which a decision is kept, so nothing varies in it
    that no FlowSchema looks at: no names of objects, and no path of a resource request.
    """

    user: str
    groups: tuple[str, ...]
    verb: str
    is_resource: bool
    group: str = ""
    # With the subresource, where there is one: "pods/status".
    resource: str = ""
    namespace: str = ""
    path: str = ""

    @property
    def size(self) -> int:
        """The characters of what a client has made up."""
        own = (self.user, self.verb, self.group, self.resource, self.namespace, self.path)
        return sum(map(len, own)) + sum(map(len, self.groups))
