"""Reads of the rosters: rows compared with what is kept, lists of schools and people, the state of the vault."""

from dienrong.rosters.queries.exporting import exported_places, n_exported, open_schools
from dienrong.rosters.queries.lists import (
    PersonPlaces,
    SchoolClass,
    at_school,
    classes_of,
    find_person,
    n_missing,
    present_schools,
    put_counts,
    schools_of,
    staff_of,
    students_of,
)
from dienrong.rosters.queries.people import CODE_COLUMN
from dienrong.rosters.queries.staff import compare_staff
from dienrong.rosters.queries.students import compare_students
from dienrong.rosters.queries.vault import (
    PurposeState,
    accesses_in,
    accesses_of,
    consent_purposes,
    consents_of,
    entries_within,
    entry_of,
    purposes,
)

__all__ = [
    "CODE_COLUMN",
    "PersonPlaces",
    "PurposeState",
    "SchoolClass",
    "accesses_in",
    "accesses_of",
    "at_school",
    "classes_of",
    "compare_staff",
    "compare_students",
    "consent_purposes",
    "consents_of",
    "entries_within",
    "entry_of",
    "exported_places",
    "find_person",
    "n_exported",
    "n_missing",
    "open_schools",
    "present_schools",
    "purposes",
    "put_counts",
    "schools_of",
    "staff_of",
    "students_of",
]
