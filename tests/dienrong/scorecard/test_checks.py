"""A check finds what is wrong and nothing else, closes what was mended, and does no harm when done twice."""

from __future__ import annotations

import datetime

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from dienrong.audit.models import AuditEntry
from dienrong.jobs.models import Job
from dienrong.registry.models import School, SchoolEnrolment, SchoolSite, SchoolVersion
from dienrong.registry.signals import schools_changed
from dienrong.rosters.models import Student, StudentPlace
from dienrong.scorecard import operations
from dienrong.scorecard.models import Check, Finding, OfficialTotal, SchoolState, Score

from .conftest import DAY, DUC_THANG, HOA_BINH, NGUYEN_TRAI, SOUTH, YEAR

pytestmark = pytest.mark.django_db


def open_rules(school_id: str = "") -> list[tuple[str, str]]:
    rows = Finding.objects.filter(is_open=True, school__isnull=False)
    if school_id:
        rows = rows.filter(school__school_id=school_id)
    return sorted(rows.values_list("rule", "row"))


def test_a_registry_in_good_order_has_no_finding_and_full_score(good) -> None:
    done = operations.check_nation()
    assert open_rules() == []
    assert (done.n_schools, done.n_open - Finding.objects.filter(school__isnull=True).count()) == (4, 0)
    nation = Score.objects.get(unit_kind="nation")
    assert (nation.total, nation.coverage, nation.n_schools, nation.n_confirmed) == (100.0, 1.0, 4, 4)


def test_a_single_school_of_a_stratum_is_a_warning_of_its_province(good) -> None:
    operations.check_nation()
    row = Finding.objects.get(school__isnull=True)
    assert (row.rule, row.province_code, row.row, row.severity) == (
        "stratum_of_one",
        "79",
        "urban/public",
        "warning",
    )
    assert SchoolState.objects.get(school__school_id=SOUTH).total == 100
    assert Score.objects.get(unit_kind="province", unit_code="79").n_warnings == 1


BREAK = {
    "phone_malformed": {"phone": "123"},
    "email_missing": {"email": ""},
    "coordinates_abroad": {"latitude": 51.5, "longitude": 0.1},
    "founded_in_future": {"founded_date": datetime.date(2031, 1, 1)},
    "data_old": {"data_at": datetime.date(2024, 1, 1)},
    "not_confirmed": {"confirmed_at": None},
    "name_capitals": {"name": "TRƯỜNG TIỂU HỌC ĐỨC THẮNG"},
    "name_legacy_letters": {"name": "Tröôøng THCS Ñöùc Thaéng"},
    "area_against_commune": {"area": "rural"},
    "boarding_share_missing": {"boarding": "boarding", "minority_share": None},
    "managing_body_unknown": {"managed_by": "district"},
    "levels_unknown": {"levels": "THCS-C3"},
}


@pytest.mark.parametrize(("rule", "changes"), BREAK.items(), ids=BREAK)
def test_one_thing_wrong_is_one_finding(good, rule, changes) -> None:
    School.objects.filter(school_id=DUC_THANG).update(**changes)
    operations.check_nation()
    assert open_rules() == [(rule, "")]


def test_names_nearly_the_same_are_found_on_both_sides_and_short_names_are_not(good) -> None:
    School.objects.filter(school_id=NGUYEN_TRAI).update(name="Trường Tiểu học Hoà Binh")
    operations.check_nation()
    assert open_rules() == [("name_nearly_shared", "")] * 2
    School.objects.filter(school_id=NGUYEN_TRAI).update(name="Trường TH Lê Lợi")
    School.objects.filter(school_id=HOA_BINH).update(name="Trường TH Lê Lai")
    operations.check_nation()
    assert open_rules() == []


def test_counts_that_contradict_are_found_by_grade(good) -> None:
    rows = SchoolEnrolment.objects.filter(school=good[HOA_BINH], school_year=YEAR)
    rows.filter(grade=1).update(n_classes=0)
    rows.filter(grade=2).update(n_students=0)
    rows.filter(grade=3).update(n_students=300)
    rows.filter(grade=4).delete()
    rows.filter(grade=5).update(n_students=3, n_classes=105)
    SchoolEnrolment.objects.create(
        school=good[HOA_BINH], school_year=YEAR, grade=9, n_students=30, n_classes=1, counted_on=DAY
    )
    operations.check_nation()
    assert open_rules(HOA_BINH) == [
        ("class_size_unlikely", "3"),
        ("classes_without_pupils", "2"),
        ("grade_jump", "3"),
        ("grade_jump", "5"),
        ("grade_missing", "4"),
        ("grade_of_another_level", "9"),
        ("more_classes_than_pupils", "5"),
        ("pupils_without_classes", "1"),
    ]


def test_last_years_counts_are_stale_and_no_counts_are_missing(good) -> None:
    SchoolEnrolment.objects.filter(school=good[HOA_BINH], school_year=YEAR).delete()
    SchoolEnrolment.objects.filter(school=good[NGUYEN_TRAI]).delete()
    operations.check_nation()
    assert open_rules(HOA_BINH) == [("counts_stale", "")]
    assert open_rules(NGUYEN_TRAI) == [("counts_missing", "")]
    assert Score.objects.get(unit_kind="nation").coverage == 0.5
    operations.check_nation(day=datetime.date(2026, 10, 14))
    assert open_rules(HOA_BINH) == []


def test_a_site_that_is_a_school_as_well_counts_twice(good) -> None:
    SchoolSite.objects.create(
        school=good[HOA_BINH], code="02", name="Trường TH Nguyễn Trãi", commune=good[HOA_BINH].commune
    )
    School.objects.filter(school_id=HOA_BINH).update(n_satellite_sites=1)
    operations.check_nation()
    assert open_rules() == [("site_listed_as_school", "02")]
    assert Finding.objects.get(rule="site_listed_as_school").params["listed_as_school"] == NGUYEN_TRAI


def test_a_code_that_two_schools_carry_at_one_time_is_found(good) -> None:
    SchoolVersion.objects.filter(school=good[SOUTH]).update(code=HOA_BINH)
    operations.check_nation()
    assert open_rules() == [("code_shared", ""), ("code_shared", "")]


def test_what_was_mended_is_closed_and_what_returns_is_found_anew(good) -> None:
    School.objects.filter(school_id=SOUTH).update(phone="12")
    first = operations.check_nation()
    School.objects.filter(school_id=SOUTH).update(phone="02838234567")
    second = operations.check_nation()
    closed = Finding.objects.get(rule="phone_malformed")
    assert (first.n_found, second.n_found, second.n_closed) == (2, 0, 1)
    assert not closed.is_open
    assert closed.closed_at is not None
    School.objects.filter(school_id=SOUTH).update(phone="12")
    operations.check_nation()
    assert Finding.objects.filter(rule="phone_malformed").count() == 2
    assert Finding.objects.filter(rule="phone_malformed", is_open=True).count() == 1


def test_the_same_check_twice_changes_nothing(good) -> None:
    School.objects.filter(school_id=SOUTH).update(phone="12")
    operations.check_nation()
    kept = [list(model.objects.order_by("pk").values()) for model in (Finding, SchoolState, Score)]
    again = operations.check_nation()
    assert (again.n_found, again.n_closed) == (0, 0)
    assert [list(model.objects.order_by("pk").values()) for model in (Finding, SchoolState, Score)] == kept
    assert Check.objects.count() == 2
    assert AuditEntry.objects.filter(action="scorecard.nation_checked").count() == 2


def test_a_value_that_changes_keeps_its_finding(good) -> None:
    School.objects.filter(school_id=SOUTH).update(phone="12")
    operations.check_nation()
    School.objects.filter(school_id=SOUTH).update(phone="34")
    operations.check_nation()
    row = Finding.objects.get(rule="phone_malformed")
    assert (row.value, row.params) == ("34", {"phone": "34"})


def test_a_closed_school_leaves_the_scores_and_its_findings_close(good) -> None:
    School.objects.filter(school_id=SOUTH).update(phone="12")
    operations.check_nation()
    School.objects.filter(school_id=SOUTH).update(is_open=False, closed_date=datetime.date(2026, 11, 1))
    operations.check_schools(school_keys=[good[SOUTH].pk])
    assert open_rules() == []
    assert not SchoolState.objects.filter(school=good[SOUTH]).exists()
    empty = Score.objects.get(unit_kind="province", unit_code="79", is_current=True)
    assert (empty.total, empty.n_schools, empty.coverage) == (None, 0, None)
    School.objects.filter(school_id=SOUTH).update(closed_date=datetime.date(2026, 9, 30))
    operations.check_schools(school_keys=[good[SOUTH].pk])
    assert open_rules() == [("closed_but_counted", "")]


def test_a_change_is_checked_when_its_transaction_ends(good, django_capture_on_commit_callbacks) -> None:
    operations.check_nation()
    with django_capture_on_commit_callbacks(execute=True):
        School.objects.filter(school_id=DUC_THANG).update(phone="12")
        schools_changed.send(sender=School, school_keys=[good[DUC_THANG].pk])
        schools_changed.send(sender=School, school_keys=[good[HOA_BINH].pk])
        assert open_rules() == []
    assert open_rules() == [("phone_malformed", "")]
    with django_capture_on_commit_callbacks(execute=True):
        schools_changed.send(sender=School, school_keys=range(1000, 1300))
    assert Job.objects.get().kind == "scorecard.check_schools"
    with django_capture_on_commit_callbacks(execute=True):
        schools_changed.send(sender=School, school_keys=range(1000, 9000))
    assert Job.objects.filter(kind="scorecard.check_nation").count() == 1


def test_one_school_is_checked_with_as_many_queries_as_ten_of_its_commune(good) -> None:
    operations.check_nation()
    with CaptureQueriesContext(connection) as few:
        operations.check_schools(school_keys=[good[SOUTH].pk])
    with CaptureQueriesContext(connection) as more:
        operations.check_schools(school_keys=[school.pk for school in good.values()])
    assert len(few) == len(more)
    assert len(few) <= 32


def test_official_totals_are_compared_by_province(good) -> None:
    def total(part: str, n: int) -> None:
        operations.set_total(
            total=operations.NewTotal(
                province_code="01",
                school_year=YEAR,
                part=part,
                n_students=n,
                n_schools=None,
                source="Thống kê",
            ),
            by=None,
        )

    exact = 2 * sum(100 + grade for grade in range(1, 6))
    total("TH", exact)
    assert not Finding.objects.filter(rule__startswith="total_", is_open=True).exists()
    total("TH", round(exact * 0.98))
    assert Finding.objects.get(is_open=True, rule__startswith="total_").rule == "total_off"
    total("TH", exact * 2)
    row = Finding.objects.get(is_open=True, rule__startswith="total_")
    assert (row.rule, row.row, row.severity) == ("total_far_off", f"TH/{YEAR}", "error")
    assert OfficialTotal.objects.count() == 1
    operations.remove_total(total=OfficialTotal.objects.get(), by=None)
    assert not Finding.objects.filter(rule__startswith="total_", is_open=True).exists()


def test_a_rule_of_the_installation_counts_at_the_next_check(good, settings, tmp_path) -> None:
    from dienrong.options import Options

    from .test_rules import GOOD

    settings.OPTIONS = Options(data_dir=settings.DATA_DIR, rules_dir=tmp_path)
    (tmp_path / "tinh.toml").write_text(GOOD.replace("'024%'", "'0249%'"), encoding="utf-8")
    operations.check_nation()
    assert open_rules() == [("phone_of_the_province", "")] * 4
    (tmp_path / "tinh.toml").unlink()
    operations.check_nation()
    assert open_rules() == []


def test_changes_that_are_rolled_back_are_forgotten(good, django_capture_on_commit_callbacks) -> None:
    """A refused import of 300 schools must not turn the next single change into a job of 301."""
    operations.check_nation()
    with transaction.atomic():
        schools_changed.send(sender=School, school_keys=range(1000, 1300))
        transaction.set_rollback(True)
    with django_capture_on_commit_callbacks(execute=True):
        School.objects.filter(school_id=DUC_THANG).update(phone="12")
        schools_changed.send(sender=School, school_keys=[good[DUC_THANG].pk])
    assert not Job.objects.exists()
    assert open_rules() == [("phone_malformed", "")]


def test_the_command_says_what_it_found(good, capsys) -> None:
    call_command("check_data")
    assert capsys.readouterr().out.startswith("4 schools checked: 1 findings open, 1 new, 0 closed.")
    call_command("check_data", "--in-background")
    assert Job.objects.get().kind == "scorecard.check_nation"


def list_pupils(school: School, grade: int, sizes: list[int], status: str = "studying") -> None:
    for number, size in enumerate(sizes):
        for at in range(size):
            pupil = Student.objects.create(
                study_id=f"{status[:4]}{school.pk}-{grade}-{number}-{at}"[:16],
                sex="female",
                birth_year=2018,
                birth_month=1,
            )
            StudentPlace.objects.create(
                student=pupil,
                school=school,
                school_year=YEAR,
                grade=grade,
                class_name=f"{grade}{number}",
                status=status,
            )


def test_class_lists_are_compared_with_the_counts(good) -> None:
    school = good[HOA_BINH]
    list_pupils(school, 1, [34, 34, 33])
    list_pupils(school, 1, [20], status="moved")
    operations.check_nation()
    assert open_rules() == []
    list_pupils(school, 2, [40, 40, 40])
    list_pupils(school, 3, [40, 2])
    operations.check_schools(school_keys=[school.pk])
    assert open_rules() == [
        ("listed_class_size_unlikely", "3"),
        ("listed_classes_differ", "3"),
        ("lists_exceed_count", "2"),
        ("lists_short_of_count", "3"),
    ]
    assert Finding.objects.get(rule="lists_exceed_count").params == {
        "grade": 2,
        "n_listed": 120,
        "n_students": 102,
    }
