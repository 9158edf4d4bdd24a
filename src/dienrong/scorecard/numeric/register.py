"""What the engine reads: plain rows of the registry, in the order of the columns named here."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

Rows = Sequence[tuple[Any, ...]]
FIRST_DAY = (9, 5)
COUNTS_DUE_DAYS = 40

SCHOOLS = {
    "_key": pl.Int64,
    "school_id": pl.String,
    "name": pl.String,
    "kind": pl.String,
    "levels": pl.String,
    "commune_key": pl.Int64,
    "province_key": pl.Int64,
    "area": pl.String,
    "sector": pl.String,
    "managed_by": pl.String,
    "is_disadvantaged": pl.Boolean,
    "is_border": pl.Boolean,
    "boarding": pl.String,
    "minority_share": pl.Float64,
    "n_satellite_sites": pl.Int64,
    "address": pl.String,
    "phone": pl.String,
    "email": pl.String,
    "latitude": pl.Float64,
    "longitude": pl.Float64,
    "founded_date": pl.Date,
    "opened_date": pl.Date,
    "closed_date": pl.Date,
    "is_open": pl.Boolean,
    "data_date": pl.Date,
    "confirmed_date": pl.Date,
}
ENROLMENTS = {
    "_key": pl.Int64,
    "school_year": pl.String,
    "grade": pl.Int64,
    "n_students": pl.Int64,
    "n_classes": pl.Int64,
    "counted_date": pl.Date,
}
SITES = {
    "_key": pl.Int64,
    "site_code": pl.String,
    "site_name": pl.String,
    "is_main": pl.Boolean,
    "commune_key": pl.Int64,
    "address": pl.String,
    "latitude": pl.Float64,
    "longitude": pl.Float64,
    "n_students": pl.Int64,
    "n_classes": pl.Int64,
}
VERSIONS = {
    "_key": pl.Int64,
    "code": pl.String,
    "commune_key": pl.Int64,
    "valid_from": pl.Date,
    "valid_to": pl.Date,
    "school_id": pl.String,
}
UNITS = {
    "unit_key": pl.Int64,
    "code": pl.String,
    "name": pl.String,
    "full_name": pl.String,
    "kind": pl.String,
    "parent_key": pl.Int64,
    "parent_code": pl.String,
    "parent_name": pl.String,
    "valid_from": pl.Date,
    "valid_to": pl.Date,
}
SUCCESSORS = {"unit_key": pl.Int64, "successor_key": pl.Int64}
LISTS = {
    "_key": pl.Int64,
    "school_year": pl.String,
    "grade": pl.Int64,
    "class_name": pl.String,
    "n_listed": pl.Int64,
}
COLLECTED = {"school_year": pl.String, "grade": pl.Int64}
TOTALS = {
    "province_code": pl.String,
    "school_year": pl.String,
    "part": pl.String,
    "official_schools": pl.Int64,
    "official_students": pl.Int64,
    "source": pl.String,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterRows:
    """Rows of the registry: of the whole nation, or of some communes.

    ``successors`` names, for every unit that has ended, the units in force that hold it now. ``collected`` names
    the grades of which somebody in the country has counts, whatever the part that is read.
    """

    day: datetime.date
    schools: Rows
    enrolments: Rows
    sites: Rows = ()
    versions: Rows = ()
    units: Rows = ()
    successors: Rows = ()
    lists: Rows = ()
    collected: Rows = ()
    totals: Rows = ()


def frame(rows: Rows, schema: dict[str, Any]) -> pl.DataFrame:
    """Make a frame of rows; text that was left empty is null."""
    made = pl.DataFrame(list(rows), schema=schema, orient="row")
    texts = [name for name, kind in schema.items() if kind == pl.String]
    return made.with_columns(pl.col(name).replace("", None) for name in texts) if texts else made


def year_that_begins(year: int) -> str:
    """Write the school year that begins in a year: 2026 is 2026-2027."""
    return f"{year}-{year + 1}"


def begin_of(school_year: str) -> datetime.date:
    """Give the first day of a school year."""
    return datetime.date(int(school_year[:4]), *FIRST_DAY)


def expected_year(day: datetime.date) -> str:
    """Give the newest school year of which counts are due: it began at least 40 days ago.

    Examples
    --------
    >>> expected_year(datetime.date(2026, 10, 14)), expected_year(datetime.date(2026, 10, 15))
    ('2025-2026', '2026-2027')
    """
    due = day - datetime.timedelta(days=COUNTS_DUE_DAYS)
    year = due.year if due >= datetime.date(due.year, *FIRST_DAY) else due.year - 1
    return year_that_begins(year)


def years_read(day: datetime.date) -> tuple[str, str, str]:
    """Give the year before the expected one, the expected one, and the one after it."""
    begins = int(expected_year(day)[:4])
    return year_that_begins(begins - 1), year_that_begins(begins), year_that_begins(begins + 1)
