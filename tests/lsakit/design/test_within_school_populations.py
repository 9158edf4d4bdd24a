"""Classes, staff and several studies in the schools of one sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import lsakit as lk
from lsakit.design.classes import ClassOptions, pseudo_classes
from lsakit.design.studies import dealing_pattern
from lsakit.errors import DesignError, TableError

FRAME = {"school_id": [f"S{row}" for row in range(9)], "enrolment": [60, 55, 50, 45, 40, 35, 30, 25, 20]}
DRAWN = lk.draw_schools(FRAME, lk.Design(n_schools=3, n_students=12), rng=6)
FIRST, SECOND, THIRD = DRAWN.table["school_id"].to_list()


def class_lists(sizes: dict[str, dict[str, int]]) -> dict[str, list[str]]:
    """Lists of schools by class."""
    rows = [
        (school, name, f"{school}-{name}-{number:02d}")
        for school, classes in sizes.items()
        for name, count in classes.items()
        for number in range(count)
    ]
    return dict(zip(("school_id", "class_id", "student_id"), map(list, zip(*rows, strict=True)), strict=True))


LISTS = class_lists(
    {
        FIRST: {"5A": 30, "5B": 32, "5C": 31, "5D": 29},
        SECOND: {"5A": 30, "5B": 8, "5C": 12, "5D": 33},
        THIRD: {"5A": 9},
    }
)


def test_whole_classes_are_taken_with_equal_probability() -> None:
    found = lk.select_classes(LISTS, DRAWN, rng=np.random.default_rng(5))
    assert found.table.columns[:4] == ["school_id", "student_id", "class_id", "pseudo_class"]
    first = found.table.filter(found.table["school_id"] == FIRST)
    assert first["probability"].unique().to_list() == [0.25]
    name = first["class_id"].unique().to_list()
    assert len(name) == 1
    assert first.height == {"5A": 30, "5B": 32, "5C": 31, "5D": 29}[name[0]]
    assert (np.diff(first["booklet"].to_numpy()) % 13 == 1).all()
    third = found.table.filter(found.table["school_id"] == THIRD)
    assert third["probability"].unique().to_list() == [1.0]
    assert found.schools.filter(found.schools["school_id"] == SECOND)["n_pseudo_classes"][0] == 3


def test_small_classes_become_pseudo_classes() -> None:
    assert pseudo_classes({"5A": 30, "5B": 8, "5C": 12, "5D": 33}) == [("5A",), ("5B", "5C"), ("5D",)]
    assert pseudo_classes({"5A": 30, "5B": 8}, smallest_share=0) == [("5A",), ("5B",)]
    assert pseudo_classes({"5A": 30, "5B": 2}) == [("5A", "5B")]
    assert pseudo_classes({"5A": 3}) == [("5A",)]
    assert len(pseudo_classes({"5A": 30, "5B": 10, "5C": 20})) == 3  # exactly half the mean is not too small
    assert pseudo_classes({"a": 40, "b": 2, "c": 2, "d": 2}) == [("a",), ("b", "c", "d")]
    with pytest.raises(DesignError, match="at least one student"):
        pseudo_classes({"5A": 30, "5B": 0})
    found = lk.select_classes(LISTS, DRAWN, rng=1, options=ClassOptions(n_classes=3))
    pseudo = found.table.filter(found.table["pseudo_class"] == "5B + 5C")
    assert sorted(pseudo["class_id"].unique().to_list()) == ["5B", "5C"]
    assert pseudo.height == 20
    text = found.explain(pseudo["student_id"][0])
    assert "a pseudo-class of 2 small classes of 20 students" in text
    assert "3 of 3 classes were drawn with equal probability 1" in text


def test_a_large_class_may_be_drawn_from() -> None:
    options = ClassOptions(n_classes=2, class_limit=20)
    found = lk.select_classes(LISTS, DRAWN, rng=2, options=options)
    for row in found.classes.filter(found.classes["is_drawn"]).rows(named=True):
        assert row["n_selected"] == min(20, row["n_students"])
        inside = found.table.filter(
            (found.table["school_id"] == row["school_id"])
            & (found.table["pseudo_class"] == row["pseudo_class"])
        )
        assert inside.height == row["n_selected"]
        expected = row["probability"] * row["n_selected"] / row["n_students"]
        assert inside["probability"].unique().to_list() == [pytest.approx(expected, abs=1e-15)]
        assert inside["line_number"].is_sorted()
    # Weighted by 1 / p, drawn students stand for all listed ones in expectation; class by class exactly.
    drawn = found.classes.filter(found.classes["is_drawn"])
    assert drawn["n_students"].sum() >= found.table.height


def test_each_class_and_student_has_its_probability() -> None:
    """800 draws; a normal quantile of 4 for four classes and 122 students."""
    n_draws = 800
    lists = class_lists({FIRST: {"5A": 12, "5B": 14, "5C": 9, "5D": 3}})
    hits: dict[str, int] = dict.fromkeys(lists["student_id"], 0)
    chance: dict[str, float] = {}
    options = ClassOptions(n_classes=1, class_limit=8)
    for seed in range(n_draws):
        table = lk.select_classes(lists, DRAWN, rng=seed, options=options).table
        for one, p in table.select("student_id", "probability").iter_rows():
            hits[one] += 1
            chance[one] = p
    assert len(chance) == 38
    for one, p in chance.items():
        assert abs(hits[one] - n_draws * p) <= 4 * np.sqrt(n_draws * p * (1 - p)), one


def test_a_school_depends_on_its_own_list_alone() -> None:
    whole = lk.select_classes(LISTS, DRAWN, rng=9).table
    alone = {
        name: [value for value, school in zip(column, LISTS["school_id"], strict=True) if school == SECOND][
            ::-1
        ]
        for name, column in LISTS.items()
    }
    found = lk.select_classes(pd.DataFrame(alone), DRAWN, rng=9)
    assert found.table.equals(whole.filter(whole["school_id"] == SECOND))
    assert set(found.not_listed) == {FIRST, THIRD}


def test_bad_class_lists_are_refused() -> None:
    without = {**LISTS, "class_id": [None, *LISTS["class_id"][1:]]}
    with pytest.raises(TableError, match=rf"1 students of the lists have no class_id. See: {FIRST}-5A-00"):
        lk.select_classes(without, DRAWN, rng=1)
    with pytest.raises(DesignError, match="neither sampled nor replacements"):
        lk.select_classes(class_lists({"X": {"5A": 3}}), DRAWN, rng=1)
    with pytest.raises(DesignError, match="'n_classes' of a class draw must be 1 or more"):
        ClassOptions(n_classes=0)
    with pytest.raises(DesignError, match=r"'smallest_share'.*from 0 to 1"):
        ClassOptions(smallest_share=2)
    with pytest.raises(DesignError, match="is not among those selected"):
        lk.select_classes(LISTS, DRAWN, rng=1).explain("nobody")


def staff_lists() -> dict[str, list[str]]:
    counts = {FIRST: 47, SECOND: 20, THIRD: 6}
    return {
        "school_id": [school for school, count in counts.items() for _ in range(count)],
        "staff_id": [f"{school}-T{row:02d}" for school, count in counts.items() for row in range(count)],
        "subject": ["maths" if row % 3 else "reading" for count in counts.values() for row in range(count)],
    }


def test_teachers_are_drawn_as_a_population() -> None:
    found = lk.select_staff(staff_lists(), DRAWN, rng=4)
    assert found.table.columns == ["school_id", "staff_id", "probability", "base_weight", "line_number"]
    assert dict(found.schools.select("school_id", "n_selected").iter_rows()) == {
        FIRST: 20,
        SECOND: 20,
        THIRD: 6,
    }
    first = found.table.filter(found.table["school_id"] == FIRST)
    assert first["base_weight"].to_list() == [47 / 20] * 20
    assert first["base_weight"].sum() == pytest.approx(47)
    assert "of the sorted list" in found.explain(
        first["staff_id"][0]
    ) or "sorted list of teachers" in found.explain(first["staff_id"][0])
    assert "20 of 47" in found.explain(first["staff_id"][0])
    assert "All 6 of the list were taken" in found.explain(f"{THIRD}-T00")


def test_managers_share_no_random_number_with_teachers() -> None:
    lists = staff_lists()
    managers = lk.select_staff(lists, DRAWN, rng=4, population="managers")
    assert managers.table.height == 73
    some = lk.select_staff(lists, DRAWN, rng=4, population="managers", n_staff=20)
    teachers = lk.select_staff(lists, DRAWN, rng=4, n_staff=20)
    assert some.schools["random_number"].to_list() != teachers.schools["random_number"].to_list()
    with pytest.raises(DesignError, match="'teachers' or 'managers'"):
        lk.select_staff(lists, DRAWN, rng=4, population="parents")  # type: ignore[arg-type]
    with pytest.raises(DesignError, match="n_staff=0"):
        lk.select_staff(lists, DRAWN, rng=4, n_staff=0)
    twice = {**lists, "staff_id": [lists["staff_id"][1], *lists["staff_id"][1:]]}
    with pytest.raises(TableError, match="must be unique"):
        lk.select_staff(twice, DRAWN, rng=4)


STUDIES = {"national": 12, "pilot": 4, "digital": 6}


def test_studies_never_share_a_student() -> None:
    found = lk.select_for_studies(LISTS, DRAWN, rng=8, studies=STUDIES, n_booklets={"national": 13})
    assert found.table["student_id"].is_unique().all()
    for school, n in ((FIRST, 122), (SECOND, 83)):
        inside = found.table.filter(found.table["school_id"] == school)
        assert dict(inside["study"].value_counts().iter_rows()) == STUDIES
        for study, count in STUDIES.items():
            part = inside.filter(inside["study"] == study)
            assert part["probability"].unique().to_list() == [count / n]
            assert part["line_number"].is_sorted()
            steps = np.diff(part["booklet"].to_numpy()) % 13
            assert (steps == 1).all() if study == "national" else (part["booklet"] == 1).all()
    assert found.of("pilot").height == 4 + 4 + 2
    text = found.explain(found.of("pilot").filter(found.of("pilot")["school_id"] == FIRST)["student_id"][0])
    assert "4 of them, this one too, to 'pilot': the probability is 4 / 122" in text
    with pytest.raises(DesignError, match="no study 'x'"):
        found.of("x")


def test_a_short_list_is_shared_in_proportion() -> None:
    found = lk.select_for_studies(LISTS, DRAWN, rng=8, studies=STUDIES)
    short = found.table.filter(found.table["school_id"] == THIRD)
    assert dict(short["study"].value_counts().iter_rows()) == {"national": 5, "pilot": 2, "digital": 2}
    assert short["line_number"].to_list() == list(range(1, 10))


def test_every_student_has_the_same_chance_of_each_study() -> None:
    """1,500 draws from a list of 30; a normal quantile of 4.2 for 60 comparisons."""
    n_draws, studies = 1_500, {"a": 5, "b": 3}
    lists = {"school_id": [FIRST] * 30, "student_id": [f"P{row:02d}" for row in range(30)]}
    hits = {(one, study): 0 for one in lists["student_id"] for study in studies}
    for seed in range(n_draws):
        table = lk.select_for_studies(lists, DRAWN, rng=seed, studies=studies).table
        for pair in table.select("student_id", "study").iter_rows():
            hits[pair] += 1
    for (one, study), count in hits.items():
        p = studies[study] / 30
        assert abs(count - n_draws * p) <= 4.2 * np.sqrt(n_draws * p * (1 - p)), (one, study)


def test_the_pattern_is_even() -> None:
    assert dealing_pattern({"national": 4, "pilot": 2}) == [
        "national",
        "pilot",
        "national",
        "national",
        "pilot",
        "national",
    ]
    pattern = dealing_pattern({"a": 9, "b": 3})
    assert [pattern[start : start + 4].count("b") for start in (0, 4, 8)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("studies", "booklets", "words"),
    [
        ({}, None, "Every study needs"),
        ({"a": 0}, None, "See: a"),
        ({"a": 3}, {"b": 2}, "See: b"),
        ({"a": 300, "b": 1}, None, f"too few students.*{THIRD}"),
    ],
)
def test_bad_studies_are_refused(studies: dict[str, int], booklets: Any, words: str) -> None:
    with pytest.raises(DesignError, match=words):
        lk.select_for_studies(LISTS, DRAWN, rng=1, studies=studies, n_booklets=booklets)


def test_a_student_is_told_how_the_draw_came_to_him() -> None:
    pupils = lk.select_students(LISTS, DRAWN, rng=np.random.default_rng(3))
    row = pupils.table.filter(pupils.table["school_id"] == FIRST).row(2, named=True)
    text = pupils.explain(row["student_id"])
    assert f"stands on line {row['line_number']} of 122 in the sorted list of school {FIRST}" in text
    assert "12 of 122" in text
    assert f"number 3 in turn, got booklet {row['booklet']}" in text
    with pytest.raises(DesignError, match="student 'nobody' is not among those selected"):
        pupils.explain("nobody")
