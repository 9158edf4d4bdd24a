"""The second factor: a code from an app on the person's phone (TOTP, RFC 6238), and codes for a lost phone."""

from __future__ import annotations

import hmac
import secrets

import pyotp
from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts.models import FailureKind, RecoveryCode, Totp, User
from dienrong.accounts.operations.sign_in import end_all_sign_ins, note_failure, refuse_if_locked
from dienrong.core import clock, sealing
from dienrong.core.recording import record
from dienrong.core.refusals import Refusal

PURPOSE = "accounts.totp"
RECOVERY_PURPOSE = "accounts.recovery_code"
STEP_SECONDS = 30
STEPS_OF_DRIFT = 1
N_RECOVERY_CODES = 10
RECOVERY_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
RECOVERY_LENGTH = 12


class CodeRefused(Refusal):
    """A code is wrong, too old, or was used before."""

    code = "accounts.code_refused"


@transaction.atomic
def begin_totp(*, user: User) -> str:
    """Give the secret that a person's app is to hold; the same until a code confirms it.

    Raises
    ------
    CodeRefused
        If the person has a confirmed app already.
    """
    kept = Totp.objects.select_for_update().filter(user=user).first()
    if kept is None:
        secret = pyotp.random_base32()
        Totp.objects.create(user=user, sealed_secret=sealing.seal(PURPOSE, _bound(user, secret)))
        return secret
    if kept.confirmed_at is not None:
        raise CodeRefused(_("An authenticator app is set up already."))
    return _secret_of(kept)


@transaction.atomic
def confirm_totp(*, user: User, code: str) -> tuple[str, ...]:
    """Take the first code of the app as proof that it holds the secret; give the recovery codes, this once.

    Raises
    ------
    CodeRefused
        If the code does not fit.
    """
    kept = Totp.objects.select_for_update().filter(user=user, confirmed_at=None).first()
    step = _step_of(_secret_of(kept), code) if kept is not None else None
    if kept is None or step is None:
        raise CodeRefused(
            _("This code does not fit."),
            hint=_("Type the six digits that the app shows now. The clock of the phone must be right."),
        )
    kept.confirmed_at, kept.last_step = clock.now(), step
    kept.save(update_fields=["confirmed_at", "last_step"])
    codes = _new_recovery_codes(user)
    record(action="accounts.totp_set_up", actor=user, obj=user)
    return codes


def check_code(*, user: User, code: str, address: str) -> bool:
    """Check the second step of a sign-in: a code of the app, or a recovery code, which is then used up.

    Wrong codes are counted by themselves and lock the second step as wrong passwords lock the first; a right
    password does not forgive them.

    Returns
    -------
    bool
        Whether it was a recovery code.

    Raises
    ------
    SignInLocked
        If too many wrong codes came before.
    CodeRefused
        If the code is wrong, too old or was used before.
    """
    refuse_if_locked(username=user.username, address=address, kind=FailureKind.CODE)
    if _take_totp(user, code):
        return False
    if _take_recovery_code(user, code):
        return True
    note_failure(username=user.username, address=address, kind=FailureKind.CODE)
    raise CodeRefused(
        _("This code does not fit, or was used before."),
        hint=_("Wait for the next code of the app. The clock of the phone must be right."),
    )


@transaction.atomic
def make_recovery_codes(*, user: User) -> tuple[str, ...]:
    """Make ten new recovery codes; the old ones open nothing any more."""
    codes = _new_recovery_codes(user)
    record(action="accounts.recovery_codes_made", actor=user, obj=user)
    return codes


@transaction.atomic
def drop_totp(*, person: User, by: User) -> None:
    """Forget a person's app and recovery codes and sign them out everywhere; their roles may ask for a new one.

    The caller has checked that ``by`` is the person with a fresh code, or an officer who looks after them.
    """
    n_dropped, _kinds = Totp.objects.filter(user=person).delete()
    RecoveryCode.objects.filter(user=person).delete()
    n_ended = end_all_sign_ins(user=person) if by.pk != person.pk else 0
    after = {"had_app": bool(n_dropped), "browsers_signed_out": n_ended}
    record(action="accounts.totp_dropped", actor=by, obj=person, after=after)


def _take_totp(user: User, code: str) -> bool:
    """Use up the time step of a right code: of two who send the same code one is let in."""
    kept = Totp.objects.filter(user=user).exclude(confirmed_at=None).first()
    if kept is None:
        return False
    step = _step_of(_secret_of(kept), code)
    if step is None:
        return False
    return bool(Totp.objects.filter(pk=kept.pk, last_step__lt=step).update(last_step=step))


@transaction.atomic
def _take_recovery_code(user: User, code: str) -> bool:
    """Use up a recovery code."""
    digest = _digest(user, code)
    unused = RecoveryCode.objects.filter(user=user, code_digest=digest, used_at=None)
    if not unused.update(used_at=clock.now()):
        return False
    left = RecoveryCode.objects.filter(user=user, used_at=None).count()
    record(action="accounts.recovery_code_used", actor=user, obj=user, after={"left": left})
    return True


def _step_of(secret: str, code: str) -> int | None:
    """Give the time step whose code this is, the present one or a neighbour; None where it is none of them."""
    digits = "".join(code.split())
    if len(digits) != 6 or not (digits.isascii() and digits.isdigit()):
        return None
    now = int(clock.now().timestamp()) // STEP_SECONDS
    app = pyotp.TOTP(secret, interval=STEP_SECONDS)
    for step in range(now - STEPS_OF_DRIFT, now + STEPS_OF_DRIFT + 1):
        if hmac.compare_digest(app.at(step * STEP_SECONDS), digits):
            return step
    return None


def _new_recovery_codes(user: User) -> tuple[str, ...]:
    """Put ten new codes in the place of the old."""
    RecoveryCode.objects.filter(user=user).delete()
    codes = []
    for _number in range(N_RECOVERY_CODES):
        letters = "".join(secrets.choice(RECOVERY_LETTERS) for _letter in range(RECOVERY_LENGTH))
        codes.append("-".join(letters[start : start + 4] for start in range(0, RECOVERY_LENGTH, 4)))
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, code_digest=_digest(user, code)) for code in codes
    )
    return tuple(codes)


def _digest(user: User, code: str) -> str:
    """Give the keyed digest of a recovery code, as people type it: with or without dashes and capitals."""
    plain = "".join(letter for letter in code.lower() if letter.isalnum())[:50]
    return sealing.keyed_digest(RECOVERY_PURPOSE, f"{user.pk}:{plain}")


def _bound(user: User, secret: str) -> bytes:
    """Bind a secret to its person, so that rows exchanged in the database do not open."""
    return f"{user.pk}:{secret}".encode()


def _secret_of(kept: Totp) -> str:
    """Open the secret of an app."""
    owner, _colon, secret = sealing.open_sealed(PURPOSE, kept.sealed_secret).decode().partition(":")
    if owner != str(kept.user_id):
        raise sealing.SealBroken("this secret belongs to another account")
    return secret
