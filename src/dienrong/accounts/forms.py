"""What people type about themselves."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from dienrong.accounts.models import User
from dienrong.accounts.operations import SignInLocked
from dienrong.core import text


class SignInForm(forms.Form):
    """User name and password."""

    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.user: User | None = None

    def clean(self) -> dict[str, Any]:
        """Check the password; the answer never tells whether the account exists."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("username") and cleaned.get("password"):
            try:
                self.user = authenticate(
                    self.request, username=cleaned["username"], password=cleaned["password"]
                )
            except SignInLocked as refusal:
                raise forms.ValidationError(refusal.sentence) from refusal
            if self.user is None:
                raise forms.ValidationError(
                    _("User name and password do not match. Check Caps Lock and the Vietnamese keyboard.")
                )
        return cleaned


class PasswordForm(forms.Form):
    """The present password and the next one, twice."""

    old_password = forms.CharField(
        label=_("Present password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new_password = forms.CharField(
        label=_("New password"),
        strip=False,
        help_text=_("At least 10 characters, not only digits, not a common password, not like your name."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    repeated = forms.CharField(
        label=_("New password again"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_old_password(self) -> str:
        """Check the present password."""
        old = str(self.cleaned_data["old_password"])
        if not self.user.check_password(old):
            raise forms.ValidationError(_("This is not your present password."))
        return old

    def clean_new_password(self) -> str:
        """Check the rules of the house."""
        new = str(self.cleaned_data["new_password"])
        validate_password(new, self.user)
        return new

    def clean(self) -> dict[str, Any]:
        """Check that both are alike."""
        cleaned = super().clean() or self.cleaned_data
        if "new_password" in cleaned and cleaned.get("repeated") != cleaned["new_password"]:
            self.add_error("repeated", _("The two new passwords differ. Type the second one again."))
        return cleaned


class ProfileForm(forms.Form):
    """Name, e-mail and language."""

    full_name = forms.CharField(
        label=_("Full name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(
        label=_("E-mail"), required=False, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)

    def clean_full_name(self) -> str:
        """Keep the name composed and without stray blanks."""
        return text.clean_text(self.cleaned_data["full_name"])
