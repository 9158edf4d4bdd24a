"""The kinds of values that parameters take: strict forms, so that what is meant is what is read."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Field, Schema
from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

FIRST_YEAR, LAST_YEAR = 1900, 2200


def _day(value: Any) -> datetime.date:
    """Read a date as ISO writes it, and nothing else: no time stamps, no weeks."""
    if isinstance(value, datetime.date):
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError(_("It must be a date such as 2026-09-05."))


def _school_year(value: str) -> str:
    """Take a school year whose second year follows the first."""
    first, _dash, second = value.partition("-")
    if int(second) != int(first) + 1 or not FIRST_YEAR <= int(first) <= LAST_YEAR:
        raise ValueError(_("It must be a school year such as 2026-2027."))
    return value


def plain_text(value: str) -> str:
    """Refuse text that no database keeps: NUL and halves of characters."""
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ValueError(_("It holds characters that no text has."))
    return value


Day = Annotated[
    datetime.date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-09-05"]}),
]
SchoolYear = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{4}$", examples=["2026-2027"]),
    AfterValidator(_school_year),
]
Words = Annotated[str, Field(max_length=80), AfterValidator(plain_text)]
Code = Annotated[str, Field(max_length=20), AfterValidator(plain_text)]
Grade = Annotated[int, Field(ge=0, le=12)]


class Paging(Schema):
    """The parameters of every list."""

    after: Annotated[str, Field(max_length=600), AfterValidator(plain_text)] | None = Field(
        None, description=gettext_noop("Cursor of the page before, as its “next” gives it.")
    )
    limit: int = Field(100, ge=1, le=500, description=gettext_noop("Rows per page, 500 at most."))
