"""What people type about themselves, and officers about others."""

from __future__ import annotations

from dienrong.accounts.forms.own import (
    AcceptForm,
    ApiTokenForm,
    CodeForm,
    DelegationForm,
    NewPasswordForm,
    PasswordForm,
    ProfileForm,
    SignInForm,
)
from dienrong.accounts.forms.people import InviteForm, RoleForm, unit_choices

__all__ = [
    "AcceptForm",
    "ApiTokenForm",
    "CodeForm",
    "DelegationForm",
    "InviteForm",
    "NewPasswordForm",
    "PasswordForm",
    "ProfileForm",
    "RoleForm",
    "SignInForm",
    "unit_choices",
]
