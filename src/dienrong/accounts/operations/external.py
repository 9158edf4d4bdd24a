"""Links between accounts and people as a provider of OpenID Connect knows them."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from dienrong.accounts.models import ExternalIdentity, User
from dienrong.accounts.operations.invitations import accept_invitation
from dienrong.core import clock
from dienrong.core.recording import record
from dienrong.core.refusals import Conflict


class IdentityTaken(Conflict):
    """An identity belongs to another account, or the account has one of this provider."""

    code = "accounts.identity_taken"


class IdentityNeeded(Conflict):
    """An identity is the only way into an account."""

    code = "accounts.identity_needed"


@transaction.atomic
def link_identity(*, user: User, issuer: str, subject: str) -> ExternalIdentity:
    """Link a provider's subject to a person's own account; the same link twice changes nothing.

    Raises
    ------
    IdentityTaken
        If the subject belongs to another account, or the account has another subject of this provider.
    """
    kept = ExternalIdentity.objects.filter(user=user, issuer=issuer).first()
    if kept is not None and kept.subject == subject:
        return kept
    if kept is not None:
        raise IdentityTaken(
            _("Your account is linked to another identity of this provider."),
            hint=_("Unlink that one first."),
        )
    try:
        with transaction.atomic():
            linked = ExternalIdentity.objects.create(user=user, issuer=issuer, subject=subject)
    except IntegrityError as error:
        raise IdentityTaken(
            _("This identity is linked to another account."),
            hint=_("Sign in to that account, or ask the officer who looks after it."),
        ) from error
    record(action="accounts.identity_linked", actor=user, obj=user, after={"issuer": issuer})
    return linked


@transaction.atomic
def unlink_identity(*, user: User, issuer: str) -> None:
    """Unlink a provider from a person's own account; without a link nothing changes.

    Raises
    ------
    IdentityNeeded
        If the account has no password, so that nobody could sign in any more.
    """
    kept = ExternalIdentity.objects.filter(user=user, issuer=issuer).first()
    if kept is None:
        return
    if not user.has_usable_password():
        raise IdentityNeeded(
            _("This is the only way into your account."),
            hint=_("Ask the officer who looks after your account for a link to set a password first."),
        )
    kept.delete()
    record(action="accounts.identity_unlinked", actor=user, obj=user, before={"issuer": issuer})


@transaction.atomic
def accept_with_identity(*, raw: str, username: str, issuer: str, subject: str) -> User:
    """Make the account of an invitation with a provider's identity in the place of a password.

    Raises
    ------
    LinkClosed, PersonRefused, IdentityTaken
        As accepting and linking do; nothing is made then.
    """
    user = accept_invitation(raw=raw, username=username, password=None)
    link_identity(user=user, issuer=issuer, subject=subject)
    return user


def note_identity_used(*, identity: ExternalIdentity) -> None:
    """Remember when an identity was last used to sign in; the sign-in itself is audited."""
    ExternalIdentity.objects.filter(pk=identity.pk).update(last_used_at=clock.now())
