"""Lists of a school: frozen from the rosters, people selected from them, their codes outside sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.core.formats import number_text, percent_text
from dienrong.core.text import clean_text, sort_key
from dienrong.fieldwork import numeric
from dienrong.fieldwork.models import FieldSchool, Fieldwork, ListedPerson
from dienrong.fieldwork.operations.refusals import FieldRefusal, NotNow, demand_state, locked, note
from dienrong.fieldwork.operations.schools import settle_outcome
from dienrong.rosters import charge, codes
from dienrong.rosters import queries as rosters
from dienrong.rosters.models import StudentPlace
from dienrong.sampling.models import Draw, Plan

State = FieldSchool.State
BEFORE_TEST_TREATMENTS = ("excluded", "ineligible")


class ListDiffers(FieldRefusal):
    """The list differs from the frame by more than a fifth, and nobody has said why."""

    code = "fieldwork.list_differs"


@transaction.atomic
def freeze_list(*, school: FieldSchool, explanation: str, by: Any) -> int:
    """Freeze the list of the grade as the rosters hold it now; give how many are listed.

    Until people are selected the list may be frozen anew; study ids alone are kept.

    Raises
    ------
    NotAllowed
        If the school is not in the person's charge.
    NotNow
        If the school has not confirmed, or people were selected.
    FieldRefusal
        If the rosters hold nobody of the grade.
    ListDiffers
        If the list differs from the frame by more than a fifth and no explanation is given.
    """
    school = locked(school.pk)
    charge.demand_at(by, "answer_fieldwork", school.school)
    demand_state(school, (State.CONFIRMED, State.LISTED))
    fieldwork = Fieldwork.objects.get(plan=school.plan_id)
    year = codes.school_year_on(fieldwork.test_from)
    places = [
        place
        for place in rosters.students_of(school.school, year)
        if place.grade == school.plan.grade and place.status == StudentPlace.Status.STUDYING
    ]
    if not places:
        raise FieldRefusal(
            _("The lists of %(year)s hold nobody of grade %(grade)s at this school.")
            % {"year": year, "grade": school.plan.grade},
            hint=_("Bring in the class lists under “Lists” first, then send the list in."),
        )
    text = _explained(school, len(places), explanation)
    places.sort(key=lambda place: (sort_key(place.class_name), place.student_id))
    ListedPerson.objects.filter(field_school=school).delete()
    ListedPerson.objects.bulk_create(
        ListedPerson(
            field_school=school,
            study_id=place.student_id,
            line=line,
            class_name=place.class_name,
            sex=place.student.sex,
            birth_year=place.student.birth_year,
            birth_month=place.student.birth_month,
            has_special_needs=place.student.has_special_needs,
        )
        for line, place in enumerate(places, start=1)
    )
    school.state, school.n_listed, school.list_explained = State.LISTED, len(places), text[:300]
    school.save(update_fields=["state", "n_listed", "list_explained"])
    note(school, "listed", by, text, n_listed=len(places))
    return len(places)


def _explained(school: FieldSchool, n_listed: int, explanation: str) -> str:
    """Demand an explanation where the list differs from the frame by more than a fifth."""
    frame = school.sampled.n_people
    difference = abs(n_listed - frame) / frame if frame else 1.0
    text = clean_text(explanation)
    if difference > numeric.LARGEST_DIFFERENCE and not text:
        raise ListDiffers(
            _("The list has %(listed)s people, the frame %(frame)s: %(share)s apart.")
            % {
                "listed": number_text(n_listed),
                "frame": number_text(frame),
                "share": percent_text(difference),
            },
            hint=_("Check the list; if it is right, write why it differs and send it in again."),
        )
    return text


@transaction.atomic
def select_people(*, school: FieldSchool, by: Any) -> int:
    """Select people of the frozen list by lot, give them booklets and codes; give how many.

    The seed follows from the public seed of the draw, the school's code and its number, so anyone repeats it.

    Raises
    ------
    NotAllowed
        If the school is not in the person's charge.
    NotNow
        If no list is frozen, or people were selected before.
    FieldRefusal
        If the plan does not say how many, or a code cannot be made.
    """
    school = locked(school.pk)
    charge.demand_at(by, "change_fieldwork", school.school)
    demand_state(school, (State.LISTED,))
    plan = school.plan
    people = list(ListedPerson.objects.filter(field_school=school))
    draw = Draw.objects.get(plan=plan)
    seed = numeric.seed_of_school(draw.seed, school.sampled.school_code, school.number)
    try:
        found = _selected(plan, school, people, seed)
        _write_selected(school, people, found.people)
    except numeric.LsakitError as error:
        raise FieldRefusal(str(error)) from error
    school.state, school.seed, school.n_classes = State.SELECTED, str(seed), found.n_classes or None
    school.selection = {
        "n_listed": found.n_listed,
        "n_selected": len(found.people),
        "n_classes": found.n_classes,
        "random_number": repr(found.random_number),
        "first_booklet": found.first_booklet,
        "n_booklets": plan.n_booklets,
    }
    school.save(update_fields=["state", "seed", "selection", "n_classes"])
    note(school, "selected", by, n_selected=len(found.people), seed=str(seed))
    return len(found.people)


def _selected(
    plan: Plan, school: FieldSchool, people: Sequence[ListedPerson], seed: int
) -> numeric.Selection:
    """Draw as the plan says: people, whole classes, or everybody."""
    rows: list[Mapping[str, Any]] = [
        {
            "student_id": one.study_id,
            "class_id": one.class_name or "–",
            "gender": one.sex,
            "birth_date": f"{one.birth_year or 0:04d}-{one.birth_month or 0:02d}",
        }
        for one in people
    ]
    code, n_booklets = school.sampled.school_code, plan.n_booklets
    if plan.within == Plan.Within.CLASSES:
        return numeric.select_classes(
            rows, school=code, seed=seed, n_classes=plan.n_classes, n_booklets=n_booklets
        )
    wanted = len(rows) if plan.within == Plan.Within.ALL else plan.design.get("n_students")
    if not isinstance(wanted, int) or wanted < 1:
        raise FieldRefusal(
            _("The plan does not say how many people are selected in a school."),
            hint=_("The plan of the draw must hold a number of students of 1 or more."),
        )
    return numeric.select(rows, school=code, seed=seed, n_students=wanted, n_booklets=n_booklets)


def _write_selected(
    school: FieldSchool, people: Sequence[ListedPerson], selected: Sequence[numeric.Selected]
) -> None:
    """Write who was selected, with probability, booklet and code."""
    of_person = {one.study_id: one for one in people}
    names = sorted({one.class_name for one in people}, key=sort_key)
    class_number = {name: number for number, name in enumerate(names, start=1)}
    counts = dict.fromkeys(names, 0)
    year = int(codes.school_year_on(Fieldwork.objects.get(plan=school.plan_id).test_from)[:4])
    for one in sorted(selected, key=lambda row: of_person[row.study_id].line):
        person = of_person[one.study_id]
        counts[person.class_name] += 1
        person.is_selected, person.probability, person.booklet = True, one.probability, one.booklet
        person.drawn_class = one.drawn_class
        person.person_code = numeric.person_code(
            year=year,
            grade=school.plan.grade or 0,
            school=school.number,
            class_number=class_number[person.class_name],
            number=counts[person.class_name],
        )
    fields = ["is_selected", "probability", "booklet", "drawn_class", "person_code"]
    taken = [of_person[one.study_id] for one in selected]
    ListedPerson.objects.bulk_update(taken, fields, batch_size=200)


@transaction.atomic
def set_status(*, person: ListedPerson, code: int | None, text: str, by: Any) -> None:
    """Give a selected person a code outside a session report: excluded or gone before the test, or a correction.

    Before the test, codes of exclusion and of who left; afterwards every code, by an officer. The empty code
    takes one back before the test.

    Raises
    ------
    NotAllowed
        If the school is not in the person's charge, or a correction is an officer's.
    NotNow
        If people are not selected yet, or the school is concluded.
    FieldRefusal
        If the code does not fit, or no reason is written.
    """
    school = locked(person.field_school_id)
    charge.demand_at(by, "answer_fieldwork", school.school)
    demand_state(school, (State.SELECTED, State.TESTED))
    person = ListedPerson.objects.get(pk=person.pk)
    if not person.is_selected:
        raise NotNow(_("Only people who were selected have a code."))
    known = {one.code: one for one in numeric.codes(school.plan.rules, "student")}
    chosen = known.get(code) if code is not None else None
    is_tested = school.state == State.TESTED
    if is_tested:
        charge.demand_at(by, "change_fieldwork", school.school)
    fits = chosen is not None and (is_tested or chosen.treatment in BEFORE_TEST_TREATMENTS)
    if chosen is not None and chosen.treatment in (None, "not_sampled"):
        fits = False
    if not fits and not (code is None and not is_tested):
        raise FieldRefusal(
            _("The code %(code)s does not fit here.") % {"code": code if code is not None else "–"},
            hint=_(
                "Before the test: 30 to 34 or 40 to 42. Codes of attendance come from the session report."
            ),
        )
    if not clean_text(text):
        raise FieldRefusal(_("Write the reason of the code."), hint=_("In a few words, without names."))
    before, person.status = person.status, code
    person.status_note = clean_text(text)[:200]
    if not is_tested:
        # Out of the session: its report would overwrite the code. Taken back, the person waits for a session.
        person.test_session = None
    person.save(update_fields=["status", "status_note", "test_session"])
    if is_tested:
        settle_outcome(school)
    note(school, "person_coded", by, person.person_code, before=before, code=code)


__all__ = ["ListDiffers", "freeze_list", "select_people", "set_status"]
