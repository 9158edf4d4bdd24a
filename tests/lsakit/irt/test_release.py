"""Release of items: the items made to deviate are freed, those alone, and groups of one deviation share a set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lsakit.errors import CalibrationError
from lsakit.irt.calibration import Calibration, CalibrationOptions, calibrate
from lsakit.irt.item_fit import FitOptions, item_fit
from lsakit.irt.release import ReleaseOptions, release_items

GROUPS = {"A": (0.0, 1.0), "B": (0.3, 0.9), "C": (-0.4, 1.1), "D": (0.1, 1.0)}
N_ITEMS = 16


def responses(shifts: dict[tuple[str, str], float], n: int = 2500, seed: int = 5) -> pl.DataFrame:
    """Rasch items in four groups; a positive shift makes an item harder in a group."""
    rng = np.random.default_rng(seed)
    parts = []
    for name, (mean, sd) in GROUPS.items():
        theta = rng.normal(mean, sd, (n, 1))
        hard = np.linspace(-1.5, 1.5, N_ITEMS)
        hard = hard + np.array([shifts.get((f"q{j:02d}", name), 0.0) for j in range(N_ITEMS)])
        answers = (theta + rng.logistic(size=(n, N_ITEMS)) > hard).astype(np.int64)
        columns = {f"q{j:02d}": answers[:, j] for j in range(N_ITEMS)}
        parts.append(pl.DataFrame(columns).with_columns(country=pl.lit(name)))
    return pl.concat(parts)


SHIFTS = {("q03", "B"): 1.3, ("q03", "C"): 1.3, ("q08", "D"): -1.2, ("q11", "A"): 1.0, ("q11", "B"): 2.2}


@pytest.fixture(scope="module")
def data() -> pl.DataFrame:
    return responses(SHIFTS)


def test_exactly_the_deviating_pairs_are_released(data: pl.DataFrame) -> None:
    found = release_items(data, "country", "rasch", threshold=0.08)
    assert found.stopped_because == "threshold"
    assert found.is_comparable
    assert found.alarms == ()
    assert set(found.unique) == {"q03", "q08", "q11"}
    assert found.unique["q03"] == (("B", "C"),), "groups of one deviation share a set"
    assert found.unique["q08"] == (("D",),)
    assert found.unique["q11"] == (("A",), ("B",)), "two deviations of one sign get two sets"
    assert not found.misfit["flagged"].any()
    by_group = {row["group"]: row for row in found.shares.iter_rows(named=True)}
    assert (by_group["B"]["n_common"], by_group["B"]["n_shared"], by_group["B"]["n_own"]) == (14, 1, 1)
    assert (by_group["D"]["n_common"], by_group["D"]["n_own"]) == (15, 1)
    assert by_group["A"]["share_unique"] == pytest.approx(1 / 16)
    rows = found.calibration.items.rows_by_key("item", named=True, unique=True)
    for name, shift in (("q03@B+C", 1.3), ("q11@B", 2.2), ("q08@D", -1.2)):
        common = rows[name.split("@")[0]]
        own = rows[name]["difficulty"] - common["difficulty"]
        assert own == pytest.approx(
            shift, abs=4 * np.hypot(rows[name]["se_difficulty"], common["se_difficulty"])
        )
    assert found.steps["round"].to_list() == list(range(1, found.steps.height + 1))
    assert found.steps["loglik"].is_sorted(), "each release can only raise the likelihood"


def test_what_was_freed_before_stays_and_the_rest_is_released(data: pl.DataFrame) -> None:
    """q00 fits everywhere, and stays freed; the deviating items are found beside it as without it."""
    begun = {"q00": (("D", "C"),), "q08": (("D",),)}
    found = release_items(data, "country", "rasch", threshold=0.08, options=ReleaseOptions(released=begun))
    assert found.unique["q00"] == (("C", "D"),)
    assert {name: found.unique[name] for name in ("q03", "q08", "q11")} == {
        "q03": (("B", "C"),), "q08": (("D",),), "q11": (("A",), ("B",)),
    }  # fmt: skip
    assert set(found.steps["item"]) == {"q03", "q11"}
    with pytest.raises(CalibrationError, match="Z"):
        release_items(data, "country", "rasch", options=ReleaseOptions(released={"q00": (("Z",),)}))


def test_the_end_is_the_calibration_that_unique_gives(data: pl.DataFrame) -> None:
    found = release_items(data, "country", "rasch", threshold=0.08)
    anew = calibrate(data, "rasch", "country", options=CalibrationOptions(unique=found.unique))
    assert found.calibration.loglik == pytest.approx(
        anew.loglik, abs=1e-6
    )  # both stop within 1e-6 a parameter
    for head in ("difficulty", "se_difficulty"):
        mine, theirs = found.calibration.items[head].to_numpy(), anew.items[head].to_numpy()
        assert mine == pytest.approx(theirs, abs=1e-5)
    fit = item_fit(anew, data, options=FitOptions(with_q3=False, with_score_test=False)).groups
    own = dict(zip(zip(fit["item"], fit["group"], strict=True), fit["rmsd"], strict=True))
    for row in found.misfit.iter_rows(named=True):
        assert row["rmsd"] == pytest.approx(own[row["set"], row["group"]], abs=1e-5)


def test_nothing_is_released_where_the_model_holds() -> None:
    found = release_items(responses({}, n=1500), "country", "rasch")
    assert found.unique == {}
    assert found.steps.height == 0
    assert found.n_rounds == 1
    assert found.shares["share_common"].to_list() == [1.0] * 4


def test_more_than_a_quarter_rings_the_alarm() -> None:
    rng = np.random.default_rng(3)
    shifts = {(f"q{j:02d}", "C"): float(rng.choice([-1.6, 1.6])) for j in range(8)}
    data = responses(shifts, n=1500)
    found = release_items(data, "country", "rasch")
    assert found.stopped_because == "alarm"
    assert not found.is_comparable
    assert len(found.alarms) == 1
    assert "in C, above 25%" in found.alarms[0]
    with pytest.raises(CalibrationError, match="items are not common in C"):
        release_items(data, "country", "rasch", options=ReleaseOptions(on_alarm="raise"))
    on = release_items(data, "country", "rasch", options=ReleaseOptions(on_alarm="continue"))
    shares = {row["group"]: row["share_unique"] for row in on.shares.iter_rows(named=True)}
    assert shares["C"] > 0.25
    assert max(shares[name] for name in "ABD") <= 0.25
    assert not on.misfit.filter(pl.col("group") != "C")["flagged"].any()


def test_several_releases_a_round_find_the_same_sets(data: pl.DataFrame) -> None:
    one = release_items(data, "country", "rasch", threshold=0.08)
    many = release_items(data, "country", "rasch", threshold=0.08, options=ReleaseOptions(sets_per_round=5))

    def partitions(unique: dict[str, tuple[tuple[str, ...], ...]]) -> dict[str, set[frozenset[str]]]:
        out = {}
        for item, sets in unique.items():
            rest = frozenset("ABCD") - {name for own in sets for name in own}
            out[item] = {frozenset(own) for own in (*sets, rest)}
        return out

    assert partitions(many.unique) == partitions(one.unique)
    assert many.n_rounds < one.n_rounds


def test_a_fixed_item_is_released_from_its_old_parameters(data: pl.DataFrame) -> None:
    old = pl.DataFrame(
        {
            "item": [f"q{j:02d}" for j in range(N_ITEMS)],
            "slope": [1.0] * N_ITEMS,
            "difficulty": np.linspace(-1.5, 1.5, N_ITEMS) + np.where(np.arange(N_ITEMS) == 5, 1.4, 0.0),
        }
    )
    found = release_items(data, "country", "rasch", threshold=0.1, options=ReleaseOptions(fixed=old))
    rows = found.calibration.items.rows_by_key("item", named=True, unique=True)
    assert "q05" not in rows, "no group keeps the wrong old difficulty"
    assert rows["q05@A+B+C+D"]["difficulty"] == pytest.approx(-0.5, abs=0.15)
    assert rows["q00"]["fixed"]
    assert rows["q00"]["difficulty"] == pytest.approx(-1.5)


class StoppedError(Exception):
    """Somebody asked to stop."""


def test_a_release_that_was_stopped_goes_on_to_the_same_digits(data: pl.DataFrame, tmp_path: Path) -> None:
    file = tmp_path / "release.npz"
    whole = release_items(data, "country", "rasch", threshold=0.08)

    def stop(text: str, share: float) -> None:
        assert 0.0 <= share <= 1.0
        if text.startswith("round 3"):
            raise StoppedError

    options = ReleaseOptions(checkpoint=file, calibration=CalibrationOptions(progress=stop))
    with pytest.raises(StoppedError):
        release_items(data, "country", "rasch", threshold=0.08, options=options)
    assert file.exists()
    with pytest.raises(CalibrationError, match="belongs to other responses or options"):
        release_items(data, "country", "rasch", threshold=0.09, options=options)
    told: list[str] = []
    on = replace(options, calibration=CalibrationOptions(progress=lambda text, _: told.append(text)))
    rest = release_items(data, "country", "rasch", threshold=0.08, options=on)
    assert told[0].startswith("round 3, 2 released")
    assert rest.steps.equals(whole.steps)
    assert rest.calibration.items.equals(whole.calibration.items)
    assert rest.calibration.loglik == whole.calibration.loglik
    assert not file.exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("on_alarm", "whisper"),
        ("most_unique_share", 0.0),
        ("sets_per_round", 0),
        ("calibration", CalibrationOptions(unique={"q00": ["A"]})),
    ],
)
def test_options_outside_their_range_are_refused(option: str, value: object) -> None:
    with pytest.raises(CalibrationError, match=f"'{option}' of a release"):
        ReleaseOptions(**{option: value})  # type: ignore[arg-type]


def test_a_threshold_outside_0_to_1_is_refused(data: pl.DataFrame) -> None:
    with pytest.raises(CalibrationError, match="must lie between 0 and 1"):
        release_items(data, "country", "rasch", threshold=0.0)


def test_one_group_is_refused(data: pl.DataFrame) -> None:
    with pytest.raises(CalibrationError, match="holds 1 group"):
        release_items(data.filter(pl.col("country") == "A"), "country", "rasch")


def test_a_warm_start_takes_the_groups_too(data: pl.DataFrame) -> None:
    """Started from its own solution a calibration needs one step; from items alone it has to find the means again."""
    cold: Calibration = calibrate(data, "rasch", "country")
    warm = calibrate(data, "rasch", "country", options=CalibrationOptions(start=cold))
    items_only = calibrate(data, "rasch", "country", options=CalibrationOptions(start=cold.items))
    assert warm.n_iterations <= 2 < items_only.n_iterations
    assert warm.groups["mean"].to_numpy() == pytest.approx(cold.groups["mean"].to_numpy(), abs=1e-5)
