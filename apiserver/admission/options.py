"""What an operator may choose about admission, and what kube-apiserver says of wrong choices."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from apiserver.admission.configuration import PLAIN, Configuration


@dataclass(frozen=True, slots=True)
class AdmissionOptions:
    """Which plugins run beside the default ones, which of these do not, and how they are set."""

    # Off unless it is named, as everywhere; every usual cluster names it.
    enable: Sequence[str] = ("NodeRestriction",)
    disable: Sequence[str] = ()
    configuration: Configuration = PLAIN
    not_ready_seconds: int = 300
    unreachable_seconds: int = 300

    def runs(self, name: str, *, by_default: bool) -> bool:
        """Tell whether a plugin runs; being enabled counts for more than being disabled."""
        return name in self.enable or (by_default and name not in self.disable)


DEFAULTS = AdmissionOptions()


def switch_problems(
    enable: Sequence[str], disable: Sequence[str], known: Collection[str]
) -> Iterator[str]:
    """Yield what is wrong with the two lists of plugins."""
    for switch, names in (("enable", enable), ("disable", disable)):
        for name in names:
            if name not in known:
                yield f'{switch}-admission-plugins plugin "{name}" is unknown'
    both = sorted(set(enable) & set(disable))
    if both:
        yield (
            f"[{' '.join(both)}] in enable-admission-plugins and disable-admission-plugins "
            "overlapped"
        )
