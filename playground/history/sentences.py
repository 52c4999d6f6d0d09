"""Facts as sentences in the reader's language: "deployment-controller scaled web from 2 to 3"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from playground.history.facts import KUBELET_ON

Fact = Mapping[str, Any]


def sentence(fact: Fact) -> str:
    """Return what a fact (as JSON has it) says, without its time and without a full stop."""
    return _SENTENCES[str(fact["code"])](_Words(fact))


class _Words(dict[str, Any]):
    """What a sentence is filled with: the fact, its arguments, and names in words."""

    def __init__(self, fact: Fact) -> None:
        super().__init__({**fact, **(fact.get("args") or {})})
        self["actor"] = _who(str(self.get("actor") or ""))
        self["what"] = f"{self['kind']} {self['name']}".strip()
        self["kinds"] = plural_of(str(self["kind"]), str(self.get("resource") or ""))
        names = self.get("names") or ()
        self["list"] = ", ".join(names)
        if (left := self.count - len(names)) > 0:
            told = _("%(names)s and %(n)d more")
            self["list"] = told % {"names": self["list"], "n": left}

    @property
    def count(self) -> int:
        return int(self.get("count") or 1)

    def several(self, one: str, many: str) -> str:
        """Return the sentence of one object, or that of many with their names."""
        return (one if self.count == 1 else many) % self


def _who(actor: str) -> str:
    """Return an actor's name; a kubelet's in the reader's language."""
    if actor.startswith(KUBELET_ON):
        return _("kubelet on %(node)s") % {"node": actor.removeprefix(KUBELET_ON)}
    return actor or _("somebody")


_WITHOUT_PLURALS = frozenset({"zh"})


def plural_of(kind: str, resource: str) -> str:
    """Return how several of a kind are called: "pods", "ConfigMaps", "NetworkPolicies"."""
    if (get_language() or "").partition("-")[0] in _WITHOUT_PLURALS:
        return kind
    stem, plural = kind[:-1], resource.partition(".")[0]
    if plural.startswith(stem.lower()):
        several = stem + plural[len(stem) :]
    elif kind.endswith("y"):  # a warning is about another kind than that of its Event
        several = f"{stem}ies"
    else:
        several = kind + ("es" if kind.endswith("s") else "s")
    # Names of two words and more are hard to read in small letters.
    return several.lower() if stem[1:].islower() else several


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


def _gone(words: _Words) -> str:
    return words.several(_("%(what)s is gone"), _("%(count)d %(kinds)s are gone: %(list)s"))


def _going(words: _Words) -> str:
    return words.several(
        _("%(actor)s asked %(what)s to end"),
        _("%(actor)s asked %(count)d %(kinds)s to end: %(list)s"),
    )


def _scheduled(words: _Words) -> str:
    return words.several(
        _("The scheduler put %(what)s on %(node)s"),
        _("The scheduler put %(count)d pods on %(node)s: %(list)s"),
    )


def _ready(words: _Words) -> str:
    return words.several(_("%(what)s became ready"), _("%(count)d pods became ready: %(list)s"))


def _unready(words: _Words) -> str:
    return words.several(
        _("%(what)s is not ready any more"), _("%(count)d pods are not ready any more: %(list)s")
    )


def _restarted(words: _Words) -> str:
    if words.count > 1:
        text = _("The container %(container)s was restarted in %(count)d pods: %(list)s")
        return text % words
    text = ngettext(
        "The container %(container)s of %(name)s was restarted",
        "The container %(container)s of %(name)s was restarted, %(times)s times by now",
        int(words["times"]),
    )
    return text % words


def _complete(words: _Words) -> str:
    if words.count > 1:
        return _("All pods of %(count)d %(kinds)s are ready: %(list)s") % words
    text = ngettext(
        "The one pod of %(what)s is ready",
        "All %(replicas)s pods of %(what)s are ready",
        int(words["replicas"]),
    )
    return text % words


def _changed(words: _Words) -> str:
    fields = list(words["fields"])
    words["of"] = words["what"] if words.count == 1 else _("%(count)d %(kinds)s (%(list)s)") % words
    words["field"], words["fields"] = fields[0], ", ".join(fields)
    for side in ("before", "after"):
        words[side] = _quoted(words.get(side))
    if (op := words.get("op")) is not None:
        return _VALUES[op]() % words
    if words.get("more"):
        text = ngettext(
            "%(actor)s changed %(fields)s and %(more)d more field of %(of)s",
            "%(actor)s changed %(fields)s and %(more)d more fields of %(of)s",
            int(words["more"]),
        )
        return text % words
    return _("%(actor)s changed %(fields)s of %(of)s") % words


def _quoted(value: Any) -> Any:
    """Return a value as it is told: a text in quotes where its ends could not be seen."""
    if isinstance(value, bool):
        return str(value).lower()
    plain = not isinstance(value, str) or (value and not any(map(str.isspace, value)))
    return value if plain else f"“{value}”"


_VALUES: dict[str, Callable[[], str]] = {
    "~": lambda: _("%(actor)s changed %(field)s of %(of)s from %(before)s to %(after)s"),
    "+": lambda: _("%(actor)s set %(field)s of %(of)s to %(after)s"),
    "-": lambda: _("%(actor)s removed %(field)s from %(of)s"),
}


def _phase(words: _Words) -> str:
    if words["phase"] != "Failed":
        return words.several(
            _("%(what)s has done its work"), _("%(count)d pods have done their work: %(list)s")
        )
    if words.get("reason"):
        return words.several(
            _("%(what)s failed: %(reason)s"), _("%(count)d pods failed (%(reason)s): %(list)s")
        )
    return words.several(_("%(what)s failed"), _("%(count)d pods failed: %(list)s"))


def _node(words: _Words) -> str:
    if words["ready"] == "True":
        return words.several(_("%(what)s is ready"), _("%(count)d nodes are ready: %(list)s"))
    return words.several(_("%(what)s is not ready"), _("%(count)d nodes are not ready: %(list)s"))


def _job(words: _Words) -> str:
    if words["outcome"] == "Complete":
        return words.several(_("%(what)s is complete"), _("%(count)d jobs are complete: %(list)s"))
    return words.several(_("%(what)s failed"), _("%(count)d jobs failed: %(list)s"))


def _warning(words: _Words) -> str:
    words["about"] = words["what"] if words.count == 1 else f"{words['kinds']} {words['list']}"
    # What a probe or a program printed may be nothing at all.
    words["message"] = str(words.get("message") or "").rstrip().rstrip(":")
    if not words["message"]:
        return _("Warning %(reason)s for %(about)s") % words
    return _("Warning %(reason)s for %(about)s: %(message)s") % words


_SENTENCES: dict[str, Callable[[_Words], str]] = {
    "created": _created,
    "deleted": _deleted,
    "gone": _gone,
    "going": _going,
    "scheduled": _scheduled,
    "ready": _ready,
    "unready": _unready,
    "changed": _changed,
    "phase": _phase,
    "node": _node,
    "job": _job,
    "warning": _warning,
    "restarted": _restarted,
    "complete": _complete,
    "scaled": lambda w: _("%(actor)s scaled %(name)s from %(before)s to %(after)s") % w,
    "image": lambda w: (
        _("%(actor)s changed the image of %(container)s in %(what)s from %(before)s to %(after)s")
        % w
    ),
    "rollout": lambda w: w.several(
        _("%(actor)s had the pods of %(what)s started anew"),
        _("%(actor)s had the pods of %(count)d %(kinds)s started anew: %(list)s"),
    ),
    "waiting": lambda w: w.several(
        _("The container %(container)s of %(name)s cannot start: %(reason)s"),
        _("The container %(container)s cannot start in %(count)d pods: %(reason)s (%(list)s)"),
    ),
    "bound": lambda w: w.several(
        _("%(what)s got the volume %(volume)s"), _("%(count)d %(kinds)s got volumes: %(list)s")
    ),
    "released": lambda w: w.several(
        _("%(what)s lost its claim"), _("%(count)d %(kinds)s lost their claims: %(list)s")
    ),
    "lost": lambda w: w.several(
        _("%(what)s lost its volume"), _("%(count)d %(kinds)s lost their volumes: %(list)s")
    ),
    "cordoned": lambda w: w.several(
        _("%(actor)s cordoned %(name)s: no new pods go there"),
        _("%(actor)s cordoned %(count)d nodes: no new pods go to %(list)s"),
    ),
    "uncordoned": lambda w: w.several(
        _("%(actor)s uncordoned %(name)s"), _("%(actor)s uncordoned %(count)d nodes: %(list)s")
    ),
    "tainted": lambda w: w.several(
        _("%(actor)s put the taint %(taint)s on %(name)s"),
        _("%(actor)s put the taint %(taint)s on %(count)d nodes: %(list)s"),
    ),
    "untainted": lambda w: w.several(
        _("%(actor)s removed the taint %(taint)s from %(name)s"),
        _("%(actor)s removed the taint %(taint)s from %(count)d nodes: %(list)s"),
    ),
}
