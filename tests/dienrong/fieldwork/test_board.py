"""The board's own queries: PISA's published numbers, rates before and after replacement, the forecast, whom to call."""

from __future__ import annotations

import datetime

import pytest

from dienrong.core import clock
from dienrong.fieldwork import operations
from dienrong.fieldwork.models import FieldSchool, ListedPerson
from dienrong.fieldwork.queries import access, board, outcomes
from dienrong.registry.models import AdministrativeUnit, School
from dienrong.sampling.models import SampledSchool
from small_fieldwork import bring_to_selected, confirm, draw_plan, hold_test, load_schools, start

pytestmark = pytest.mark.django_db
State = FieldSchool.State


def write_pisa_2025(ministry) -> object:
    """Write the outcome of Việt Nam in PISA 2025: 195 schools, 7,353 done, 95 absent, 72 ineligible."""
    load_schools(2, 2)
    plan = draw_plan(n_schools={"01": 2, "79": 2}, rules="pisa", n_booklets=1)
    fieldwork = start(plan, ministry)
    SampledSchool.objects.filter(role="original").update(base_weight=10.0, probability=0.1)
    commune = AdministrativeUnit.objects.get(code="00004")
    present = FieldSchool.objects.count()
    schools = School.objects.bulk_create(
        School(
            school_id=f"02{number:06d}", name=f"Trường {number}", commune=commune, province=commune.parent,
            levels="TH", area="urban", sector="public", search_key="", sort_key=f"{number:04d}",
        )
        for number in range(195 - present)
    )  # fmt: skip
    draw = plan.draw
    sampled = SampledSchool.objects.bulk_create(
        SampledSchool(
            draw=draw, school=one, school_code=one.school_id, name=one.name, province_code="01",
            commune_code="00004", stratum="01", role="original", selection_order=100 + place, n_people=200,
            probability=0.1, base_weight=10.0,
        )
        for place, one in enumerate(schools)
    )  # fmt: skip
    FieldSchool.objects.bulk_create(
        FieldSchool(sampled=one, school=one.school, plan=plan, number=100 + place)
        for place, one in enumerate(sampled)
    )
    FieldSchool.objects.update(state=State.CLOSED, participation_code=1, n_listed=200)
    keys = list(FieldSchool.objects.order_by("pk").values_list("pk", flat=True))
    statuses = [10] * 7353 + [20] * 95 + [40] * 72
    # Dealt in turn, so that every school has people and no school falls below half.
    people = [
        ListedPerson(
            field_school_id=keys[place % 195], study_id=f"{place:016d}", line=place // 195 + 1, is_selected=True,
            probability=0.2, person_code=f"{place:014d}", status=status,
        )
        for place, status in enumerate(statuses)
    ]  # fmt: skip
    ListedPerson.objects.bulk_create(people, batch_size=2000)
    return fieldwork


def test_pisa_2025_of_viet_nam_is_98_72_percent_through_the_boards_query(
    ministry, django_assert_num_queries
) -> None:
    """195 schools, 7,448 eligible of whom 95 absent, 72 ineligible removed: 7,353 / 7,448 = 98.72 %."""
    fieldwork = write_pisa_2025(ministry)
    with django_assert_num_queries(2):
        collected = outcomes.collect(fieldwork, access.schools_of(ministry, fieldwork))
    row = board.total(collected, "Việt Nam")
    assert row.schools["sampled"] == row.schools["tested"] == 195
    assert row.people == {
        "selected": 7520, "respondent": 7353, "nonrespondent": 95, "excluded": 0, "ineligible": 72, "open": 0,
    }  # fmt: skip
    rates = outcomes.rates_of(collected)
    student = rates.values["student"]
    assert (student["n_numerator"], student["n_denominator"]) == (7353, 7448)
    assert round(100 * student["unweighted"], 2) == 98.72
    assert round(100 * row.done_share, 2) == 98.72
    assert rates.values["school_before"]["weighted"] == 1.0
    assert rates.zone == "acceptable"


def test_a_replacement_raises_the_rate_after_and_not_before(fieldwork, ministry, officer) -> None:
    north = list(FieldSchool.objects.filter(school__province__code="01").order_by("number"))
    operations.decline_school(school=north[0], code=2, reason="Từ chối", by=officer)
    made = operations.call_replacement(school=north[0], by=officer)
    collected = outcomes.collect(fieldwork, access.schools_of(ministry, fieldwork))
    assert outcomes.rates_of(collected) is None  # the refusal waits for its replacement
    for number, one in enumerate([made, *north[1:]]):
        bring_to_selected(one, officer, first=1 + 100 * number)
        hold_test(one, officer, absent=1)
    collected = outcomes.collect(fieldwork, access.schools_of(ministry, fieldwork))
    rates = outcomes.rates_of(collected)
    assert rates.values["school_before"]["unweighted"] == 3 / 4
    assert rates.values["school_after"]["unweighted"] == 1.0
    assert rates.values["student"]["unweighted"] == 7 / 8
    weight = [one.sampled.base_weight * one.sampled.n_people for one in north]
    expected = sum(weight[1:]) / sum(weight)
    assert rates.values["school_before"]["weighted"] == pytest.approx(expected, abs=1e-12)  # the same sums
    forecast = {row["rate"]: row for row in outcomes.forecast_of(collected).rows}
    assert forecast["school_after"]["worst"] < forecast["school_after"]["expected"] <= 1.0
    assert forecast["school_after"]["best"] == pytest.approx(1.0, abs=1e-12)
    everyone = outcomes.collect(fieldwork, access.schools_of(officer, fieldwork))
    assert {row["school__province__code"] for row in everyone.schools} == {"01"}


def test_rows_add_up_to_the_total_and_cells_open_their_lists(fieldwork, ministry, officer) -> None:
    schools = list(FieldSchool.objects.filter(school__province__code="01").order_by("number"))
    confirm(schools[0], officer)
    operations.decline_school(school=schools[1], code=3, reason="Bão", by=officer)
    mine = access.schools_of(ministry, fieldwork)
    collected = outcomes.collect(fieldwork, mine)
    whole = board.total(collected, "")
    for level in ("province", "commune", "school"):
        rows = board.rows_by(collected, level)
        for column in board.COLUMNS:
            assert sum(row.schools[column] for row in rows) == whole.schools[column]
    for column in board.COLUMNS:
        listed = board.narrowed(mine, board.Filters(column=column), "national")
        assert listed.count() == whole.schools[column], column
    assert whole.schools["confirmed"] == whole.schools["declined"] == 1


def test_overdue_answers_are_called_first(fieldwork, ministry, officer) -> None:
    schools = list(FieldSchool.objects.order_by("number"))
    operations.mark_notified(schools=schools, by=ministry)
    confirm(schools[0], ministry)
    mine = access.schools_of(ministry, fieldwork)
    assert board.calls_today(mine, fieldwork, clock.today()) == []
    day = datetime.date(2026, 12, 10)
    calls = board.calls_today(mine, fieldwork, day)
    assert [call.kind for call in calls] == ["answer"] * 5 + ["list"]
    assert calls[0].days_late == 6
    assert calls[-1].phone == "0912345678"
    operations.note_call(
        school=calls[0].school,
        text="Hẹn trả lời ngày mai",
        by=officer if calls[0].school.school.school_id.startswith("01") else ministry,
    )
    assert (
        board.with_last_call(board.calls_today(mine, fieldwork, day))[0].called.text == "Hẹn trả lời ngày mai"
    )
