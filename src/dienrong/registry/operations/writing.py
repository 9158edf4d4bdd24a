"""Rows of schools that were previewed are written, and taken back; one audit entry a call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import Scope, scope_of
from dienrong.audit.operations import record
from dienrong.core.recording import ObjectName
from dienrong.core.refusals import Conflict
from dienrong.core.row_changes import RowChange, Written
from dienrong.registry.columns import day_of, decimal_of
from dienrong.registry.models import AdministrativeUnit, School, SchoolEnrolment, SchoolSite, SchoolVersion
from dienrong.registry.operations.refusals import SomethingDepends
from dienrong.registry.operations.undoing import remove_schools
from dienrong.registry.queries.comparing import (
    TRAIT_COLUMNS,
    communes_by_code,
    compare_schools,
    school_values,
    schools_by_code,
)
from dienrong.registry.signals import schools_changed
from dienrong.registry.versions import TRAIT_ATTRIBUTES, set_traits, usual_traits, version_of

CHUNK = 500
NAMED = 5
CONTACTS = ("n_satellite_sites", "address", "phone", "email")
DECIMALS = ("minority_share", "latitude", "longitude")
WRITTEN_FIELDS = (
    *("name", "kind", "commune", "province", "levels", "area", "sector", "managed_by"),
    *("is_disadvantaged", "is_border", "boarding", "is_boarding"),
    *CONTACTS,
    *DECIMALS,
    *("founded_date", "data_at", "search_key", "sort_key"),
)


def scope_for(by: Any | None) -> Scope:
    """Give the scope within which somebody writes; the system itself writes everywhere."""
    return Scope(is_national=True) if by is None else scope_of(by)


def asked_for(changes: Iterable[RowChange]) -> list[tuple[int, Mapping[str, Any]]]:
    """Give the rows that are to be written: the new and the changed ones."""
    return [(change.number, change.values) for change in changes if change.verdict in ("new", "changed")]


def still_fit(changes: Sequence[RowChange]) -> list[RowChange]:
    """Refuse rows that no longer fit, all together; leave out those that stand already.

    Raises
    ------
    Conflict
        If something changed since the preview, so that a row cannot be taken any more.
    """
    refused = [change for change in changes if change.verdict == "refused"]
    if refused:
        raise Conflict(
            _("%(n)d rows cannot be written any more: %(keys)s. %(why)s")
            % {"n": len(refused), "keys": first_keys(refused), "why": refused[0].problems[0].sentence},
            hint=_("Look at the preview again."),
        )
    return [change for change in changes if change.verdict != "unchanged"]


def first_keys(rows: Iterable[RowChange | Written]) -> str:
    """Name the first five keys of rows."""
    keys = [row.key for row in rows]
    return ", ".join(keys[:NAMED]) + (" …" if len(keys) > NAMED else "")


def demand_as_written(written: Sequence[Written], now: Callable[[Written], Mapping[str, Any] | None]) -> None:
    """Refuse to take rows back that are no longer what was written.

    Raises
    ------
    Conflict
        If any row changed since.
    """
    changed = []
    for row in written:
        state = now(row)
        if state is None or any(state.get(name) != value for name, value in row.after.items()):
            changed.append(row)
    if changed:
        raise Conflict(
            _("%(n)d rows were changed since: %(keys)s.") % {"n": len(changed), "keys": first_keys(changed)},
            hint=_("Undo what came later first; nothing was undone."),
        )


@transaction.atomic
def write_schools(changes: Iterable[RowChange], *, by: Any | None, on_date: date) -> list[Written]:
    """Write new and changed schools; changed traits hold from the day on, contacts are changed in place.

    Invariant: a school's row says what its last version says. As many queries for one row as for two thousand,
    but for the size of the statements.

    Raises
    ------
    Conflict
        If a row cannot be taken any more; nothing is written.
    """
    rows = asked_for(changes)
    fitting = still_fit(compare_schools(rows, scope=scope_for(by), day=on_date))
    if not fitting:
        return []
    schools = schools_by_code(change.key for change in fitting)
    codes = {change.values["commune_code"] for change in fitting if "commune_code" in change.values}
    communes = communes_by_code(codes, on_date)
    before = {code: _kept(school) for code, school in schools.items()}
    last = _last_versions(schools.values())
    for school in schools.values():
        before[school.school_id]["version_from"] = _from(last.get(school.pk))
    new = [_new_school(change, communes, on_date) for change in fitting if change.verdict == "new"]
    School.objects.bulk_create(new, batch_size=CHUNK)
    changed = []
    for change in fitting:
        if change.verdict == "changed":
            school = schools[change.key]
            _set(school, change.values, communes)
            school.data_at = max(on_date, school.data_at or on_date)
            changed.append(school)
    School.objects.bulk_update(changed, WRITTEN_FIELDS, batch_size=CHUNK)
    traits = {change.key for change in fitting if set(change.changes) & set(TRAIT_COLUMNS)}
    begun = _renew_versions([school for school in changed if school.school_id in traits], last, on_date)
    begun += [version_of(school, on_date) for school in new]
    SchoolVersion.objects.bulk_create(begun, batch_size=CHUNK)
    written = _written(
        fitting, {**schools, **{school.school_id: school for school in new}}, before, last, on_date
    )
    _tell("registry.schools_written", by, written, on_date, [*new, *changed])
    return written


@transaction.atomic
def undo_schools(written: Iterable[Written], *, by: Any | None) -> None:
    """Take back what ``write_schools`` wrote: new schools go, changed ones are what they were.

    Raises
    ------
    Conflict
        If a school is no longer what was written, or something was built upon a new one; nothing is undone.
    """
    written = list(written)
    schools = schools_by_code(row.key for row in written)
    last = _last_versions(schools.values())

    def now(row: Written) -> dict[str, Any] | None:
        school = schools.get(row.key)
        if school is None or not school.is_open:
            return None
        return {**school_values(school), "version_from": _from(last.get(school.pk))}

    demand_as_written(written, now)
    new = [schools[row.key] for row in written if row.before is None]
    changed = [row for row in written if row.before is not None]
    _refuse_with_rows(new)
    _restore(changed, schools, last)
    remove_schools([school.pk for school in new])
    _tell("registry.schools_unwritten", by, written, None, [schools[row.key] for row in changed])


def _kept(school: School) -> dict[str, Any]:
    """Give all that must be known to bring a school back."""
    return {**school_values(school), "data_at": school.data_at.isoformat() if school.data_at else None}


def _last_versions(schools: Iterable[School]) -> dict[int, SchoolVersion]:
    """Give the versions that hold still."""
    found = SchoolVersion.objects.filter(school__in=[school.pk for school in schools], valid_to__isnull=True)
    return {version.school_id: version for version in found.order_by()}


def _from(version: SchoolVersion | None) -> str | None:
    """Give the first day of a version as JSON."""
    return version.valid_from.isoformat() if version is not None else None


def _new_school(change: RowChange, communes: Mapping[str, AdministrativeUnit], on_date: date) -> School:
    """Make a school of a row, with defaults for what the row does not say."""
    values, commune = change.values, communes[change.values["commune_code"]]
    usual = usual_traits(values["levels"])
    school = School(
        school_id=values["school_id"],
        kind=usual["kind"],
        area=School.Area.URBAN if commune.kind == AdministrativeUnit.Kind.WARD else School.Area.RURAL,
        sector=School.Sector.PUBLIC,
        managed_by=usual["managed_by"],
        data_at=on_date,
    )
    _set(school, values, communes)
    return school


def _set(school: School, values: Mapping[str, Any], communes: Mapping[str, AdministrativeUnit]) -> None:
    """Put the cells of a row on a school."""
    if "commune_code" in values:
        school.commune = communes[values["commune_code"]]
        school.province = school.commune.parent
    for name in CONTACTS:
        if name in values:
            setattr(school, name, values[name])
    for name in DECIMALS:
        if name in values:
            setattr(school, name, decimal_of(values[name]))
    if "founded_date" in values:
        school.founded_date = day_of(values["founded_date"])
    traits = (name for name in TRAIT_COLUMNS if name != "commune_code")
    set_traits(school, {name: values[name] for name in traits if name in values})


def _renew_versions(
    schools: list[School], last: dict[int, SchoolVersion], on_date: date
) -> list[SchoolVersion]:
    """End the versions of changed schools and give those that begin; a version of the same day is rewritten."""
    begun, ended, rewritten = [], [], []
    for school in schools:
        old = last.get(school.pk)
        if old is not None and old.valid_from == on_date:
            for name in TRAIT_ATTRIBUTES:
                setattr(old, name, getattr(school, name))
            rewritten.append(old)
            continue
        if old is not None:
            ended.append(old.pk)
        begun.append(version_of(school, on_date))
    SchoolVersion.objects.filter(pk__in=ended).update(valid_to=on_date)
    SchoolVersion.objects.bulk_update(rewritten, TRAIT_ATTRIBUTES, batch_size=CHUNK)
    return begun


def _written(
    fitting: Sequence[RowChange],
    schools: Mapping[str, School],
    before: Mapping[str, Mapping[str, Any]],
    last: Mapping[int, SchoolVersion],
    on_date: date,
) -> list[Written]:
    """Tell row by row what was written."""
    rows = []
    for change in fitting:
        school = schools[change.key]
        has_version = change.verdict == "new" or bool(set(change.changes) & set(TRAIT_COLUMNS))
        since = on_date.isoformat() if has_version else _from(last.get(school.pk))
        rows.append(
            Written(
                number=change.number,
                key=change.key,
                before=before.get(change.key),
                after={**school_values(school), "version_from": since},
            )
        )
    return rows


def _restore(rows: list[Written], schools: Mapping[str, School], last: Mapping[int, SchoolVersion]) -> None:
    """Make changed schools again what they were, with their versions."""
    codes = {row.before["commune_code"] for row in rows if row.before}
    found = AdministrativeUnit.objects.filter(level=AdministrativeUnit.Level.COMMUNE, code__in=codes)
    old_places = _old_places(rows, schools)
    communes = {unit.code: unit for unit in found.select_related("parent").order_by("valid_from")}
    removed, reopened, rewritten, changed = [], [], [], []
    for row in rows:
        school, before = schools[row.key], dict(row.before or {})
        _set(school, before, {**communes, **old_places.get(row.key, {})})
        school.data_at = day_of(before.get("data_at"))
        changed.append(school)
        version = last[school.pk]
        if before["version_from"] == row.after["version_from"]:
            for name in TRAIT_ATTRIBUTES:
                setattr(version, name, getattr(school, name))
            rewritten.append(version)
        else:
            removed.append(version.pk)
            reopened.append(school.pk)
    days = {row.after["version_from"] for row in rows}
    SchoolVersion.objects.filter(pk__in=removed).delete()
    SchoolVersion.objects.filter(school__in=reopened, valid_to__in=days).update(valid_to=None)
    SchoolVersion.objects.bulk_update(rewritten, TRAIT_ATTRIBUTES, batch_size=CHUNK)
    School.objects.bulk_update(changed, WRITTEN_FIELDS, batch_size=CHUNK)


def _old_places(
    rows: list[Written], schools: Mapping[str, School]
) -> dict[str, dict[str, AdministrativeUnit]]:
    """Give the commune of each school's version before the one that ends now: a code may have had two meanings."""
    keys = {schools[row.key].pk: row.key for row in rows}
    found = SchoolVersion.objects.filter(school__in=list(keys), valid_to__isnull=False)
    places: dict[str, dict[str, AdministrativeUnit]] = {}
    for version in found.select_related("commune__parent").order_by("valid_from"):
        places.setdefault(keys[version.school_id], {})[version.commune.code] = version.commune
    return places


def _refuse_with_rows(new: list[School]) -> None:
    """Refuse to remove new schools that have counts or sites meanwhile."""
    keys = [school.pk for school in new]
    counted = SchoolEnrolment.objects.filter(school__in=keys).values_list("school__school_id", flat=True)
    sited = SchoolSite.objects.filter(school__in=keys).values_list("school__school_id", flat=True)
    codes = sorted(set(counted) | set(sited))
    if codes:
        raise SomethingDepends(
            _("Pupils or sites of %(n)d schools came in since: %(codes)s.")
            % {"n": len(codes), "codes": ", ".join(codes[:NAMED])},
            hint=_("Undo those imports first; nothing was undone."),
        )


def _tell(
    action: str, by: Any | None, written: Sequence[Written], on_date: date | None, schools: Sequence[School]
) -> None:
    """Write the audit entry of a call and tell the rooms above."""
    n_new = sum(row.before is None for row in written)
    record(
        action=action,
        actor=by,
        obj=ObjectName("registry.schools", on_date.isoformat() if on_date else ""),
        after={"n_new": n_new, "n_changed": len(written) - n_new, "on_date": on_date},
    )
    schools_changed.send(sender=School, school_keys=sorted(school.pk for school in schools))
