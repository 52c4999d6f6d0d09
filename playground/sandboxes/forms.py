"""The form of a new cluster."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from playground.cluster_templates import TEMPLATES
from playground.sandboxes import names
from playground.sandboxes.serializers import DEFAULT_NODES, MOST_NODES

# What each template is for; one that has no words here is offered by its name.
DESCRIPTIONS = {
    "default": _("Default: with a StorageClass and an IngressClass"),
    "bare": _("Bare: only what Kubernetes itself makes"),
}


def _label(name: str) -> None:
    if problem := names.problem(name):
        raise ValidationError(problem)


class NewClusterForm(forms.Form):
    """Name, nodes, template."""

    name = forms.CharField(
        label=_("Name"),
        max_length=names.LONGEST,
        validators=[_label],
        help_text=_("Lower case letters, digits and “-”; it becomes part of the address."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    nodes = forms.IntegerField(
        label=_("Nodes"), min_value=0, max_value=MOST_NODES, initial=DEFAULT_NODES
    )
    template = forms.ChoiceField(
        label=_("Template"),
        choices=lambda: [(name, DESCRIPTIONS.get(name, name)) for name in TEMPLATES],
        initial="default",
    )
