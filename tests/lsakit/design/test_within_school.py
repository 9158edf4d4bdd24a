"""The student draw and the booklets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lsakit.design.options import Design
from lsakit.design.pps import draw_schools
from lsakit.design.random_starts import START_DENOMINATOR
from lsakit.design.within_school import select_students, spiral_booklets, systematic_lines
from lsakit.errors import DesignError, TableError

FRAME = {"school_id": [f"S{row}" for row in range(9)], "enrolment": [60, 55, 50, 45, 40, 35, 30, 25, 20]}
DRAWN = draw_schools(FRAME, Design(n_schools=3, n_students=12), rng=6)


def lists_of(schools: list[str], sizes: list[int]) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    total = sum(sizes)
    return {
        "school_id": np.repeat(schools, sizes).tolist(),
        "student_id": [
            f"{school}-{row:03d}" for school, n in zip(schools, sizes, strict=True) for row in range(n)
        ],
        "gender": rng.choice(["F", "M"], total).tolist(),
        "birth_date": rng.integers(0, 400, total).tolist(),
    }


SAMPLED = DRAWN.table["school_id"].to_list()
LISTS = lists_of(SAMPLED, [40, 30, 9])


def test_tv_1_11_lines_of_a_list() -> None:
    lines = systematic_lines(97, 42, round(0.3019 * START_DENOMINATOR))
    assert lines[:6] == [1, 4, 6, 8, 10, 13]
    assert lines[-3:] == [91, 94, 96]
    assert len(set(lines)) == 42


def test_a_start_of_one_ends_on_the_last_line() -> None:
    assert systematic_lines(10, 5, START_DENOMINATOR) == [2, 4, 6, 8, 10]
    assert systematic_lines(10, 5, 1) == [1, 3, 5, 7, 9]


def test_spiral_of_methods_1_12() -> None:
    expected = [*range(5, 14), *range(1, 14), *range(1, 9)]
    assert spiral_booklets(30, 5, 13).tolist() == expected


def test_probabilities_lines_and_small_schools() -> None:
    selected = select_students(LISTS, DRAWN, rng=3)
    table = selected.table
    assert table.columns == ["school_id", "student_id", "probability", "booklet", "line_number"]
    sizes = dict(zip(SAMPLED, [40, 30, 9], strict=True))
    for school, size in sizes.items():
        inside = table.filter(table["school_id"] == school)
        assert inside.height == min(size, 12)
        assert inside["probability"].unique().to_list() == [min(size, 12) / size]
        assert inside["line_number"].is_sorted()
        steps = np.diff(inside["booklet"].to_numpy()) % 13
        assert (steps == 1).all()


def test_the_list_is_sorted_by_gender_and_birth_date() -> None:
    selected = select_students(LISTS, DRAWN, rng=3, n_students=40)
    gender = dict(zip(LISTS["student_id"], LISTS["gender"], strict=True))
    born = dict(zip(LISTS["student_id"], LISTS["birth_date"], strict=True))
    keys = [
        (school, gender[one], born[one])
        for school, one in selected.table.select("school_id", "student_id").rows()
    ]
    assert keys == sorted(keys)


def test_a_school_does_not_depend_on_the_others_nor_on_row_order() -> None:
    all_together = select_students(LISTS, DRAWN, rng=3).table
    alone = lists_of(SAMPLED[1:2], [30])
    rows = [row for row, school in enumerate(LISTS["school_id"]) if school == SAMPLED[1]][::-1]
    alone = {name: [column[row] for row in rows] for name, column in LISTS.items()}
    found = select_students(alone, DRAWN, rng=3)
    expected = all_together.filter(all_together["school_id"] == SAMPLED[1])
    assert found.table.equals(expected)
    assert set(found.not_listed) == {SAMPLED[0], SAMPLED[2]}


def test_replacement_schools_may_be_listed() -> None:
    behind = DRAWN.table["replacement_1"][0]
    selected = select_students(lists_of([behind], [20]), DRAWN, rng=3)
    assert selected.table.height == 12


def test_the_table_of_the_draw_will_do_when_the_number_is_given() -> None:
    whole = select_students(LISTS, DRAWN, rng=3).table
    assert select_students(LISTS, DRAWN.table, rng=3, n_students=12).table.equals(whole)
    with pytest.raises(DesignError, match="n_students=None"):
        select_students(LISTS, DRAWN.table, rng=3)


def test_bad_lists_are_refused() -> None:
    stranger = "S99"
    with pytest.raises(DesignError, match=f"neither sampled nor replacements. See: {stranger}"):
        select_students(lists_of([stranger], [20]), DRAWN, rng=3)
    twice = {**LISTS, "student_id": [LISTS["student_id"][0], *LISTS["student_id"][:-1]]}
    with pytest.raises(TableError, match=r"'student_id'.*must be unique"):
        select_students(twice, DRAWN, rng=3)
    with pytest.raises(TableError, match="no rows"):
        select_students({name: [] for name in LISTS}, DRAWN, rng=3)


def test_every_line_has_the_same_chance() -> None:
    """Each of 10 lines is taken by a draw of 4 in 40 % of 4,000 starts; 5 binomial deviations is 155."""
    rng = np.random.default_rng(11)
    hits = np.zeros(10)
    for start in rng.integers(1, START_DENOMINATOR + 1, 4000).tolist():
        hits[np.asarray(systematic_lines(10, 4, start)) - 1] += 1
    assert np.abs(hits - 1600).max() < 5 * np.sqrt(4000 * 0.4 * 0.6)
