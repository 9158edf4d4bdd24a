"""A whole nation comes in: units, schools, enrolments, and the versions that their history begins with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.statistics import refresh_statistics
from dienrong.core.text import clean_text, search_key, sort_key
from dienrong.registry.models import (
    AdministrativeUnit,
    RegistryLoad,
    School,
    SchoolEnrolment,
    SchoolSite,
    SchoolVersion,
    UnitVersion,
)
from dienrong.registry.numeric import NationRows
from dienrong.registry.operations.refusals import UnknownCommune
from dienrong.registry.versions import is_version_of, version_of

BATCH = 1000
UNITS_VALID_FROM = date(2025, 7, 1)
DETAILS = ("managed_by", "address", "phone", "email", "latitude", "longitude", "founded_date", "confirmed_at")
"""What a row of a school may carry; where the first row does not, the registry's own stays."""


def _batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    """Cut rows into batches that every database takes."""
    rows = iter(rows)
    while batch := list(islice(rows, BATCH)):
        yield batch


def first_day_of(school_year: str) -> date:
    """Give the first day of a school year: ``2025-2026`` begins on 2025-09-05, the day of the opening."""
    return date(int(school_year[:4]), 9, 5)


@transaction.atomic
def load_nation(*, rows: NationRows, school_year: str, by: Any | None) -> RegistryLoad:
    """Take the units and schools of a nation into the registry; the same content twice changes nothing.

    Invariant: after the load the open schools are exactly those of the rows; a school that is no longer
    there is closed, never removed.

    Raises
    ------
    UnknownCommune
        If a school lies in a commune that the rows do not hold; nothing is written.
    """
    last = RegistryLoad.objects.first()
    if last is not None and last.fingerprint == rows.fingerprint and last.school_year == school_year:
        return last
    provinces = _load_units(rows.provinces, AdministrativeUnit.Level.PROVINCE, {})
    parents = {unit.code: unit for unit in provinces}
    communes = {
        unit.code: unit for unit in _load_units(rows.communes, AdministrativeUnit.Level.COMMUNE, parents)
    }
    unknown = sorted({row["commune_code"] for row in rows.schools} - set(communes))
    if unknown:
        raise UnknownCommune(
            _("Schools name %(n)d communes that are not in force: %(codes)s.")
            % {"n": len(unknown), "codes": ", ".join(unknown[:5])},
            hint=_("Load the communes first, or correct the codes."),
        )
    since = first_day_of(school_year) if last is None else clock.today()
    _begin_unit_versions()
    _load_schools(rows.schools, communes, parents)
    _load_enrolments(rows.schools, school_year)
    _load_counts(rows.counts)
    _load_sites(rows.sites, communes)
    _renew_versions(since)
    refresh_statistics(AdministrativeUnit, UnitVersion, School, SchoolVersion, SchoolEnrolment, SchoolSite)
    load = RegistryLoad.objects.create(
        source=rows.source,
        school_year=school_year,
        fingerprint=rows.fingerprint,
        n_provinces=len(rows.provinces),
        n_communes=len(rows.communes),
        n_schools=len(rows.schools),
        loaded_at=clock.now(),
        loaded_by=by,
    )
    record(
        action="registry.nation_loaded",
        actor=by,
        obj=load,
        before=last and {"fingerprint": last.fingerprint, "n_schools": last.n_schools},
        after={"fingerprint": load.fingerprint, "n_schools": load.n_schools, "source": load.source},
    )
    return load


def _load_units(
    rows: Iterable[dict[str, Any]], level: str, parents: dict[str, AdministrativeUnit]
) -> list[AdministrativeUnit]:
    """Write the units of one level and give them back."""
    units = [
        AdministrativeUnit(
            level=level,
            code=row["code"],
            kind=row["kind"],
            name=clean_text(row["name"]),
            full_name=clean_text(row["full_name"]),
            region6=row.get("region6", ""),
            parent=parents.get(row.get("province_code", "")),
            valid_from=UNITS_VALID_FROM,
            search_key=search_key(row["full_name"]),
        )
        for row in rows
    ]
    for batch in _batches(units):
        AdministrativeUnit.objects.bulk_create(
            batch,
            update_conflicts=True,
            unique_fields=["level", "code", "valid_from"],
            update_fields=["kind", "name", "full_name", "region6", "parent", "search_key"],
        )
    return list(AdministrativeUnit.objects.filter(level=level, valid_to__isnull=True))


def _load_schools(
    rows: Iterable[dict[str, Any]],
    communes: dict[str, AdministrativeUnit],
    provinces: dict[str, AdministrativeUnit],
) -> None:
    """Write the schools and close those that are no longer there."""
    rows = list(rows)
    details = [name for name in DETAILS if rows and name in rows[0]]
    schools = [_school(row, communes, provinces) for row in rows]
    School.objects.update(is_open=False)
    for batch in _batches(schools):
        School.objects.bulk_create(
            batch,
            update_conflicts=True,
            unique_fields=["school_id"],
            update_fields=[
                "name",
                "commune",
                "province",
                "levels",
                "area",
                "sector",
                "is_disadvantaged",
                "boarding",
                "is_boarding",
                "minority_share",
                "n_satellite_sites",
                "is_open",
                "data_at",
                "search_key",
                "sort_key",
                *details,
            ],
        )


def _school(
    row: dict[str, Any], communes: dict[str, AdministrativeUnit], provinces: dict[str, AdministrativeUnit]
) -> School:
    """Make one school of one row."""
    return School(
        school_id=row["school_id"],
        name=clean_text(row["name"]),
        commune=communes[row["commune_code"]],
        province=provinces[row["province_code"]],
        levels=row["levels"],
        area=row["area"],
        sector=row["sector"],
        is_disadvantaged=row["disadvantaged"],
        boarding=_boarding(row),
        is_boarding=row["boarding"],
        minority_share=round(row["minority_share"], 4),
        n_satellite_sites=row["n_satellite_sites"],
        is_open=True,
        data_at=row.get("data_at") or clock.today(),
        search_key=search_key(f"{row['name']} {row['school_id']}"),
        sort_key=sort_key(row["name"]),
        **{name: row[name] for name in DETAILS if name in row},
    )


def _boarding(row: dict[str, Any]) -> str:
    """Tell the two kinds of boarding schools apart: a school with upper grades is a boarding school proper."""
    if not row["boarding"]:
        return School.Boarding.NONE
    return School.Boarding.BOARDING if row["levels"].endswith("THPT") else School.Boarding.SEMI_BOARDING


def _begin_unit_versions() -> None:
    """Give each unit without history its first version."""
    units = AdministrativeUnit.objects.filter(versions__isnull=True)
    for batch in _batches(units.iterator(chunk_size=BATCH)):
        UnitVersion.objects.bulk_create(
            UnitVersion(
                unit=unit,
                kind=unit.kind,
                name=unit.name,
                full_name=unit.full_name,
                parent_id=unit.parent_id,
                valid_from=unit.valid_from,
                valid_to=unit.valid_to,
            )
            for unit in batch
        )


def _renew_versions(since: date) -> None:
    """Bring the last versions in step with the schools: begin, change or end them on a day."""
    last = {
        version.school_id: version
        for version in SchoolVersion.objects.filter(valid_to__isnull=True).order_by()
    }
    begun, ended = [], []
    for school in School.objects.all():
        version = last.get(school.pk)
        if version is not None and school.is_open and is_version_of(version, school):
            continue
        if version is not None:
            version.valid_to = max(since, version.valid_from + timedelta(days=1))
            ended.append(version)
        if school.is_open:
            start = version.valid_to if version is not None else school.opened_date or since
            begun.append(version_of(school, start))
    SchoolVersion.objects.bulk_update(ended, ["valid_to"], batch_size=BATCH)
    SchoolVersion.objects.bulk_create(begun, batch_size=BATCH)
    closed = {version.school_id: version.valid_to for version in ended}
    closing = [
        school
        for school in School.objects.filter(is_open=False, closed_date__isnull=True)
        if school.pk in closed
    ]
    for school in closing:
        school.closed_date = closed[school.pk]
    School.objects.bulk_update(closing, ["closed_date"], batch_size=BATCH)
    School.objects.filter(is_open=True, closed_date__isnull=False).update(closed_date=None)


def _load_enrolments(rows: Iterable[dict[str, Any]], school_year: str) -> None:
    """Replace the enrolments of one school year."""
    keys = dict(School.objects.values_list("school_id", "pk"))
    SchoolEnrolment.objects.filter(school_year=school_year).delete()
    recorded_at = clock.now()
    grades = (
        SchoolEnrolment(
            school_id=keys[row["school_id"]],
            school_year=school_year,
            grade=int(name.removeprefix("enrolment_")),
            n_students=count,
            n_classes=row[name.replace("enrolment_", "classes_")],
            counted_on=first_day_of(school_year),
            recorded_at=recorded_at,
        )
        for row in rows
        for name, count in row.items()
        if name.startswith("enrolment_") and count
    )
    for batch in _batches(grades):
        SchoolEnrolment.objects.bulk_create(batch)


def _load_counts(rows: Iterable[dict[str, Any]]) -> None:
    """Replace the enrolments of further school years."""
    rows = list(rows)
    keys = dict(School.objects.values_list("school_id", "pk"))
    SchoolEnrolment.objects.filter(school_year__in={row["school_year"] for row in rows}).delete()
    recorded_at = clock.now()
    counts = (
        SchoolEnrolment(**{**row, "school_id": keys[row["school_id"]], "recorded_at": recorded_at})
        for row in rows
    )
    for batch in _batches(counts):
        SchoolEnrolment.objects.bulk_create(batch)


def _load_sites(rows: Iterable[dict[str, Any]], communes: dict[str, AdministrativeUnit]) -> None:
    """Replace the sites of the schools that the rows name."""
    rows = list(rows)
    keys = dict(School.objects.values_list("school_id", "pk"))
    for batch in _batches({keys[row["school_id"]] for row in rows}):
        SchoolSite.objects.filter(school__in=batch).delete()
    sites = (
        SchoolSite(
            school_id=keys[row["school_id"]],
            code=row["site_code"],
            name=clean_text(row["site_name"]),
            commune=communes[row["commune_code"]],
            **{name: row[name] for name in ("is_main", "address", "latitude", "longitude")},
        )
        for row in rows
    )
    for batch in _batches(sites):
        SchoolSite.objects.bulk_create(batch)
