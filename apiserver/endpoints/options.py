"""What an operator may say about how requests are served; the flags are kube-apiserver's."""

from __future__ import annotations

from dataclasses import dataclass, field

from apiserver.audit.log import AuditLog
from apiserver.audit.policy import Policy
from apiserver.flowcontrol.options import FlowOptions
from apiserver.flowcontrol.turns import Turns
from apiserver.registry.room import Room


@dataclass(frozen=True, slots=True)
class ServingOptions:
    """Times in seconds."""

    # What a request has that is not meant to run long.
    request_timeout: float = 60.0
    # Watches without a timeout of their own end after this and before twice this: they spread out.
    min_request_timeout: float = 1800.0
    # By name, as they are shown to people.
    flags: tuple[tuple[str, str], ...] = ()
    # Which requests are written down, and where; nothing is without a policy.
    audit: Policy | None = None
    audit_log: AuditLog | None = None
    # What one cluster may hold, and how many watches may be open over HTTP.
    room: Room = field(default_factory=Room)
    max_watches: int = 10_000
    flow: FlowOptions = field(default_factory=FlowOptions)
    # Of the event loop: all clusters that one serves share them.
    turns: Turns = field(default_factory=Turns)
