"""Calibration: recovery, standard errors, fixed items, groups, weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from lsakit.errors import CancelledError, ConvergenceError
from lsakit.irt.calibration import Calibration, CalibrationOptions, calibrate
from lsakit.irt.models import category_probabilities

STEPS = (0.6, -0.6)


def simulate(
    n: int, *, seed: int, mean: float = 0.0, sd: float = 1.0, rasch: bool = False
) -> tuple[pl.DataFrame, dict[str, np.ndarray]]:
    """Twelve items, each fourth of three categories, each student meets two of three parts."""
    rng = np.random.default_rng(seed)
    truth = {
        "slope": np.ones(12) if rasch else np.linspace(0.7, 1.6, 12),
        "difficulty": np.linspace(-1.5, 1.5, 12)[rng.permutation(12)],
    }
    theta = rng.normal(mean, sd, n)
    part = rng.integers(0, 3, n)
    columns: dict[str, Any] = {"student_id": [f"s{i}" for i in range(n)]}
    for j in range(12):
        steps = STEPS if j % 4 == 3 else ()
        p = category_probabilities(
            theta, slope=truth["slope"][j], difficulty=truth["difficulty"][j], steps=steps
        )
        code = (rng.random((n, 1)) > np.cumsum(p, axis=1)[:, :-1]).sum(axis=1)
        columns[f"i{j:02d}"] = [None if part[i] == j // 4 else int(code[i]) for i in range(n)]
    return pl.DataFrame(columns), truth


def numerical_loglik(
    cal: Calibration, responses: pl.DataFrame, change: dict[tuple[str, str], float]
) -> float:
    """Log-likelihood by a plain loop over items on a fine grid, after changing parameters."""
    nodes = np.linspace(-6, 6, 121)
    mean, sd = float(cal.groups["mean"][0]), float(cal.groups["sd"][0])
    mean += change.get(("group", "mean"), 0.0)
    sd += change.get(("group", "sd"), 0.0)
    prior = np.exp(-0.5 * ((nodes - mean) / sd) ** 2)
    total = np.tile(np.log(prior / prior.sum()), (responses.height, 1))
    for row in cal.items.iter_rows(named=True):
        steps = [row.get("step_1"), row.get("step_2")]
        steps = [] if steps[0] is None else steps
        if steps:
            shift = change.get((row["item"], "step_1"), 0.0)
            steps = [steps[0] + shift, steps[1] - shift]
        p = category_probabilities(
            nodes,
            slope=row["slope"] + change.get((row["item"], "slope"), 0.0),
            difficulty=row["difficulty"] + change.get((row["item"], "difficulty"), 0.0),
            steps=steps,
        )
        codes = responses[row["item"]].fill_null(-1).to_numpy()
        seen = codes >= 0
        total[seen] += np.log(p[:, codes[seen]]).T
    top = total.max(axis=1, keepdims=True)
    return float((np.log(np.exp(total - top).sum(axis=1)) + top[:, 0]).sum())


def test_the_log_likelihood_is_that_of_a_plain_loop() -> None:
    responses, _ = simulate(400, seed=1)
    cal = calibrate(responses)
    assert cal.loglik == pytest.approx(numerical_loglik(cal, responses, {}), abs=1e-4)
    finer = calibrate(responses, options=CalibrationOptions(n_nodes=121))
    assert finer.loglik == pytest.approx(numerical_loglik(finer, responses, {}), abs=1e-8)


def test_standard_errors_come_from_the_hessian_of_the_log_likelihood() -> None:
    responses, _ = simulate(400, seed=2)
    few = ["i00", "i03", "i04", "i07", "i08"]
    responses = responses.select(few).filter(pl.any_horizontal(pl.col(few).is_not_null()))
    cal = calibrate(responses, options=CalibrationOptions(n_nodes=121, tolerance=1e-9))
    names = [(item, what) for item in few for what in ("slope", "difficulty")]
    names += [("i03", "step_1"), ("i07", "step_1")]
    h = 1e-3
    hessian = np.empty((len(names),) * 2)
    for j, one in enumerate(names):
        for k in range(j + 1):
            corners = []
            for left, right in ((h, h), (h, -h), (-h, h), (-h, -h)):
                change: dict[tuple[str, str], float] = {one: left}
                change[names[k]] = change.get(names[k], 0.0) + right
                corners.append(numerical_loglik(cal, responses, change))
            value = (corners[0] - corners[1] - corners[2] + corners[3]) / (4 * h * h)
            hessian[j, k] = hessian[k, j] = value
    expected = np.sqrt(np.diag(np.linalg.inv(-hessian)))
    shown = cal.items.rows_by_key("item", named=True, unique=True)
    found = [shown[item][f"se_{what}"] for item, what in names]
    assert found == pytest.approx(expected, rel=2e-3)


def test_recovery_and_coverage_of_items() -> None:
    responses, truth = simulate(4000, seed=3)
    cal = calibrate(responses)
    for name in ("slope", "difficulty"):
        away = (cal.items[name].to_numpy() - truth[name]) / cal.items[f"se_{name}"].to_numpy()
        assert np.abs(away).max() < 4.0
        assert np.sqrt(np.mean(away**2)) < 1.6
    steps = cal.items["step_1"].to_numpy()[3::4]
    assert steps == pytest.approx(np.full(3, STEPS[0]), abs=0.15)
    assert cal.items["step_1"].null_count() == 9
    assert cal.converged
    assert cal.n_iterations < 40
    assert (cal.history["loglik"].diff().drop_nulls() > -1e-5).all()


def test_cross_products_are_near_the_observed_information() -> None:
    responses, _ = simulate(4000, seed=4)
    observed = calibrate(responses).items
    crossed = calibrate(responses, options=CalibrationOptions(standard_errors="cross_product")).items
    ratio = (crossed["se_slope"] / observed["se_slope"]).to_numpy()
    assert np.abs(ratio - 1).max() < 0.1
    assert np.abs(ratio - 1).max() > 1e-6


def test_rasch_frees_the_spread_and_fixes_the_slopes() -> None:
    responses, truth = simulate(4000, seed=5, sd=1.4, rasch=True)
    cal = calibrate(responses, model={f"i{j:02d}": "pcm" if j % 4 == 3 else "rasch" for j in range(12)})
    assert cal.items["slope"].to_list() == [1.0] * 12
    assert cal.items["se_slope"].null_count() == 12
    group = cal.groups.row(0, named=True)
    assert group["mean"] == 0.0
    assert group["se_mean"] is None
    assert group["sd"] == pytest.approx(1.4, abs=4 * group["se_sd"])
    assert cal.items["difficulty"].to_numpy() == pytest.approx(truth["difficulty"], abs=0.25)


def test_fixed_items_carry_their_metric_to_the_new_cycle() -> None:
    old, truth = simulate(3000, seed=6)
    published = calibrate(old).items
    new, _ = simulate(3000, seed=6, mean=0.5, sd=1.3)
    trend = published.filter(pl.col("item").is_in(["i00", "i01", "i02", "i03", "i05", "i06"]))
    cal = calibrate(new, fixed=trend)
    rows = cal.items.rows_by_key("item", named=True, unique=True)
    for row in trend.iter_rows(named=True):
        same = rows[row["item"]]
        assert same["slope"] == pytest.approx(row["slope"], abs=1e-12)
        assert same["difficulty"] == pytest.approx(row["difficulty"], abs=1e-12)
        assert same["se_slope"] is None
        assert same["se_difficulty"] is None
        assert same["fixed"]
    group = cal.groups.row(0, named=True)
    assert group["mean"] == pytest.approx(0.5, abs=0.12)
    assert group["sd"] == pytest.approx(1.3, abs=0.12)
    free = cal.items.filter(~pl.col("fixed"))
    place = [int(name[1:]) for name in free["item"].to_list()]
    assert free["difficulty"].to_numpy() == pytest.approx(truth["difficulty"][place], abs=0.3)
    assert group["se_mean"] > 0.0


def test_groups_have_means_and_spreads_of_their_own() -> None:
    first, _ = simulate(2500, seed=7)
    second, _ = simulate(2500, seed=7, mean=-0.6, sd=0.8)
    both = pl.concat([first.with_columns(country=pl.lit("A")), second.with_columns(country=pl.lit("B"))])
    fine: dict[str, Any] = {"n_nodes": 161, "node_range": 8.0}  # on the other metric the nodes lie elsewhere
    cal = calibrate(both.drop("student_id"), group="country", options=CalibrationOptions(**fine))
    a, b = cal.groups.iter_rows(named=True)
    assert (a["mean"], a["sd"], a["se_mean"]) == (0.0, 1.0, None)
    assert b["mean"] == pytest.approx(-0.6, abs=4 * b["se_mean"])
    assert b["sd"] == pytest.approx(0.8, abs=4 * b["se_sd"])
    turned = calibrate(
        both.drop("student_id"), group="country", options=CalibrationOptions(reference_group="B", **fine)
    )
    assert turned.loglik == pytest.approx(cal.loglik, abs=1e-4)
    assert turned.groups.row(0, named=True)["mean"] == pytest.approx(0.6 / 0.8, abs=0.15)


def test_whole_weights_are_repetition() -> None:
    responses, _ = simulate(300, seed=8)
    weight = np.where(np.arange(300) % 2 == 0, 3, 1)
    repeated = responses[np.repeat(np.arange(300), weight)].drop("student_id")
    weighted = calibrate(responses, weights=weight)
    plain = calibrate(repeated)
    assert weighted.items["difficulty"].to_numpy() == pytest.approx(
        plain.items["difficulty"].to_numpy(), abs=1e-5
    )
    assert weighted.loglik * weight.mean() == pytest.approx(plain.loglik, abs=1e-5)
    assert weighted.standard_errors == "sandwich"
    assert (weighted.items["se_difficulty"] > plain.items["se_difficulty"]).mean() > 0.9


def test_students_without_a_response_do_not_count() -> None:
    responses, _ = simulate(300, seed=9)
    blank = pl.DataFrame({name: [None] for name in responses.columns}, schema=responses.schema)
    more = pl.concat([responses, blank.with_columns(student_id=pl.lit("x"))])
    plain, with_blank = calibrate(responses), calibrate(more)
    assert with_blank.loglik == pytest.approx(plain.loglik, abs=1e-9)
    assert (with_blank.n_students, with_blank.n_left_out) == (300, 1)


def test_non_convergence_raises_with_the_state() -> None:
    responses, _ = simulate(300, seed=10)
    with pytest.raises(ConvergenceError, match=r"did not converge in 3 steps") as caught:
        calibrate(responses, options=CalibrationOptions(max_iterations=3))
    state = caught.value.state
    assert isinstance(state, Calibration)
    assert not state.converged
    kept = calibrate(responses, options=CalibrationOptions(max_iterations=3, on_failure="return"))
    assert kept.items["se_slope"].null_count() == 12


def test_progress_is_told_and_may_cancel() -> None:
    responses, _ = simulate(300, seed=11)
    heard: list[float] = []

    def stop(sentence: str, share: float) -> None:
        heard.append(share)
        if len(heard) == 3:
            raise CancelledError("Stopped on request.")

    with pytest.raises(CancelledError):
        calibrate(responses, options=CalibrationOptions(progress=stop))
    assert all(0.0 <= share <= 1.0 for share in heard)


def test_unusual_slopes_are_told() -> None:
    responses, _ = simulate(1500, seed=12)
    turned = responses.with_columns((1 - pl.col("i00")).alias("i00"))
    cal = calibrate(turned)
    assert any(sentence.startswith("The slope of i00 is -") for sentence in cal.doubtful)


def test_published_items_are_taken_as_they_are() -> None:
    responses, _ = simulate(600, seed=13)
    cal = calibrate(responses)
    again = Calibration.from_items(cal.items)
    assert again.items["difficulty"].to_numpy() == pytest.approx(
        cal.items["difficulty"].to_numpy(), abs=1e-12
    )
    assert again.items["step_2"].to_list()[3] == pytest.approx(cal.items["step_2"].to_list()[3], abs=1e-12)
