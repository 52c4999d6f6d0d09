"""The settings page's form; keys have a part of their own, which needs a script."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from playground.workspace.models import Motion, Theme


def _languages() -> list[tuple[str, Any]]:
    return [("", _("As the browser asks")), *settings.LANGUAGES]


class PreferencesForm(forms.Form):
    """How pages look and speak."""

    theme = forms.ChoiceField(label=_("Theme"), choices=Theme.choices, widget=forms.RadioSelect)
    language = forms.ChoiceField(
        label=_("Language"), choices=_languages, widget=forms.RadioSelect, required=False
    )
    motion = forms.ChoiceField(
        label=_("Motion"),
        choices=Motion.choices,
        widget=forms.RadioSelect,
        help_text=_("Reduced: pods change their place without flying there, pages do not fade."),
    )
