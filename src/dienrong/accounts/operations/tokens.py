"""Keys for programs that work in a person's name."""

from __future__ import annotations

import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts import directory, keys, permissions
from dienrong.accounts.models import ApiToken, UnitKind, User
from dienrong.core import clock, text
from dienrong.core.recording import record
from dienrong.core.refusals import Refusal

LONGEST_DAYS = 366
TOKENS_AT_MOST = 20
NOTE_USE_EVERY = datetime.timedelta(minutes=1)


class ApiTokenRefused(Refusal):
    """An API key cannot be made as asked."""

    code = "accounts.api_token_refused"


@transaction.atomic
def make_api_token(
    *, user: User, name: str, days: int, unit_kind: str = "", unit_code: str = ""
) -> tuple[ApiToken, str]:
    """Make a key for a program of this person; the key itself is given this once and not kept.

    Parameters
    ----------
    user : User
        In whose name the program works; the key never reaches further than the person.
    name : str
        What the person calls it.
    days : int
        Days until it ends, at most 366.
    unit_kind, unit_code : str
        The one unit to which it is narrowed; empty leaves the person's whole scope.

    Raises
    ------
    ApiTokenRefused
        If the name is empty, the span too long, the unit not in the person's charge, or twenty keys are open.
    NotAllowed
        If the person's roles may not use the API.
    """
    permissions.demand(user, "use_api")
    name = text.clean_text(name)
    if not name or len(name) > 100:
        raise ApiTokenRefused(_("Give the key a name of at most 100 letters, such as the program's."))
    if not 1 <= days <= LONGEST_DAYS:
        raise ApiTokenRefused(_("A key holds for 1 to %(n)d days.") % {"n": LONGEST_DAYS})
    if _n_open(user) >= TOKENS_AT_MOST:
        raise ApiTokenRefused(
            _("You hold %(n)d open keys.") % {"n": TOKENS_AT_MOST}, hint=_("Revoke one that is not used.")
        )
    unit_name = _demand_unit_of_token(user, unit_kind, unit_code)
    raw = keys.API_PREFIX + keys.new_secret()
    token = ApiToken.objects.create(
        user=user,
        name=name,
        token_hash=keys.hash_of_secret(raw),
        unit_kind=unit_kind,
        unit_code=unit_code,
        unit_name=unit_name,
        expires_at=clock.now() + datetime.timedelta(days=days),
    )
    record(action="accounts.api_token_made", actor=user, obj=token, after=_token_facts(token))
    return token, raw


@transaction.atomic
def revoke_api_token(*, token: ApiToken, by: User) -> None:
    """Revoke a key at once; revoking twice changes nothing."""
    if token.revoked_at is not None:
        return
    token.revoked_at = clock.now()
    token.save(update_fields=["revoked_at"])
    record(action="accounts.api_token_revoked", actor=by, obj=token, after=_token_facts(token))


def note_token_use(*, token: ApiToken) -> None:
    """Remember that a key was used, at most once a minute; no audit entry."""
    now = clock.now()
    if token.last_used_at is None or now - token.last_used_at >= NOTE_USE_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        token.last_used_at = now


def _n_open(user: User) -> int:
    """Count the keys of a person that still open something."""
    return ApiToken.objects.filter(user=user, revoked_at=None, expires_at__gt=clock.now()).count()


def _demand_unit_of_token(user: User, unit_kind: str, unit_code: str) -> str:
    """Refuse a unit that is not in the person's charge; give its name."""
    if not unit_kind and not unit_code:
        return ""
    if unit_kind not in {UnitKind.PROVINCE, UnitKind.COMMUNE, UnitKind.SCHOOL} or not unit_code:
        raise ApiTokenRefused(_("A key is narrowed to a province, a commune or a school, with its code."))
    place = directory.place_of(unit_kind, unit_code)
    if place is None or not permissions.may_view_unit(
        user, place.province_code, place.commune_code, place.school_id
    ):
        raise ApiTokenRefused(_("This unit is not in your charge."))
    return (directory.name_of(unit_kind, unit_code) or unit_code)[:200]


def _token_facts(token: ApiToken) -> dict[str, Any]:
    """Give the audited facts of a key; never its secret."""
    facts = {name: getattr(token, name) for name in ("name", "unit_kind", "unit_code")}
    return facts | {"expires_at": token.expires_at, "revoked_at": token.revoked_at}
