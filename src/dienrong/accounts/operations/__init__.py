"""Changes about people: each is one transaction and leaves one audit entry."""

from __future__ import annotations

from dienrong.accounts.operations.people import (
    AssignmentRefused,
    PersonRefused,
    SignInLocked,
    assign_role,
    change_profile,
    create_person,
    end_role,
    end_sign_in,
    keep_language,
    move_sign_in,
    note_failure,
    note_sign_in,
    note_sign_out,
    refuse_if_locked,
    set_password,
)
from dienrong.accounts.operations.tokens import (
    ApiTokenRefused,
    make_api_token,
    note_token_use,
    revoke_api_token,
)

__all__ = [
    "ApiTokenRefused",
    "AssignmentRefused",
    "PersonRefused",
    "SignInLocked",
    "assign_role",
    "change_profile",
    "create_person",
    "end_role",
    "end_sign_in",
    "keep_language",
    "make_api_token",
    "move_sign_in",
    "note_failure",
    "note_sign_in",
    "note_sign_out",
    "note_token_use",
    "refuse_if_locked",
    "revoke_api_token",
    "set_password",
]
