"""Roles and bindings in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from playground.objects import facts
from playground.objects.reading import Object
from playground.objects.summary.parts import (
    Cell,
    Context,
    Parts,
    Rows,
    Sentence,
    joined,
    known,
    text,
)

RBAC = "rbac.authorization.k8s.io"


def role(item: Object, context: Context) -> Parts:
    """Yield the summary of a Role or ClusterRole: its rules, and who has them."""
    rules = item.get("rules") or ()
    rows = tuple(
        (
            joined(one.get("resources") or one.get("nonResourceURLs")),
            joined([group or "core" for group in one.get("apiGroups") or ()]),
            joined(one.get("resourceNames")),
            joined(one.get("verbs")),
        )
        for one in rules
    )
    labels = [
        facts.selector_text(one)
        for one in (item.get("aggregationRule") or {}).get("clusterRoleSelectors") or ()
    ]
    if labels:
        yield Sentence(
            _("Its rules are those of all ClusterRoles with: %(labels)s")
            % {"labels": "; ".join(labels)}
        )
    headings = (_("Resources"), _("Groups"), _("Names"), _("Verbs"))
    yield Rows(_("Allows"), headings, rows, _("Nothing."))
    yield _bindings(item, context)


def _bindings(item: Object, context: Context) -> Rows:
    namespace = facts.namespace(item)
    rows = []
    for title in (f"rolebindings.{RBAC}", f"clusterrolebindings.{RBAC}"):
        if namespace and title.startswith("cluster"):
            continue
        for binding in context.items(title, namespace if title.startswith("role") else ""):
            ref = binding.get("roleRef") or {}
            if (ref.get("kind"), ref.get("name")) != (item.get("kind"), facts.name(item)):
                continue
            space = facts.namespace(binding)
            rows.append(
                (
                    context.to(title, space, facts.name(binding)),
                    text(space or _("everywhere")),
                    joined([subject_text(one) for one in binding.get("subjects") or ()]),
                )
            )
    headings = (_("Binding"), _("Where"), _("To whom"))
    return Rows(_("Granted by"), headings, tuple(rows), _("No binding grants it."))


def subject_text(subject: Mapping[str, Any]) -> str:
    """Return a subject on a line."""
    space = f"{subject['namespace']}/" if subject.get("namespace") else ""
    return f"{subject.get('kind')} {space}{subject.get('name')}"


def binding(item: Object, context: Context) -> Parts:
    """Yield the summary of a RoleBinding or ClusterRoleBinding."""
    ref, namespace = item.get("roleRef") or {}, facts.namespace(item)
    title = f"{str(ref.get('kind')).lower()}s.{RBAC}"
    found = context.one(title, namespace, str(ref.get("name") or ""))
    subjects = item.get("subjects") or ()
    if found is None:
        yield Sentence(
            _("The role that it names is not there, or you may not see it: it grants nothing."),
            "bad",
        )
    else:
        told = ngettext(
            "It grants a role to %(n)d subject", "It grants a role to %(n)d subjects", len(subjects)
        )
        where = _("in %(namespace)s.") % {"namespace": namespace} if namespace else _("everywhere.")
        yield Sentence(f"{told % {'n': len(subjects)}} {where}", "good")
    shown = f"{ref.get('kind')} {ref.get('name')}"
    yield known((_("Role"), context.to(title, namespace, str(ref.get("name") or ""), shown)))
    rows = tuple(
        (text(one.get("kind")), _subject(one, namespace, context), text(one.get("namespace")))
        for one in subjects
    )
    yield Rows(_("To whom"), (_("Kind"), _("Name"), _("Namespace")), rows, _("Nobody."))


def _subject(subject: Mapping[str, Any], namespace: str, context: Context) -> Cell:
    name = str(subject.get("name") or "")
    if subject.get("kind") == "ServiceAccount":
        return context.to("serviceaccounts", str(subject.get("namespace") or namespace), name)
    return text(name)
