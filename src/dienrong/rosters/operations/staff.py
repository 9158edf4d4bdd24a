"""Writing rows of teachers and managers, and taking them back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction

from dienrong.accounts.permissions import scope_of
from dienrong.audit.operations import record
from dienrong.core.recording import ObjectName
from dienrong.core.row_changes import RowChange, Written
from dienrong.rosters import bulk, vault
from dienrong.rosters.models import PersonKind, Staff, StaffPlace, VaultEntry, new_study_id
from dienrong.rosters.operations import people
from dienrong.rosters.operations.students import EVERYWHERE
from dienrong.rosters.purposes import purpose_of_lists
from dienrong.rosters.queries.staff import CODE, PLACE_CELLS, StaffRow, plan_staff

TRAITS = ("sex", "birth_year")
PLACE_KEY = ("staff", "school_year", "school")


@transaction.atomic
def write_staff(changes: Sequence[RowChange], *, by: Any | None, school_year: str) -> list[Written]:
    """Write what ``compare_staff`` found: new and changed rows, all or nothing; as ``write_students``.

    Raises
    ------
    RosterChanged
        If a row can no longer be taken; nothing is written.
    """
    scope = EVERYWHERE if by is None else scope_of(by)
    plans = plan_staff(people.rows_of(changes), scope=scope, school_year=school_year, are_clean=True)
    people.demand_nothing_refused(plans)
    rows = [row for row in plans if row.verdict != "unchanged"]
    if not rows:
        return []
    purpose = purpose_of_lists(PersonKind.STAFF)
    until = people.keep_until(school_year, purpose)
    sealer = vault.sealer()
    staff, entries, places, written = [], [], [], []
    for row in rows:
        before = None if row.entry is None else _state(row.staff, row.entry, row.here, school_year)
        study_id = new_study_id() if row.entry is None else row.entry.study_id
        entry = people.entry_after(
            row,
            kind=PersonKind.STAFF,
            code_column=CODE,
            study_id=study_id,
            purpose=purpose,
            until=until,
            sealer=sealer,
        )
        person, place = _person_after(row, study_id), _place_after(row, study_id, school_year)
        staff.append(person)
        entries.append(entry)
        places.append(place)
        after = _state(person, entry, place, school_year)
        written.append(Written(number=row.number, key=study_id, before=before, after=after))
    try:
        with transaction.atomic():
            bulk.upsert(Staff, staff, key=("study_id",), fields=TRAITS)
            people.write_entries(entries)
            bulk.upsert(StaffPlace, places, key=PLACE_KEY, fields=PLACE_CELLS)
    except IntegrityError as error:  # somebody wrote the same person in the same moment
        raise people.changed_meanwhile([row.number for row in rows]) from error
    school_keys = {place.school_id for place in places}
    people.tell_schools(school_keys)
    n_new = sum(row.verdict == "new" for row in rows)
    record(
        action="rosters.staff_written",
        actor=by,
        obj=ObjectName("rosters.staff", school_year, school_year),
        after={"n_new": n_new, "n_changed": len(rows) - n_new, "n_schools": len(school_keys)},
    )
    return written


@transaction.atomic
def undo_staff(written: Sequence[Written], *, by: Any | None) -> None:
    """Take back what ``write_staff`` wrote, all or nothing; as ``undo_students``.

    Raises
    ------
    RosterChanged
        If one of the people was changed since, or the retention time of the identity is over.
    """
    if not written:
        return
    school_year = written[0].after["school_year"]
    places = _places_of(written, school_year)
    people.demand_same(written, _present(written, places, school_year))
    people.demand_no_consent(written)
    new = {item.key: item.number for item in written if item.before is None}
    mine = [place.pk for place in places.values()]
    others = StaffPlace.objects.filter(staff__in=new).exclude(pk__in=mine)
    if numbers := [new[study_id] for study_id in others.values_list("staff_id", flat=True)]:
        raise people.changed_meanwhile(numbers)
    added = [places[item.key].pk for item in written if item.before is None or item.before["place"] is None]
    StaffPlace.objects.filter(pk__in=added).delete()
    VaultEntry.objects.filter(study_id__in=new).delete()
    Staff.objects.filter(study_id__in=new).delete()
    _restore([item for item in written if item.before is not None], school_year)
    people.tell_schools(place.school_id for place in places.values())
    record(
        action="rosters.staff_undone",
        actor=by,
        obj=ObjectName("rosters.staff", school_year, school_year),
        after={"n_removed": len(new), "n_restored": len(written) - len(new)},
    )


def _person_after(row: StaffRow, study_id: str) -> Staff:
    """Give the person's traits after a row."""
    person = row.staff or Staff(study_id=study_id)
    person.sex, person.birth_year = row.clean["sex"], int(row.clean["birth_date"][:4])
    return person


def _place_after(row: StaffRow, study_id: str, school_year: str) -> StaffPlace:
    """Give the place after a row."""
    place = row.here or StaffPlace(staff_id=study_id, school_id=row.school.pk, school_year=school_year)
    for name in PLACE_CELLS:
        if name in row.clean:
            setattr(place, name, row.clean[name])
    return place


def _state(
    person: Staff | None, entry: VaultEntry | None, place: StaffPlace | None, school_year: str
) -> dict[str, Any]:
    """Give all that is kept of a person at one school in one school year, as JSON."""
    return {
        "school_year": school_year,
        "staff": people.fields_state(person, TRAITS) if person else None,
        "vault": people.entry_state(entry),
        "place": people.fields_state(place, ("school_id", *PLACE_CELLS)) if place else None,
    }


def _places_of(written: Sequence[Written], school_year: str) -> dict[str, StaffPlace]:
    """Find the places that were written, by study id."""
    wanted = {item.key: item.after["place"]["school_id"] for item in written}
    found = StaffPlace.objects.filter(staff__in=wanted, school_year=school_year)
    return {place.staff_id: place for place in found if wanted[place.staff_id] == place.school_id}


def _present(
    written: Sequence[Written], places: dict[str, StaffPlace], school_year: str
) -> dict[str, dict[str, Any]]:
    """Give what is kept now of the people that were written."""
    keys = [item.key for item in written]
    staff = {person.pk: person for person in Staff.objects.filter(pk__in=keys)}
    entries = {entry.study_id: entry for entry in VaultEntry.objects.filter(study_id__in=keys)}
    return {key: _state(staff.get(key), entries.get(key), places.get(key), school_year) for key in keys}


def _restore(written: Sequence[Written], school_year: str) -> None:
    """Write back what was kept before of people who were there already."""
    staff, entries, places = [], [], []
    for item in written:
        assert item.before is not None
        if item.before["staff"] is not None:
            staff.append(Staff(study_id=item.key, **item.before["staff"]))
        entries.append(people.entry_of_state(item.key, PersonKind.STAFF, item.before["vault"]))
        if item.before["place"] is not None:
            places.append(StaffPlace(staff_id=item.key, school_year=school_year, **item.before["place"]))
    bulk.upsert(Staff, staff, key=("study_id",), fields=TRAITS)
    people.write_entries(entries)
    bulk.upsert(StaffPlace, places, key=PLACE_KEY, fields=PLACE_CELLS)
