"""Configuration, accounts, namespaces and their limits in words."""

from __future__ import annotations

import base64
import binascii

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
    Texts,
    code,
    joined,
    known,
    pod_rows,
    text,
)


def _size(n: int) -> str:
    return ngettext("%(n)d byte", "%(n)d bytes", n) % {"n": n}


def _used(item: Object, kind: str, context: Context) -> Parts:
    name = facts.name(item)
    using = [
        pod
        for pod in context.items("pods", facts.namespace(item))
        if any(k == kind and n == name for k, n, _use in facts.references(pod))
    ]
    yield pod_rows(_("Pods that use it"), using, context, _("No pod uses it."))


def config_map(item: Object, context: Context) -> Parts:
    """Yield the summary of a ConfigMap."""
    if item.get("immutable"):
        yield Sentence(_("It is immutable: to change it, delete it and make it again."))
    found = [
        (key, _size(len(value.encode())), value) for key, value in (item.get("data") or {}).items()
    ]
    found += [(key, _("binary"), "") for key in item.get("binaryData") or {}]
    yield Texts(_("Data"), tuple(found))
    yield from _used(item, "ConfigMap", context)


def secret(item: Object, context: Context) -> Parts:
    """Yield the summary of a Secret, whose values show one at a time and when asked for."""
    yield known((_("Type"), text(item.get("type"))))
    found = []
    for key, value in (item.get("data") or {}).items():
        raw = _decoded(value)
        shown = raw.decode(errors="replace") if key == context.shown else ""
        found.append((key, _size(len(raw)), shown))
    yield Texts(_("Data"), tuple(found), hidden=True)
    yield from _used(item, "Secret", context)


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return value.encode()


def service_account(item: Object, context: Context) -> Parts:
    """Yield the summary of a ServiceAccount: its name for RBAC, its rights, its pods."""
    name, namespace = facts.name(item), facts.namespace(item)
    automatic = item.get("automountServiceAccountToken")
    yield known(
        (_("User name"), code(f"system:serviceaccount:{namespace}:{name}")),
        (_("Token in pods"), text(_("no") if automatic is False else _("yes"))),
        (
            _("Pull secrets"),
            joined([one.get("name") for one in item.get("imagePullSecrets") or ()]),
        ),
    )
    rows = []
    for title, space in (
        ("rolebindings.rbac.authorization.k8s.io", namespace),
        ("clusterrolebindings.rbac.authorization.k8s.io", ""),
    ):
        for binding in context.items(title, space):
            if any(
                one.get("kind") == "ServiceAccount"
                and one.get("name") == name
                and one.get("namespace", namespace) == namespace
                for one in binding.get("subjects") or ()
            ):
                role = binding.get("roleRef") or {}
                to = f"{str(role.get('kind')).lower()}s.rbac.authorization.k8s.io"
                rows.append(
                    (
                        context.to(title, space, facts.name(binding)),
                        context.to(
                            to,
                            namespace,
                            str(role.get("name")),
                            f"{role.get('kind')} {role.get('name')}",
                        ),
                    )
                )
    yield Rows(_("Granted by"), (_("Binding"), _("Role")), tuple(rows), _("No binding names it."))
    yield from _used(item, "ServiceAccount", context)


def namespace(item: Object, context: Context) -> Parts:
    """Yield the summary of a Namespace: how it stands, what is in it, its limits."""
    name, phase = facts.name(item), facts.status(item).get("phase")
    if phase == "Terminating":
        yield Sentence(_("It is being deleted, with everything in it."), "waiting")
    else:
        yield Sentence(_("It is active."), "good")
    rows = []
    for title in _COUNTED:
        resource = context.reader.named(title)
        if resource and (n := context.reader.count(resource, name)):
            link = context.list_link(title, ns=name)
            rows.append((text(resource.plural), Cell(str(n), link=link)))
    yield Rows(_("In it"), (_("Kind"), _("Objects")), tuple(rows), _("Nothing of the usual kinds."))
    for one in context.items("resourcequotas", name):
        yield _quota_rows(one)


_COUNTED = (
    "pods",
    "deployments.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "jobs.batch",
    "cronjobs.batch",
    "services",
    "ingresses.networking.k8s.io",
    "configmaps",
    "secrets",
    "persistentvolumeclaims",
    "networkpolicies.networking.k8s.io",
)


def _quota_rows(item: Object) -> Rows:
    hard = facts.status(item).get("hard") or facts.spec(item).get("hard") or {}
    used = facts.status(item).get("used") or {}
    rows = tuple((code(key), text(used.get(key, "0")), text(value)) for key, value in hard.items())
    return Rows(
        _("Quota %(name)s") % {"name": facts.name(item)}, (_("What"), _("Used"), _("At most")), rows
    )


def quota(item: Object, _context: Context) -> Parts:
    """Yield the summary of a ResourceQuota."""
    yield _quota_rows(item)


def limit_range(item: Object, _context: Context) -> Parts:
    """Yield the summary of a LimitRange."""
    rows = []
    for one in facts.spec(item).get("limits") or ():
        names = dict.fromkeys(
            key
            for field in ("min", "max", "default", "defaultRequest")
            for key in one.get(field) or {}
        )
        for name in names:
            values = [
                (one.get(field) or {}).get(name)
                for field in ("min", "max", "defaultRequest", "default")
            ]
            rows.append((text(one.get("type")), code(name), *(text(value) for value in values)))
    headings = (_("Of"), _("Resource"), _("Least"), _("Most"), _("Usual request"), _("Usual limit"))
    yield Rows(_("Limits"), headings, tuple(rows))
