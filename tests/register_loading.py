"""A whole register written into the database in bulk, as it stood there before anybody checked it."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import polars as pl
from django.db import models

from dienrong.core.statistics import refresh_statistics
from dienrong.core.text import search_key, sort_key
from dienrong.registry import operations
from dienrong.registry.models import (
    AdministrativeUnit,
    School,
    SchoolEnrolment,
    SchoolSite,
    SchoolVersion,
)
from dienrong.registry.numeric import unit_history_rows
from dienrong.scorecard.models import OfficialTotal
from planted_errors import Planted

SINCE = datetime.date(2025, 7, 1)
BATCH = 2_000
TRAITS = (
    "name",
    "kind",
    "levels",
    "area",
    "sector",
    "managed_by",
    "is_disadvantaged",
    "is_border",
    "boarding",
)
MORE = ("n_satellite_sites", "address", "phone", "email", "founded_date", "is_open", "closed_date")
DECIMALS = {"minority_share": 4, "latitude": 6, "longitude": 6}


def load_planted(planted: Planted, *, data_at: datetime.date, confirmed_at: datetime.datetime) -> None:
    """Write units with their history, schools, versions, counts, sites and official totals.

    The database must hold no school yet. Every open school has confirmed its data.
    """
    operations.load_units(rows=unit_history_rows(), by=None)
    in_force, ended, provinces = unit_keys()
    schools = []
    for row in planted.schools.iter_rows(named=True):
        communes = ended if row["has_ended_commune"] else in_force
        schools.append(
            School(
                school_id=row["school_id"],
                commune_id=communes[row["commune_code"]],
                province_id=provinces[row["province_code"]],
                is_boarding=row["boarding"] != "none",
                opened_date=SINCE,
                data_at=data_at,
                confirmed_at=confirmed_at if row["is_open"] else None,
                search_key=search_key(f"{row['name']} {row['school_id']}")[:260],
                sort_key=sort_key(row["name"])[:2000],
                **{name: row[name] for name in (*TRAITS, *MORE)},
                **{name: round(row[name], digits) for name, digits in DECIMALS.items()},
            )
        )
    write(School, schools)
    keys = dict(School.objects.values_list("school_id", "pk"))
    write(SchoolVersion, (_version(school, keys) for school in schools))
    write(SchoolEnrolment, counts_of(planted.enrolments, keys))
    write(SchoolSite, _sites(planted.sites, keys, in_force))
    write(OfficialTotal, totals_of(planted.official_totals))
    refresh_statistics(School, SchoolVersion, SchoolEnrolment, SchoolSite, OfficialTotal)


def write(model: type[models.Model], rows: Iterable[Any]) -> None:
    """Write rows in batches."""
    rows = iter(rows)
    while batch := list(islice(rows, BATCH)):
        model._default_manager.bulk_create(batch)


def unit_keys() -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """Give the keys of communes in force, of communes that ended, and of provinces in force, by their codes."""
    communes = AdministrativeUnit.objects.filter(level=AdministrativeUnit.Level.COMMUNE)
    provinces = AdministrativeUnit.objects.filter(level=AdministrativeUnit.Level.PROVINCE)
    return (
        dict(communes.filter(valid_to__isnull=True).values_list("code", "pk")),
        dict(communes.filter(valid_to__isnull=False).values_list("code", "pk")),
        dict(provinces.filter(valid_to__isnull=True).values_list("code", "pk")),
    )


def _version(school: School, keys: dict[str, int]) -> SchoolVersion:
    """The only version of a school."""
    return SchoolVersion(
        school_id=keys[school.school_id],
        code=school.school_id,
        commune_id=school.commune_id,
        province_id=school.province_id,
        valid_from=SINCE,
        valid_to=school.closed_date,
        **{name: getattr(school, name) for name in TRAITS},
    )


def counts_of(enrolments: pl.DataFrame, keys: dict[str, int]) -> Iterator[SchoolEnrolment]:
    """Make the counts."""
    for row in enrolments.iter_rows(named=True):
        yield SchoolEnrolment(**{**row, "school_id": keys[row["school_id"]]})


def _sites(sites: pl.DataFrame, keys: dict[str, int], communes: dict[str, int]) -> Iterator[SchoolSite]:
    """Make the sites."""
    for row in sites.iter_rows(named=True):
        yield SchoolSite(
            school_id=keys[row["school_id"]],
            code=row["site_code"],
            name=row["site_name"],
            is_main=row["is_main"],
            commune_id=communes[row["commune_code"]],
            address=row["address"],
            latitude=round(row["latitude"], 6),
            longitude=round(row["longitude"], 6),
            n_students=row["n_students"],
            n_classes=row["n_classes"],
        )


def totals_of(totals: pl.DataFrame) -> Iterator[OfficialTotal]:
    """Make the official totals."""
    for row in totals.iter_rows(named=True):
        yield OfficialTotal(
            province_code=row["province_code"],
            school_year=row["school_year"],
            part=row["level"],
            n_schools=row["n_schools"],
            n_students=row["n_students"],
            source="Niên giám thống kê",
        )
