"""What the audited actions of this room are called on pages."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

WORDS = {
    "accounts.person_created": _("Account created"),
    "accounts.role_assigned": _("Role given"),
    "accounts.role_ended": _("Role ended"),
    "accounts.password_changed": _("Password changed"),
    "accounts.profile_changed": _("Account changed"),
    "accounts.sign_in_locked": _("Sign-in locked"),
    "accounts.signed_in": _("Signed in"),
    "accounts.signed_out": _("Signed out"),
    "accounts.signed_out_elsewhere": _("Signed out of another browser"),
}
