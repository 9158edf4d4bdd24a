"""What people type about themselves."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from dienrong.accounts.models import UnitKind, User, normal_username
from dienrong.accounts.operations import SignInLocked
from dienrong.core import text
from dienrong.core.days import DayField


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


def _new_password(label: Any, hint: Any = "") -> forms.CharField:
    """Make a field for a password that is being chosen."""
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
    return forms.CharField(label=label, strip=False, max_length=200, help_text=hint, widget=widget)


class NewPasswordForm(forms.Form):
    """A password chosen anew, twice."""

    new_password = _new_password(
        _("New password"),
        _("At least 10 characters, not only digits, not a common password, not like your name."),
    )
    repeated = _new_password(_("New password again"))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

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


class PasswordForm(NewPasswordForm):
    """The present password and the next one, twice."""

    old_password = forms.CharField(
        label=_("Present password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ("old_password", "new_password", "repeated")

    def clean_old_password(self) -> str:
        """Check the present password."""
        old = str(self.cleaned_data["old_password"])
        if not self.user.check_password(old):
            raise forms.ValidationError(_("This is not your present password."))
        return old


class AcceptForm(NewPasswordForm):
    """The user name and the password of an invited person."""

    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        help_text=_("Letters and digits without blanks, such as hoa.pham. You sign in with it."),
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    field_order = ("username", "new_password", "repeated")

    def clean_username(self) -> str:
        """Give the form in which it is kept."""
        name = normal_username(self.cleaned_data["username"])
        self.user.username = name
        if User.objects.filter(username=name).exists():
            raise forms.ValidationError(_("This user name is taken. Add a dot or a number."))
        return name


class CodeForm(forms.Form):
    """A code of the authenticator app, or a recovery code."""

    code = forms.CharField(
        label=_("Confirmation code"),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "text", "autocapitalize": "none"}
        ),
    )


class ApiTokenForm(forms.Form):
    """A key for a program."""

    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("What the key is for, such as the name of the program.")
    )
    days = forms.TypedChoiceField(
        label=_("Valid for"),
        coerce=int,
        initial=90,
        choices=[(30, _("30 days")), (90, _("90 days")), (180, _("180 days")), (366, _("one year"))],
    )
    unit_kind = forms.ChoiceField(
        label=_("Narrowed to one unit"),
        required=False,
        choices=[("", _("My whole scope")), *UnitKind.choices[1:]],
    )
    unit_code = forms.CharField(
        label=_("Code of that unit"), max_length=20, required=False, help_text=_("Empty for the whole scope.")
    )


class DelegationForm(forms.Form):
    """Who gets the role, and until when."""

    person = forms.TypedChoiceField(label=_("Person"), coerce=int, widget=forms.RadioSelect)
    last_day = DayField(label=_("Last day"))

    def __init__(self, *args: Any, people: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = {person.pk: person for person in people}
        field = self.fields["person"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(person.pk, _label_of(person)) for person in people]

    def chosen(self) -> User:
        """Give the person chosen."""
        return self.people[self.cleaned_data["person"]]


def _label_of(person: User) -> str:
    """Tell namesakes apart: name, user name, roles of today."""
    held = dict.fromkeys(str(row) for row in person.roles_today)  # type: ignore[attr-defined]
    return " · ".join([f"{person.full_name} ({person.username})", *held])


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
