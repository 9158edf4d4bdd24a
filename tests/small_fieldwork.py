"""A drawn plan of two provinces, for the tests of the fieldwork: the real draw, written as the sampling room keeps it."""

from __future__ import annotations

import datetime
from typing import Any

import polars as pl

import lsakit as lk
from dienrong.core import clock
from dienrong.cycles import operations as cycles
from dienrong.cycles.models import Cycle
from dienrong.fieldwork import operations
from dienrong.fieldwork.models import FieldSchool, Fieldwork, ListedPerson, TestSession
from dienrong.fieldwork.operations.schools import Days
from dienrong.fieldwork.operations.sessions import SessionFacts
from dienrong.registry import operations as registry_operations
from dienrong.registry.models import School
from dienrong.sampling.models import Draw, Frame, Plan, SampledSchool
from small_cycle import nation, school_row
from small_rosters import YEAR, pupil, write

N_STUDENTS = 8
DAYS = Days(
    answer_due=datetime.date(2026, 12, 4),
    list_due=datetime.date(2026, 12, 11),
    test_from=datetime.date(2027, 3, 1),
    test_to=datetime.date(2027, 3, 31),
)
HASH = "sha256:" + "0" * 64


def load_schools(n_north: int = 18, n_south: int = 8) -> None:
    """Load a registry of primary schools in two provinces."""
    rows = [
        school_row(
            f"01{number:06d}", f"Trường TH Bắc {number}", "00004" if number % 2 else "00008", enrolment_5=30
        )
        for number in range(1, n_north + 1)
    ]
    rows += [
        school_row(f"79{number:06d}", f"Trường TH Nam {number}", "26734", enrolment_5=30)
        for number in range(1, n_south + 1)
    ]
    registry_operations.load_nation(rows=nation(tuple(rows)), school_year="2025-2026", by=None)


def make_cycle() -> Cycle:
    programme = cycles.create_programme(
        code="quoc-gia", name_vi="Cấp quốc gia", name_en="National", legal_basis="TT 08/2026", by=None
    )
    new = cycles.NewCycle(
        slug="quoc-gia-2027",
        name_vi="Đánh giá diện rộng cấp quốc gia 2027",
        name_en="National large-scale assessment 2027",
        school_year=YEAR,
        first_test_date=datetime.date(2027, 3, 1),
        grades=(5,),
        subjects=(cycles.SubjectNames(code="maths", name_vi="Toán", name_en="Mathematics"),),
    )
    return cycles.create_cycle(programme=programme, new=new, by=None)


def draw_plan(
    *, n_schools: dict[str, int] | None = None, seed: int = 2026, rules: str = "national", **changes: Any
) -> Plan:
    """Draw schools of the registry and write plan, frame, draw and sample."""
    schools = list(School.objects.select_related("province", "commune").order_by("school_id"))
    frame = pl.DataFrame(
        {
            "school_id": [one.school_id for one in schools],
            "province_code": [one.province.code for one in schools],
            "enrolment": [28 + 2 * (place % 5) for place, _one in enumerate(schools)],
        }
    )
    wanted = n_schools or {"01": 4, "79": 2}
    design = lk.Design(explicit=["province_code"], n_schools=wanted, n_students=N_STUDENTS)
    drawn = lk.draw_schools(frame, design, rng=seed)
    values = {
        "cycle": make_cycle(),
        "title": "Lớp 5",
        "population": Plan.Population.STUDENTS,
        "grade": 5,
        "rules": rules,
        "school_year": YEAR,
        "frame_date": datetime.date(2026, 11, 1),
        "n_booklets": 3,
        "design": {"n_students": N_STUDENTS},
        "state": Plan.State.DRAWN,
    }
    plan = Plan.objects.create(**(values | changes))
    now = clock.now()
    Frame.objects.create(
        plan=plan,
        made_at=now,
        source="tests",
        hash=HASH,
        file_name="frame",
        n_schools=len(schools),
        n_people=1,
    )
    hour = datetime.timedelta(hours=1)
    draw = Draw.objects.create(
        plan=plan,
        commitment=HASH,
        committed_at=now - 3 * hour,
        source_name="Xổ số",
        source_due_at=now - 2 * hour,
        source_text="12345",
        seed=str(seed),
        drawn_at=now - hour,
        result_hash=HASH,
        record_name="record.json",
    )
    _write_sample(draw, drawn, {one.school_id: one for one in schools}, frame)
    return plan


def _write_sample(draw: Draw, drawn: Any, schools: dict[str, School], frame: pl.DataFrame) -> None:
    sizes = dict(zip(frame["school_id"], frame["enrolment"], strict=True))

    def row(code: str, order: int, stratum: str, role: str, **more: Any) -> SampledSchool:
        school = schools[code]
        return SampledSchool(
            draw=draw, school=school, school_code=code, name=school.name, province_code=school.province.code,
            commune_code=school.commune.code, stratum=stratum, role=role, selection_order=order,
            n_people=sizes[code], **more,
        )  # fmt: skip

    for one in drawn.table.iter_rows(named=True):
        order, stratum = one["selection_order"], one["stratum"]
        original = row(
            one["school_id"], order, stratum, "original", probability=one["probability"],
            base_weight=one["base_weight"], is_certainty=one["is_certainty"],
        )  # fmt: skip
        original.save()
        for role in ("replacement_1", "replacement_2"):
            if one[role] is not None:
                row(one[role], order, stratum, role, original=original).save()


def start(plan: Plan, by: Any) -> Fieldwork:
    return operations.start_fieldwork(plan=plan, days=DAYS, by=by)


def fill_list(school: School, n_pupils: int, first: int, *, n_classes: int = 2) -> None:
    """Put pupils of grade 5 on the list of a school."""
    rows = [
        pupil(
            first + number,
            f"Nguyễn Văn {'ABCDEGHIKLMN'[number % 12]}",
            school_id=school.school_id,
            class_name=f"5{'ABCDEF'[number % n_classes]}",
            sex="female" if number % 2 else "male",
            birth_date=f"2016-{1 + number % 12:02d}-05",
        )
        for number in range(n_pupils)
    ]
    for row in rows:
        # The personal number says sex and year of birth.
        row["personal_id"] = (
            f"001{'3' if row['sex'] == 'female' else '2'}16{int(row['student_code']) % 1_000_000:06d}"
        )
    assert len(write(rows)) == n_pupils


def confirm(school: FieldSchool, by: Any) -> None:
    operations.confirm_school(
        school=school, coordinator_name="Lò Thị Mai", coordinator_phone="0912 345 678", test_date=None, by=by
    )


def bring_to_selected(school: FieldSchool, by: Any, *, first: int, n_pupils: int = 30) -> None:
    """Confirm a school, list pupils and select among them."""
    fill_list(school.school, n_pupils, first)
    confirm(school, by)
    operations.freeze_list(school=school, explanation="", by=by)
    operations.select_people(school=school, by=by)


def hold_test(school: FieldSchool, by: Any, *, absent: int = 0) -> None:
    """Hold and report the one session of a school."""
    facts = SessionFacts(on_date=DAYS.test_from)
    session = operations.plan_session(school=school, facts=facts, is_make_up=False, by=by)
    codes = list(
        ListedPerson.objects.filter(test_session=session)
        .order_by("line")
        .values_list("person_code", flat=True)
    )
    values = {"started": "07:30", "ended": "09:30", "absent": codes[:absent], "nobody_absent": not absent}
    operations.save_report(session=session, values=values, by=by)
    operations.submit_report(session=session, by=by)


TestSession.__test__ = False  # type: ignore[attr-defined]
