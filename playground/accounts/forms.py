"""What one types to sign in, to choose a password, and to make an account."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.utils.translation import gettext_lazy as _

from playground.accounts import people
from playground.accounts.models import User


class SignInForm(forms.Form):
    """A name and a password; whether they fit is the view's question."""

    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


def password_form(user: User, *, knows: bool, data: Any = None) -> SetPasswordForm[User]:
    """Return the form of a new password; the old one is asked for where there is one to know."""
    form: SetPasswordForm[User]
    form = PasswordChangeForm(user, data) if knows else SetPasswordForm(user, data)
    form.fields["new_password1"].help_text = _("At least 10 characters, and no common password.")
    for field in form.fields.values():
        # The page is read before it is typed on.
        field.widget.attrs.pop("autofocus", None)
    return form


class NewAccountForm(forms.Form):
    """Name and role of a new account."""

    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        help_text=_("Letters, digits and @ . + - _; it is also the name towards Kubernetes."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, manager: User, data: Any = None) -> None:
        super().__init__(data, initial={"role": "learner"})
        roles = people.roles_of(manager)
        self.fields["role"].choices = [(role.value, role.label) for role in roles]  # type: ignore[attr-defined]
