"""What the sampling room shows in the demonstration: a drawn plan of grade 5, a draft of grade 9.

Each step finds its work done at the second start. The announced number is made up and says so.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from dienrong.core import clock

SOURCE = "Số minh họa của bản trình diễn (không phải kết quả xổ số)"
NUMBER = "20 26 04 68"
PEOPLE = 30
SHARE, FEWEST_A_STRATUM = 5, 2
DRAWN_TITLE = "Lớp 5, khảo sát chính thức (trình diễn)"
DRAFT_TITLE = "Lớp 9, khảo sát chính thức (bản thảo trình diễn)"
WITNESSES = ("Bà Lê Thị Ánh, Vụ Giáo dục phổ thông", "Ông Trần Văn Đức, đại diện các Sở")


def make_plans(*, cycle: Any, school_year: str, frame_date: date, by: Any) -> tuple[Any, Any]:
    """Make both plans: one that has been drawn, one that is worked on."""
    return (
        _drawn(cycle=cycle, school_year=school_year, frame_date=frame_date, by=by),
        _draft(cycle=cycle, school_year=school_year, frame_date=frame_date, by=by),
    )


def _found(title: str, cycle: Any) -> Any:
    """Find a plan by its title."""
    from dienrong.sampling.models import Plan

    return Plan.objects.filter(cycle=cycle, title=title).first()


def _plan(
    title: str, grade: int, *, cycle: Any, school_year: str, frame_date: date, by: Any
) -> tuple[Any, bool]:
    """Find a plan by its title, or make it with its frame from the registry; tell whether it is new."""
    from dienrong.sampling import operations
    from dienrong.sampling.models import Plan

    found = _found(title, cycle)
    if found is not None:
        return found, False
    new = operations.NewPlan(
        title=title,
        population=Plan.Population.STUDENTS,
        grade=grade,
        phase=Plan.Phase.MAIN_SURVEY,
        rules="national",
        school_year=school_year,
        frame_date=frame_date,
    )
    plan = operations.create_plan(cycle=cycle, new=new, by=by)
    plan = operations.take_registry(plan=plan, by=by)
    return operations.set_exclusions(plan=plan, excludes=_excludes(plan), by=by), True


def _excludes(plan: Any) -> list[dict[str, Any]]:
    """Leave out what cannot be drawn: schools without a count, very small ones, those that the checks name."""
    from dienrong.sampling.operations.planning import population_of

    rules: list[dict[str, Any]] = [
        {"kind": "rule", "column": "enrolment", "op": "empty", "value": "", "reason": "other"},
        {"kind": "rule", "column": "enrolment", "op": "below", "value": "5", "reason": "small"},
    ]
    wrong = [
        row["school_id"]
        for row in population_of(plan).to_dicts()
        if row["enrolment"] and row["classes"] is not None and row["classes"] > row["enrolment"]
    ]
    return rules + [{"kind": "school", "school_id": code, "reason": "other"} for code in wrong[:50]]


def _design(plan: Any) -> dict[str, Any]:
    """Stratify by province where each holds enough schools; a tenth of them, at least two in each."""
    from dienrong.sampling import pages
    from dienrong.sampling.numeric import designs

    table = pages.frame_table(plan)
    strata = designs.strata_of(table, {"explicit": ["province"]})
    explicit = ["province"] if all(one.n_frame >= FEWEST_A_STRATUM for one in strata) else []
    least = FEWEST_A_STRATUM * (len(strata) if explicit else 1)
    n_schools = min(table.height, max(least, min(340, table.height // SHARE)))
    return {
        "explicit": explicit,
        "implicit": ["area", "disadvantaged"],
        "n_schools": n_schools,
        "n_students": PEOPLE,
        "size_floor": 10,
    }


def _drawn(**facts: Any) -> Any:
    """Draw the schools of grade 5."""
    from dienrong.sampling import operations
    from dienrong.sampling.models import Plan

    by = facts["by"]
    plan, is_new = _plan(DRAWN_TITLE, 5, **facts)
    if not is_new:
        return plan
    plan = operations.change_design(plan=plan, values=_design(plan), by=by)
    operations.freeze_frame(plan=plan, by=by)
    due = clock.now() + timedelta(seconds=1)
    plan = Plan.objects.get(pk=plan.pk)
    operations.commit_plan(plan=plan, source_name=SOURCE, source_due_at=due, by=by)
    with clock.fixed(due + timedelta(seconds=1)):
        operations.draw_sample(
            plan=Plan.objects.get(pk=plan.pk), source_text=NUMBER, witnesses=WITNESSES, by=by
        )
    return plan


def _draft(**facts: Any) -> Any:
    """Leave a plan of grade 9 half done; a country without that grade gets it without a frame."""
    from dienrong.sampling import operations

    try:
        plan, is_new = _plan(DRAFT_TITLE, 9, **facts)
    except operations.FrameUnusable:
        return _found(DRAFT_TITLE, facts["cycle"])
    if is_new:
        plan = operations.change_design(plan=plan, values=_design(plan), by=facts["by"])
    return plan
