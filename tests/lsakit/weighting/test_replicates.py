"""Replicate weights of a whole sample."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from lsakit.errors import DesignError
from lsakit.weighting.final_weights import final_weights
from lsakit.weighting.profiles import read_rules
from lsakit.weighting.replicate_factors import fay_factors
from lsakit.weighting.replicates import replicate_weights
from lsakit.weighting.weighted import FinalWeights

N_STUDENTS = 12


def sample(
    strata: dict[str, int],
    *,
    absent: tuple[int, ...] = (),
    certain: tuple[int, ...] = (),
    absence: float = 0.1,
) -> FinalWeights:
    """Build the weights of a small sample: schools per stratum, which refuse, which are certainties."""
    labels = [label for label, n in strata.items() for _ in range(n)]
    n = len(labels)
    rng = np.random.default_rng(4)
    ids = [f"S{row:02d}" for row in range(n)]
    took = [row not in absent for row in range(n)]
    drawn: dict[str, Any] = {
        "school_id": ids,
        "stratum": labels,
        "base_weight": [1.0 if row in certain else 3.0 + row % 3 for row in range(n)],
        "is_certainty": [row in certain for row in range(n)],
        "selection_order": list(range(1, n + 1)),
    }
    schools = {
        "school_id": ids,
        "participant_id": [one if yes else None for one, yes in zip(ids, took, strict=True)],
        "status": [1 if yes else 2 for yes in took],
        "enrolment": [30] * n,
        "enrolment_listed": [30 if yes else None for yes in took],
    }
    rows = [
        (one, f"{one}-{k:02d}", "FM"[k % 2])
        for one, yes in zip(ids, took, strict=True)
        if yes
        for k in range(N_STUDENTS)
    ]
    students = dict(
        zip(["school_id", "student_id", "gender"], map(list, zip(*rows, strict=True)), strict=True)
    )
    students["status"] = rng.choice([10, 20], len(rows), p=[1 - absence, absence]).tolist()
    return final_weights(drawn, schools, students)


def by_hand(w: FinalWeights, unit_factor: dict[str, float]) -> np.ndarray:
    """Repeat the weighting of one replicate with plain loops."""
    schools = w.schools.rows(named=True)
    students = w.students.rows(named=True)
    school_cell = {}
    for cell in {row["cell"] for row in schools if row["cell"] >= 0}:
        inside = [row for row in schools if row["cell"] == cell]
        weight = {
            row["school_id"]: row["base_weight"] * row["trimming_factor"] * row["size"] for row in inside
        }
        part = {}
        for row in inside:
            if row["outcome"] == "participant":
                own = [one for one in students if one["sampled_school_id"] == row["school_id"]]
                factors = [
                    unit_factor.get(one["student_id"], unit_factor.get(row["school_id"])) for one in own
                ]
                part[row["school_id"]] = weight[row["school_id"]] * sum(factors) / len(factors)
        away = sum(weight[row["school_id"]] for row in inside if row["outcome"] == "nonrespondent")
        school_cell[cell] = (sum(part.values()) + away) / sum(part.values())
    school_of = {row["school_id"]: row for row in schools}
    before, cells, answered = [], [], []
    for one in students:
        school = school_of[one["sampled_school_id"]]
        factor = unit_factor.get(one["student_id"], unit_factor.get(school["school_id"]))
        before.append(
            school["base_weight"] * one["student_base_weight"] * factor * school_cell[school["cell"]]
        )
        cells.append(one["cell"])
        answered.append(one["is_respondent"])
    before_, cells_, answered_ = np.asarray(before), np.asarray(cells), np.asarray(answered)
    out = np.zeros(len(before))
    for cell in set(cells):
        inside_ = cells_ == cell
        out[inside_] = before_[inside_] * before_[inside_].sum() / before_[inside_ & answered_].sum()
    return out[answered_]


def test_a_replicate_equals_the_steps_done_again_by_hand() -> None:
    w = sample({"N": 7, "S": 8}, absent=(2, 9), certain=(4,))
    reps = replicate_weights(w, n_replicates=20)
    columns = [reps.units[name].to_numpy() for name in ("zone", "role", "n_in_zone")]
    factors = fay_factors(*columns, n_replicates=20, fay_factor=0.5)
    for replicate in (0, 1, 13):
        unit_factor = dict(zip(reps.units["unit_id"], factors[:, replicate], strict=True))
        np.testing.assert_allclose(reps.matrix[:, replicate], by_hand(w, unit_factor), rtol=1e-12)


def test_factors_of_one_give_the_final_weights_back() -> None:
    w = sample({"N": 6, "S": 6}, absent=(2,))
    reps = replicate_weights(w, method="jk2", n_replicates=9)
    # Six zones; the replicates beyond change nothing.
    np.testing.assert_allclose(reps.matrix[:, 8], w.table["final_weight"].to_numpy(), rtol=1e-13)


def test_pairs_follow_the_frame_order_of_participating_schools() -> None:
    reps = replicate_weights(sample({"N": 7, "S": 4}, absent=(1,)))
    zones = reps.units.select("zone", "school_id").rows()
    grouped: dict[int, list[str]] = {}
    for zone, school in zones:
        grouped.setdefault(zone, []).append(school)
    assert list(grouped.values()) == [
        ["S00", "S02"],
        ["S03", "S04"],
        ["S05", "S06"],
        ["S07", "S08"],
        ["S09", "S10"],
    ]


def test_an_odd_last_school_makes_a_triplet() -> None:
    reps = replicate_weights(sample({"N": 5, "S": 4}))
    last = reps.units.filter(reps.units["zone"] == 1)
    assert last["school_id"].to_list() == ["S02", "S03", "S04"]
    assert sorted(last["role"]) == [1, 2, 3]


def test_the_paired_jackknife_halves_an_odd_last_school() -> None:
    reps = replicate_weights(sample({"N": 5, "S": 4}), method="jk2", n_replicates=75)
    half = reps.units.filter(reps.units["school_id"] == "S04")
    assert half["unit_id"].to_list() == ["S04#1", "S04#2"]
    assert half["n_students"].to_list() == [6, 6]


def test_students_of_a_certainty_school_are_the_units() -> None:
    reps = replicate_weights(sample({"N": 5}, certain=(1,)))
    inside = reps.units.filter(reps.units["school_id"] == "S01")
    assert inside.height == N_STUDENTS
    assert inside["n_in_zone"].unique().to_list() == [2]


def test_coefficients() -> None:
    w = sample({"N": 6, "S": 6})
    fay = replicate_weights(w)
    assert fay.matrix.shape == (w.table.height, 80)
    assert fay.coefficients.tolist() == [0.05] * 80
    assert replicate_weights(w, method="jk2").matrix.shape[1] == 75
    both = replicate_weights(w, method="jk2_both")
    assert (both.matrix.shape[1], both.coefficients[0]) == (150, 0.5)
    assert replicate_weights(w, method="jk1").coefficients == pytest.approx(np.full(12, 11 / 12))
    assert replicate_weights(w, method="jkn").coefficients == pytest.approx(np.full(12, 5 / 6))
    assert fay.to_table().columns[:2] == ["student_id", "replicate_1"]
    assert fay.to_table()["student_id"].to_list() == w.table["student_id"].to_list()


def test_roles_follow_from_the_seed() -> None:
    w = sample({"N": 6, "S": 6})
    assert np.array_equal(replicate_weights(w).matrix, replicate_weights(w).matrix)
    assert not np.array_equal(replicate_weights(w).matrix, replicate_weights(w, seed=1).matrix)


@pytest.mark.parametrize("method", ["fay", "jkn", "jk2"])
def test_a_zone_with_one_school_is_refused_or_joined(method: Any) -> None:
    w = sample({"N": 6, "S": 1, "T": 4})
    with pytest.raises(
        DesignError, match=r"1 strata have one participating school.*See: S\..*lonely='collapse'"
    ):
        replicate_weights(w, method=method)
    joined = replicate_weights(w, method=method, lonely="collapse")
    assert np.isfinite(joined.matrix).all()
    assert joined.units["stratum"].n_unique() == 2


def test_a_lonely_school_may_be_halved() -> None:
    reps = replicate_weights(sample({"N": 6, "S": 1}), lonely="split")
    assert reps.units.filter(reps.units["school_id"] == "S06")["n_students"].to_list() == [6, 6]


def test_a_whole_sample_of_one_school_is_refused() -> None:
    with pytest.raises(DesignError, match="one participating school"):
        replicate_weights(sample({"N": 1}), lonely="collapse")
    with pytest.raises(DesignError, match="one participating school"):
        replicate_weights(sample({"N": 1}), method="jk1")


def test_bad_parameters_are_refused() -> None:
    w = sample({"N": 6})
    for wrong, words in (
        ({"method": "brr"}, "'method'"),
        ({"n_replicates": 92}, "next order that works is 96"),
        ({"fay_factor": 1.0}, "'fay_factor'"),
        ({"method": "jk1", "n_replicates": 5}, "'n_replicates'"),
        ({"method": "jk2_both", "n_replicates": 75}, "two per zone"),
        ({"lonely": "drop"}, "'lonely'"),
    ):
        with pytest.raises(DesignError, match=words):
            replicate_weights(w, **wrong)  # type: ignore[arg-type]


def test_no_weight_is_negative_and_fay_empties_nothing() -> None:
    w = sample({"N": 9, "S": 7}, absent=(3,), certain=(10,))
    assert (replicate_weights(w).matrix > 0).all()
    for method in ("jk1", "jkn", "jk2", "jk2_both"):
        assert (replicate_weights(w, method=method).matrix >= 0).all()


def test_variance_of_a_mean_is_that_of_linearisation_when_balanced() -> None:
    """Plain half-samples on fully balanced pairs give the textbook variance of a linear statistic."""
    w = sample({"N": 8}, absence=0.0)
    reps = replicate_weights(w, n_replicates=8, fay_factor=0.0)
    rng = np.random.default_rng(2)
    school = {one: rng.normal() for one in w.schools["school_id"]}
    y = np.asarray([school[one] for one in w.table["school_id"]])
    weight = w.table["final_weight"].to_numpy()
    totals = reps.matrix.T @ y
    variance = (reps.coefficients * (totals - weight @ y) ** 2).sum()
    by_school = {one: (weight * y)[np.asarray(w.table["school_id"].to_list()) == one].sum() for one in school}
    units = reps.units.select("zone", "school_id").rows()
    expected = sum(
        (by_school[a] - by_school[b]) ** 2
        for (zone_a, a), (zone_b, b) in zip(units[::2], units[1::2], strict=True)
        if zone_a == zone_b
    )
    assert variance == pytest.approx(expected, rel=1e-10)


def test_the_bootstrap_draws_schools_in_their_strata() -> None:
    w = sample({"N": 6, "S": 5}, absence=0.0)
    reps = replicate_weights(w, method="bootstrap", n_replicates=300)
    assert reps.coefficients.tolist() == [1 / 300] * 300
    factors = reps.matrix / w.table["final_weight"].to_numpy()[:, None]
    school = np.asarray(w.table["school_id"].to_list())
    first = np.flatnonzero(np.append(True, school[1:] != school[:-1]))
    np.testing.assert_allclose(factors, factors[first].repeat(N_STUDENTS, axis=0))
    # n / (n − 1) times the number of draws, which are n − 1 in each stratum
    times = factors[first] / np.asarray([6 / 5] * 6 + [5 / 4] * 5)[:, None]
    np.testing.assert_allclose(times, times.round(), atol=1e-12)
    assert times[:6].sum(axis=0).round(9).tolist() == [5.0] * 300
    assert times[6:].sum(axis=0).round(9).tolist() == [4.0] * 300
    assert np.array_equal(reps.matrix, replicate_weights(w, method="bootstrap", n_replicates=300).matrix)
    other = replicate_weights(w, method="bootstrap", n_replicates=300, seed=1)
    assert not np.array_equal(reps.matrix, other.matrix)


def test_the_bootstrap_variance_of_a_total_is_that_of_the_formula() -> None:
    """Σ n/(n − 1) Σ (t − mean)²; with B = 4,000 the relative deviation of a variance is about √(2/B) = 2.2 %."""
    w = sample({"N": 9, "S": 8}, absence=0.0)
    rng = np.random.default_rng(6)
    value = {one: rng.normal(100, 20) for one in w.schools["school_id"]}
    y = np.asarray([value[one] for one in w.table["school_id"]])
    weight = w.table["final_weight"].to_numpy()
    school = np.asarray(w.table["school_id"].to_list())
    for share in (None, {"N": 0.3, "S": 0.1}):
        reps = replicate_weights(w, method="bootstrap", n_replicates=4000, sampling_fraction=share)
        found = (reps.coefficients * (reps.matrix.T @ y - weight @ y) ** 2).sum()
        exact = 0.0
        for label, n in (("N", 9), ("S", 8)):
            inside = w.schools.filter(stratum=label)["school_id"].to_list()
            totals = np.asarray([(weight * y)[school == one].sum() for one in inside])
            fraction = 0.0 if share is None else share[label]
            exact += (1 - fraction) * n / (n - 1) * ((totals - totals.mean()) ** 2).sum()
        assert found == pytest.approx(exact, rel=4 * np.sqrt(2 / 4000))


def test_a_certainty_school_is_a_stratum_of_students_in_the_bootstrap() -> None:
    reps = replicate_weights(sample({"N": 5, "S": 4}, certain=(1,)), method="bootstrap")
    units = reps.units.filter(school_id="S01")
    assert units.height == N_STUDENTS
    assert units["stratum"].n_unique() == 1
    assert set(units["stratum"]).isdisjoint(reps.units.filter(school_id="S00")["stratum"])
    with pytest.raises(DesignError, match="one participating school"):
        replicate_weights(sample({"N": 5, "S": 1}), method="bootstrap")


def test_plain_half_samples_halve_the_odd_school() -> None:
    reps = replicate_weights(sample({"N": 7, "S": 5}, certain=(3,)), n_replicates=20, fay_factor=0.0)
    assert (reps.matrix >= 0).all()
    assert reps.units.filter(reps.units["unit_id"].str.ends_with("#1")).height == 1
    assert reps.coefficients.tolist() == [1 / 20] * 20


def test_125_zones_of_timss_2023() -> None:
    w = sample({"N": 6, "S": 6})
    assert replicate_weights(w, method="jk2", n_replicates=125).matrix.shape[1] == 125
    assert replicate_weights(w, method="jk2_both", n_replicates=250).matrix.shape[1] == 250


def test_a_cell_emptied_by_a_replicate_joins_its_stratum_there() -> None:
    """Cell "a" holds one participant and one refusal: leaving it out empties the cell in one replicate."""
    n = 9
    ids = [f"S{row:02d}" for row in range(n)]
    drawn: dict[str, Any] = {
        "school_id": ids,
        "stratum": ["N"] * n,
        "base_weight": [2.0] * n,
        "implicit_stratum": ["a", "a", *["b"] * 7],
    }
    schools = {
        "school_id": ids,
        "participant_id": [None, *ids[1:]],
        "status": [2] + [1] * 8,
        "enrolment": [30] * n,
        "enrolment_listed": [None] + [30] * 8,
    }
    students = {
        "school_id": [one for one in ids[1:] for _ in range(10)],
        "student_id": [f"{one}-{row}" for one in ids[1:] for row in range(10)],
        "status": [10] * 80,
    }
    rules = read_rules("national")
    small = dataclasses.replace(rules.school_cells, minimum_schools=1)
    few = dataclasses.replace(rules.student_cells, minimum_respondents=1)
    w = final_weights(
        drawn, schools, students, rules=dataclasses.replace(rules, school_cells=small, student_cells=few)
    )
    assert w.cells.filter(stage="school")["factor"].to_list() == [2.0, 1.0]
    reps = replicate_weights(w, method="jkn")
    found = [(one.stage, one.cell, one.replicate, one.reason) for one in reps.joined]
    assert found == [("school", "N: a", 1, "no respondents")]
    # the refusing school's weight goes to the seven others of the stratum, so its total is kept
    seven = reps.matrix[10:, 0]
    assert reps.matrix[:10, 0].tolist() == [0.0] * 10
    assert seven == pytest.approx(2 * 3 * (8 / 7) * (7 * (8 / 7) + 1) / (7 * (8 / 7)))
    assert seven.sum() == pytest.approx(w.table["final_weight"].sum())
    assert replicate_weights(w, method="fay", n_replicates=20).joined == ()


def test_weights_that_do_not_sum_from_their_parts_are_refused() -> None:
    w = sample({"N": 6})
    table = w.table.with_columns(final_weight=w.table["final_weight"] * 1.01)
    first = w.table["student_id"][0]
    with pytest.raises(DesignError, match=rf"do not sum from their parts.*See: {first}.*calibrate"):
        replicate_weights(dataclasses.replace(w, table=table))
    with pytest.raises(DesignError, match="do not sum"):
        replicate_weights(dataclasses.replace(w, table=w.table[1:]))


def test_sampling_fractions_are_checked() -> None:
    w = sample({"N": 6, "S": 6})
    for method, share in (("jkn", {"N": 0.1}), ("jkn", {"N": 0.1, "S": 1.0}), ("fay", {"N": 0.1, "S": 0.1})):
        with pytest.raises(DesignError, match="'sampling_fraction'"):
            replicate_weights(w, method=method, sampling_fraction=share)  # type: ignore[arg-type]
    found = replicate_weights(w, method="jkn", sampling_fraction={"N": 0.1, "S": 0.2})
    assert found.coefficients == pytest.approx([0.9 * 5 / 6] * 6 + [0.8 * 5 / 6] * 6)


def test_rules_may_limit_the_cells_of_single_replicates() -> None:
    """Cells hold 36 respondents of six schools each: without one school 30 are left, fewer than 33."""
    w = sample({"N": 6, "S": 6}, absence=0.0)
    limits = dataclasses.replace(w.rules.student_cells, replicate_minimum=33, replicate_factor=2.0)
    assert w.cells.filter(stage="student")["n_responding"].to_list() == [36, 36, 36, 36]
    narrow = dataclasses.replace(w, rules=dataclasses.replace(w.rules, student_cells=limits))
    reps = replicate_weights(narrow, method="jkn")
    # leaving a school out takes six girls and six boys: 30 of 36 are left in both cells of its stratum
    assert {(one.replicate, one.reason) for one in reps.joined} == {
        (number, "beyond the limits") for number in range(1, 13)
    }
    assert len(reps.joined) == 24
    # everybody responded, so joining changes no factor
    np.testing.assert_array_equal(reps.matrix, replicate_weights(w, method="jkn").matrix)


def test_a_factor_that_grows_in_a_replicate_joins_the_stratum() -> None:
    w = sample({"N": 6}, absence=0.3)
    plain = replicate_weights(w, method="jkn")
    limits = dataclasses.replace(
        w.rules.student_cells, replicate_minimum=0, replicate_factor=1.0, replicate_growth=1.0
    )
    narrow = dataclasses.replace(w, rules=dataclasses.replace(w.rules, student_cells=limits))
    reps = replicate_weights(narrow, method="jkn")
    assert reps.joined
    changed = {one.replicate - 1 for one in reps.joined}
    same = [number for number in range(6) if number not in changed]
    np.testing.assert_array_equal(reps.matrix[:, same], plain.matrix[:, same])
    assert not np.array_equal(reps.matrix, plain.matrix)
    np.testing.assert_allclose(reps.matrix.sum(axis=0), plain.matrix.sum(axis=0), rtol=1e-12)
