"""The form of a new cluster."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from playground.cluster_templates import DEFAULT, TEMPLATES
from playground.cluster_templates.features import ALL, FEATURES, Feature
from playground.cluster_templates.template import Template
from playground.limits import LARGEST_RECORDING as LARGEST
from playground.sandboxes import names
from playground.sandboxes.serializers import MOST_NODES


def _label(name: str) -> None:
    if problem := names.problem(name):
        raise ValidationError(problem)


class NamedForm(forms.Form):
    """What a cluster that will be made is called."""

    name = forms.CharField(
        label=_("Name"),
        max_length=names.LONGEST,
        validators=[_label],
        help_text=_("Lower case letters, digits and “-”; it becomes part of the address."),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autofocus": True}
        ),
    )


class ForkForm(NamedForm):
    """What a fork is called."""


class ImportForm(NamedForm):
    """A recording, and what the cluster that is made of it is called."""

    file = forms.FileField(
        label=_("Recording"),
        help_text=_(
            "A file that was made with “Export a recording” on the timeline: .json.gz, "
            "up to 16 MiB."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".gz,application/gzip"}),
    )

    def clean_file(self) -> Any:
        """Refuse what the worker would not take."""
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise ValidationError(_("The file is larger than 16 MiB."))
        return file


class NewClusterForm(NamedForm):
    """Name, template, nodes, and the addons that are on."""

    template = forms.ChoiceField(
        label=_("Template"),
        choices=lambda: [(one.name, one.title) for one in TEMPLATES.values()],
        initial=DEFAULT,
        widget=forms.RadioSelect,
    )
    nodes = forms.IntegerField(
        label=_("Nodes"),
        min_value=0,
        max_value=MOST_NODES,
        required=False,
        help_text=_("As many as the template has, if you leave this empty."),
    )
    features = forms.MultipleChoiceField(
        label=_("Addons"),
        choices=lambda: [(one.name, one.title) for one in FEATURES],
        initial=list(ALL),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def clean(self) -> dict[str, Any]:
        """Leave out what was left empty; a template takes no size and no addons but its own."""
        cleaned = super().clean() or {}
        template = TEMPLATES.get(cleaned.get("template", ""))
        if cleaned.get("nodes") is None or (template and template.size.fixed):
            cleaned.pop("nodes", None)
        if template and "features" in cleaned:
            cleaned["features"] = [n for n in cleaned["features"] if n in template.features]
        return cleaned

    @property
    def templates(self) -> list[tuple[Template, bool]]:
        """Return the templates, and which one is chosen."""
        chosen = self["template"].value()
        return [(one, one.name == chosen) for one in TEMPLATES.values()]

    @property
    def addons(self) -> list[tuple[Feature, bool]]:
        """Return the addons, and which are on."""
        on = self["features"].value() or ()
        return [(one, one.name in on) for one in FEATURES]
