"""Definitions of kinds, and objects of any other kind by their printer columns and fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from playground.objects import facts
from playground.objects.facts import condition
from playground.objects.reading import Object
from playground.objects.rows import ACCEPT
from playground.objects.summary.parts import (
    Cell,
    Context,
    Facts,
    Parts,
    Rows,
    Sentence,
    code,
    joined,
    known,
    moment,
    text,
)
from playground.sandboxes.gateway import Refused

LONGEST = 160
# What the API writes where the authors of a kind say nothing about a column.
UNDESCRIBED = "Custom resource definition column "


def definition(item: Object, context: Context) -> Parts:
    """Yield the summary of a CustomResourceDefinition."""
    spec = facts.spec(item)
    names = spec.get("names") or {}
    title = f"{names.get('plural')}.{spec.get('group')}"
    resource = context.reader.named(title)
    established = condition(item, "Established")
    if established.get("status") == "True":
        yield Sentence(_("The API serves this kind."), "good")
    else:
        refused = condition(item, "NamesAccepted")
        yield Sentence(
            _("The API does not serve this kind yet."), "waiting", str(refused.get("message") or "")
        )
    count = context.reader.count(resource) if resource else 0
    yield known(
        (_("Objects"), Cell(str(count), link=context.list_link(title))),
        (_("Kind"), code(names.get("kind"))),
        (_("Group"), code(spec.get("group"))),
        (_("Scope"), text(spec.get("scope"))),
        (_("Short names"), joined(names.get("shortNames"))),
        (_("Conversion"), text((spec.get("conversion") or {}).get("strategy"))),
    )
    rows = tuple(
        (
            code(one.get("name")),
            text(_("yes") if one.get("served") else _("no")),
            text(_("yes") if one.get("storage") else ""),
            joined(sorted(one.get("subresources") or {})),
            joined([column.get("name") for column in one.get("additionalPrinterColumns") or ()]),
        )
        for one in spec.get("versions") or ()
    )
    headings = (_("Version"), _("Served"), _("Stored"), _("Subresources"), _("Columns"))
    yield Rows(_("Versions"), headings, rows)


def generic(item: Object, context: Context) -> Parts:
    """Yield the summary of an object of any kind."""
    ready = condition(item, "Ready") or condition(item, "Available")
    if ready:
        good = ready.get("status") == "True"
        told = _("It is ready.") if good else _("It is not ready.")
        yield Sentence(
            told, "good" if good else "bad", "" if good else str(ready.get("message") or "")
        )
    columns = _columns(item, context)
    if columns.items:
        yield columns
    known_names = {label.lower().replace(" ", "") for label, _cell in columns.items}
    plain = [
        (label, cell)
        for label, cell in plain_facts(item)
        if label.lower().replace(" ", "") not in known_names
    ]
    if plain:
        yield Facts(tuple(plain), _("Spec and status") if columns.items else "")


def _columns(item: Object, context: Context) -> Facts:
    """Return what the API prints of the object: for a custom kind, what its authors chose."""
    group, _slash, _version = str(item.get("apiVersion") or "").rpartition("/")
    title = context.title_of(str(item.get("apiVersion") or ""), str(item.get("kind") or ""))
    resource = context.reader.named(title)
    if resource is None or not group:
        return Facts(())
    try:
        table = context.reader.get(resource.path(facts.namespace(item), facts.name(item)), ACCEPT)
    except Refused:
        return Facts(())
    definitions = table.get("columnDefinitions") or ()
    cells = next((row.get("cells") for row in table.get("rows") or ()), ())
    found = []
    for column, value in zip(definitions, cells, strict=False):
        if column.get("name") in ("Name", "Age") or value in (None, "", "<none>"):
            continue
        about = str(column.get("description") or "")
        remark = "" if about.startswith(UNDESCRIBED) else about
        found.append((str(column["name"]), text(value, remark=remark)))
    return Facts(tuple(found))


def plain_facts(item: Object) -> Iterator[tuple[str, Cell]]:
    """Yield what is one value in spec and status; structures are for the YAML."""
    for part in (facts.spec(item), facts.status(item), _top(item)):
        for key, value in part.items():
            if isinstance(value, bool):
                yield words(key), text(_("yes") if value else _("no"))
            elif isinstance(value, str | int | float) and value != "":
                shown = str(value)
                yield words(key), moment(value) if key.endswith("Time") else text(shown[:LONGEST])
            elif (
                isinstance(value, list)
                and value
                and all(isinstance(one, str | int) for one in value)
            ):
                yield words(key), joined(value[:20])


def _top(item: Object) -> Mapping[str, Any]:
    usual = {"apiVersion", "kind", "metadata", "spec", "status", "data", "stringData", "binaryData"}
    return {key: value for key, value in item.items() if key not in usual}


def words(key: str) -> str:
    """Turn "clusterIP" into "Cluster IP", for a label."""
    out = ""
    for position, letter in enumerate(key):
        boundary = letter.isupper() and position and not key[position - 1].isupper()
        out += f" {letter}" if boundary else letter
    return out[:1].upper() + out[1:]
