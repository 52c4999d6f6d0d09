"""The forms of the access page."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from playground.rights.asking import SHORTEST_TOKEN

_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class TokenForm(forms.Form):
    """Whose token, and for how long."""

    account = forms.ChoiceField(label=_("Service account"))
    seconds = forms.TypedChoiceField(
        label=_("Good for"),
        coerce=int,
        initial=3600,
        choices=(
            (SHORTEST_TOKEN, _("10 minutes")),
            (3600, _("1 hour")),
            (8 * 3600, _("8 hours")),
            (24 * 3600, _("1 day")),
            (7 * 24 * 3600, _("7 days")),
        ),
    )

    def __init__(self, accounts: list[tuple[str, str]], data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        names = [f"{namespace}/{name}" for namespace, name in accounts]
        self.fields["account"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]


class KubeconfigForm(forms.Form):
    """For whom a kubeconfig is, and for how long."""

    user = forms.CharField(
        label=_("User"),
        max_length=253,
        help_text=_("Any name, or system:serviceaccount:NAMESPACE:NAME."),
        widget=forms.TextInput(attrs=_PLAIN),
    )
    groups = forms.CharField(
        label=_("Groups"),
        max_length=500,
        required=False,
        help_text=_("Separated by commas. Members of system:masters may do everything."),
        widget=forms.TextInput(attrs=_PLAIN),
    )
    days = forms.TypedChoiceField(
        label=_("Good for"),
        coerce=float,
        initial=30,
        choices=((1, _("1 day")), (7, _("7 days")), (30, _("30 days")), (365, _("1 year"))),
    )

    def clean_groups(self) -> list[str]:
        """Split the names."""
        return [part.strip() for part in self.cleaned_data["groups"].split(",") if part.strip()]


class ViewAsForm(forms.Form):
    """As whom one wants to look."""

    user = forms.CharField(max_length=253)
    group = forms.CharField(max_length=253, required=False)
