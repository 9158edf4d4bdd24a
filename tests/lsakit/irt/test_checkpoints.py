"""Warm start, checkpoint and resume, threads, repeated patterns, and the last state of what did not converge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from irt_plain_loops import simulate
from lsakit.errors import CalibrationError, CancelledError, ConvergenceError
from lsakit.irt import em, response_data
from lsakit.irt.calibration import CalibrationOptions, calibrate
from lsakit.irt.dimensions import calibrate_dimensions
from lsakit.irt.plan import Held, plan_layout
from lsakit.irt.response_data import merge_repeated, read_responses
from lsakit.irt.score_cells import find_cells

ITEMS: list[tuple[str, dict[str, Any]]] = [
    ("2pl", {"slope": 0.8 + 0.1 * j, "difficulty": -1.0 + 0.3 * j}) for j in range(7)
] + [("graded", {"slope": 1.2, "difficulty": 0.2, "steps": [0.7, -0.7]})]
MODELS = {f"q{j}": model for j, (model, _) in enumerate(ITEMS)}


def responses(n: int = 500, seed: int = 1) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    codes = simulate(ITEMS, rng.normal(size=n), rng)
    return pl.DataFrame({f"q{j}": codes[:, j] for j in range(len(ITEMS))})


def stop_after(n_steps: int) -> Any:
    heard = []

    def progress(sentence: str, share: float) -> None:
        heard.append(share)
        if len(heard) == n_steps:
            raise CancelledError("Stopped on request.")

    return progress


def test_a_resumed_calibration_takes_the_same_steps(tmp_path: Path) -> None:
    file = tmp_path / "state.npz"
    table = responses()
    options = {"tolerance": 1e-10}
    whole = calibrate(table, model=MODELS, options=CalibrationOptions(**options))
    assert whole.n_iterations > 12
    with pytest.raises(CancelledError):
        calibrate(
            table,
            model=MODELS,
            options=CalibrationOptions(**options, checkpoint=file, progress=stop_after(12)),
        )
    assert file.exists()
    heard: list[str] = []
    resumed = calibrate(
        table,
        model=MODELS,
        options=CalibrationOptions(**options, checkpoint=file, progress=lambda text, _: heard.append(text)),
    )
    assert int(heard[0].split()[1].rstrip(":")) >= 10  # it did not begin anew
    assert resumed.history.equals(whole.history)
    assert resumed.items.equals(whole.items)
    assert not file.exists()


def test_a_checkpoint_of_other_responses_or_options_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "state.npz"
    strict = {"checkpoint": file, "tolerance": 1e-10}
    with pytest.raises(CancelledError):
        calibrate(responses(), model=MODELS, options=CalibrationOptions(**strict, progress=stop_after(11)))
    for table, more in ((responses(seed=2), {}), (responses(), {"n_nodes": 51})):
        with pytest.raises(CalibrationError, match=r"belongs to other responses or options.*Delete the file"):
            calibrate(table, model=MODELS, options=CalibrationOptions(**strict, **more))
    file.write_bytes(b"no archive")
    with pytest.raises(CalibrationError, match=r"is no checkpoint of a calibration"):
        calibrate(responses(), model=MODELS, options=CalibrationOptions(checkpoint=file))


def test_a_checkpoint_of_what_did_not_converge_stays(tmp_path: Path) -> None:
    file = tmp_path / "state.npz"
    options = CalibrationOptions(checkpoint=file, max_iterations=11, tolerance=1e-12)
    with pytest.raises(ConvergenceError):
        calibrate(responses(), model=MODELS, options=options)
    assert file.exists()
    further = CalibrationOptions(checkpoint=file, tolerance=1e-12)
    assert calibrate(responses(), model=MODELS, options=further).converged


def test_several_dimensions_go_on_from_their_checkpoint(tmp_path: Path) -> None:
    file = tmp_path / "state.npz"
    table = responses(400)
    dimensions = {f"q{j}": "even" if j % 2 == 0 else "odd" for j in range(7)}
    options = {"tolerance": 1e-7, "n_nodes": 21, "standard_errors": "cross_product"}
    whole = calibrate_dimensions(table, dimensions, options=CalibrationOptions(**options))
    assert whole.n_iterations > 12
    stopped = CalibrationOptions(**options, checkpoint=file, progress=stop_after(12))
    with pytest.raises(CancelledError):
        calibrate_dimensions(table, dimensions, options=stopped)
    with pytest.raises(CalibrationError, match="belongs to other responses or options"):
        calibrate_dimensions(table.reverse(), dimensions, options=stopped)
    heard: list[str] = []
    on = CalibrationOptions(**options, checkpoint=file, progress=lambda text, _: heard.append(text))
    resumed = calibrate_dimensions(table, dimensions, options=on)
    assert int(heard[0].split()[1].rstrip(":")) >= 10  # it did not begin anew
    assert resumed.loglik == whole.loglik
    assert resumed.calibrations["odd"].items.equals(whole.calibrations["odd"].items)
    assert not file.exists()


def test_a_warm_start_is_shorter_and_ends_at_the_same_place() -> None:
    table = responses(2000)
    cold = calibrate(table, model=MODELS)
    for start in (cold, cold.items, cold.items.head(4)):
        warm = calibrate(table, model=MODELS, options=CalibrationOptions(start=start))
        assert warm.items["difficulty"].to_numpy() == pytest.approx(
            cold.items["difficulty"].to_numpy(), abs=1e-5
        )
    whole = calibrate(table, model=MODELS, options=CalibrationOptions(start=cold))
    assert whole.n_iterations < 0.5 * cold.n_iterations
    assert whole.n_parameters == cold.n_parameters  # a start holds nothing fixed


def test_start_values_of_another_model_are_not_taken() -> None:
    table = responses(600)
    other = calibrate(table, model="gpcm")
    assert calibrate(table, model=MODELS, options=CalibrationOptions(start=other)).loglik == pytest.approx(
        calibrate(table, model=MODELS).loglik, abs=1e-6
    )


def test_non_convergence_names_what_moves() -> None:
    with pytest.raises(ConvergenceError, match=r"Moving most: .*q\d") as caught:
        calibrate(responses(), model=MODELS, options=CalibrationOptions(max_iterations=3))
    state = caught.value.state
    assert len(state.moving) == 5
    assert all("q" in text for text in state.moving)


def test_the_number_of_threads_changes_no_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(em, "BLOCK", 128)
    table = responses(1000)
    one, two = (calibrate(table, model=MODELS, options=CalibrationOptions(n_threads=k)) for k in (1, 2))
    assert one.items.equals(two.items)
    assert one.history.equals(two.history)


def test_repeated_patterns_are_merged_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(8)
    table = responses(3000).select("q0", "q1", "q2", "q7")
    weight = rng.uniform(0.5, 2.0, 3000)
    group = pl.Series("g", rng.choice(["a", "b"], 3000))
    table = table.with_columns(group)
    data = read_responses(table, group="g", weights=weight)
    merged = merge_repeated(data)
    assert len(merged.weight) <= 2 * 2**3 * 3
    assert merged.weight.sum() == pytest.approx(data.weight.sum())
    models = {name: MODELS[name] for name in ("q0", "q1", "q2", "q7")}
    for weights in (None, weight):
        fast = calibrate(table, model=models, group="g", weights=weights)
        with monkeypatch.context() as patch:
            patch.setattr("lsakit.irt.calibration.merge_repeated", lambda data: data)
            slow = calibrate(table, model=models, group="g", weights=weights)
        assert fast.loglik == pytest.approx(slow.loglik, abs=1e-7)
        assert fast.n_students == slow.n_students == 3000
        assert fast.items["n"].to_list() == slow.items["n"].to_list()
        assert fast.groups["n"].to_list() == slow.groups["n"].to_list()
        for head in ("difficulty", "se_slope", "se_difficulty"):
            assert fast.items[head].to_numpy() == pytest.approx(slow.items[head].to_numpy(), abs=1e-5)


def test_rows_that_meet_in_one_hash_are_not_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    data = read_responses(responses(400).select("q0", "q1", "q2"))
    assert len(merge_repeated(data).weight) == 8
    monkeypatch.setattr(
        response_data.repeated_rows, "hash_rows", lambda codes, group: np.zeros(len(codes), dtype=np.uint64)
    )
    assert merge_repeated(data) is data


@pytest.mark.parametrize("model", ["pcm", "rsm"])
def test_students_of_one_booklet_and_score_are_taken_together(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(9)
    items = [("pcm", {"slope": 1.0, "difficulty": b, "steps": [0.5, -0.5]}) for b in np.linspace(-1, 1, 8)]
    codes = simulate(items, rng.normal(0.2, 1.1, 3000), rng)
    booklet = rng.integers(0, 2, 3000)
    table = pl.DataFrame(
        {
            f"q{j}": [
                int(c) if (b == 0 and j < 6) or (b == 1 and j > 1) else None
                for c, b in zip(codes[:, j], booklet, strict=True)
            ]
            for j in range(8)
        }
    ).with_columns(g=pl.Series(np.where(rng.random(3000) < 0.3, "a", "b")))
    weight = rng.uniform(0.5, 2.0, 3000)
    fast = calibrate(table, model=model, group="g", weights=weight)
    seen = []
    with monkeypatch.context() as patch:
        patch.setattr("lsakit.irt.calibration.find_cells", lambda data, layout: seen.append(data))
        slow = calibrate(table, model=model, group="g", weights=weight)
    assert len(seen) == 1
    assert fast.loglik == pytest.approx(slow.loglik, abs=1e-8)  # the same sums in another order
    assert fast.history["loglik"].to_numpy() == pytest.approx(slow.history["loglik"].to_numpy(), abs=1e-7)
    for head in ("difficulty", "step_1", "se_difficulty"):
        assert fast.items[head].to_numpy() == pytest.approx(slow.items[head].to_numpy(), abs=1e-9)
    assert fast.groups["mean"].to_numpy() == pytest.approx(slow.groups["mean"].to_numpy(), abs=1e-9)


def test_cells_are_not_used_where_points_do_not_suffice() -> None:
    data = read_responses(responses(2000).select("q0", "q1", "q2"))
    free = plan_layout(data, "2pl", Held(fixed=None, start=None), CalibrationOptions())
    assert find_cells(data, free) is None
    rasch = plan_layout(data, "rasch", Held(fixed=None, start=None), CalibrationOptions())
    cells = find_cells(data, rasch)
    assert cells is not None
    assert sorted(cells.points.tolist()) == [0, 1, 2, 3]
    few = read_responses(responses(12).select("q0", "q1", "q2"))
    assert (
        find_cells(few, plan_layout(few, "rasch", Held(fixed=None, start=None), CalibrationOptions())) is None
    )
