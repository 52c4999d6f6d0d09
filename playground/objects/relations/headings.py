"""What lists of related objects are called: true of the page's own object, or of what lies between.

Each verb has four headings: down and up its edges, at the page's own object and further off.
`%(kind)s` is listed, `%(via)s` lies between: "Used by pods: configmaps" on a Service's page.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from playground.objects.relations.graph import Found


def of(how: Found) -> str:
    """Return the heading of what was found so, still to be filled in."""
    if how.via:
        return (_down_by() if how.direction == "down" else _up_by())[how.verb]
    return (_down() if how.direction == "down" else _up())[how.verb]


def _down() -> dict[str, str]:
    return {
        "owns": _("Owns: %(kind)s"),
        "uses": _("Uses: %(kind)s"),
        "runs": _("Runs on: %(kind)s"),
        "selects": _("Selects: %(kind)s"),
        "lists": _("Sends to: %(kind)s"),
        "endpoints": _("Endpoints: %(kind)s"),
        "applies": _("Holds for: %(kind)s"),
        "protects": _("Protects: %(kind)s"),
        "scales": _("Scales: %(kind)s"),
        "routes": _("Leads to: %(kind)s"),
        "class": _("Of the class: %(kind)s"),
        "bound": _("Bound to: %(kind)s"),
        "claims": _("Claims: %(kind)s"),
        "names": _("Named by: %(kind)s"),
        "attaches": _("Attaches: %(kind)s"),
        "grants": _("Grants: %(kind)s"),
        "grants-to": _("To: %(kind)s"),
        "about": _("About: %(kind)s"),
        "calls": _("Calls: %(kind)s"),
        "defines": _("Defines: %(kind)s"),
    }


def _up() -> dict[str, str]:
    return {
        "owns": _("Belongs to: %(kind)s"),
        "uses": _("Used by: %(kind)s"),
        "runs": _("Runs: %(kind)s"),
        "selects": _("Selected by: %(kind)s"),
        "lists": _("Listed by: %(kind)s"),
        "endpoints": _("Endpoints of: %(kind)s"),
        "applies": _("Under the rules of: %(kind)s"),
        "protects": _("Protected by: %(kind)s"),
        "scales": _("Scaled by: %(kind)s"),
        "routes": _("Reached through: %(kind)s"),
        "class": _("Class of: %(kind)s"),
        "bound": _("Bound by: %(kind)s"),
        "claims": _("Claimed by: %(kind)s"),
        "names": _("Gives its name to: %(kind)s"),
        "attaches": _("Attached by: %(kind)s"),
        "grants": _("Granted by: %(kind)s"),
        "grants-to": _("Has rights by: %(kind)s"),
        "about": _("Events: %(kind)s"),
        "calls": _("Called by: %(kind)s"),
        "defines": _("Defined by: %(kind)s"),
    }


def _down_by() -> dict[str, str]:
    return {
        "owns": _("Owned by %(via)s: %(kind)s"),
        "uses": _("Used by %(via)s: %(kind)s"),
        "runs": _("Where %(via)s run: %(kind)s"),
        "selects": _("Selected by %(via)s: %(kind)s"),
        "lists": _("Listed by %(via)s: %(kind)s"),
        "endpoints": _("Endpoints of %(via)s: %(kind)s"),
        "applies": _("Under the rules of %(via)s: %(kind)s"),
        "protects": _("Protected by %(via)s: %(kind)s"),
        "scales": _("Scaled by %(via)s: %(kind)s"),
        "routes": _("Reached through %(via)s: %(kind)s"),
        "class": _("Class of %(via)s: %(kind)s"),
        "bound": _("Bound to %(via)s: %(kind)s"),
        "claims": _("Claimed by %(via)s: %(kind)s"),
        "names": _("Naming %(via)s: %(kind)s"),
        "attaches": _("Attached by %(via)s: %(kind)s"),
        "grants": _("Granted by %(via)s: %(kind)s"),
        "grants-to": _("With rights by %(via)s: %(kind)s"),
        "about": _("Told of by %(via)s: %(kind)s"),
        "calls": _("Called by %(via)s: %(kind)s"),
        "defines": _("Defined by %(via)s: %(kind)s"),
    }


def _up_by() -> dict[str, str]:
    return {
        "owns": _("Owning %(via)s: %(kind)s"),
        "uses": _("Using %(via)s: %(kind)s"),
        "runs": _("On %(via)s: %(kind)s"),
        "selects": _("Selecting %(via)s: %(kind)s"),
        "lists": _("Listing %(via)s: %(kind)s"),
        "endpoints": _("With endpoints in %(via)s: %(kind)s"),
        "applies": _("Rules for %(via)s: %(kind)s"),
        "protects": _("Protecting %(via)s: %(kind)s"),
        "scales": _("Scaling %(via)s: %(kind)s"),
        "routes": _("Leading to %(via)s: %(kind)s"),
        "class": _("Of these %(via)s: %(kind)s"),
        "bound": _("Bound to %(via)s: %(kind)s"),
        "claims": _("Claiming %(via)s: %(kind)s"),
        "names": _("Named by %(via)s: %(kind)s"),
        "attaches": _("Attaching %(via)s: %(kind)s"),
        "grants": _("Granting %(via)s: %(kind)s"),
        "grants-to": _("Giving rights to %(via)s: %(kind)s"),
        "about": _("Events of %(via)s: %(kind)s"),
        "calls": _("Calling %(via)s: %(kind)s"),
        "defines": _("Defining %(via)s: %(kind)s"),
    }
