"""What holds for every synthetic nation, whatever its seed and size."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from lsakit.datasets import NationSize, nation
from lsakit.datasets.answers import category_chances
from lsakit.datasets.school_register import apportion

SIZES = st.builds(
    lambda provinces, schools, pupils: NationSize(
        n_provinces=provinces,
        n_schools_5=schools * provinces,
        n_schools_9=(schools - 2) * provinces,
        n_pupils_5=schools * provinces * pupils,
        n_pupils_9=schools * provinces * pupils,
    ),
    provinces=st.integers(1, 8),
    schools=st.integers(12, 40),
    pupils=st.integers(30, 150),
)
FEW = settings(max_examples=12, deadline=None, derandomize=True)


@FEW
@given(seed=st.integers(0, 2**63), size=SIZES)
def test_a_nation_keeps_its_numbers_and_its_keys(seed: int, size: NationSize) -> None:
    made = nation(seed=seed, size=size)
    assert made.schools.get_column("school_id").n_unique() == made.schools.height
    assert made.schools.select("commune_code", "name").n_unique() == made.schools.height
    assert set(made.schools.get_column("commune_code")) <= set(made.units.communes.get_column("code"))
    for grade in (5, 9):
        frame = made.frame(grade)
        assert frame.height == size.n_schools(grade)
        assert frame.get_column("enrolment").min() >= 1
        assert (frame.get_column("enrolment") / frame.get_column("classes")).max() <= 45
        pupils = made.students(frame.get_column("school_id").to_list(), grade)
        assert pupils.get_column("student_id").n_unique() == pupils.height
        assert np.isfinite(pupils.select("ses", "theta_maths", "theta_reading").to_numpy()).all()


@FEW
@given(seed=st.integers(0, 2**40), size=SIZES, data=st.data())
def test_schools_are_made_alike_in_any_company_and_order(
    seed: int, size: NationSize, data: st.DataObject
) -> None:
    made = nation(seed=seed, size=size)
    ids = made.frame(5).get_column("school_id").to_list()
    chosen = data.draw(st.permutations(ids[:6]))
    together = made.students(chosen, 5)
    apart = pl.concat([made.students([school], 5) for school in chosen])
    assert together.equals(apart)


@FEW
@given(seed=st.integers(0, 2**40), size=SIZES)
def test_truth_of_the_nation_is_the_mean_of_its_parts(seed: int, size: NationSize) -> None:
    truth = nation(seed=seed, size=size).truth(9).filter(pl.col("statistic") == "mean")
    whole = truth.filter(pl.col("by").is_null())
    for by in ("province_code", "gender", "area", "ses_quarter", "province_code×gender"):
        parts = truth.filter(pl.col("by") == by)
        for subject in ("maths", "reading"):
            own = parts.filter(pl.col("subject") == subject)
            mean = np.average(own.get_column("truth"), weights=own.get_column("n"))
            expected = whole.filter(pl.col("subject") == subject).item(0, "truth")
            assert abs(mean - expected) < 1e-9 * 500


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    weights=st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=40),
    least=st.integers(0, 5),
    extra=st.integers(0, 500),
)
def test_apportioning_keeps_sum_and_minimum(weights: list[float], least: int, extra: int) -> None:
    floor = np.full(len(weights), least)
    counts = apportion(least * len(weights) + extra, np.array(weights), floor)
    assert counts.sum() == least * len(weights) + extra
    assert (counts >= floor).all()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    theta=st.floats(-5, 5),
    slope=st.floats(0.3, 3),
    difficulty=st.floats(-3, 3),
    step=st.floats(-1.5, 1.5),
)
def test_chances_are_chances_and_rise_with_ability(
    theta: float, slope: float, difficulty: float, step: float
) -> None:
    abilities = np.array([[theta], [theta + 0.5]])
    chance = category_chances(abilities, np.array([slope]), np.array([difficulty]), np.array([step]))
    assert ((chance >= 0) & (chance <= 1)).all()
    assert (chance[1] <= chance[0]).all()
    assert (chance[:, 1] >= chance[:, 0]).all()
