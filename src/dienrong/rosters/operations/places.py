"""One pupil at a time: added, put into another class, gone, back."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.recording import ObjectName
from dienrong.core.refusals import Conflict, Refusal
from dienrong.core.row_changes import CellProblem
from dienrong.registry.models import School
from dienrong.rosters import cells, charge, codes
from dienrong.rosters.models import StudentPlace
from dienrong.rosters.operations.people import tell_schools
from dienrong.rosters.operations.students import write_students
from dienrong.rosters.queries import compare_students

STUDYING = StudentPlace.Status.STUDYING


class RowRefused(Refusal):
    """The cells of a pupil cannot be taken; ``problems`` says of each cell why."""

    code = "rosters.row_refused"

    def __init__(self, sentence: str, *, problems: Sequence[CellProblem] = (), hint: str = "") -> None:
        self.problems = tuple(problems)
        super().__init__(sentence, hint=hint)


class StudiesElsewhere(Conflict):
    """A pupil studies at one school at a time."""

    code = "rosters.studies_elsewhere"


@transaction.atomic
def add_student(*, school: School, school_year: str, values: Mapping[str, Any], by: Any) -> tuple[str, bool]:
    """Put one pupil on the list of a school; one who is known keeps the study id and leaves the former school.

    Returns
    -------
    tuple of str and bool
        The study id, and whether the pupil came from another school.

    Raises
    ------
    NotAllowed
        If the person may not change the lists of this school.
    RowRefused
        If a cell cannot be taken, or the pupil is on the list already.
    """
    charge.demand_at(by, "change_rosters", school)
    row = {**values, "school_id": school.school_id, "status": STUDYING}
    scope = charge.scope_with(by, "change_rosters")
    (change,) = compare_students([(1, row)], scope=scope, school_year=school_year)
    if change.problems:
        raise RowRefused(_("The pupil cannot be added yet."), problems=change.problems)
    if change.verdict != "new" and "school_id" not in change.changes:
        raise RowRefused(
            _("This pupil is on the list of the school already."),
            hint=_("Open the pupil's page to change the class."),
        )
    (written,) = write_students([change], by=by, school_year=school_year)
    came_over = change.verdict == "changed" and change.changes["school_id"][0] is not None
    return written.key, came_over


@transaction.atomic
def change_place(
    *, place: StudentPlace, grade: int, class_name: str, status: str, on_date: datetime.date, by: Any
) -> StudentPlace:
    """Put a pupil into another class, or write down that the pupil left or came back.

    Raises
    ------
    NotAllowed
        If the person may not change the lists of this school.
    RowRefused
        If the class has no name, the school does not teach the grade, or the day lies in the future.
    StudiesElsewhere
        If the pupil studies at another school this year.
    """
    charge.demand_at(by, "change_rosters", place.school)
    problems = _problems(place, grade, class_name, on_date)
    if problems:
        raise RowRefused(_("The change cannot be taken yet."), problems=problems)
    before = _state(place)
    place.grade, place.class_name = grade, cells.read_class_name(class_name)
    if status != place.status:
        place.status = status
        place.until = None if status == STUDYING else on_date
        place.since = on_date if status == STUDYING else place.since
    after = _state(place)
    if after == before:
        return place
    try:
        with transaction.atomic():
            place.save()
    except IntegrityError as error:
        raise StudiesElsewhere(
            _("This pupil studies at another school this year."),
            hint=_(
                "Where the pupil came back to you, add the pupil to your list again; the other place ends then."
            ),
        ) from error
    tell_schools([place.school_id])
    changed = [name for name in after if after[name] != before[name]]
    record(
        action="rosters.place_changed",
        actor=by,
        obj=ObjectName("rosters.person", place.student_id, place.student_id),
        before={"school_id": place.school.school_id} | {name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    return place


def _problems(place: StudentPlace, grade: int, class_name: str, on_date: datetime.date) -> list[CellProblem]:
    """Say what of a change cannot be taken."""
    found = []
    try:
        cells.read_class_name(class_name)
    except cells.BadCellError as bad:
        found.append(cells.problem("class_name", class_name, bad.sentence, bad.hint))
    if grade not in codes.grades_taught(place.school.levels):
        sentence = _("The school (%(levels)s) does not teach this grade.") % {"levels": place.school.levels}
        found.append(cells.problem("grade", grade, sentence))
    if on_date > clock.today():
        found.append(cells.problem("on_date", on_date, _("This day lies in the future.")))
    return found


def _state(place: StudentPlace) -> dict[str, Any]:
    """Give what of a place may change."""
    return {name: getattr(place, name) for name in ("grade", "class_name", "status", "since", "until")}
