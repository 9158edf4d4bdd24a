"""Whole rosters as rows of the import template: what is downloaded reads as what is kept when it comes back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.core.formats import number_text
from dienrong.core.refusals import Refusal
from dienrong.registry.models import School
from dienrong.rosters import charge, queries, rows
from dienrong.rosters.models import PersonKind, VaultAccess
from dienrong.rosters.operations.vault import open_identities
from dienrong.rosters.vault import Identity

MOST_ROWS = 20_000


class NoSuchSchool(Refusal):
    """No open school in the person's charge has the code."""

    code = "rosters.no_such_school"


class TooMany(Refusal):
    """More rows than one file holds."""

    code = "rosters.too_many_rows"


@transaction.atomic
def export_roster(
    *, kind: PersonKind, school_year: str, by: Any, school_id: str = "", reason: str = ""
) -> list[dict[str, Any]]:
    """Give the pupils, or the teachers and managers, of a year as rows of the import template.

    Invariant: names, dates of birth, codes and numbers are in the rows only of schools where the person may see
    them, only for a stated reason, and every school whose names were opened has its line in the access log,
    written in the same transaction. Each person stands once, since the template takes each once.

    Parameters
    ----------
    kind : PersonKind
        Pupils or staff.
    school_year : str
        The year of the places.
    by : User
        Whose schools.
    school_id : str
        One school; empty for all open schools in the person's charge.
    reason : str
        One of ``VaultAccess.Reason``; empty gives rows without anything of the vault.

    Raises
    ------
    NoSuchSchool
        If no open school in the person's charge has the code.
    TooMany
        If there are more than 20,000 rows; nothing is opened.
    NotAllowed
        If a reason is given and the person may see names nowhere among these schools.
    NoReason
        If the reason is none of the list.
    """
    charged = queries.open_schools(charge.scope_with(by, "view_rosters"), school_id)
    n_rows = queries.n_exported(kind, charged, school_year)
    if n_rows > MOST_ROWS:
        raise TooMany(
            _("%(n)s rows are more than one file takes (%(limit)s).")
            % {"n": number_text(n_rows), "limit": number_text(MOST_ROWS)},
            hint=_("Write the code of one school, and take one file for each."),
        )
    places = queries.exported_places(kind, charged, school_year)
    schools = [school for school in charged if charge.may_at(by, "view_rosters", school)]
    if school_id and not schools:
        raise NoSuchSchool(
            _("No open school in your charge has this code."),
            hint=_("Check the code on the page of the school."),
        )
    opened = [school for school in schools if reason and charge.may_at(by, "view_identities", school)]
    if reason and schools and not opened:
        raise permissions.refusal_for(by, "view_identities")
    named = {school.pk for school in opened}
    found: list[dict[str, Any]] = []
    for school in schools:
        of_school = places.get(school.pk, [])
        identities: Mapping[str, Identity] = {}
        if school.pk in named and of_school:
            identities = open_identities(
                school=school,
                kind=kind,
                study_ids=[rows.owner_of(place) for place in of_school],
                by=by,
                action=VaultAccess.Action.EXPORTED,
                reason=reason,
            )
        found += _rows(kind, school, of_school, identities)
    return found


def _rows(
    kind: PersonKind, school: School, places: Sequence[Any], identities: Mapping[str, Identity]
) -> Iterable[dict[str, Any]]:
    """Make the rows of one school, those of a class sorted as people are."""
    is_student = kind == PersonKind.STUDENT
    lines = rows.lines(places, identities or None)
    if is_student:
        lines.sort(key=lambda line: (line.place.grade, line.place.class_name))
    make = _student if is_student else _staff
    return [
        {"school_id": school.school_id, "sex": line.person.sex, **_identity(line, kind), **make(line)}
        for line in lines
    ]


def _identity(line: rows.Line, kind: PersonKind) -> dict[str, Any]:
    """Give the cells that the vault keeps; none where it is closed, or the identity was deleted."""
    known = line.identity
    if known is None:
        return {}
    return {
        queries.CODE_COLUMN[kind]: known.code,
        "personal_id": known.personal_id,
        "full_name": known.full_name,
        "birth_date": known.birth_date,
        "ethnicity": known.ethnicity,
    }


def _student(line: rows.Line) -> dict[str, Any]:
    """Give the cells of a pupil's place."""
    place = line.place
    return {
        "grade": str(place.grade),
        "class_name": place.class_name,
        "status": place.status,
        "has_special_needs": line.person.has_special_needs,
    }


def _staff(line: rows.Line) -> dict[str, Any]:
    """Give the cells of a place of a teacher or manager."""
    place = line.place
    return {
        "role": place.role,
        "position": place.position,
        "subjects": place.subjects,
        "grades": place.grades,
    }
