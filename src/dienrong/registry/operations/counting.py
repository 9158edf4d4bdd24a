"""Rows of sites and of enrolments that were previewed are written, and taken back; one audit entry a call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Q

from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.recording import ObjectName
from dienrong.core.row_changes import RowChange, Written
from dienrong.registry.columns import day_of, decimal_of
from dienrong.registry.models import AdministrativeUnit, School, SchoolEnrolment, SchoolSite
from dienrong.registry.operations.writing import (
    CHUNK,
    asked_for,
    demand_as_written,
    scope_for,
    still_fit,
)
from dienrong.registry.queries.comparing import (
    communes_by_code,
    compare_enrolments,
    compare_sites,
    enrolment_values,
    schools_by_code,
    site_values,
)
from dienrong.registry.signals import schools_changed

SITE_FIELDS = ("name", "is_main", "commune", "address", "latitude", "longitude", "n_students", "n_classes")
Place = tuple[int, int]


@transaction.atomic
def write_sites(changes: Iterable[RowChange], *, by: Any | None, on_date: date) -> list[Written]:
    """Write new and changed sites of schools.

    Raises
    ------
    Conflict
        If a row cannot be taken any more; nothing is written.
    """
    fitting = still_fit(compare_sites(asked_for(changes), scope=scope_for(by), day=on_date))
    schools = schools_by_code(change.values["school_id"] for change in fitting)
    codes = {change.values["commune_code"] for change in fitting if "commune_code" in change.values}
    communes = communes_by_code(codes, on_date)
    kept = _sites(schools.values())
    before = {change.key: site_values(kept[change.key]) for change in fitting if change.key in kept}
    new, changed = [], []
    for change in fitting:
        site = kept.get(change.key)
        if site is None:
            school = schools[change.values["school_id"]]
            site = SchoolSite(school=school, code=change.values["site_code"], commune=school.commune)
            kept[change.key] = site
            new.append(site)
        else:
            changed.append(site)
        _set_site(site, change.values, communes)
    SchoolSite.objects.bulk_create(new, batch_size=CHUNK)
    SchoolSite.objects.bulk_update(changed, SITE_FIELDS, batch_size=CHUNK)
    written = [
        Written(
            number=change.number,
            key=change.key,
            before=before.get(change.key),
            after=site_values(kept[change.key]),
        )
        for change in fitting
    ]
    _tell("registry.sites_written", by, written, {"on_date": on_date}, schools.values())
    return written


@transaction.atomic
def undo_sites(written: Iterable[Written], *, by: Any | None) -> None:
    """Take back what ``write_sites`` wrote.

    Raises
    ------
    Conflict
        If a site is no longer what was written; nothing is undone.
    """
    written = list(written)
    schools = schools_by_code(row.after["school_id"] for row in written)
    kept = _sites(schools.values())
    demand_as_written(written, lambda row: site_values(kept[row.key]) if row.key in kept else None)
    gone = [kept[row.key].pk for row in written if row.before is None]
    codes = {row.before["commune_code"] for row in written if row.before}
    found = AdministrativeUnit.objects.filter(level=AdministrativeUnit.Level.COMMUNE, code__in=codes)
    communes = {unit.code: unit for unit in found.order_by("valid_from")}
    changed = []
    for row in written:
        if row.before is not None:
            site = kept[row.key]
            _set_site(site, row.before, communes)
            changed.append(site)
    SchoolSite.objects.filter(pk__in=gone).delete()
    SchoolSite.objects.bulk_update(changed, SITE_FIELDS, batch_size=CHUNK)
    _tell("registry.sites_unwritten", by, written, {}, schools.values())


@transaction.atomic
def write_enrolments(
    changes: Iterable[RowChange], *, by: Any | None, school_year: str, counted_on: date
) -> list[Written]:
    """Write counts of a day; the newest count of a grade is the current one.

    Raises
    ------
    Conflict
        If a row cannot be taken any more; nothing is written.
    """
    fitting = still_fit(
        compare_enrolments(
            asked_for(changes), scope=scope_for(by), school_year=school_year, counted_on=counted_on
        )
    )
    schools = schools_by_code(change.values["school_id"] for change in fitting)
    kept = _counts(schools.values(), school_year, counted_on)
    new, changed, before = [], [], {}
    for change in fitting:
        place = (schools[change.values["school_id"]].pk, change.values["grade"])
        count = kept.get(place)
        if count is None:
            count = SchoolEnrolment(
                school_id=place[0],
                school_year=school_year,
                grade=place[1],
                counted_on=counted_on,
                is_current=False,
            )
            kept[place] = count
            new.append(count)
        else:
            before[change.key] = {**enrolment_values(count), "recorded_at": _moment(count)}
            changed.append(count)
        count.n_students, count.n_classes = change.values["n_students"], change.values["n_classes"]
        count.recorded_at = clock.now()
    SchoolEnrolment.objects.bulk_create(new, batch_size=CHUNK)
    SchoolEnrolment.objects.bulk_update(changed, ["n_students", "n_classes", "recorded_at"], batch_size=CHUNK)
    _mark_current(schools.values(), school_year)
    newest = Q(data_at__isnull=True) | Q(data_at__lt=counted_on)
    School.objects.filter(newest, pk__in=[school.pk for school in schools.values()]).update(
        data_at=counted_on
    )
    written = [
        Written(
            number=change.number,
            key=change.key,
            before=before.get(change.key),
            after={
                "school_id": change.values["school_id"],
                "grade": change.values["grade"],
                "school_year": school_year,
                "counted_on": counted_on.isoformat(),
                "n_students": change.values["n_students"],
                "n_classes": change.values["n_classes"],
            },
        )
        for change in fitting
    ]
    facts = {"school_year": school_year, "counted_on": counted_on}
    _tell("registry.enrolments_written", by, written, facts, schools.values())
    return written


@transaction.atomic
def undo_enrolments(written: Iterable[Written], *, by: Any | None) -> None:
    """Take back what ``write_enrolments`` wrote; the count before is the current one again.

    Raises
    ------
    Conflict
        If a count is no longer what was written; nothing is undone.
    """
    written = list(written)
    schools = schools_by_code(row.after["school_id"] for row in written)
    groups: dict[tuple[str, str], list[Written]] = {}
    for row in written:
        groups.setdefault((row.after["school_year"], row.after["counted_on"]), []).append(row)
    for (school_year, counted_on), rows in groups.items():
        _undo_counts(rows, schools, school_year, day_of(counted_on))
    _tell("registry.enrolments_unwritten", by, written, {}, schools.values())


def _undo_counts(
    rows: list[Written], schools: Mapping[str, School], school_year: str, counted_on: date | None
) -> None:
    """Take back the counts of one day."""
    kept = _counts(schools.values(), school_year, counted_on)
    places = {
        row.key: (schools[row.after["school_id"]].pk, row.after["grade"])
        for row in rows
        if row.after["school_id"] in schools
    }

    def now(row: Written) -> dict[str, Any] | None:
        count = kept.get(places.get(row.key, (0, 0)))
        if count is None:
            return None
        own = {"n_students": count.n_students, "n_classes": count.n_classes}
        return {**row.after, **own}

    demand_as_written(rows, now)
    gone = [kept[places[row.key]].pk for row in rows if row.before is None]
    changed = []
    for row in rows:
        if row.before is not None:
            count = kept[places[row.key]]
            count.n_students, count.n_classes = row.before["n_students"], row.before["n_classes"]
            count.recorded_at = row.before.get("recorded_at")
            changed.append(count)
    SchoolEnrolment.objects.filter(pk__in=gone).delete()
    SchoolEnrolment.objects.bulk_update(changed, ["n_students", "n_classes", "recorded_at"], batch_size=CHUNK)
    _mark_current(schools.values(), school_year)


def _moment(count: SchoolEnrolment) -> str | None:
    """Give the moment at which a count was written down, as JSON."""
    return count.recorded_at.isoformat() if count.recorded_at else None


def _sites(schools: Iterable[School]) -> dict[str, SchoolSite]:
    """Give the sites of schools by their keys."""
    found = SchoolSite.objects.filter(school__in=[school.pk for school in schools])
    return {
        f"{site.school.school_id}/{site.code}": site
        for site in found.select_related("school", "commune").order_by()
    }


def _set_site(
    site: SchoolSite, values: Mapping[str, Any], communes: Mapping[str, AdministrativeUnit]
) -> None:
    """Put the cells of a row on a site."""
    if "commune_code" in values:
        site.commune = communes[values["commune_code"]]
    if "site_name" in values:
        site.name = values["site_name"]
    for name in ("is_main", "address", "n_students", "n_classes"):
        if name in values:
            setattr(site, name, values[name])
    for name in ("latitude", "longitude"):
        if name in values:
            setattr(site, name, decimal_of(values[name]))


def _counts(
    schools: Iterable[School], school_year: str, counted_on: date | None
) -> dict[Place, SchoolEnrolment]:
    """Give the counts of one day by school and grade."""
    found = SchoolEnrolment.objects.filter(
        school__in=[school.pk for school in schools], school_year=school_year, counted_on=counted_on
    )
    return {(count.school_id, count.grade): count for count in found.order_by()}


def _mark_current(schools: Iterable[School], school_year: str) -> None:
    """Let the newest count of every grade be the current one, and it alone."""
    found = SchoolEnrolment.objects.filter(
        school__in=[school.pk for school in schools], school_year=school_year
    ).order_by("counted_on")
    newest: dict[Place, int] = {}
    current: set[int] = set()
    for pk, school, grade, is_current in found.values_list("pk", "school_id", "grade", "is_current"):
        newest[school, grade] = pk
        if is_current:
            current.add(pk)
    wanted = set(newest.values())
    SchoolEnrolment.objects.filter(pk__in=current - wanted).update(is_current=False)
    SchoolEnrolment.objects.filter(pk__in=wanted - current).update(is_current=True)


def _tell(
    action: str,
    by: Any | None,
    written: Sequence[Written],
    facts: Mapping[str, Any],
    schools: Iterable[School],
) -> None:
    """Write the audit entry of a call and tell the rooms above."""
    if not written:
        return
    n_new = sum(row.before is None for row in written)
    record(
        action=action,
        actor=by,
        obj=ObjectName("registry.schools", ""),
        after={"n_new": n_new, "n_changed": len(written) - n_new, **facts},
    )
    schools_changed.send(sender=School, school_keys=sorted(school.pk for school in schools))
