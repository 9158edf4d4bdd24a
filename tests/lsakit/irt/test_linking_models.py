"""Links of graded and nominal items: the line that was put in is found, and probabilities do not change by moving."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from irt_plain_loops import probabilities
from lsakit.errors import CalibrationError
from lsakit.irt.calibration import Calibration
from lsakit.irt.linking import LinkOptions, link

LINE = (1.25, -0.4)
NODES = np.linspace(-3, 3, 13)


def graded(n: int = 24) -> pl.DataFrame:
    rng = np.random.default_rng(4)
    gap = rng.uniform(0.3, 0.9, (n, 1)) * np.array([[1.0, 0.1, -1.1]])
    columns = {
        "item": [f"g{j}" for j in range(n)],
        "model": ["graded"] * n,
        "slope": rng.lognormal(0.0, 0.2, n),
        "difficulty": rng.normal(0.0, 0.8, n),
    }
    return pl.DataFrame(columns | {f"step_{k + 1}": gap[:, k] for k in range(3)})


def nominal(n: int = 24) -> pl.DataFrame:
    rng = np.random.default_rng(7)
    first, second = rng.normal(0.2, 0.4, n), rng.normal(-0.1, 0.4, n)
    return pl.DataFrame(
        {
            "item": [f"n{j}" for j in range(n)],
            "model": ["nominal"] * n,
            "slope": rng.lognormal(-0.2, 0.2, n),
            "difficulty": rng.normal(0.0, 0.8, n),
            "step_1": first,
            "step_2": second,
            "step_3": -first - second,
            "score_1": rng.uniform(0.5, 1.4, n),
            "score_2": rng.uniform(1.6, 2.5, n),
        }
    )


def curves(row: dict, theta: np.ndarray) -> np.ndarray:
    par = {
        "slope": row["slope"],
        "difficulty": row["difficulty"],
        "steps": [row[f"step_{k}"] for k in (1, 2, 3)],
    }
    if row["model"] == "nominal":
        par["scores"] = [row["score_1"], row["score_2"]]
    return probabilities(row["model"], theta, par)


def on_new_scale(old: pl.DataFrame) -> pl.DataFrame:
    """Fit the parameters of the new scale to the old probabilities at moved abilities: no formula of the link is used."""
    from scipy.optimize import least_squares

    rows = []
    for row in old.iter_rows(named=True):
        want = curves(row, LINE[0] * NODES + LINE[1])
        free = ["slope", "difficulty", "step_1", "step_2"]
        free += ["score_1", "score_2"] if row["model"] == "nominal" else []

        def with_values(x: np.ndarray, row: dict = row, free: list = free) -> dict:
            out = row | dict(zip(free, x, strict=True))
            out["step_3"] = -out["step_1"] - out["step_2"]
            return out

        def gap(x: np.ndarray, want: np.ndarray = want, build=with_values) -> np.ndarray:
            return (curves(build(x), NODES) - want).ravel()

        found = least_squares(gap, [row[name] for name in free], xtol=1e-15, ftol=1e-15, gtol=1e-15)
        assert float(np.abs(found.fun).max()) < 1e-9
        rows.append(with_values(found.x))
    return pl.DataFrame(rows).select(old.columns)


@pytest.mark.parametrize("make", [graded, nominal])
@pytest.mark.parametrize("method", ["mean_mean", "mean_sigma", "haebara", "stocking_lord"])
def test_the_line_is_found(make, method: str) -> None:
    old = make()
    new = on_new_scale(old)
    found = link(old, new, method)
    assert (found.slope, found.intercept) == pytest.approx(LINE, abs=1e-6)
    assert found.linking_error == pytest.approx(0.0, abs=1e-6)
    assert found.is_comparable


@pytest.mark.parametrize("make", [graded, nominal])
def test_transformed_items_have_the_old_probabilities(make) -> None:
    old = make()
    new = on_new_scale(old)
    moved = link(old, new).transform(new)
    for mine, theirs in zip(moved.iter_rows(named=True), old.iter_rows(named=True), strict=True):
        for name, value in theirs.items():
            if isinstance(value, float):
                assert mine[name] == pytest.approx(value, abs=1e-6), (mine["item"], name)
    assert Calibration.from_items(moved).items["slope"].to_list() == pytest.approx(
        old["slope"].to_list(), abs=1e-6
    )


def test_the_standard_error_of_a_moved_nominal_step_is_unknown() -> None:
    old = nominal()
    new = on_new_scale(old).with_columns(se_step_1=0.1, se_difficulty=0.2)
    moved = link(old, new).transform(new)
    assert moved["se_step_1"].null_count() == old.height
    assert moved["se_difficulty"].to_list() == pytest.approx([0.2 * LINE[0]] * old.height, abs=1e-6)


def test_a_drifting_graded_item_is_dropped() -> None:
    old = graded()
    new = on_new_scale(old)
    drifted = new.with_columns(
        difficulty=pl.when(pl.col("item") == "g5").then(pl.col("difficulty") + 0.8).otherwise("difficulty")
    )
    found = link(old, drifted)
    rows = found.items.rows_by_key("item", named=True, unique=True)
    assert rows["g5"]["status"] == "dropped"
    assert rows["g5"]["shift"] == pytest.approx(0.8 * LINE[0], abs=1e-5)
    assert (found.slope, found.intercept) == pytest.approx(LINE, abs=1e-5)


def test_items_of_different_forms_are_refused() -> None:
    old = graded()
    with pytest.raises(CalibrationError, match="models of different forms") as refusal:
        link(old, old.with_columns(model=pl.lit("gpcm")), options=LinkOptions(drop="none"))
    assert refusal.value.where[0] == "g0"
