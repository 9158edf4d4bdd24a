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
    "accounts.person_invited": _("Person invited"),
    "accounts.sign_in_reset": _("Link for a new password made"),
    "accounts.link_revoked": _("One-time link revoked"),
    "accounts.link_used": _("One-time link used"),
    "accounts.switched_on": _("Account switched on"),
    "accounts.switched_off": _("Account switched off"),
    "accounts.totp_set_up": _("Authenticator app set up"),
    "accounts.totp_dropped": _("Authenticator app forgotten"),
    "accounts.recovery_codes_made": _("New recovery codes made"),
    "accounts.recovery_code_used": _("Recovery code used"),
    "accounts.role_delegated": _("Role delegated"),
    "accounts.identity_linked": _("External identity linked"),
    "accounts.identity_unlinked": _("External identity unlinked"),
    "accounts.api_token_made": _("API key made"),
    "accounts.api_token_revoked": _("API key revoked"),
}
