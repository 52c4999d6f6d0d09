"""Where a packet to a Service goes, as a node's kube-proxy has decided.

kube-proxy fills one table for each node; the network asks it for each new connection that leaves
that node, as a kernel asks its NAT table. The answer is a value: another address, a refusal, a
silent drop, or None when no rule speaks of the address, which is then taken as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import NamedTuple, Protocol

from apimachinery.clock import Clock


class Backend(NamedTuple):
    """The real destination. `rule` names what chose it ("default/web:http"), for traces."""

    ip: str
    port: int
    rule: str = ""


class Verdict(Enum):
    """REFUSED answers at once (REJECT); DROPPED never answers."""

    REFUSED = "Refused"
    DROPPED = "Dropped"


REFUSED = Verdict.REFUSED
DROPPED = Verdict.DROPPED

Decision = Backend | Verdict | None


class RuleTable(Protocol):
    """The rules of one node."""

    def resolve(self, dst_ip: str, dst_port: int, protocol: str, src_ip: str) -> Decision:
        """Return where a new connection goes. Called once a connection, never for a packet."""


class RuleKey(NamedTuple):
    """What a rule matches: an address (ClusterIP, external, node address), a port, TCP or UDP."""

    ip: str
    port: int
    protocol: str = "TCP"


class Choice(Enum):
    """How one of several backends is taken."""

    RANDOM = "random"
    ROUND_ROBIN = "rr"


@dataclass(slots=True, frozen=True)
class ServiceRule:
    """One Service port. Without backends it gives `empty` back."""

    name: str
    backends: tuple[tuple[str, int], ...]
    choice: Choice = Choice.RANDOM
    affinity_seconds: int = 0
    empty: Verdict = REFUSED
    weights: tuple[int, ...] = ()


# One node remembers as many clients as xt_recent would be allowed to; the oldest is forgotten.
MAX_AFFINITIES = 4096


class ServiceRules:
    """A table of ServiceRules by address: what the kube-proxy modes compile to."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random
        self._rules: dict[RuleKey, ServiceRule] = {}
        self._turn: dict[RuleKey, int] = {}
        self._sticky: dict[tuple[str, str], tuple[tuple[str, int], float]] = {}

    def set(self, key: RuleKey, rule: ServiceRule) -> None:
        """Add or change one rule."""
        self._rules[key] = rule

    def delete(self, key: RuleKey) -> None:
        """Forget one rule; fine if there is none."""
        self._rules.pop(key, None)
        self._turn.pop(key, None)

    def replace(self, rules: Iterable[tuple[RuleKey, ServiceRule]]) -> None:
        """Make the table hold exactly these rules."""
        self._rules = dict(rules)
        self._turn = {key: turn for key, turn in self._turn.items() if key in self._rules}

    def rules(self) -> dict[RuleKey, ServiceRule]:
        """Return the table as it is; not to be changed."""
        return self._rules

    def resolve(self, dst_ip: str, dst_port: int, protocol: str, src_ip: str) -> Decision:
        """Return the chosen backend of the rule for this address, if there is a rule."""
        key = RuleKey(dst_ip, dst_port, protocol)
        rule = self._rules.get(key)
        if rule is None:
            return None
        if not rule.backends:
            return rule.empty
        if rule.affinity_seconds:
            ip, port = self._sticky_backend(key, rule, src_ip)
        else:
            ip, port = self._pick(key, rule)
        return Backend(ip, port, rule.name)

    def _pick(self, key: RuleKey, rule: ServiceRule) -> tuple[str, int]:
        if rule.choice is Choice.ROUND_ROBIN:
            turn = self._turn.get(key, 0)
            self._turn[key] = turn + 1
            return rule.backends[turn % len(rule.backends)]
        if rule.weights:
            return self._random.choices(rule.backends, rule.weights)[0]
        return self._random.choice(rule.backends)

    def _sticky_backend(self, key: RuleKey, rule: ServiceRule, src_ip: str) -> tuple[str, int]:
        now = self._clock.seconds()
        memory = (rule.name, src_ip)
        backend, seen = self._sticky.pop(memory, (("", 0), 0.0))
        if backend not in rule.backends or now - seen > rule.affinity_seconds:
            backend = self._pick(key, rule)
        self._sticky[memory] = (backend, now)
        if len(self._sticky) > MAX_AFFINITIES:
            del self._sticky[next(iter(self._sticky))]
        return backend
