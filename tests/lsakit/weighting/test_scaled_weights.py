"""House, senate and teacher weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lsakit as lk
from lsakit.errors import DesignError, TableError, UnknownColumnError
from lsakit.weighting.replicates import replicate_weights
from lsakit.weighting.teacher_weights import replicated_teachers

from .test_replicates import sample


def test_house_and_senate_weights_of_a_sample() -> None:
    w = sample({"N": 6, "S": 9})
    assert lk.house_weights(w).sum() == pytest.approx(w.table.height, rel=1e-12)
    assert lk.senate_weights(w).sum() == pytest.approx(5000, rel=1e-12)
    by = w.table["stratum"].to_list()
    senate = lk.senate_weights(w, total=500, by=by)
    for label in ("N", "S"):
        assert senate[np.asarray(by) == label].sum() == pytest.approx(500, rel=1e-12)
    ratio = senate / w.table["final_weight"].to_numpy()
    assert np.unique(ratio.round(9)).size == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"weights": [1.0, 2.0]}, "'total' of senate weights must be a positive number. Got None"),
        ({"weights": [1.0, 2.0], "total": -5}, "Got -5"),
        ({"weights": [0.0, 0.0], "total": 500}, "do not add up to a positive number.*the sample"),
        ({"weights": [1.0, -2.0], "total": 500}, "row 2"),
        ({"weights": [1.0, float("nan")], "total": 500}, "row 2"),
        ({"weights": [1.0, 2.0, 0.0], "total": 500, "by": ["a", "a", "b"]}, "See: b"),
        ({"weights": [1.0, 2.0], "total": 500, "by": ["a"]}, "Got 1 for 2"),
        ({"weights": [], "total": 500}, "one column of numbers"),
    ],
)
def test_weights_that_do_not_sum_are_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(DesignError, match=words):
        lk.senate_weights(**arguments)


DRAWN = {
    "school_id": [f"S{k}" for k in range(8)],
    "stratum": ["n"] * 8,
    "base_weight": [3.0, 2.0, 4.0, 3.0, 2.0, 4.0, 5.0, 6.0],
}
SCHOOLS: dict[str, Any] = {
    "school_id": DRAWN["school_id"],
    "participant_id": [*DRAWN["school_id"][:7], None],
    "status": [1] * 7 + [2],
    "n_teachers": [30] * 8,
    "n_teachers_listed": [40, *[30] * 6, None],
}
TEACHERS: dict[str, Any] = {
    "school_id": [f"S{k}" for k in range(7) for _ in range(10)],
    "teacher_id": [f"S{k}-{row}" for k in range(7) for row in range(10)],
    "status": [20 if (k, row) in {(0, 0), (0, 1), (3, 4)} else 10 for k in range(7) for row in range(10)],
    "n_schools": [2 if (k, row) == (1, 5) else 1 for k in range(7) for row in range(10)],
}


def test_teacher_weights_by_hand() -> None:
    w = lk.teacher_weights(DRAWN, SCHOOLS, TEACHERS)
    base = dict(zip(DRAWN["school_id"], DRAWN["base_weight"], strict=True))
    size = {"S0": 40, **{f"S{k}": 30 for k in range(1, 8)}}
    total = sum(base[one] * size[one] for one in base)
    school = total / (total - base["S7"] * 30)
    rows = {row["teacher_id"]: row for row in w.table.rows(named=True)}
    assert len(rows) == 67
    # two of ten absent in S0: colleagues of the same school carry them
    assert rows["S0-5"]["final_weight"] == pytest.approx(3 * school * 4 * 10 / 8, rel=1e-14)
    assert rows["S2-0"]["final_weight"] == pytest.approx(4 * school * 3, rel=1e-14)
    assert rows["S1-5"]["final_weight"] == pytest.approx(2 * school * 3 / 2, rel=1e-14)
    assert "could have been drawn in each" in w.explain("S1-5")
    assert w.explain("S2-0") == w.chain.explain("S2-0")
    assert "did not respond" in w.explain("S3-4")


def test_replicates_of_teachers_carry_the_number_of_schools() -> None:
    w = lk.teacher_weights(DRAWN, SCHOOLS, TEACHERS)
    reps = replicate_weights(w.chain, n_replicates=100)
    found = replicated_teachers(w, reps)
    row = w.table["teacher_id"].to_list().index("S1-5")
    np.testing.assert_allclose(found.matrix[row] * 2, reps.matrix[row])
    np.testing.assert_allclose(found.matrix[row + 1], reps.matrix[row + 1])
    with pytest.raises(DesignError, match="other teachers"):
        replicated_teachers(w, replicate_weights(sample({"N": 6}), n_replicates=20))


def test_teacher_tables_are_checked() -> None:
    with pytest.raises(UnknownColumnError, match="'n_teachers_listed'"):
        lk.teacher_weights(DRAWN, {k: v for k, v in SCHOOLS.items() if k != "n_teachers_listed"}, TEACHERS)
    with pytest.raises(UnknownColumnError, match="'teacher_id'"):
        lk.teacher_weights(DRAWN, SCHOOLS, {k: v for k, v in TEACHERS.items() if k != "teacher_id"})
    with pytest.raises(TableError, match=r"'n_schools'.*Got 0. See: S0-0"):
        lk.teacher_weights(DRAWN, SCHOOLS, {**TEACHERS, "n_schools": [0] * 70})


def test_staff_of_the_draw_are_teachers() -> None:
    staff = {("staff_id" if key == "teacher_id" else key): column for key, column in TEACHERS.items()}
    found = lk.teacher_weights(DRAWN, SCHOOLS, staff).table
    assert found.equals(lk.teacher_weights(DRAWN, SCHOOLS, TEACHERS).table)


def test_response_rates_of_teachers() -> None:
    schools = {**SCHOOLS, "base_weight": DRAWN["base_weight"]}
    found = lk.response_rates(schools, TEACHERS, rules="talis")
    assert found.student is not None
    weight = np.asarray(DRAWN["base_weight"][:7]) * np.asarray([40, *[30] * 6]) / 10
    done = np.asarray([8, 10, 10, 9, 10, 10, 10])
    assert found.student.weighted == pytest.approx(weight @ done / (10 * weight.sum()))
    assert found.school_before.weighted == pytest.approx(23 / 29)
    assert (found.judgement.rating, found.zone) == ("good", "acceptable")
    with pytest.raises(DesignError, match="draw students, not teachers"):
        lk.teacher_weights(DRAWN, SCHOOLS, TEACHERS, rules="pisa")


def test_a_school_with_less_than_half_of_its_teachers_does_not_count() -> None:
    status = [20 if k == 2 and row < 6 else 10 for k in range(7) for row in range(10)]
    w = lk.teacher_weights(DRAWN, SCHOOLS, {**TEACHERS, "status": status})
    assert "S2" not in set(w.table["school_id"])


def test_linked_teachers_share_the_weight_of_the_student() -> None:
    w = sample({"N": 6}, absence=0.0)
    one, two = w.table["student_id"].to_list()[:2]
    weight = dict(w.table.select("student_id", "final_weight").rows())
    links = {
        "student_id": [one, one, one, two],
        "teacher_id": ["T1", "T2", "T3", "T1"],
        "subject": ["maths", "maths", "science", "maths"],
    }
    found = lk.linked_teacher_weights(w, links, by="subject")
    assert found["n_teachers"].to_list() == [2, 2, 1, 1]
    assert found["teacher_weight"].to_list() == pytest.approx(
        [weight[one] / 2, weight[one] / 2, weight[one], weight[two]]
    )
    assert lk.linked_teacher_weights(w, links)["n_teachers"].to_list() == [3, 3, 3, 1]
    with pytest.raises(DesignError, match=r"not respondents with a weight\. See: nobody"):
        lk.linked_teacher_weights(w, {**links, "student_id": [one, one, one, "nobody"]})
    with pytest.raises(DesignError, match=rf"more than once\. See: {one} and T1"):
        lk.linked_teacher_weights(w, {**links, "teacher_id": ["T1", "T1", "T3", "T1"]})
