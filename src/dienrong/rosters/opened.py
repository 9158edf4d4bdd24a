"""Which school's names a person has open in this browser, for what reason and until when."""

from __future__ import annotations

import datetime

from django.http import HttpRequest

from dienrong.core import clock
from dienrong.registry.models import School

KEY = "rosters_names"
OPEN_FOR = datetime.timedelta(minutes=30)


def open_for(request: HttpRequest, school: School, reason: str) -> None:
    """Open the names of one school for half an hour; those of another school close."""
    until = clock.now() + OPEN_FOR
    request.session[KEY] = {"school": school.pk, "reason": reason, "until": until.isoformat()}


def close(request: HttpRequest) -> None:
    """Close the names."""
    request.session.pop(KEY, None)


def reason_for(request: HttpRequest, school: School) -> str:
    """Give the reason for which the names of a school are open; empty where they are closed."""
    kept = request.session.get(KEY)
    if not kept or kept["school"] != school.pk:
        return ""
    is_over = datetime.datetime.fromisoformat(kept["until"]) <= clock.now()
    return "" if is_over else str(kept["reason"])
