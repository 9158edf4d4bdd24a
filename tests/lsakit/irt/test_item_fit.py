"""Item and person fit: TV-8.2 and TV-8.3 by name, enumeration, simulation under the model and against it."""

from __future__ import annotations

from itertools import product

import numpy as np
import polars as pl
import pytest

from lsakit.errors import CalibrationError, ResponseError, UnknownColumnError
from lsakit.irt.calibration import Calibration, CalibrationOptions, calibrate
from lsakit.irt.group_misfit import rmsd_and_md
from lsakit.irt.item_fit import FitOptions, item_fit
from lsakit.irt.packs import normal_prior, probability_table
from lsakit.irt.person_fit import person_fit
from lsakit.kernels import item_fit as kernels

ITEMS = {
    "item": list("abcd"),
    "slope": [1.0, 0.7, 1.4, 0.9],
    "difficulty": [-0.5, 0.0, 0.4, 1.0],
    "step_1": [None, 0.6, None, 0.3],
    "step_2": [None, -0.6, None, -0.3],
}


def simulate(rng: np.random.Generator, cal: Calibration, n: int, mean: float = 0.0) -> pl.DataFrame:
    """Answers drawn from the calibrated items."""
    theta = rng.normal(mean, 1.0, n)
    table = probability_table(cal.parameters, theta)
    columns = {}
    for place, name in enumerate(cal.parameters.names):
        first, steps = int(cal.parameters.offset[place]), int(cal.parameters.n_steps[place])
        cumulated = np.cumsum(table[first : first + steps], axis=0)
        columns[name] = (rng.random(n) > cumulated).sum(axis=0)
    return pl.DataFrame(columns)


def test_tv_8_2_rmsd_and_md() -> None:
    rmsd, md = rmsd_and_md(
        [0.10, 0.22, 0.45, 0.72, 0.90], [0.08, 0.25, 0.52, 0.79, 0.93], [0.05, 0.25, 0.40, 0.25, 0.05]
    )
    assert rmsd == pytest.approx(0.0589491, abs=5e-8)
    assert md == pytest.approx(-0.0535, abs=1e-12)


def test_tv_8_3_infit_and_outfit() -> None:
    cal = Calibration.from_items({"item": ["a", "b"], "slope": [1.0, 1.0], "difficulty": [0.2, 0.2]})
    known = [1.2, 0.8, 0.5, 0.1, -0.3, -0.6, -1.0, 1.5]
    data = {"a": [1, 1, 0, 1, 0, 0, 1, 1], "b": [None] * 8, "known": known}
    row = item_fit(cal, data, options=FitOptions(ability="known")).items.row(0, named=True)
    assert row["outfit"] == pytest.approx(1.0025286, abs=5e-8)
    assert row["infit"] == pytest.approx(0.9791694, abs=5e-8)


def test_total_scores_are_those_of_all_answer_patterns() -> None:
    cal = Calibration.from_items(ITEMS)
    items = cal.parameters
    nodes = np.linspace(-3.0, 3.0, 7)
    table = probability_table(items, nodes)
    every = np.arange(4)
    prior = normal_prior(nodes, np.zeros(1), np.ones(1))[0]
    n_scores = int(items.n_steps.sum()) + 1
    expected = np.zeros((4, n_scores, 3))
    for pattern in product(*(range(int(own) + 1) for own in items.n_steps)):
        chance = float(prior @ np.prod([table[items.offset[j] + k] for j, k in enumerate(pattern)], axis=0))
        for item, k in enumerate(pattern):
            expected[item, sum(pattern), k] += chance
    found = np.zeros_like(expected)
    kernels.joint_score_probabilities(table, items.offset, items.n_steps, every, prior, found)
    assert found == pytest.approx(expected, abs=1e-14)


def test_fit_holds_its_level_under_the_model() -> None:
    # 400 item tests: shares of rejections at 5 %. The items' own parameters are the true ones, so that nothing is fitted.
    cal = Calibration.from_items(
        {
            "item": [f"i{j}" for j in range(20)],
            "slope": [1.0] * 20,
            "difficulty": np.linspace(-1.5, 1.5, 20),
        }
    )
    rejected = {"infit_t": 0, "outfit_t": 0, "s_x2": 0}
    values = []
    for seed in range(20):
        data = simulate(np.random.default_rng(seed), cal, 1000)
        found = item_fit(cal, data, options=FitOptions(with_q3=False)).items
        rejected["infit_t"] += int((found["infit_t"].abs() > 1.96).sum())
        rejected["outfit_t"] += int((found["outfit_t"].abs() > 1.96).sum())
        rejected["s_x2"] += int((found["s_x2_p"] < 0.05).sum())
        values.append(found["infit"].mean())
    # 400 tests at 5 %: 20 expected, standard deviation 4.4; four standard deviations either way.
    for name, number in rejected.items():
        assert 3 <= number <= 38, (name, number)
    assert np.mean(values) == pytest.approx(1.0, abs=0.005)


def test_posterior_mean_squares_do_not_cry_wolf_and_those_at_the_wle_do() -> None:
    # 20 samples of 20 items calibrated on the same data; docs/algorithms/item_fit.md has the larger study.
    truth = Calibration.from_items(
        {"item": [f"i{j}" for j in range(20)], "slope": [1.0] * 20, "difficulty": np.linspace(-1.5, 1.5, 20)}
    )
    rejected = {"posterior": 0, "wle": 0}
    for seed in range(20):
        data = simulate(np.random.default_rng(seed), truth, 1000)
        cal = calibrate(
            data, model="rasch", options=CalibrationOptions(standard_errors="none", tolerance=1e-5)
        )
        for ability in rejected:
            options = FitOptions(ability=ability, with_q3=False, with_score_test=False)
            rejected[ability] += int(
                (item_fit(cal, data, options=options).items["infit_t"].abs() > 1.96).sum()
            )
    assert rejected["posterior"] <= 28  # 20 of 400 expected at most, and two standard deviations
    assert rejected["wle"] > 28


def test_fit_finds_a_flat_and_a_steep_item() -> None:
    """Negative control: items of slope 0.3 and 2.5 under a Rasch calibration."""
    rng = np.random.default_rng(5)
    truth = Calibration.from_items(
        {
            "item": [f"i{j}" for j in range(20)],
            "slope": [0.3, 2.5] + [1.0] * 18,
            "difficulty": [0.0, 0.0, *np.linspace(-1.5, 1.5, 18)],
        }
    )
    data = simulate(rng, truth, 3000)
    cal = calibrate(data, model="rasch", options=CalibrationOptions(standard_errors="none"))
    found = item_fit(cal, data)
    flat, steep = found.items.row(0, named=True), found.items.row(1, named=True)
    assert flat["infit"] > 1.1
    assert flat["infit_t"] > 5
    assert steep["infit"] < 0.9
    assert steep["infit_t"] < -5
    assert flat["s_x2_p"] < 1e-6
    assert steep["s_x2_p"] < 1e-6
    assert "s_x2" in flat["flags"]


def test_s_x2_spends_the_parameters_of_the_item() -> None:
    rng = np.random.default_rng(9)
    cal = Calibration.from_items(ITEMS)
    data = simulate(rng, cal, 2000)
    held = item_fit(cal, data).items
    own = calibrate(data, model="gpcm")
    free = item_fit(own, data).items
    for a, b, steps in zip(held["s_x2_df"], free["s_x2_df"], cal.parameters.n_steps, strict=True):
        assert a - b == pytest.approx(steps + 1, abs=1)  # the joined cells may differ by one


def test_a_group_that_finds_one_item_hard_is_released() -> None:
    rng = np.random.default_rng(8)
    names = [f"i{j}" for j in range(15)]
    easy = Calibration.from_items(
        {"item": names, "slope": [1.0] * 15, "difficulty": np.linspace(-1.5, 1.5, 15)}
    )
    shifted = np.linspace(-1.5, 1.5, 15)
    shifted[7] += 1.5
    hard = Calibration.from_items({"item": names, "slope": [1.0] * 15, "difficulty": shifted})
    parts = [simulate(rng, cal, 1500, mean) for cal, mean in ((easy, 0.0), (hard, 0.3), (easy, -0.3))]
    data = pl.concat(
        [part.with_columns(region=pl.lit(name)) for part, name in zip(parts, "ABC", strict=True)]
    )
    cal = calibrate(data, model="rasch", group="region", options=CalibrationOptions(standard_errors="none"))
    found = item_fit(cal, data)
    assert found.release.rows()[0][:3] == ("i7", "B", "harder")
    assert found.release["rmsd"][0] > 0.12
    assert found.release["item"].unique().to_list() == ["i7"]
    assert found.alarms == ()
    row = found.groups.filter((pl.col("item") == "i7") & (pl.col("group") == "B")).row(0, named=True)
    assert row["md"] < -0.1
    other = found.groups.filter(pl.col("item") != "i7")["rmsd"].max()
    assert other < 0.06


def test_tables_without_rows_keep_their_kinds() -> None:
    cal = Calibration.from_items(ITEMS)
    found = item_fit(cal, {"a": [1, 0], "b": [2, 1], "c": [1, 0], "d": [2, 0]})
    for table, name in ((found.release, "item"), (found.q3, "item_1")):
        assert table.height == 0
        assert table.schema[name] == pl.String
    assert (
        found.items["undefined_because"].to_list() == ["S-X2: no booklet with the item has 100 students"] * 4
    )


def test_misfit_is_reported_by_any_other_column() -> None:
    rng = np.random.default_rng(2)
    cal = Calibration.from_items(ITEMS)
    data = simulate(rng, cal, 1000).with_columns(gender=pl.Series(["f", "m"] * 500))
    found = item_fit(cal, data, group="gender")
    assert found.groups["group"].unique().sort().to_list() == ["f", "m"]
    assert found.groups["rmsd"].max() < 0.08
    assert set(found.curves["group"]) == {"f", "m"}


def test_q3_finds_a_copied_item() -> None:
    rng = np.random.default_rng(3)
    cal = Calibration.from_items(
        {"item": [f"i{j}" for j in range(12)], "slope": [1.0] * 12, "difficulty": np.linspace(-1, 1, 12)}
    )
    data = simulate(rng, cal, 1500)
    assert not item_fit(cal, data).q3["flagged"].any()
    copied = data.with_columns(
        i1=pl.when(pl.Series(rng.random(1500) < 0.7)).then(pl.col("i0")).otherwise(pl.col("i1"))
    )
    found = item_fit(cal, copied).q3
    assert found.row(0)[:2] == ("i0", "i1")
    assert found["flagged"].to_list()[:2] == [True, False]
    # Yen's expectation under the model is about -1/(n - 1).
    assert item_fit(cal, data).q3["q3"].mean() == pytest.approx(-1 / 11, abs=0.03)


def test_lz_star_is_standard_normal_under_the_model_and_finds_guessers() -> None:
    rng = np.random.default_rng(11)
    cal = Calibration.from_items(
        {"item": [f"i{j}" for j in range(40)], "slope": [1.0] * 40, "difficulty": np.linspace(-2, 2, 40)}
    )
    found = person_fit(cal, simulate(rng, cal, 2000))["lz"].to_numpy()
    assert np.mean(found) == pytest.approx(0.0, abs=0.07)  # 3 standard errors of a mean of 2,000
    assert np.std(found) == pytest.approx(1.0, abs=0.06)
    guessing = pl.DataFrame({f"i{j}": rng.integers(0, 2, 500) for j in range(40)})
    assert np.mean(person_fit(cal, guessing)["lz"].to_numpy() < -1.645) > 0.9


def test_students_without_an_estimate_say_why() -> None:
    cal = Calibration.from_items(ITEMS)
    data = {
        "student_id": ["x", "y", "z"],
        "a": [1, None, None],
        "b": [2, 1, None],
        "c": [1, None, None],
        "d": [2, None, None],
    }
    found = person_fit(cal, data, method="mle")
    assert found["status"].to_list() == ["no_finite_maximum", "too_few_items", "no_responses"]
    assert found["lz"].to_list() == [None, None, None]


def test_relabelled_rows_and_scaled_weights_change_nothing() -> None:
    rng = np.random.default_rng(6)
    cal = Calibration.from_items(ITEMS)
    data = simulate(rng, cal, 500).with_columns(w=pl.Series(rng.uniform(0.5, 2.0, 500)))
    one = item_fit(cal, data, weights="w").items
    turned = data.sample(fraction=1.0, shuffle=True, seed=1).with_columns(pl.col("w") * 7.0)
    two = item_fit(cal, turned, weights="w").items
    for name in ("infit", "outfit", "infit_t", "s_x2", "worst_rmsd"):
        assert two[name].to_numpy() == pytest.approx(one[name].to_numpy(), rel=1e-9)


def test_what_is_refused() -> None:
    cal = Calibration.from_items(ITEMS)
    good = {"a": [1, 0], "b": [2, 1], "c": [1, 0], "d": [2, 0]}
    with pytest.raises(ResponseError, match="The item 'a' has highest score 1"):
        item_fit(cal, {**good, "a": [2, 0]})
    with pytest.raises(CalibrationError, match="No student of positive weight answered"):
        item_fit(cal, {name: [None, None] for name in good})
    with pytest.raises(CalibrationError, match="none negative and not all zero"):
        item_fit(cal, good, weights=[0.0, 0.0])
    with pytest.raises(UnknownColumnError, match="no column 'region'"):
        item_fit(cal, good, group="region")
    with pytest.raises(CalibrationError, match="'rmsd_threshold' of item fit cannot be 0"):
        FitOptions(rmsd_threshold=0)
    with pytest.raises(CalibrationError, match="must be 'wle' or 'mle'"):
        person_fit(cal, good, method="eap")
    with pytest.raises(CalibrationError, match="one value per node"):
        rmsd_and_md([0.1], [0.1, 0.2], [1.0])
