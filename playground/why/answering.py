"""The answer as a document: the chain, each cause with its object, and what has been tried."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from playground.why.model import Fix, Link, Ref
from playground.why.trial import can_be_tried

Try = Callable[[Fix], dict[str, Any]]


def document(
    about: Ref, links: Sequence[Link], refusals: Sequence[str], trial: Try | None, most: int
) -> dict[str, Any]:
    """Return what is served; with `trial` the first changes that could help are tried."""
    tried = 0
    items = []
    for link in links:
        fixes = []
        for fix in link.cause.fixes:
            outcome = None
            if trial is not None and can_be_tried(fix) and tried < most:
                tried += 1
                outcome = trial(fix)
            fixes.append(_fix(fix, outcome))
        items.append(
            {
                "object": _ref(link.about),
                "depth": link.depth,
                "text": link.cause.text,
                "condition": link.cause.condition,
                "verbatim": link.cause.verbatim,
                "rule": link.cause.rule,
                "fixes": fixes,
            }
        )
    return {"object": _ref(about), "asWanted": not links, "causes": items, "refusals": [*refusals]}


def _fix(fix: Fix, outcome: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "text": fix.text,
        "command": fix.command,
        "target": _ref(fix.target) if fix.target is not None else None,
        "patch": fix.patch,
        "patchType": fix.kind if fix.patch is not None else None,
        "tried": outcome,
    }


def _ref(ref: Ref) -> dict[str, str]:
    return {"kind": ref.title, "namespace": ref.namespace, "name": ref.name}
