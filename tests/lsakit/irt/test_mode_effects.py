"""Mode effects against simulated truth, a facet model and a plain loop."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from lsakit.errors import CalibrationError
from lsakit.irt.calibration import CalibrationOptions
from lsakit.irt.facets import calibrate_facets
from lsakit.irt.mode_effects import ModeOptions, mode_effects

N_ITEMS = 24
RANDOM = np.random.default_rng(17)
SLOPE = np.exp(RANDOM.normal(0.0, 0.2, N_ITEMS))
HARD = RANDOM.normal(0.0, 0.9, N_ITEMS)
EFFECT = {2: 0.8, 9: -0.7, 15: 0.6}
NAMES = [f"m{j:02d}" for j in range(N_ITEMS)]


def responses(
    n: int, seed: int, *, general: float = 0.0, mean: float = 0.0, slope: np.ndarray = SLOPE
) -> pl.DataFrame:
    """2PL items on paper and computer; computer students may be abler by a mean."""
    rng = np.random.default_rng(seed)
    parts = []
    for mode in ("paper", "screen"):
        hard, theta = HARD.copy(), rng.normal(size=(n, 1))
        if mode == "screen":
            hard += general + np.array([EFFECT.get(j, 0.0) for j in range(N_ITEMS)])
            theta = theta + mean
        seen = (slope * (theta - hard) + rng.logistic(size=(n, N_ITEMS)) > 0).astype(np.int64)
        parts.append(
            pl.DataFrame({name: seen[:, j] for j, name in enumerate(NAMES)}).with_columns(mode=pl.lit(mode))
        )
    return pl.concat(parts)


def test_effects_of_random_modes_are_found() -> None:
    data = responses(3000, 1, general=0.15)
    found = mode_effects(data, "mode", "2pl", options=ModeOptions(equivalent=True))
    truth = 0.15 + np.array([EFFECT.get(j, 0.0) for j in range(N_ITEMS)])
    gap = (found.items["effect"].to_numpy() - truth) / found.items["se"].to_numpy()
    assert float((gap**2).sum()) < 50.0  # chi-square of 24, 99.9 %: 51.2
    assert found.general_effect == pytest.approx(truth.mean(), abs=3.5 * found.general_se)
    moved = set(found.items.filter(~pl.col("is_invariant"))["item"])
    assert moved == {"m02", "m09", "m15"}
    assert found.homogeneity is not None
    assert found.homogeneity[1] == 23
    assert found.homogeneity[2] < 1e-6
    assert found.likelihood_ratio is not None
    assert found.likelihood_ratio[1] == 24
    assert found.likelihood_ratio[2] < 1e-6
    assert found.items["rmsd_mode"].max() < 0.05


def test_without_an_effect_the_tests_are_quiet() -> None:
    data = responses(1500, 2).filter(pl.col("mode") == "paper")
    half = data.with_columns(mode=pl.Series(["a", "b"] * (data.height // 2)))
    found = mode_effects(half, "mode", "2pl", options=ModeOptions(equivalent=True))
    assert found.likelihood_ratio is not None
    assert found.homogeneity is not None
    assert found.likelihood_ratio[2] > 0.001
    assert found.homogeneity[2] > 0.001
    assert found.homogeneity[0] == pytest.approx(found.likelihood_ratio[0], abs=12.0)  # both near 24 and 23
    assert found.items["is_invariant"].all()


def test_one_shift_of_all_rasch_items_is_the_severity_of_a_facet() -> None:
    data = responses(800, 3, general=0.2, slope=np.ones(N_ITEMS)).select([*NAMES[:6], "mode"])
    found = mode_effects(data, "mode", "rasch", options=ModeOptions(equivalent=True))
    rows = []
    for number, row in enumerate(data.iter_rows(named=True)):
        rows += [
            {"student_id": f"s{number}", "item": q, "coder": row["mode"], "score": row[q]} for q in NAMES[:6]
        ]
    facets = calibrate_facets(pl.DataFrame(rows))
    severity = dict(zip(facets.severities["coder"], facets.severities["severity"], strict=True))
    weight = 1.0 / found.items["se"].to_numpy() ** 2
    pooled = float(weight @ found.items["effect"].to_numpy() / weight.sum())
    # The facet model pools by likelihood; with 800 students a mode the two agree to a tenth of the error.
    assert pooled == pytest.approx(severity["screen"] - severity["paper"], abs=0.02)


def test_modes_that_schools_chose_are_linked_by_invariant_items() -> None:
    data = responses(3000, 4, mean=0.5)
    found = mode_effects(data, "mode", "2pl")
    shifted = found.items.filter(~pl.col("is_invariant"))
    assert set(shifted["item"]) == {"m02", "m09", "m15"}
    for row in shifted.iter_rows(named=True):
        assert row["effect"] == pytest.approx(EFFECT[NAMES.index(row["item"])], abs=4 * row["se"])
    assert found.items.filter(pl.col("is_invariant"))["effect"].null_count() == 21
    means = dict(zip(found.calibration.groups["group"], found.calibration.groups["mean"], strict=True))
    assert means["screen"] == pytest.approx(0.5, abs=0.1)
    assert found.is_comparable
    assert found.general_effect is None
    rows = found.calibration.items.rows_by_key("item", named=True, unique=True)
    assert rows["m02"]["slope"] == pytest.approx(rows["m02@screen"]["slope"], abs=1e-9)
    effect = rows["m02@screen"]["difficulty"] - rows["m02"]["difficulty"]
    assert effect == pytest.approx(float(shifted.filter(pl.col("item") == "m02")["effect"][0]), abs=1e-9)


@pytest.mark.long
def test_the_effect_is_where_the_likelihood_is_highest() -> None:
    """A plain log-likelihood on 61 nodes falls where τ of one item is moved, and its curvature is the error's."""
    data = responses(600, 5).select([*NAMES[:5], "mode"])
    options = ModeOptions(equivalent=True, calibration=CalibrationOptions(n_nodes=61, tolerance=1e-9))
    found = mode_effects(data, "mode", "2pl", options=options)
    rows = found.calibration.items.rows_by_key("item", named=True, unique=True)
    nodes = np.linspace(-6, 6, 61)
    prior = np.exp(-(nodes**2) / 2)
    prior /= prior.sum()
    answers, is_screen = data.select(NAMES[:5]).to_numpy(), (data["mode"] == "screen").to_numpy()

    def loglik(moves: np.ndarray) -> float:
        value = np.zeros((len(answers), len(nodes)))
        for j, name in enumerate(NAMES[:5]):
            paper, screen = rows[name], rows[f"{name}@screen"]
            for row, mask, move in ((paper, ~is_screen, 0.0), (screen, is_screen, moves[j])):
                p = 1 / (1 + np.exp(-row["slope"] * (nodes - row["difficulty"] - move)))
                value[mask] += np.where(answers[mask, j][:, None] == 1, np.log(p), np.log(1 - p))
        return float(np.log(np.exp(value) @ prior).sum())

    best = loglik(np.zeros(5))
    assert best == pytest.approx(found.calibration.loglik, abs=1e-6)
    for j in range(5):
        for step in (-0.01, 0.01):
            move = np.zeros(5)
            move[j] = step
            assert loglik(move) < best


def test_graded_and_partial_credit_items_shift_all_their_thresholds() -> None:
    rng = np.random.default_rng(6)
    theta, screen = rng.normal(size=(4000, 1)), np.repeat([0.0, 1.0], 2000)[:, None]
    hard = np.linspace(-1, 1, 6) + 0.5 * screen * (np.arange(6) == 3)
    above = [theta - hard - cut + rng.logistic(size=(4000, 6)) * 0 for cut in (-0.6, 0.6)]
    noise = rng.logistic(size=(4000, 6))
    scores = sum((one + noise > 0).astype(np.int64) for one in above)
    data = pl.DataFrame({f"g{j}": scores[:, j] for j in range(6)}).with_columns(
        mode=pl.Series(np.where(screen[:, 0] > 0, "screen", "paper"))
    )
    for model in ("graded", "gpcm"):
        found = mode_effects(data, "mode", model, options=ModeOptions(equivalent=True))
        row = found.items.row(3, named=True)
        assert row["effect"] == pytest.approx(0.5, abs=4 * row["se"])
        assert not row["is_invariant"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"model": "3pl"}, "cannot be shifted by mode \\(3pl\\)"),
        ({"reference": "tablet"}, "must hold two modes"),
        ({"least_n": 100_000}, "No item has 100000 responses in both modes"),
    ],
)
def test_what_cannot_be_compared_is_refused(change: dict[str, object], sentence: str) -> None:
    given = dict(change)
    model = str(given.pop("model", "2pl"))
    with pytest.raises(CalibrationError, match=sentence):
        mode_effects(responses(200, 7), "mode", model, options=ModeOptions(**given))  # type: ignore[arg-type]


def test_few_invariant_items_are_not_comparable() -> None:
    data = responses(1500, 8, mean=0.3).select([*NAMES[:12], "mode"])
    with pytest.raises(CalibrationError, match="not comparable"):
        mode_effects(data, "mode", "2pl")
    found = mode_effects(data, "mode", "2pl", options=ModeOptions(on_few="report"))
    assert not found.is_comparable
    assert found.n_invariant < 20
