"""What the fieldwork room shows in the demonstration: schools at every stage, each role with something to do.

The second start finds its work done. Names and answers are made up by rule, from the place of a school in the sample.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Any

from dienrong.core import clock

N_LISTED = 4
"""Schools of the demonstration's province whose lists are filled and whose people are selected."""
N_OTHERS = 80
"""Schools of other provinces that are notified and answer; the rest waits for its letters, so that the start is quick."""
COORDINATORS = ("Lò Văn Sơn", "Nguyễn Thị Thu", "Trần Quốc Việt", "H'Lan Êban", "Đặng Thị Mến")
DAY = datetime.timedelta(days=1)


def fill_fieldwork(*, plan: Any, seed: int, size: str, by: Any, person: Callable[[str], Any]) -> int:
    """Start the fieldwork of the drawn plan and bring its schools to different stages; give how many are tested."""
    from dienrong.fieldwork import operations
    from dienrong.fieldwork.models import FieldSchool, Fieldwork
    from dienrong.fieldwork.operations.schools import Days

    tested = FieldSchool.objects.filter(plan=plan, state__in=("tested", "closed"))
    if Fieldwork.objects.filter(plan=plan).exists():
        return int(tested.count())
    today = clock.today()
    # Answers were due yesterday, so that somebody has to be called; roles hold from today on, so nothing is earlier.
    days = Days(answer_due=today - DAY, list_due=today, test_from=today, test_to=today + 28 * DAY)
    operations.start_fieldwork(plan=plan, days=days, by=by)
    schools = _shown(plan, person("so"))
    operations.mark_notified(schools=schools, by=by)
    _answers(schools, by)
    _give_a_question(plan, person("truong"), person("so"), by)
    own = _of_province(schools, person("so"))
    _lists(own, seed=seed, size=size, by=by)
    _sessions(own, by=by, person=person)
    return int(tested.count())


def _shown(plan: Any, officer: Any) -> list[Any]:
    """List the schools that are brought on: those of the demonstration's province and the first of the others."""
    from dienrong.accounts.permissions import scope_of
    from dienrong.fieldwork.models import FieldSchool

    found = FieldSchool.objects.filter(plan=plan).select_related(
        "school__province", "school__commune", "sampled"
    )
    own = scope_of(officer).provinces
    schools = list(found.order_by("number"))
    others = [one for one in schools if one.school.province.code not in own][:N_OTHERS]
    return [one for one in schools if one.school.province.code in own or one in others]


def _of_province(schools: Sequence[Any], officer: Any) -> list[Any]:
    """Give the confirmed schools of the demonstration's province, freshly read."""
    from dienrong.accounts.permissions import scope_of

    codes = scope_of(officer).provinces
    own = [one for one in schools if one.school.province.code in codes] or list(schools)
    for one in own:
        one.refresh_from_db()
    return [one for one in own if one.state == "confirmed"][:N_LISTED]


def _answers(schools: Sequence[Any], by: Any) -> None:
    """Let most schools confirm, one in thirty refuse and be replaced, one in nine owe its answer."""
    from dienrong.fieldwork import operations

    for place, one in enumerate(schools, start=1):
        if place % 30 == 7:
            operations.decline_school(school=one, code=2, reason="Trường đang sửa chữa lớn", by=by)
            if one.sampled.replacements.exists():
                operations.call_replacement(school=one, by=by)
        elif place % 9 != 0:
            operations.confirm_school(
                school=one,
                coordinator_name=COORDINATORS[place % len(COORDINATORS)],
                coordinator_phone=f"09{10_000_000 + place * 7_919:08d}",
                test_date=None,
                by=by,
            )


def _give_a_question(plan: Any, coordinator: Any, officer: Any, by: Any) -> None:
    """Let the demonstration's coordinator stand in at a school that owes its answer, so that the role has one to give."""
    from dienrong.accounts import operations as accounts
    from dienrong.accounts.permissions import scope_of
    from dienrong.fieldwork.models import FieldSchool

    waiting = FieldSchool.objects.filter(plan=plan, state="notified").select_related("school__province")
    codes = scope_of(officer).provinces
    ordered = sorted(waiting, key=lambda one: (one.school.province.code not in codes, one.number))
    if ordered:
        accounts.assign_role(
            user=coordinator,
            role="school_coordinator",
            unit_code=ordered[0].school.school_id,
            unit_name=ordered[0].school.name,
            by=by,
        )


def _lists(schools: Sequence[Any], *, seed: int, size: str, by: Any) -> None:
    """Fill the class lists of some schools, send them in and select people."""
    from dienrong.accounts.permissions import scope_of
    from dienrong.fieldwork import operations
    from dienrong.registry.numeric import nation_student_rows
    from dienrong.rosters import codes
    from dienrong.rosters import operations as rosters
    from dienrong.rosters import queries as lists

    present = codes.school_year_on(clock.today())
    empty = [one for one in schools if not lists.classes_of(one.school, present)]
    later = max(0, int(present[:4]) - int(schools[0].plan.school_year[:4])) if schools else 0
    if empty:
        rows = nation_student_rows(
            seed=seed,
            size=size,
            school_ids=sorted(one.school.school_id for one in empty),
            years_later=min(later, 9),
        )
        changes = lists.compare_students(
            list(enumerate(rows[:2000], start=1)), scope=scope_of(by), school_year=present
        )
        rosters.write_students(
            [one for one in changes if one.verdict != "refused"], by=by, school_year=present
        )
    for one in schools:
        if not any(found.grade == one.plan.grade for found in lists.classes_of(one.school, present)):
            continue
        operations.freeze_list(school=one, explanation="Số liệu đầu năm học mới", by=by)
        operations.select_people(school=one, by=by)


def _sessions(schools: Sequence[Any], *, by: Any, person: Callable[[str], Any]) -> None:
    """Plan sessions: one school is tested with everybody, one lacks pupils, one waits for its report, one for a plan."""
    from dienrong.accounts import operations as accounts
    from dienrong.fieldwork import operations
    from dienrong.fieldwork.operations.sessions import SessionFacts

    selected = [one for one in schools if one.people.filter(is_selected=True).exists()]
    administrator = person("coi-khao-sat")
    for place, one in enumerate(selected[:3]):
        is_waiting = place == 2 or len(selected) == 1
        if is_waiting:
            accounts.assign_role(
                user=administrator,
                role="test_administrator",
                unit_code=one.school.school_id,
                unit_name=one.school.name,
                by=by,
            )
        facts = SessionFacts(
            on_date=clock.today(),
            begins_at=datetime.time(7, 30),
            room="Phòng 1",
            administrator=administrator if is_waiting else None,
        )
        session = operations.plan_session(school=one, facts=facts, is_make_up=False, by=by)
        if is_waiting:
            continue
        people = list(session.people.order_by("person_code").values_list("person_code", flat=True))
        absent = people[:: max(1, len(people) // 6)] if place == 1 else []
        values = {"started": "07:30", "ended": "09:45", "absent": absent, "nobody_absent": not absent}
        operations.save_report(session=session, values=values, by=by)
        operations.submit_report(session=session, by=by)
        if place == 0:
            operations.conclude_school(school=one, by=by)
