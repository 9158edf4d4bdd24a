"""Items with parameters of their own in some groups, linking by fixed items, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from irt_plain_loops import simulate
from lsakit.errors import CalibrationError
from lsakit.irt.ability import score
from lsakit.irt.calibration import Calibration, CalibrationOptions, calibrate
from lsakit.irt.item_fit import FitOptions, item_fit

DIFFICULTY = {"q0": -1.0, "q1": -0.3, "q2": 0.1, "q3": 0.6, "q4": 1.1}
SHIFT = 1.2


def three_groups(n: int = 1500, seed: int = 1) -> pl.DataFrame:
    """Rasch items; q2 is harder in B and C."""
    rng = np.random.default_rng(seed)
    parts = []
    for name, mean, sd in (("A", 0.0, 1.0), ("B", 0.4, 0.9), ("C", -0.5, 1.2)):
        own = DIFFICULTY | ({"q2": DIFFICULTY["q2"] + SHIFT} if name != "A" else {})
        items: list[tuple[str, dict[str, Any]]] = [
            ("rasch", {"slope": 1.0, "difficulty": b}) for b in own.values()
        ]
        codes = simulate(items, rng.normal(mean, sd, n), rng)
        parts.append(
            pl.DataFrame({q: codes[:, j] for j, q in enumerate(own)}).with_columns(country=pl.lit(name))
        )
    return pl.concat(parts).with_columns(student_id=pl.Series([f"s{i}" for i in range(3 * n)]))


def run(responses: pl.DataFrame, **options: Any) -> Calibration:
    return calibrate(responses, model="rasch", group="country", options=CalibrationOptions(**options))


def test_an_item_free_in_two_groups_shows_its_shift() -> None:
    responses = three_groups()
    common, free = run(responses), run(responses, unique={"q2": [["B", "C"]]})
    rows = free.items.rows_by_key("item", named=True, unique=True)
    assert rows["q2"]["groups"] == "A"
    assert rows["q2@B+C"]["groups"] == "B|C"
    assert rows["q2@B+C"]["column"] == "q2"
    assert rows["q0"]["groups"] is None
    shift = rows["q2@B+C"]["difficulty"] - rows["q2"]["difficulty"]
    assert shift == pytest.approx(
        SHIFT, abs=4 * np.hypot(rows["q2"]["se_difficulty"], rows["q2@B+C"]["se_difficulty"])
    )
    assert (
        2 * (free.loglik - common.loglik) > 100
    )  # one parameter more; the shift is six standard errors or more
    assert free.n_parameters == common.n_parameters + 1
    assert rows["q2"]["n"] == 1500
    assert rows["q2@B+C"]["n"] == 3000
    means = dict(zip(free.groups["group"], free.groups["mean"], strict=True))
    assert means["B"] == pytest.approx(0.4, abs=0.15)
    assert means["C"] == pytest.approx(-0.5, abs=0.15)


def test_the_release_list_of_the_fit_is_what_unique_takes() -> None:
    responses = three_groups()
    common = run(responses)
    fit = item_fit(common, responses, options=FitOptions(rmsd_threshold=0.08))
    assert fit.release["item"][0] == "q2"
    unique: dict[str, list[list[str]]] = {}
    for row in fit.release.iter_rows(named=True):
        unique.setdefault(row["item"], []).append(row["groups"].split(","))
    free = run(responses, unique=unique)

    def largest(cal: Calibration) -> float:
        table = item_fit(cal, responses).groups.filter(pl.col("item").str.starts_with("q2"))
        return float(np.max(table["rmsd"].to_numpy()))

    assert largest(common) > 0.08
    assert largest(free) < 0.04


def test_each_group_alone_and_every_group_its_own() -> None:
    responses = three_groups()
    alone = run(responses, unique={"q2": ["B", "C"]})
    assert set(alone.items["item"]) >= {"q2", "q2@B", "q2@C"}
    every = run(responses, unique={"q2": ["A", "B", "C"]})
    assert "q2" not in set(every.items["item"])
    assert every.loglik == pytest.approx(alone.loglik, abs=1e-6)  # the same model, named otherwise


def test_free_in_all_groups_equals_one_item_per_group() -> None:
    responses = three_groups(600)
    split = run(responses, unique={"q2": ["A", "B", "C"]})
    by_hand = responses.with_columns(
        *(pl.when(pl.col("country") == g).then(pl.col("q2")).alias(f"q2@{g}") for g in "ABC")
    ).drop("q2")
    other = run(by_hand)
    assert split.loglik == pytest.approx(other.loglik, abs=1e-8)
    assert split.groups["mean"].to_list() == pytest.approx(other.groups["mean"].to_list(), abs=1e-7)


def test_scores_use_the_parameters_of_the_students_group() -> None:
    responses = three_groups(400)
    cal = run(responses, unique={"q2": [["B", "C"]]})
    found = score(cal, responses, method="wle")
    same = responses.with_columns(pl.lit("A").alias("country"))
    as_a = score(cal, same, method="wle")
    rows = (responses["country"] == "A").to_numpy()
    assert (found["theta"].to_numpy()[rows] == as_a["theta"].to_numpy()[rows]).all()
    # Elsewhere q2 is harder, so the same answers are worth more.
    assert (found["theta"].to_numpy()[~rows] > as_a["theta"].to_numpy()[~rows]).all()
    assert found["n_items"].to_list() == [5] * responses.height
    published = Calibration.from_items(cal.items, group="country")
    again = score(published, responses, method="wle")
    assert again["theta"].to_numpy() == pytest.approx(found["theta"].to_numpy(), abs=1e-9)
    with pytest.raises(CalibrationError, match=r"does not say which column has the groups"):
        score(Calibration.from_items(cal.items), responses)
    with pytest.raises(CalibrationError, match=r"1 groups of the responses have no parameters.*See: Z"):
        score(published, responses.with_columns(pl.lit("Z").alias("country")))


def test_unique_items_can_be_held_fixed_in_a_later_cycle() -> None:
    first = run(three_groups(800, seed=2), unique={"q2": [["B", "C"]]})
    later = calibrate(
        three_groups(800, seed=3),
        model="rasch",
        group="country",
        fixed=first.items,
        options=CalibrationOptions(unique={"q2": [["B", "C"]]}),
    )
    assert later.n_parameters == 6
    rows = later.items.rows_by_key("item", named=True, unique=True)
    old = first.items.rows_by_key("item", named=True, unique=True)
    assert rows["q2@B+C"]["difficulty"] == pytest.approx(old["q2@B+C"]["difficulty"], abs=1e-12)
    assert later.groups["mean"].to_list() == pytest.approx([0.0, 0.4, -0.5], abs=0.25)


@pytest.mark.parametrize(
    ("unique", "words"),
    [
        ({"zz": ["A"]}, r"1 items with parameters of their own are not among the responses. See: zz"),
        ({"q2": ["Z"]}, r"1 groups named for the item 'q2' are not among the groups. See: Z"),
        (
            {"q2": ["B", ["B", "C"]]},
            r"1 groups named for the item 'q2' stand in two sets of parameters. See: B",
        ),
    ],
)
def test_what_is_refused(unique: dict[str, Any], words: str) -> None:
    with pytest.raises(CalibrationError, match=words):
        run(three_groups(100), unique=unique)


def test_a_group_with_nothing_in_common_is_disconnected() -> None:
    with pytest.raises(CalibrationError, match=r"fall into 2 parts"):
        run(three_groups(200), unique={q: ["C"] for q in DIFFICULTY})
