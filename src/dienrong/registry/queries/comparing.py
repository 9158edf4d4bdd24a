"""What rows of schools, sites and enrolments would change: reads alone, as many queries whatever the rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from dienrong.accounts.permissions import Scope
from dienrong.core.formats import day_text
from dienrong.core.row_changes import CellProblem, RowChange
from dienrong.registry.columns import (
    ENROLMENT_COLUMNS,
    SCHOOL_COLUMNS,
    SITE_COLUMNS,
    number_of,
    problem,
    read_row,
)
from dienrong.registry.models import AdministrativeUnit, School, SchoolEnrolment, SchoolSite, SchoolVersion
from dienrong.registry.queries.history import accepted_for, former_codes
from dienrong.registry.queries.units import in_force

Rows = Iterable[tuple[int, Mapping[str, Any]]]
TRAIT_COLUMNS = (
    "name",
    "kind",
    "levels",
    "commune_code",
    "sector",
    "managed_by",
    "area",
    "is_disadvantaged",
    "is_border",
    "boarding",
)
"""Columns whose history is kept: a change begins a version."""
NEEDED_OF_NEW = ("school_id", "name", "levels", "commune_code")


def school_values(school: School) -> dict[str, Any]:
    """Give a school as its row in a file would be."""
    return {
        "school_id": school.school_id,
        **{name: getattr(school, name) for name in TRAIT_COLUMNS if name != "commune_code"},
        "commune_code": school.commune.code,
        "minority_share": number_of(school.minority_share),
        "n_satellite_sites": school.n_satellite_sites,
        "address": school.address,
        "phone": school.phone,
        "email": school.email,
        "latitude": number_of(school.latitude),
        "longitude": number_of(school.longitude),
        "founded_date": school.founded_date.isoformat() if school.founded_date else None,
    }


def site_values(site: SchoolSite) -> dict[str, Any]:
    """Give a site as its row in a file would be."""
    return {
        "school_id": site.school.school_id,
        "site_code": site.code,
        "site_name": site.name,
        "is_main": site.is_main,
        "commune_code": site.commune.code,
        "address": site.address,
        "latitude": number_of(site.latitude),
        "longitude": number_of(site.longitude),
        "n_students": site.n_students,
        "n_classes": site.n_classes,
    }


def enrolment_values(count: SchoolEnrolment) -> dict[str, Any]:
    """Give a count as JSON."""
    return {
        "n_students": count.n_students,
        "n_classes": count.n_classes,
        "counted_on": count.counted_on.isoformat(),
        "is_current": count.is_current,
    }


def compare_schools(rows: Rows, *, scope: Scope, day: date) -> list[RowChange]:
    """Compare rows with the schools of the registry.

    Parameters
    ----------
    rows : iterable of (int, mapping)
        Numbers and cleaned cells by column; an empty cell changes nothing.
    scope : Scope
        The units of the person who brings the rows.
    day : date
        The day from which changed traits shall hold.

    Returns
    -------
    list of RowChange
        One for each row, in their order.
    """
    rows = list(rows)
    context = _SchoolContext(rows, day)
    return [_compare_school(number, row, context, scope) for number, row in rows]


class _SchoolContext:
    """All that is asked of the database for some rows of schools."""

    def __init__(self, rows: Sequence[tuple[int, Mapping[str, Any]]], day: date) -> None:
        codes = _texts(rows, "school_id")
        self.day = day
        self.schools = schools_by_code(codes)
        versions = SchoolVersion.objects.filter(
            school__in=[school.pk for school in self.schools.values()], valid_to__isnull=True
        )
        self.versions = {version.school_id: version for version in versions.order_by()}
        self.former = former_codes(code for code in codes if code not in self.schools)
        self.former_schools = schools_by_code(self.former.values()) if self.former else {}
        self.accepted = accepted_for(school.pk for school in self.schools.values())
        self.communes = communes_by_code(_texts(rows, "commune_code"), day)
        self.seen: dict[str, int] = {}


def _compare_school(number: int, row: Mapping[str, Any], context: _SchoolContext, scope: Scope) -> RowChange:
    """Compare one row."""
    code = str(row.get("school_id") or "")
    school = context.schools.get(code)
    values, problems = read_row(SCHOOL_COLUMNS, row, NEEDED_OF_NEW if school is None else ("school_id",))
    problems += _stands_twice(context.seen, code, number)
    commune, place_problems = _place(values, context.communes)
    problems += place_problems
    before = school_values(school) if school is not None else {}
    changes = {
        name: (before.get(name), value)
        for name, value in values.items()
        if name not in ("school_id", "province_code") and before.get(name) != value
    }
    if school is None:
        problems += _new_school_problems(code, commune, context, scope)
    else:
        problems += _school_problems(school, changes, commune, context, scope)
    if problems:
        return RowChange(number=number, key=code, verdict="refused", values=values, problems=tuple(problems))
    verdict = "new" if school is None else "changed" if changes else "unchanged"
    return RowChange(number=number, key=code, verdict=verdict, values=values, changes=changes)


def _new_school_problems(
    code: str, commune: AdministrativeUnit | None, context: _SchoolContext, scope: Scope
) -> list[CellProblem]:
    """Say why a school cannot be made."""
    now = context.former.get(code)
    if now is not None and _covers(scope, context.former_schools.get(now)):
        return [
            problem(
                "school_id",
                code,
                _("This code was given up; the school has code %(code)s now.") % {"code": now},
                _("Write the code of today."),
            )
        ]
    if now is not None or (commune is not None and not scope.covers(commune.parent.code, commune.code)):
        return [not_yours(code)]
    return []


def _school_problems(
    school: School,
    changes: Mapping[str, Any],
    commune: AdministrativeUnit | None,
    context: _SchoolContext,
    scope: Scope,
) -> list[CellProblem]:
    """Say why a school cannot be changed."""
    problems = school_problems(school, scope)
    if problems or not changes:
        return problems
    if (
        "commune_code" in changes
        and commune is not None
        and not scope.covers(commune.parent.code, commune.code)
    ):
        problems.append(
            problem(
                "commune_code", commune.code, _("This commune does not belong to your unit."), _ask_above()
            )
        )
    if not set(changes) & set(TRAIT_COLUMNS):
        return problems
    if school.pk in context.accepted:
        day, title = context.accepted[school.pk]
        problems.append(
            problem(
                "",
                "",
                _("This school stands in the batch “%(title)s”, which is accepted for %(day)s.")
                % {"title": title, "day": day_text(day)},
                _("Bring this in after that day."),
            )
        )
        return problems
    version = context.versions.get(school.pk)
    if version is None:
        return problems
    if version.valid_from > context.day or (version.valid_from == context.day and version.event_id):
        problems.append(
            problem(
                "",
                "",
                _("The registry knows this school as it is since %(day)s; the file is older.")
                % {"day": day_text(version.valid_from)},
                _("Give the file a later day, or leave the row out."),
            )
        )
    return problems


def school_problems(school: School, scope: Scope) -> list[CellProblem]:
    """Say why nothing about a school may come in: it lies elsewhere, or it is closed."""
    code = school.school_id
    if not _covers(scope, school):
        return [not_yours(code)]
    if not school.is_open and school.closed_date is None and school.opened_date is not None:
        return [
            problem(
                "school_id",
                code,
                _("This school opens on %(day)s.") % {"day": day_text(school.opened_date)},
                _("Bring this in on that day or later."),
            )
        ]
    if not school.is_open:
        return [
            problem(
                "school_id",
                code,
                _("This school is closed since %(day)s.") % {"day": day_text(school.closed_date)},
                _("Write the school in which it goes on."),
            )
        ]
    return []


def not_yours(code: str) -> CellProblem:
    """Say that a code names no school of the person's units: the same words whether or not it names one elsewhere."""
    return problem(
        "school_id",
        code,
        _("No school in your charge has code %(code)s.") % {"code": code},
        _("Check the code. A new school is brought in by the unit where it lies, with a code of its own."),
    )


def _covers(scope: Scope, school: School | None) -> bool:
    """Tell whether a school lies in a scope."""
    return school is not None and scope.covers(school.province.code, school.commune.code, school.school_id)


def compare_sites(rows: Rows, *, scope: Scope, day: date) -> list[RowChange]:
    """Compare rows with the sites of the schools; columns and result as for ``compare_schools``."""
    rows = list(rows)
    schools = schools_by_code(_texts(rows, "school_id"))
    communes = communes_by_code(_texts(rows, "commune_code"), day)
    found = SchoolSite.objects.filter(school__in=[school.pk for school in schools.values()])
    kept = {
        (site.school_id, site.code): site for site in found.select_related("school", "commune").order_by()
    }
    mains = {site.school_id: site.code for site in kept.values() if site.is_main}
    seen: dict[str, int] = {}
    changes = []
    for number, row in rows:
        school = schools.get(str(row.get("school_id") or ""))
        site = kept.get((school.pk, str(row.get("site_code") or ""))) if school is not None else None
        needed = ("school_id", "site_code", *(() if site is not None else ("site_name",)))
        values, problems = read_row(SITE_COLUMNS, row, needed)
        key = f"{values.get('school_id', '')}/{values.get('site_code', '')}"
        problems += _stands_twice(seen, key, number) + _place(values, communes)[1]
        problems += _holder_problems(school, values, scope)
        if school is not None and values.get("is_main"):
            main = mains.setdefault(school.pk, values.get("site_code", ""))
            problems += _second_main(main, values)
        before = site_values(site) if site is not None else {}
        changes.append(_change(number, key, values, before, problems, ("school_id", "site_code")))
    return changes


def compare_enrolments(rows: Rows, *, scope: Scope, school_year: str, counted_on: date) -> list[RowChange]:
    """Compare rows with the counts of a school year; a count of another day is a further one."""
    rows = list(rows)
    schools = schools_by_code(_texts(rows, "school_id"))
    found = SchoolEnrolment.objects.filter(
        school__in=[school.pk for school in schools.values()], school_year=school_year
    ).order_by("counted_on")
    of_day = {(count.school_id, count.grade): count for count in found if count.counted_on == counted_on}
    newest = {(count.school_id, count.grade): count for count in found}
    seen: dict[str, int] = {}
    changes = []
    for number, row in rows:
        school = schools.get(str(row.get("school_id") or ""))
        values, problems = read_row(ENROLMENT_COLUMNS, row, ("school_id", "grade", "n_students", "n_classes"))
        key = f"{values.get('school_id', '')}/{values.get('grade', '')}"
        problems += _stands_twice(seen, key, number) + _holder_problems(school, values, scope)
        place = (school.pk if school is not None else 0, values.get("grade", -1))
        same, last = of_day.get(place), newest.get(place)
        if problems or same is not None or last is None:
            before = enrolment_values(same) if same is not None else {}
            changes.append(_change(number, key, values, before, problems, ("school_id", "grade")))
            continue
        differing = {
            name: (getattr(last, name), values[name])
            for name in ("n_students", "n_classes")
            if getattr(last, name) != values[name]
        }
        differing["counted_on"] = (last.counted_on.isoformat(), counted_on.isoformat())
        changes.append(RowChange(number=number, key=key, verdict="changed", values=values, changes=differing))
    return changes


def _change(
    number: int,
    key: str,
    values: Mapping[str, Any],
    before: Mapping[str, Any],
    problems: list[CellProblem],
    keys: tuple[str, ...],
) -> RowChange:
    """Say what becomes of a row of a site or a count."""
    if problems:
        return RowChange(number=number, key=key, verdict="refused", values=values, problems=tuple(problems))
    changes = {
        name: (before.get(name), value)
        for name, value in values.items()
        if name not in keys and before.get(name) != value
    }
    verdict = "new" if not before else "changed" if changes else "unchanged"
    return RowChange(number=number, key=key, verdict=verdict, values=values, changes=changes)


def schools_by_code(codes: Iterable[str]) -> dict[str, School]:
    """Give the schools that have these codes now."""
    found = School.objects.filter(school_id__in=list(codes)).select_related("commune", "province")
    return {school.school_id: school for school in found}


def communes_by_code(codes: Iterable[str], day: date) -> dict[str, AdministrativeUnit]:
    """Give the communes that these codes name on a day, with their provinces."""
    found = AdministrativeUnit.objects.filter(
        in_force(day), level=AdministrativeUnit.Level.COMMUNE, code__in=list(codes)
    )
    return {unit.code: unit for unit in found.select_related("parent")}


def _texts(rows: Iterable[tuple[int, Mapping[str, Any]]], column: str) -> list[str]:
    """List the different texts of a column."""
    return sorted({str(row[column]) for _number, row in rows if row.get(column)})


def _place(
    values: Mapping[str, Any], communes: Mapping[str, AdministrativeUnit]
) -> tuple[AdministrativeUnit | None, list[CellProblem]]:
    """Find the commune of a row, and say why it cannot be."""
    code = values.get("commune_code")
    if not code:
        return None, []
    commune = communes.get(code)
    if commune is None:
        return None, [
            problem(
                "commune_code",
                code,
                _("No commune in force has code %(code)s.") % {"code": code},
                _("Look the code up under “Units”; codes have five digits."),
            )
        ]
    province = values.get("province_code")
    if province and province != commune.parent.code:
        return commune, [
            problem(
                "province_code",
                province,
                _("Commune %(code)s lies in province %(province)s.")
                % {"code": code, "province": commune.parent.code},
                _("Correct the commune or the province."),
            )
        ]
    return commune, []


def _holder_problems(school: School | None, values: Mapping[str, Any], scope: Scope) -> list[CellProblem]:
    """Say why a site or a count finds no school that it may belong to."""
    if school is not None:
        return school_problems(school, scope)
    code = values.get("school_id")
    if not code:
        return []
    return [not_yours(code)]


def _second_main(main: str, values: Mapping[str, Any]) -> list[CellProblem]:
    """Say that a school has a main site already."""
    if main == values.get("site_code"):
        return []
    return [
        problem(
            "is_main",
            "1",
            _("Site %(code)s is the main site already.") % {"code": main},
            _("Leave one main site in each school."),
        )
    ]


def _stands_twice(seen: dict[str, int], key: str, number: int) -> list[CellProblem]:
    """Say that an earlier row is about the same thing."""
    first = seen.setdefault(key, number)
    if first == number or not key.strip("/"):
        return []
    return [
        problem(
            "", key, _("This stands in row %(n)d already.") % {"n": first}, _("Keep one of the two rows.")
        )
    ]


def _ask_above() -> str:
    """Say whom to ask about a school of another unit."""
    return _("Leave the row out; the unit in whose charge it is brings it in.")
