"""Three percent of the schools of a nation have errors of thirteen kinds: all of them are found, and nothing else is."""

from __future__ import annotations

import datetime
from collections import Counter

import pytest

from dienrong.core import clock
from dienrong.registry.models import School
from dienrong.scorecard import operations
from dienrong.scorecard.models import Finding
from lsakit.datasets import full_register
from planted_errors import SCHOOL_KINDS, TOTAL_KINDS, Planted, PlantedError, clean, plant_errors
from register_loading import load_planted

pytestmark = [pytest.mark.web, pytest.mark.django_db]

NOON = datetime.datetime(2026, 1, 15, 5, 0, tzinfo=datetime.UTC)
COUNTED = datetime.date(2025, 10, 12)
CONFIRMED = datetime.datetime(2025, 10, 20, 3, 0, tzinfo=datetime.UTC)
RULES = {
    "duplicate_school": "name_shared",
    "near_duplicate_name": "name_nearly_shared",
    "grade_missing": "grade_missing",
    "class_too_large": "class_size_unlikely",
    "year_on_year_jump": "grade_jump",
    "commune_of_another_province": "commune_of_another_province",
    "commune_ended": "commune_ended",
    "grade_of_another_level": "grade_of_another_level",
    "stale_counts": "counts_stale",
    "place_abroad": "coordinates_abroad",
    "closed_with_pupils": "closed_but_counted",
    "phone_malformed": "phone_malformed",
    "email_malformed": "email_malformed",
    "total_off": "total_off",
    "total_far_off": "total_far_off",
}
"""By which rule each kind is found."""
Place = tuple[str, str, str, str, str]


def wanted(error: PlantedError) -> Place:
    """The finding that an error must lead to: rule, school, province, row, cell."""
    return RULES[error.kind], error.school_id, error.province_code, error.row, error.cell


def found() -> Counter[Place]:
    """What the scorecard finds."""
    rows = Finding.objects.filter(is_open=True).select_related("school")
    return Counter(
        (row.rule, row.school.school_id if row.school else "", row.province_code, row.row, row.cell)
        if row.school
        else (row.rule, "", row.province_code, row.row, row.cell)
        for row in rows
    )


def same(planted: Planted) -> None:
    """Demand that what is found is what was planted: each error once, on its cell, and nothing else."""
    expected = Counter(wanted(error) for error in planted.errors)
    known = found()
    missed, more = expected - known, known - expected
    odd = {school: kind for kind, school in planted.lookalikes}
    assert not missed, f"{missed.total()} planted errors are not found: {sorted(missed)[:10]}"
    assert not more, (
        f"{more.total()} findings are no planted error: "
        f"{[(one, odd.get(one[1] or one[2], '')) for one in sorted(more)[:10]]}"
    )


def check(n_schools: int, seed: int) -> Planted:
    """Plant, load and check a nation."""
    planted = plant_errors(full_register(seed=seed, n_schools=n_schools), seed=seed)
    with clock.fixed(NOON):
        load_planted(planted, data_at=COUNTED, confirmed_at=CONFIRMED)
        operations.check_nation()
    return planted


def test_the_kinds_of_errors_all_have_a_rule() -> None:
    assert set(RULES) == {*SCHOOL_KINDS, *TOTAL_KINDS}
    assert len(SCHOOL_KINDS) >= 10


def test_a_clean_nation_has_no_finding() -> None:
    register = clean(full_register(seed=7, n_schools=1_500))
    with clock.fixed(NOON):
        load_planted(register, data_at=COUNTED, confirmed_at=CONFIRMED)
        operations.check_nation()
    assert found() == Counter()
    assert School.objects.filter(state__total__lt=100).count() == 0


def test_every_planted_error_is_found_and_nothing_else() -> None:
    planted = check(3_000, seed=2026)
    assert len({error.school_id for error in planted.errors if error.school_id}) >= 90
    same(planted)


def test_a_mended_error_is_found_no_more_when_its_school_is_checked_again() -> None:
    """Negative control of the whole test: the findings follow the data, one by one."""
    planted = check(1_500, seed=5)
    error = next(one for one in planted.errors if one.kind == "phone_malformed")
    school = School.objects.get(school_id=error.school_id)
    School.objects.filter(pk=school.pk).update(phone=error.before)
    before = found()
    with clock.fixed(NOON):
        operations.check_schools(school_keys=[school.pk])
    gone = before - found()
    assert list(gone) == [wanted(error)]
    assert found() - before == Counter()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2026, 468])
def test_every_planted_error_of_53_000_schools_is_found_and_nothing_else(seed: int) -> None:
    planted = check(53_000, seed=seed)
    assert len({error.school_id for error in planted.errors if error.school_id}) >= 0.03 * 53_000
    same(planted)
