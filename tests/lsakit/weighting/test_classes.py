"""The chain of weights and the rates of programmes that draw intact classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lsakit as lk
from lsakit.errors import DesignError, TableError, UnknownColumnError
from lsakit.weighting.class_weights import weigh_classes
from lsakit.weighting.final_weights import final_weights
from lsakit.weighting.response_rates import response_rates

Columns = dict[str, list[Any]]


def pupils(*classes: tuple[str, str, int, int]) -> Columns:
    """Classes as (school, class, sampled, responding)."""
    rows = [
        (school, label, f"{school}-{label}-{number:02d}", 10 if number < done else 20)
        for school, label, sampled, done in classes
        for number in range(sampled)
    ]
    names = ["school_id", "class_id", "student_id", "status"]
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


def sample(**changes: Any) -> tuple[Columns, Columns]:
    """Four schools of one stratum; D refuses."""
    drawn: Columns = {"school_id": list("ABCD"), "stratum": ["n"] * 4, "base_weight": [2.0, 3.0, 4.0, 5.0]}
    schools: Columns = {
        "school_id": list("ABCD"),
        "participant_id": ["A", "B", "C", None],
        "status": [1, 1, 1, 2],
        "enrolment": [80, 60, 40, 100],
        "n_classes": [4, 2, 1, None],
        **changes,
    }
    return drawn, schools


STUDENTS = pupils(("A", "1", 20, 18), ("B", "1", 30, 30), ("B", "2", 30, 14), ("C", "1", 10, 10))


def test_tv_3_3_timss_structure() -> None:
    """One school of weight 1.5142857, one of its 4 classes, 36 of 38 students."""
    drawn = {"school_id": ["S"], "stratum": ["n"], "base_weight": [318 / 210]}
    schools = {"school_id": ["S"], "status": [1], "enrolment": [150], "n_classes": [4]}
    w = final_weights(drawn, schools, pupils(("S", "5A", 38, 36)), rules="timss")
    assert w.table.height == 36
    # the vector is printed with seven decimals
    assert w.table["final_weight"].to_numpy() == pytest.approx(6.3936508, abs=5e-8)


def test_tv_3_3_school_adjustment() -> None:
    """40 originals, 3 first and 1 second replacement took part, 2 refused: 46 / 44."""
    ids = [f"S{row:02d}" for row in range(46)]
    who = [*ids[:40], "R1", "R2", "R3", "T1", None, None]
    drawn = {"school_id": ids, "stratum": ["n"] * 46, "base_weight": [1.0] * 46}
    schools = {
        "school_id": ids,
        "participant_id": who,
        "status": [1] * 40 + [2] * 6,
        "enrolment": [30] * 46,
        "n_classes": [1] * 44 + [None] * 2,
    }
    students = pupils(*((one, "5A", 2, 2) for one in who if one))
    w = final_weights(drawn, schools, students, rules="timss")
    assert w.table["school_nonresponse_factor"].to_numpy() == pytest.approx(1.0454545, abs=5e-8)


def test_tv_3_3_house_and_senate_weights() -> None:
    weights = [10.0, 20.0, 30.0, 40.0]
    assert lk.house_weights(weights) == pytest.approx([0.4, 0.8, 1.2, 1.6], rel=1e-15)
    assert lk.senate_weights(weights, total=500) == pytest.approx([50, 100, 150, 200], rel=1e-15)


def test_the_chain_by_hand() -> None:
    """Class B-2 has 14 of 30 students, below half: it does not count, and B-1 carries it in the stratum."""
    w = final_weights(*sample(), STUDENTS, rules="timss")
    school, classes = 4 / 3, 3 / (1 + 0.5 + 1)
    expected = {
        "A": 2.0 * school * 4 * classes * 20 / 18,
        "B": 3.0 * school * 1 * classes * 1,
        "C": 4.0 * school * 1 * classes * 1,
    }
    for label, weight in expected.items():
        inside = w.table.filter(w.table["school_id"] == label)
        assert inside["final_weight"].to_numpy() == pytest.approx(weight, rel=1e-14)
    assert set(w.table.filter(w.table["school_id"] == "B")["class_id"]) == {"1"}
    product = np.ones(w.table.height)
    for name in w.table.columns:
        if name.startswith(("school_", "class_", "student_")) and name not in {
            "school_id",
            "class_id",
            "student_id",
        }:
            product = product * w.table[name].to_numpy()
    np.testing.assert_allclose(product, w.table["final_weight"], rtol=1e-14)


def test_rates_of_classes_and_students_by_hand() -> None:
    drawn, schools = sample()
    found = response_rates({**schools, "base_weight": drawn["base_weight"]}, STUDENTS, rules="timss")
    assert found.school_before.weighted == pytest.approx((160 + 180 + 160) / (160 + 180 + 160 + 500))
    assert found.class_rate is not None
    assert found.student is not None
    # weight of a student: A 2 × 4 = 8, B 3 × 1, C 4 × 1; the school factor is common
    assert found.class_rate.weighted == pytest.approx((160 + 90 + 40) / (160 + 180 + 40))
    assert found.class_rate.unweighted == 3 / 4
    assert found.student.weighted == pytest.approx((8 * 18 + 3 * 30 + 4 * 10) / (160 + 90 + 40))
    product = found.school_before * found.class_rate * found.student
    assert found.overall_before == pytest.approx(product)
    assert found.table["rate"].to_list() == ["school_before", "school_after", "class", "student"]


def test_a_school_without_a_class_that_counts_is_a_nonrespondent() -> None:
    students = pupils(("A", "1", 20, 9), ("B", "1", 30, 30), ("B", "2", 30, 30), ("C", "1", 10, 5))
    w = final_weights(*sample(), students, rules="timss")
    assert w.schools["outcome"].to_list() == ["nonrespondent", "participant", "participant", "nonrespondent"]
    assert w.table["school_nonresponse_factor"][0] == 2.0


def test_a_class_taken_in_part_has_a_student_weight() -> None:
    students = {**STUDENTS, "class_size": [40 if one == "A" else 30 for one in STUDENTS["school_id"]]}
    students["class_size"][-10:] = [10] * 10
    w = final_weights(*sample(), students, rules="timss")
    inside = w.table.filter(w.table["school_id"] == "A")
    assert inside["student_base_weight"].unique().to_list() == [2.0]
    with pytest.raises(DesignError, match=r"'class_size'.*differs.*1 classes.*See: 1"):
        final_weights(*sample(), {**students, "class_size": [41, *students["class_size"][1:]]}, rules="timss")
    with pytest.raises(DesignError, match=r"'class_size'.*below those sampled"):
        final_weights(*sample(), {**students, "class_size": [5] * 90}, rules="timss")


def test_a_class_taken_in_part_by_its_probabilities() -> None:
    chance = {"A1": 1 / 8, "B1": 1.0, "B2": 0.8, "C1": 1.0}
    keys = zip(STUDENTS["school_id"], STUDENTS["class_id"], strict=True)
    students = {**STUDENTS, "probability": [chance[one + label] for one, label in keys]}
    w = final_weights(*sample(), students, rules="timss")
    inside = w.table.filter(w.table["school_id"] == "A")
    assert inside["class_base_weight"][0] == 4.0
    assert inside["student_base_weight"].unique().to_list() == [2.0]
    assert set(w.table.filter(w.table["school_id"] == "C")["student_base_weight"]) == {1.0}
    for wrong in (0.5, 1 / 9):
        bad = [wrong, *students["probability"][1:]]
        with pytest.raises(DesignError, match=r"'probability'.*does not fit 1 classes"):
            final_weights(*sample(), {**students, "probability": bad}, rules="timss")


def test_pseudo_classes_are_the_sampled_classes() -> None:
    drawn, schools = sample()
    joined = {key: column for key, column in STUDENTS.items() if key != "class_id"}
    joined["pseudo_class"] = ["1 + 2" if one == "B" else "1" for one in STUDENTS["school_id"]]
    places = {**schools, "n_pseudo_classes": [3, 1, 1, None]}
    w = final_weights(drawn, places, joined, rules="timss")
    b = w.table.filter(w.table["school_id"] == "B")
    assert b.height == 44
    assert b["class_base_weight"].unique().to_list() == [1.0]
    assert w.table.filter(w.table["school_id"] == "A")["class_base_weight"][0] == 3.0


def test_a_class_without_any_student_in_the_table_may_be_named_by_number() -> None:
    students = pupils(("A", "1", 20, 18), ("B", "1", 30, 30), ("C", "1", 10, 10))
    w = final_weights(*sample(n_classes_sampled=[1, 2, 1, None]), students, rules="timss")
    assert w.table["class_nonresponse_factor"][0] == pytest.approx(3 / 2.5)
    assert w.table.filter(w.table["school_id"] == "B")["class_base_weight"][0] == 1.0


def test_explain_tells_of_school_class_and_student() -> None:
    w = final_weights(*sample(), STUDENTS, rules="timss")
    text = w.explain("A-1-00")
    assert "3 of 4 schools took part: non-response factor 1.33333" in text
    assert "Class 1 of the school was drawn: class weight 4" in text
    assert "3 of 4 classes took part: non-response factor 1.2" in text
    assert "18 of 20 students took part" in text
    assert text.endswith(f"= {w.table['final_weight'][0]:.6g}.")


def test_replicates_multiply_the_final_weights() -> None:
    drawn, schools = sample(participant_id=list("ABCD"), status=[1] * 4, n_classes=[4, 2, 1, 3])
    students = pupils(("A", "1", 8, 8), ("B", "1", 8, 7), ("C", "1", 8, 8), ("D", "1", 8, 8))
    w = final_weights(drawn, schools, students, rules="timss")
    reps = lk.replicate_weights(w, method="jk2_both", n_replicates=250)
    factors = reps.matrix / w.table["final_weight"].to_numpy()[:, None]
    assert reps.matrix.shape == (31, 250)
    assert np.unique(factors.round(12)).tolist() == [0, 1, 2]
    np.testing.assert_allclose(factors[:, 0] + factors[:, 1], 2, rtol=1e-14)


def test_refusals() -> None:
    drawn, schools = sample()
    with pytest.raises(UnknownColumnError, match="no column 'class_id'"):
        final_weights(drawn, schools, {k: v for k, v in STUDENTS.items() if k != "class_id"}, rules="timss")
    with pytest.raises(UnknownColumnError, match="no column 'n_classes'"):
        final_weights(drawn, {k: v for k, v in schools.items() if k != "n_classes"}, STUDENTS, rules="timss")
    with pytest.raises(TableError, match=r"'n_classes'.*Got 1 for 2 in school B"):
        final_weights(drawn, {**schools, "n_classes": [4, 1, 1, None]}, STUDENTS, rules="timss")
    with pytest.raises(DesignError, match=r"no respondents. See: s"):
        final_weights({**drawn, "stratum": ["n", "n", "n", "s"]}, schools, STUDENTS, rules="timss")
    nobody = pupils(("A", "1", 20, 0), ("B", "1", 30, 0), ("C", "1", 10, 0))
    with pytest.raises(DesignError, match="No school took part"):
        final_weights(drawn, schools, nobody, rules="timss")
    assert weigh_classes.__doc__
