"""What holds for every whole register, whatever its seed and size."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from lsakit.datasets import full_register
from lsakit.datasets.register_names import full_form, plain_letters, within_one_edit
from lsakit.datasets.register_rosters import scramble

FEW = settings(max_examples=10, deadline=None, derandomize=True)


@FEW
@given(
    seed=st.integers(0, 2**63), n_schools=st.integers(700, 1500), n_years=st.integers(1, 10), data=st.data()
)
def test_a_register_is_clean(seed: int, n_schools: int, n_years: int, data: st.DataObject) -> None:
    made = full_register(seed=seed, n_schools=n_schools, n_years=n_years)
    assert made.schools.height == made.schools.get_column("school_id").n_unique() == n_schools
    for _, own in made.schools.group_by("commune_code"):
        keys = sorted(full_form(name) for name in own.get_column("name"))
        assert not any(within_one_edit(*pair) for pair in pairwise(keys))
    counts = made.enrolments
    size = counts.get_column("n_students") / counts.get_column("n_classes")
    assert 10 <= size.min() <= size.max() <= 45
    by = ["school_id", "grade"]
    change = counts.select(pl.col("n_students") / pl.col("n_students").shift().over(by) - 1).to_series()
    assert (change.abs().max() or 0) <= 0.25
    assert made.schools.group_by("province_code", "area", "sector").len().get_column("len").min() >= 2
    chosen = data.draw(st.permutations(made.schools.get_column("school_id").to_list()[:8]))
    year = data.draw(st.sampled_from(made.school_years))
    together = made.students(chosen, year)
    assert together.equals(pl.concat([made.students([one], year) for one in chosen]))
    assert together.get_column("student_code").is_unique().all()
    listed = together.group_by(by).len()
    wanted = counts.filter(pl.col("school_year") == year).join(listed, on=by)
    assert (wanted.get_column("n_students") == wanted.get_column("len")).all()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(numbers=st.lists(st.integers(0, 10**10 - 1), unique=True, min_size=2, max_size=50))
def test_scrambled_codes_never_meet(numbers: list[int]) -> None:
    mixed = scramble(np.array(numbers, dtype=np.int64))
    assert len(set(mixed.tolist())) == len(numbers)
    assert all(0 <= number < 10**10 for number in mixed.tolist())


@settings(max_examples=100, deadline=None, derandomize=True)
@given(text=st.text(max_size=30), other=st.text(max_size=30))
def test_one_edit_is_symmetric_and_one_letter_is_one_edit(text: str, other: str) -> None:
    assert within_one_edit(text, other) == within_one_edit(other, text)
    assert within_one_edit(text, text + "a")
    assert within_one_edit("x" + text, text)
    assert plain_letters(plain_letters(text)) == plain_letters(text)
