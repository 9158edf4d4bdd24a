"""Who the token speaks for, what it may see, until when, how often."""

from __future__ import annotations

import datetime

from django.http import HttpRequest
from django.utils.translation import gettext_noop as _
from ninja import Field, Router, Schema

from dienrong.api.access import Caller

router = Router()


class ScopeOut(Schema):
    """The units that the token and its person share today."""

    is_national: bool = Field(description=_("Whether the whole country is in scope."))
    provinces: list[str] = Field(description=_("Codes of provinces."))
    communes: list[str] = Field(description=_("Codes of communes."))
    schools: list[str] = Field(description=_("Codes of schools."))


class LimitOut(Schema):
    """How often the token may ask."""

    requests_per_minute: int
    remaining: int = Field(description=_("Requests left in this minute."))
    reset_seconds: int = Field(description=_("Seconds until the minute ends."))


class MeOut(Schema):
    """The token seen from inside."""

    person: str = Field(description=_("Name of the person who made the key."))
    roles: list[str] = Field(description=_("Roles that the person holds today."))
    token_name: str
    expires_at: datetime.datetime | None
    scope: ScopeOut
    limits: LimitOut


@router.get("/me", response=MeOut, operation_id="me", summary=_("The key: its units, expiry and limits"))
def me(request: HttpRequest) -> dict[str, object]:
    caller: Caller = request.auth  # type: ignore[attr-defined]
    scope, allowance = caller.scope, caller.allowance
    return {
        "person": str(caller.user),
        "roles": sorted(str(role) for role in scope.roles),
        "token_name": caller.token.name,
        "expires_at": caller.token.expires_at,
        "scope": {
            "is_national": scope.is_national,
            "provinces": sorted(scope.provinces),
            "communes": sorted(scope.communes),
            "schools": sorted(scope.schools),
        },
        "limits": {
            "requests_per_minute": allowance.limit,
            "remaining": allowance.remaining,
            "reset_seconds": allowance.reset_seconds,
        },
    }
