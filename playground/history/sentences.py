"""Facts as sentences in the reader's language: "deployment-controller scaled web from 2 to 3"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

Fact = Mapping[str, Any]


def sentence(fact: Fact) -> str:
    """Return what a fact (as JSON has it) says, without its time."""
    return _SENTENCES[str(fact["code"])](_Words(fact))


class _Words(dict[str, Any]):
    """What a sentence is filled with: the fact, its arguments, and names in words."""

    def __init__(self, fact: Fact) -> None:
        super().__init__({**fact, **(fact.get("args") or {})})
        self["actor"] = self.get("actor") or _("somebody")
        self["what"] = f"{self['kind']} {self['name']}".strip()
        # "pods" of "pods", "deployments" of "deployments.apps": as kubectl calls them.
        self["kinds"] = str(self.get("resource") or self["kind"]).partition(".")[0]

    @property
    def count(self) -> int:
        return int(self.get("count") or 1)

    def several(self, one: str, many: str) -> str:
        """Return the sentence of one object, or that of many with their names."""
        if self.count == 1:
            return one % self
        names = ", ".join(self.get("names") or ())
        left = self.count - len(self.get("names") or ())
        self["list"] = (
            names
            if left <= 0
            else _("%(names)s and %(n)d more")
            % {
                "names": names,
                "n": left,
            }
        )
        return many % self


def _created(words: _Words) -> str:
    if words.get("of"):
        return words.several(
            _("%(actor)s created %(what)s for %(of)s"),
            _("%(actor)s created %(count)d %(kinds)s for %(of)s: %(list)s"),
        )
    return words.several(
        _("%(actor)s created %(what)s"),
        _("%(actor)s created %(count)d %(kinds)s: %(list)s"),
    )


def _deleted(words: _Words) -> str:
    return words.several(
        _("%(actor)s deleted %(what)s"),
        _("%(actor)s deleted %(count)d %(kinds)s: %(list)s"),
    )


def _going(words: _Words) -> str:
    return words.several(
        _("%(actor)s asked %(what)s to end"),
        _("%(actor)s asked %(count)d %(kinds)s to end: %(list)s"),
    )


def _scheduled(words: _Words) -> str:
    return words.several(
        _("the scheduler put %(what)s on %(node)s"),
        _("the scheduler put %(count)d pods on %(node)s: %(list)s"),
    )


def _ready(words: _Words) -> str:
    return words.several(_("%(what)s became ready"), _("%(count)d pods became ready: %(list)s"))


def _unready(words: _Words) -> str:
    return words.several(
        _("%(what)s is not ready any more"), _("%(count)d pods are not ready any more: %(list)s")
    )


def _changed(words: _Words) -> str:
    if "before" in words and "after" in words:
        words["field"] = words["fields"][0]
        return _("%(actor)s changed %(field)s of %(what)s from %(before)s to %(after)s") % words
    words["list"] = ", ".join(words["fields"])
    if words.get("more"):
        text = ngettext(
            "%(actor)s changed %(list)s and %(more)d more field of %(what)s",
            "%(actor)s changed %(list)s and %(more)d more fields of %(what)s",
            int(words["more"]),
        )
        return text % words
    return _("%(actor)s changed %(list)s of %(what)s") % words


def _phase(words: _Words) -> str:
    if words["phase"] == "Failed":
        return words.several(_("%(what)s failed"), _("%(count)d pods failed: %(list)s"))
    return words.several(_("%(what)s has done its work"), _("%(count)d pods are done: %(list)s"))


def _node(words: _Words) -> str:
    if words["ready"] == "True":
        return words.several(_("%(what)s is ready"), _("%(count)d nodes are ready: %(list)s"))
    return words.several(_("%(what)s is not ready"), _("%(count)d nodes are not ready: %(list)s"))


def _job(words: _Words) -> str:
    done = words["outcome"] == "Complete"
    return (_("%(what)s is complete") if done else _("%(what)s failed")) % words


def _warning(words: _Words) -> str:
    return words.several(
        _("Warning %(reason)s for %(what)s: %(message)s"),
        _("Warning %(reason)s for %(list)s: %(message)s"),
    )


_SENTENCES: dict[str, Callable[[_Words], str]] = {
    "created": _created,
    "deleted": _deleted,
    "going": _going,
    "scheduled": _scheduled,
    "ready": _ready,
    "unready": _unready,
    "changed": _changed,
    "phase": _phase,
    "node": _node,
    "job": _job,
    "warning": _warning,
    "scaled": lambda w: _("%(actor)s scaled %(name)s from %(before)s to %(after)s") % w,
    "image": lambda w: (
        _("%(actor)s changed the image of %(name)s (%(container)s) from %(before)s to %(after)s")
        % w
    ),
    "restarted": lambda w: (
        _("the container %(container)s of %(name)s was restarted (restart %(times)s)") % w
    ),
    "waiting": lambda w: w.several(
        _("the container %(container)s of %(name)s cannot start: %(reason)s"),
        _("the container %(container)s cannot start in %(count)d pods: %(reason)s (%(list)s)"),
    ),
    "complete": lambda w: _("all %(replicas)s replicas of %(name)s are ready") % w,
    "cordoned": lambda w: _("%(actor)s cordoned %(name)s: no new pods go there") % w,
    "uncordoned": lambda w: _("%(actor)s uncordoned %(name)s") % w,
}
