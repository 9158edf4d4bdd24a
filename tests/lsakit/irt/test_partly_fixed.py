"""Some parameters of an item held, the others estimated: at the free solution nothing moves; elsewhere a search agrees."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize

from irt_plain_loops import simulate
from lsakit.errors import CalibrationError
from lsakit.irt.calibration import Calibration, CalibrationOptions, calibrate

STRICT = CalibrationOptions(tolerance=1e-9, max_iterations=5000)
TWO = [("2pl", {"slope": 0.8 + 0.2 * j, "difficulty": -1.0 + 0.5 * j}) for j in range(5)]
THREE = {"steps": [0.6, -0.6]}


def responses(items: list[tuple[str, dict[str, Any]]], n: int = 900, seed: int = 2) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    codes = simulate(items, rng.normal(size=n), rng)
    return pl.DataFrame({f"q{j}": codes[:, j] for j in range(len(items))})


def rows_of(cal: Calibration, keep: dict[str, tuple[str, ...]]) -> pl.DataFrame:
    """Take some cells of a calibration as held, the others empty."""
    heads = [
        name
        for name in cal.items.columns
        if name in ("slope", "difficulty", "guessing") or name.startswith("step_")
    ]
    out = []
    for row in cal.items.iter_rows(named=True):
        if row["item"] in keep:
            kept = keep[row["item"]]
            out.append(
                {"item": row["item"], "model": row["model"]}
                | {
                    head: row[head]
                    if head in kept or (head == "guessing" and row["model"] != "3pl")
                    else None
                    for head in heads
                }
            )
    schema = {"item": pl.String, "model": pl.String} | dict.fromkeys(heads, pl.Float64)
    return pl.DataFrame(out, schema=schema)


def mixed(kind: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        *TWO,
        (kind, {"slope": 1.1, "difficulty": 0.2, **THREE}),
        (kind, {"slope": 0.9, "difficulty": -0.4, **THREE}),
    ]


CASES = {
    "slope": {"q1": ("slope",)},
    "two difficulties": {"q0": ("difficulty",), "q3": ("difficulty",)},
    "slope of one, difficulty of another": {"q1": ("slope",), "q4": ("difficulty",)},
    "steps of an item of several points": {"q5": ("step_1", "step_2")},
    "its slope and steps": {"q5": ("slope", "step_1", "step_2")},
    "its difficulty and steps": {"q5": ("difficulty", "step_1", "step_2"), "q6": ("difficulty",)},
    "difficulties of items of several points": {"q5": ("difficulty",), "q6": ("difficulty",)},
    "slope of an item of several points": {"q6": ("slope",)},
}


@pytest.mark.parametrize("kind", ["gpcm", "graded"])
@pytest.mark.parametrize("case", list(CASES))
def test_values_held_at_the_free_solution_leave_it_where_it_is(kind: str, case: str) -> None:
    items = mixed(kind)
    data = responses(items)
    models = {f"q{j}": model for j, (model, _) in enumerate(items)}
    free = calibrate(data, models, options=STRICT)
    held = calibrate(data, models, fixed=rows_of(free, CASES[case]), options=STRICT)
    assert held.loglik == pytest.approx(free.loglik, abs=1e-6)
    for head in ("slope", "difficulty", "step_1", "step_2"):
        mine = np.array(held.items[head].to_list(), dtype=float)
        theirs = np.array(free.items[head].to_list(), dtype=float)
        assert mine == pytest.approx(theirs, abs=1e-4, nan_ok=True)
    group = held.groups.row(0, named=True)
    assert (group["mean"], group["sd"]) == pytest.approx((0.0, 1.0), abs=1e-4)
    for name, heads in CASES[case].items():
        row = held.items.filter(pl.col("item") == name).row(0, named=True)
        for head in ("slope", "difficulty", "step_1"):
            if row[head] is not None:
                assert (row[f"se_{head}"] is None) == (head in heads), (name, head)
        assert not row["fixed"]


def test_guessing_can_be_held() -> None:
    items = [("3pl", {"slope": 1.2, "difficulty": -0.5 + 0.3 * j, "guessing": 0.2}) for j in range(5)]
    data = responses(items, n=1500)
    free = calibrate(data, "3pl", options=STRICT)
    keep = {f"q{j}": ("guessing",) for j in range(5)}
    held = calibrate(data, "3pl", fixed=rows_of(free, keep), options=STRICT)
    assert held.loglik == pytest.approx(
        free.loglik, abs=1e-6
    )  # the prior has no part where nothing of it is free
    assert held.items["guessing"].to_list() == pytest.approx(free.items["guessing"].to_list(), abs=1e-12)
    assert held.items["se_guessing"].null_count() == 5
    assert held.n_parameters == free.n_parameters - 5
    known = {"item": ["q0"], "model": ["3pl"], "slope": [None], "difficulty": [None], "guessing": [0.25]}
    other = calibrate(
        data,
        "3pl",
        fixed=pl.DataFrame(known, schema_overrides={"slope": pl.Float64, "difficulty": pl.Float64}),
    )
    assert other.items["guessing"][0] == pytest.approx(0.25)


def test_held_away_from_the_solution_a_direct_search_agrees() -> None:
    data = responses(TWO[:4], n=500, seed=5)
    fixed = pl.DataFrame({"item": ["q1", "q2"], "slope": [None, 1.5], "difficulty": [0.1, None]})
    cal = calibrate(data, "2pl", fixed=fixed, options=STRICT)
    answers = data.to_numpy()
    nodes = np.linspace(-6, 6, 41)

    def minus(x: np.ndarray) -> float:
        slope = np.array([x[0], x[1], 1.5, x[2]])
        hard = np.array([x[3], 0.1, x[4], x[5]])
        prior = np.exp(-0.5 * ((nodes - x[6]) / np.exp(x[7])) ** 2)
        p = 1 / (1 + np.exp(-slope[:, None] * (nodes - hard[:, None])))
        log_l = answers @ np.log(p) + (1 - answers) @ np.log(1 - p)
        return -float(np.log(np.exp(log_l) @ (prior / prior.sum())).sum())

    start = np.array([1.0, 1.0, 1.0, -1.0, 0.0, 0.5, 0.0, 0.0])
    best = minimize(minus, start, method="BFGS", options={"gtol": 1e-6, "maxiter": 5000})
    assert cal.loglik == pytest.approx(-best.fun, abs=1e-6)
    assert cal.items["slope"].to_list() == pytest.approx([best.x[0], best.x[1], 1.5, best.x[2]], abs=1e-3)
    assert cal.items["difficulty"].to_list() == pytest.approx(
        [best.x[3], 0.1, best.x[4], best.x[5]], abs=1e-3
    )
    assert cal.groups["mean"][0] == pytest.approx(best.x[6], abs=1e-3)


def test_a_row_may_be_whole_beside_one_that_is_not() -> None:
    data = responses(TWO)
    fixed = pl.DataFrame({"item": ["q0", "q1"], "slope": [0.8, None], "difficulty": [-1.0, -0.5]})
    cal = calibrate(data, "2pl", fixed=fixed)
    assert cal.items["fixed"].to_list() == [True, False, False, False, False]
    assert cal.items["difficulty"].to_list()[:2] == pytest.approx([-1.0, -0.5])
    assert cal.items["se_difficulty"].to_list()[:2] == [None, None]
    assert cal.items["se_slope"][1] is not None


@pytest.mark.parametrize(
    ("row", "model", "sentence"),
    [
        ({"slope": 1.3, "difficulty": None}, "rasch", "the slope of a rasch item is 1"),
        ({"slope": None, "difficulty": None}, "2pl", "have neither slope, difficulty, guessing nor steps"),
        (
            {"slope": None, "difficulty": 0.3, "step_1": 0.4, "step_2": -0.4},
            "gpcm",
            "2 steps in the table and 1",
        ),
        ({"slope": None, "difficulty": 0.3}, "3pl", "held with its slope and guessing or not at all"),
        ({"slope": None, "difficulty": 0.3}, "nominal", "held whole or not at all"),
        (
            {"slope": None, "difficulty": 0.3, "step_1": 0.4, "step_2": 0.4},
            "gpcm",
            "steps that do not sum to zero",
        ),
    ],
)
def test_what_cannot_be_held_is_refused(row: dict[str, Any], model: str, sentence: str) -> None:
    fixed = pl.DataFrame([{"item": "q1"} | row], schema_overrides=dict.fromkeys(row, pl.Float64))
    with pytest.raises(CalibrationError, match=sentence):
        calibrate(responses(TWO), model, fixed=fixed)
