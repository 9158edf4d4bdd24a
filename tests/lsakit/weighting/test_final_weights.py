"""Final weights against hand-worked vectors, and what they refuse."""

from __future__ import annotations

import dataclasses
import tomllib
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import lsakit as lk
from lsakit.design.options import Design
from lsakit.design.pps import draw_schools
from lsakit.errors import DesignError, TableError, UnknownColumnError
from lsakit.weighting.cells import merge_small_cells
from lsakit.weighting.final_weights import final_weights
from lsakit.weighting.profiles import read_rules
from lsakit.weighting.school_stage import trim_large_schools
from lsakit.weighting.student_stage import trim_to_median

DRAWN: dict[str, Any] = {
    "school_id": ["A", "C", "E", "I"],
    "stratum": ["all"] * 4,
    "base_weight": [318 / 210, 318 / 150, 318 / 120, 318 / 60],
    "replacement_1": ["B", "D", "F", "J"],
    "replacement_2": [None, None, "G", "H"],
    "is_certainty": [False] * 4,
    "selection_order": [1, 2, 3, 4],
    "measure_of_size": [210.0, 150.0, 120.0, 60.0],
    "implicit_stratum": [None, None, None, None],
}
SCHOOLS: dict[str, Any] = {
    "school_id": ["A", "C", "E", "I"],
    "participant_id": ["A", "C", None, "I"],
    "status": [1, 1, 2, 1],
    "enrolment": [210, 150, 120, 60],
    "enrolment_listed": [205, 160, None, 62],
}
# school: (gender, sampled, responding)
COUNTS = {
    "A": (("F", 17, 16), ("M", 18, 17)),
    "C": (("F", 18, 18), ("M", 17, 17)),
    "I": (("F", 17, 15), ("M", 18, 16)),
}


def students_of(counts: dict[str, Any] = COUNTS) -> dict[str, list[Any]]:
    rows = [
        (school, f"{school}{gender}{number:02d}", gender, 10 if number < responding else 20)
        for school, parts in counts.items()
        for gender, sampled, responding in parts
        for number in range(sampled)
    ]
    return dict(
        zip(["school_id", "student_id", "gender", "status"], map(list, zip(*rows, strict=True)), strict=True)
    )


STUDENTS = students_of()


def test_tv_3_1_with_listed_enrolment() -> None:
    w = final_weights(DRAWN, SCHOOLS, STUDENTS, rules="pisa")
    table = w.table
    assert table.height == 99
    assert table["school_nonresponse_factor"].to_numpy() == pytest.approx(1296.228571 / 978.228571, abs=1e-7)
    first = {school: table.filter(table["school_id"] == school) for school in "ACI"}
    assert [first[school]["student_base_weight"][0] for school in "ACI"] == pytest.approx(
        [5.857143, 4.571429, 1.771429], abs=5e-7
    )
    expected = {"A": (12.4633215, 12.4502497), "C": (13.6184587, 13.6041753), "I": (13.1928818, 13.1790448)}
    for school, (girls, boys) in expected.items():
        assert first[school]["final_weight"][0] == pytest.approx(girls, abs=5e-8)
        assert first[school]["final_weight"][-1] == pytest.approx(boys, abs=5e-8)
    cells = w.cells.filter(w.cells["stage"] == "student")
    assert cells["factor"].to_list() == pytest.approx([1.0604713, 1.0593590], abs=5e-8)
    assert table["final_weight"].sum() == pytest.approx(1296.228571, abs=5e-7)


def test_tv_3_1_with_frame_enrolment() -> None:
    rules = read_rules("pisa")
    framed = dataclasses.replace(rules, school_cells=dataclasses.replace(rules.school_cells, size="frame"))
    w = final_weights(DRAWN, SCHOOLS, STUDENTS, rules=framed)
    assert w.table["school_nonresponse_factor"][0] == pytest.approx(4 / 3, abs=1e-12)


def test_tv_3_2_trimming() -> None:
    factor = trim_large_schools(np.array([130.0, 105.0, np.nan]), np.array([35.0, 35.0, 35.0]), 3.0)
    assert factor.tolist() == pytest.approx([0.8076923, 1, 1], abs=5e-8)
    weights = np.array([10.0, 11, 12, 12, 13, 14, 15, 70])
    groups = np.zeros(8, dtype=np.int64)
    assert (weights * trim_to_median(weights, groups, 4.0))[-1] == pytest.approx(50)
    assert (weights * trim_to_median(weights, groups, 4.5))[-1] == pytest.approx(56.25)
    assert (trim_to_median(weights, groups, None) == 1).all()


def test_trimming_works_inside_the_chain() -> None:
    schools = {**SCHOOLS, "enrolment_listed": [205, 160, None, 62 * 4]}
    w = final_weights(DRAWN, schools, STUDENTS)
    inside = w.table.filter(w.table["school_id"] == "I")
    assert inside["school_trimming_factor"][0] == pytest.approx(180 / 248)
    untrimmed = final_weights(DRAWN, schools, STUDENTS, rules="national")
    assert untrimmed.table["school_trimming_factor"].unique().to_list() == [1.0]


def test_a_replacement_takes_the_weight_of_its_original() -> None:
    schools = {**SCHOOLS, "participant_id": ["A", "D", None, "I"], "status": [1, 2, 2, 1]}
    students = {**STUDENTS, "school_id": ["D" if one == "C" else one for one in STUDENTS["school_id"]]}
    w = final_weights(DRAWN, schools, students)
    inside = w.table.filter(w.table["school_id"] == "D")
    assert inside["school_base_weight"][0] == 318 / 150
    assert inside["sampled_school_id"].unique().to_list() == ["C"]
    assert "School D took part for C" in w.explain(inside["student_id"][0])


def test_excluded_and_ineligible_students_leave() -> None:
    status = list(STUDENTS["status"])
    status[0], status[1], status[2] = 31, 40, 50
    w = final_weights(DRAWN, SCHOOLS, {**STUDENTS, "status": status})
    assert w.students.height == 105 - 3
    # school A: 34 sampled (one was never sampled), two of them not eligible
    row = w.schools.row(0, named=True)
    assert (row["n_sampled"], row["n_eligible"]) == (34, 32)
    base = w.students["student_base_weight"][0]
    assert base == pytest.approx(205 / 34)
    factor = 1296.228571428571 / 978.228571428571
    eligible = factor * (318 / 210 * 205 * 32 / 34 + 318 / 150 * 160 + 318 / 60 * 62)
    assert w.table["final_weight"].sum() == pytest.approx(eligible, rel=1e-12)


def test_an_ineligible_school_leaves_the_denominator() -> None:
    w = final_weights(DRAWN, {**SCHOOLS, "status": [1, 1, 6, 1]}, STUDENTS)
    assert w.table["school_nonresponse_factor"].unique().to_list() == [1.0]
    assert w.table["final_weight"].sum() == pytest.approx(978.228571, abs=5e-7)


def test_a_school_with_few_respondents_is_a_nonrespondent() -> None:
    counts = {**COUNTS, "I": (("F", 17, 4), ("M", 18, 4))}
    w = final_weights(DRAWN, SCHOOLS, students_of(counts))
    assert w.schools["outcome"].to_list() == ["participant", "participant", "nonrespondent", "nonrespondent"]
    assert set(w.table["school_id"]) == {"A", "C"}
    counts = {**COUNTS, "I": (("F", 17, 5), ("M", 18, 4))}
    assert set(final_weights(DRAWN, SCHOOLS, students_of(counts)).table["school_id"]) == {"A", "C", "I"}


def test_explain_multiplies_to_the_weight() -> None:
    w = final_weights(DRAWN, SCHOOLS, STUDENTS)
    text = w.explain("AF00")
    assert "School A of stratum 'all' took part: school base weight 1.51429." in text
    assert "3 of 4 schools took part: non-response factor 1.32508 (a small cell" in text
    assert "35 of 205 listed students were drawn: within-school weight 5.85714" in text
    assert "49 of 52 students took part: non-response factor 1.06047" in text
    assert text.endswith("= 12.4633.")
    assert "the final weight is 0" in w.explain("AF16")
    with pytest.raises(DesignError, match="'nobody'"):
        w.explain("nobody")


def test_cells_merge_with_the_smaller_neighbour() -> None:
    ones = [1.0, 1.0, 1.0, 1.0]
    assert merge_small_cells([9, 2, 7, 8], ones, ones, minimum=6, maximum_factor=2) == [0, 1, 1, 2]
    assert merge_small_cells([2, 2, 2], ones[:3], ones[:3], minimum=6, maximum_factor=2) == [0, 0, 0]
    assert merge_small_cells([8, 8], [9.0, 3.0], [9.0, 1.0], minimum=6, maximum_factor=2) == [0, 0]
    assert merge_small_cells([3], [3.0], [1.0], minimum=6, maximum_factor=2) == [0]


def test_school_cells_follow_the_implicit_stratum_where_large_enough() -> None:
    n = 24
    drawn = {
        "school_id": [f"S{row:02d}" for row in range(n)],
        "stratum": ["N"] * 12 + ["S"] * 12,
        "base_weight": [2.0] * n,
        "selection_order": list(range(1, n + 1)),
        "implicit_stratum": (["rural"] * 6 + ["urban"] * 6) + (["rural"] * 9 + ["urban"] * 3),
    }
    took = [row % 12 != 0 for row in range(n)]
    schools = {
        "school_id": drawn["school_id"],
        "participant_id": [one if yes else None for one, yes in zip(drawn["school_id"], took, strict=True)],
        "status": [1 if yes else 2 for yes in took],
        "enrolment": [40] * n,
        "enrolment_listed": [40 if yes else None for yes in took],
    }
    students = students_of(
        {one: (("F", 10, 10), ("M", 10, 9)) for one, yes in zip(drawn["school_id"], took, strict=True) if yes}
    )
    w = final_weights(drawn, schools, students)
    cells = w.cells.filter(w.cells["stage"] == "school")
    # N: rural has 5 participants, fewer than 6, and joins urban; S: urban has 3 and joins rural.
    assert cells["label"].to_list() == ["N: rural + urban", "S: rural + urban"]
    assert cells["factor"].to_list() == pytest.approx([12 / 11, 12 / 11])


def changed(table: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**table, **changes}


@pytest.mark.parametrize(
    ("drawn", "schools", "students", "error", "words"),
    [
        (
            changed(DRAWN, base_weight=[1, -2, 1, 1]),
            SCHOOLS,
            STUDENTS,
            TableError,
            r"'base_weight'.*positive. Got -2.*C",
        ),
        (DRAWN, changed(SCHOOLS, status=[1, 1, 77, 1]), STUDENTS, TableError, r"Got 77 in 1 of 4.*E"),
        (DRAWN, changed(SCHOOLS, status=[1, 1, 1, 1]), STUDENTS, DesignError, r"no participant_id.*E"),
        (
            DRAWN,
            changed(SCHOOLS, status=[6, 1, 2, 1]),
            STUDENTS,
            DesignError,
            r"not replaced|have a participant_id",
        ),
        (DRAWN, changed(SCHOOLS, status=[2, 1, 2, 1]), STUDENTS, DesignError, r"their own participant.*A"),
        (
            DRAWN,
            changed(SCHOOLS, participant_id=["A", "A", None, "I"], status=[1, 2, 2, 1]),
            STUDENTS,
            DesignError,
            r"more than one sampled school.*A",
        ),
        (
            DRAWN,
            changed(SCHOOLS, participant_id=["A", "X", None, "I"], status=[1, 2, 2, 1]),
            changed(STUDENTS, school_id=["X" if one == "C" else one for one in STUDENTS["school_id"]]),
            DesignError,
            r"X for C",
        ),
        (
            DRAWN,
            changed(SCHOOLS, school_id=["A", "C", "Z", "I"]),
            STUDENTS,
            DesignError,
            r"sampled schools are not in the schools table.*E",
        ),
        (
            DRAWN,
            changed(SCHOOLS, enrolment_listed=[20, 160, None, 62]),
            STUDENTS,
            DesignError,
            r"20 listed and 35 drawn in school A",
        ),
        (
            DRAWN,
            changed(SCHOOLS, enrolment_listed=[None, 160, None, 62]),
            STUDENTS,
            DesignError,
            r"'enrolment_listed'.*A",
        ),
        (
            DRAWN,
            changed(SCHOOLS, enrolment=[-1, 160, 20, 62]),
            STUDENTS,
            TableError,
            r"'enrolment'.*not be negative. Got -1",
        ),
        (
            DRAWN,
            SCHOOLS,
            changed(STUDENTS, status=[99, *STUDENTS["status"][1:]]),
            TableError,
            r"Got 99 in 1 of 105.*AF00",
        ),
        (
            DRAWN,
            SCHOOLS,
            changed(STUDENTS, school_id=["E", *STUDENTS["school_id"][1:]]),
            DesignError,
            r"schools that did not take part.*AF00",
        ),
        (
            DRAWN,
            SCHOOLS,
            changed(STUDENTS, gender=[None, *STUDENTS["gender"][1:]]),
            TableError,
            r"'gender'.*no missing",
        ),
        (
            DRAWN,
            SCHOOLS,
            changed(STUDENTS, student_id=["AF01", *STUDENTS["student_id"][1:]]),
            TableError,
            r"must be unique.*AF01",
        ),
        (
            DRAWN,
            changed(SCHOOLS, participant_id=["A", "C", "E", "I"], status=[1, 1, 1, 1]),
            STUDENTS,
            DesignError,
            r"no student in the students table.*E",
        ),
        (
            DRAWN,
            changed(SCHOOLS, participant_id=[None] * 4, status=[2] * 4),
            changed({}, school_id=[], student_id=[], status=[]),
            DesignError,
            r"No school took part",
        ),
    ],
)
def test_bad_input_is_refused(
    drawn: Any, schools: Any, students: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        final_weights(drawn, schools, students)


def test_a_cell_without_respondents_is_refused() -> None:
    drawn = changed(DRAWN, stratum=["N", "N", "S", "N"])
    with pytest.raises(DesignError, match=r"1 non-response cells have no respondents. See: S\."):
        final_weights(drawn, SCHOOLS, STUDENTS)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(UnknownColumnError, match="no column 'status'"):
        final_weights(DRAWN, {key: value for key, value in SCHOOLS.items() if key != "status"}, STUDENTS)
    with pytest.raises(UnknownColumnError, match="drawn has no column 'stratum'"):
        final_weights({key: value for key, value in DRAWN.items() if key != "stratum"}, SCHOOLS, STUDENTS)


def test_rules_are_data() -> None:
    assert read_rules("pisa").source
    with pytest.raises(DesignError, match="names no rule set"):
        read_rules("unknown")
    text = resources.files("lsakit.weighting.rules").joinpath("pisa.toml").read_text("utf-8")
    content = tomllib.loads(text)
    assert read_rules(content) == read_rules("pisa")
    with pytest.raises(DesignError, match="'trimming'"):
        read_rules({**content, "trimming": {"school": 3}})
    with pytest.raises(DesignError, match="'rates'"):
        read_rules({**content, "rates": {}})


def test_the_log_says_which_cells_were_joined_and_why() -> None:
    n = 20
    drawn = {
        "school_id": [f"S{row:02d}" for row in range(n)],
        "stratum": ["N"] * n,
        "base_weight": [2.0] * n,
        "implicit_stratum": ["a"] * 8 + ["b"] * 4 + ["c"] * 8,
    }
    took = [row not in {8, 13, 14, 15, 16, 17} for row in range(n)]
    schools = {
        "school_id": drawn["school_id"],
        "participant_id": [one if yes else None for one, yes in zip(drawn["school_id"], took, strict=True)],
        "status": [1 if yes else 2 for yes in took],
        "enrolment": [40] * n,
        "enrolment_listed": [40 if yes else None for yes in took],
    }
    students = students_of(
        {one: (("F", 10, 10), ("M", 10, 9)) for one, yes in zip(drawn["school_id"], took, strict=True) if yes}
    )
    log = final_weights(drawn, schools, students).collapsed
    assert log is not None
    rows = log.filter(log["stage"] == "school").rows(named=True)
    # b and c have 3 participants each: b, the first, joins c, which has fewer than a; 6 of 12 is factor 2
    assert [(row["cell"], row["joined_with"], row["n_responding"]) for row in rows] == [("b", "c", 3)]
    assert rows[0]["reason"] == "3 respondents, fewer than 6"
    assert rows[0]["factor"] == pytest.approx(4 / 3)


def test_selection_order_and_participants_may_be_left_out() -> None:
    drawn = {key: DRAWN[key] for key in ("school_id", "stratum", "base_weight")}
    schools = {key: column for key, column in SCHOOLS.items() if key != "participant_id"}
    w = final_weights(drawn, schools, STUDENTS, rules="national")
    full = final_weights(DRAWN, SCHOOLS, STUDENTS, rules="national")
    assert w.table["final_weight"].to_list() == full.table["final_weight"].to_list()


def test_a_weight_that_is_not_the_inverse_of_its_probability_is_refused() -> None:
    chance = [1 / one for one in DRAWN["base_weight"]]
    assert final_weights({**DRAWN, "probability": chance}, SCHOOLS, STUDENTS).table.height == 99
    chance[1] *= 1.001
    with pytest.raises(DesignError, match=r"'base_weight' and 'probability'.*1 of 4 schools. See: C"):
        final_weights({**DRAWN, "probability": chance}, SCHOOLS, STUDENTS)


def test_a_sampled_school_that_vanished_from_the_frame_is_named() -> None:
    frame = {"school_id": [f"F{row}" for row in range(12)], "enrolment": [40 + row for row in range(12)]}
    drawn = draw_schools(frame, Design(n_schools=4, n_students=10), rng=1)
    first = drawn.table["school_id"][0]
    broken = dataclasses.replace(drawn, frame=drawn.frame.filter(drawn.frame["school_id"] != first))
    with pytest.raises(DesignError, match=rf"not in the frame of the draw. See: {first}"):
        final_weights(broken, SCHOOLS, STUDENTS)


def test_naep_trims_at_four_and_a_half_medians() -> None:
    rules = read_rules("naep")
    assert (rules.trimming.student_ratio, rules.school_cells.maximum_factor) == (4.5, 3.0)
    w = final_weights(DRAWN, SCHOOLS, STUDENTS, rules="naep")
    assert w.table.height == 99


def test_the_calls_of_the_issue_with_polars_and_pandas() -> None:
    polars = [pl.DataFrame(one, strict=False) for one in (DRAWN, SCHOOLS, STUDENTS)]
    pandas = [pd.DataFrame(one) for one in (DRAWN, SCHOOLS, STUDENTS)]
    found = []
    for drawn, schools, students in (polars, pandas):
        w = lk.final_weights(drawn, schools, students, rules="pisa")
        reps = lk.replicate_weights(w, method="fay", n_replicates=80, fay_factor=0.5)
        assert reps.matrix.shape == (99, 80)
        found.append((w.table["final_weight"].to_list(), reps.matrix.tolist(), w.explain("AF00")))
        with pytest.raises(dataclasses.FrozenInstanceError):
            w.table = None  # type: ignore[misc, assignment]
    assert found[0] == found[1]


def test_listed_students_follow_from_the_probabilities_of_the_draw() -> None:
    schools = {key: column for key, column in SCHOOLS.items() if key != "enrolment_listed"}
    listed = dict(zip(SCHOOLS["school_id"], SCHOOLS["enrolment_listed"], strict=True))
    students = {**STUDENTS, "probability": [35 / listed[one] for one in STUDENTS["school_id"]]}
    w = final_weights(DRAWN, schools, students)
    full = final_weights(DRAWN, SCHOOLS, STUDENTS)
    assert w.table["final_weight"].to_list() == full.table["final_weight"].to_list()
    rates = [
        lk.response_rates({**one, "base_weight": DRAWN["base_weight"]}, two).student
        for one, two in ((schools, students), (SCHOOLS, STUDENTS))
    ]
    assert rates[0] == rates[1]
    with pytest.raises(DesignError, match=r"differs inside 1 schools. See: A"):
        final_weights(DRAWN, schools, changed(students, probability=[0.5, *students["probability"][1:]]))
    with pytest.raises(TableError, match=r"'probability'.*Got 2. See: AF00"):
        final_weights(DRAWN, schools, changed(students, probability=[2.0, *students["probability"][1:]]))
