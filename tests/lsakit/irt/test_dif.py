"""DIF: TV-4.2 by name, hand-made tables, purification, simulation under the null, and what is refused."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd
import polars as pl
import pytest

from lsakit.errors import CalibrationError
from lsakit.irt.calibration import CalibrationOptions
from lsakit.irt.dif import DifOptions, dif
from lsakit.irt.logistic_dif import Cells, logistic_dif
from lsakit.irt.mantel_haenszel import ets_class, mantel_haenszel, mantel_of_scores
from lsakit.irt.ordinal_dif import OrdinalCells, ordinal_dif

# (right, wrong) of the reference and (right, wrong) of the focal group at three score levels.
LEVELS = [(25, 35, 10, 45), (50, 25, 30, 40), (72, 13, 52, 31)]


def answers(
    seed: int, n: int = 3000, shift: float = 0.0, impact: float = 0.0, n_items: int = 20
) -> pl.DataFrame:
    """Rasch answers; the items 0, 1 and 2 are harder by ``shift`` for the focal group."""
    rng = np.random.default_rng(seed)
    focal = rng.integers(0, 2, (n, 1))
    theta = rng.normal(size=(n, 1)) - impact * focal
    hard = np.linspace(-1.5, 1.5, n_items) + shift * (np.arange(n_items) < 3) * focal
    score = (theta + rng.logistic(size=(n, n_items)) > hard).astype(int)
    data = pl.DataFrame({f"i{j:02d}": score[:, j] for j in range(n_items)})
    return data.with_columns(g=pl.Series(["b" if one else "a" for one in focal[:, 0]]))


def test_tv_4_2_mantel_haenszel() -> None:
    found = mantel_haenszel([[[b, a], [d, c]] for a, b, c, d in LEVELS])
    assert found.odds_ratio == pytest.approx(3.0116279, abs=5e-8)
    assert found.d_dif == pytest.approx(-2.5908298, abs=5e-8)
    assert found.se == pytest.approx(0.5156077, abs=5e-8)
    assert found.chi_square == pytest.approx(24.959260, abs=5e-7)
    assert found.p == pytest.approx(5.9e-7, abs=5e-9)
    assert (abs(found.d_dif) - 1) / found.se == pytest.approx(3.085, abs=5e-4)
    assert found.std_p_dif == pytest.approx(-0.2302366, abs=5e-8)
    assert found.ets_class == "C-"


@pytest.mark.parametrize(
    ("d_dif", "se", "p", "expected"),
    [
        (0.9, 0.1, 0.001, "A"),
        (-2.0, 0.5, 0.06, "A"),
        (1.2, 0.2, 0.001, "B+"),
        (-1.6, 0.4, 0.001, "B-"),
        (-1.6, 0.3, 0.001, "C-"),
    ],
)
def test_classes(d_dif: float, se: float, p: float, expected: str) -> None:
    assert ets_class(d_dif, se, p) == expected


def test_mantel_of_two_categories_is_mantel_haenszel() -> None:
    counts = [[[b, a], [d, c]] for a, b, c, d in LEVELS]
    two = mantel_haenszel(counts, continuity=0.0)
    many = mantel_of_scores(counts)
    assert many.mantel == pytest.approx(two.chi_square)
    assert many.generalized == pytest.approx(two.chi_square)
    assert many.generalized_df == 1
    assert many.smd == pytest.approx(two.std_p_dif)


@pytest.mark.parametrize("method", ["mh", "logistic"])
def test_exchanging_the_groups_turns_the_sign(method: str) -> None:
    data = answers(1, shift=1.0)
    one, two = dif(data, "g", method, reference="a").table, dif(data, "g", method, reference="b").table
    size = "d_dif" if method == "mh" else "group_effect"
    assert one[size].to_numpy() == pytest.approx(-two[size].to_numpy())
    assert [c.replace("+", "?").replace("-", "+").replace("?", "-") for c in one["size_class"]] == two[
        "size_class"
    ].to_list()


def test_purification_finds_the_biased_items_only() -> None:
    data = answers(4, n=6000, shift=1.0)
    options = DifOptions(purification="iterate")
    found = dif(data, "g", options=options)
    assert [row["item"] for row in found.table.rows(named=True) if row["size_class"][0] == "C"] == [
        "i00",
        "i01",
        "i02",
    ]
    assert found.purified["b"][0] == ("i00", "i01", "i02")
    assert found.purified["b"][2]
    # Without it the unbiased items lean the other way.
    plain = dif(data, "g", options=DifOptions(purification="none")).table["d_dif"].to_numpy()[3:]
    pure = found.table["d_dif"].to_numpy()[3:]
    assert abs(plain.mean()) > 0.15
    assert abs(pure.mean()) < 0.08


@pytest.mark.parametrize(("method", "p"), [("mh", "p"), ("logistic", "uniform_p")])
def test_level_under_the_null_with_impact(method: str, p: str) -> None:
    # 25 x 20 tests at 5 %: 25 expected, standard deviation 4.9; the continuity correction keeps MH below.
    rejected = sum(
        int((dif(answers(seed, n=1500, impact=0.5), "g", method).table[p] < 0.05).sum()) for seed in range(25)
    )
    assert 5 <= rejected <= 45


@pytest.mark.parametrize("criterion", ["lr", "wald"])
def test_level_of_the_model_based_tests_with_impact(criterion: str) -> None:
    # 20 x 8 tests at 5 %: 8 expected, standard deviation 2.8 (three either way); the groups differ by half a logit.
    options = DifOptions(
        model="rasch", criterion=criterion, calibration=CalibrationOptions(n_nodes=21, tolerance=1e-5)
    )
    rejected = sum(
        int(
            (
                dif(answers(seed, n=500, impact=0.5, n_items=8), "g", "irt", options=options).table["p"]
                < 0.05
            ).sum()
        )
        for seed in range(20)
    )
    assert 1 <= rejected <= 17


def test_booklets_never_mix() -> None:
    # Booklet 2 is given to focal students mostly; only strata within booklets are compared.
    data = answers(7, n=6000)
    rng = np.random.default_rng(0)
    second = rng.random(6000) < np.where(data["g"].to_numpy() == "b", 0.8, 0.2)
    first_half = [f"i{j:02d}" for j in range(14)]
    other_half = [f"i{j:02d}" for j in range(6, 20)]
    columns = {}
    for name in data.columns[:-1]:
        given = np.where(second, name in other_half, name in first_half)
        columns[name] = [
            value if yes else None for value, yes in zip(data[name].to_list(), given, strict=True)
        ]
    table = dif(pl.DataFrame(columns).with_columns(data["g"]), "g").table
    assert set(table["size_class"]) == {"A"}
    assert table["n_matched"][0] <= table["n_reference"][0] + table["n_focal"][0]


def test_weights_of_one_change_nothing_and_copies_count() -> None:
    data = answers(3, n=800, shift=0.6)
    ones = dif(data.with_columns(w=pl.lit(5.0)), "g", weights="w").table
    assert ones.equals(dif(data, "g").table)


def test_students_who_stopped_early_are_matched_within_their_booklet() -> None:
    data = answers(8, n=4000)
    rng = np.random.default_rng(1)
    stop = np.where(rng.random(4000) < 0.3, rng.integers(5, 20, 4000), 20)
    columns = {
        name: [one if place < last else None for one, last in zip(data[name].to_list(), stop, strict=True)]
        for place, name in enumerate(data.columns[:-1])
    }
    tails = pl.DataFrame(columns).with_columns(data["g"])
    one = dif(tails, "g").table
    two = dif(tails.with_columns(booklet=pl.lit("B1")), "g").table
    assert two["n_matched"][0] > one["n_matched"][0]
    assert two["n_matched"][0] >= 0.99 * 4000
    assert set(two["size_class"]) == {"A"}
    # By hand: first item, strata of the sum over what was reached.
    total = tails.select(pl.sum_horizontal(pl.all().exclude("g"))).to_series().to_numpy()
    right, focal = data["i00"].to_numpy(), (data["g"] == "b").to_numpy()
    table = np.zeros((21, 2, 2))
    np.add.at(table, (total, focal.astype(int), right), 1)
    assert two["d_dif"][0] == pytest.approx(mantel_haenszel(table).d_dif)
    with pytest.raises(CalibrationError, match="1 students have no booklet"):
        dif(tails.with_columns(booklet=pl.Series([None] + ["B1"] * 3999)), "g")


def test_trusted_items_make_the_matching_score() -> None:
    data = answers(4, n=6000, shift=1.0)
    trusted = [f"i{j:02d}" for j in range(10, 20)]
    found = dif(data, "g", options=DifOptions(anchor=trusted, purification="none")).table
    classes = dict(zip(found["item"], found["size_class"], strict=True))
    assert [name for name, letter in classes.items() if letter[0] == "C"] == ["i00", "i01", "i02"]
    assert abs(found["d_dif"].to_numpy()[3:].mean()) < 0.08
    options = DifOptions(
        model="rasch", anchor=trusted, studied=["i00", "i05"], calibration=CalibrationOptions(n_nodes=21)
    )
    by_model = dif(data, "g", "irt", options=options).table
    assert by_model["difference"][0] == pytest.approx(-1.0, abs=0.2)
    assert by_model["size_class"].to_list() == ["C-", "A"]


def test_an_item_without_a_category_in_one_group_leaves_the_others_their_answer() -> None:
    data = answers(5, n=800, n_items=6)
    gone = data.with_columns(i02=pl.when(pl.col("g") == "b").then(pl.lit(1)).otherwise(pl.col("i02")))
    options = DifOptions(model="rasch", calibration=CalibrationOptions(n_nodes=21))
    found = dif(gone, "g", "irt", options=options).table
    assert found["p"].is_null().to_list() == [False, False, True, False, False, False]
    assert "See: i02 / focal" in found["undefined_because"][2]


def test_weights_are_counts_up_to_a_scale() -> None:
    data = answers(6, n=1000, shift=0.8)
    copies = pl.concat([data, data.head(300), data.head(300)])
    heavy = data.with_columns(w=pl.Series([3.0] * 300 + [1.0] * 700))
    plain = DifOptions(purification="none")
    one, two = dif(heavy, "g", weights="w", options=plain).table, dif(copies, "g", options=plain).table
    assert one["d_dif"].to_numpy() == pytest.approx(two["d_dif"].to_numpy())
    # Weights are scaled to the number of students, copies are more students.
    assert one["se"].to_numpy() == pytest.approx(two["se"].to_numpy() * np.sqrt(1.6))


def test_pandas_tables_are_accepted() -> None:
    data = answers(9, n=500)
    frame = pd.DataFrame(data.to_dict(as_series=False))
    assert dif(frame, "g").table.equals(dif(data, "g").table)


def test_three_groups_give_two_comparisons() -> None:
    data = answers(2, n=3000)
    label = pl.Series(["abc"[row % 3] for row in range(3000)])
    found = dif(data.with_columns(g=label), "g")
    assert found.focal == ("b", "c")
    assert found.table.height == 2 * 20


def test_scores_of_several_points() -> None:
    rng = np.random.default_rng(12)
    theta, focal = rng.normal(size=(4000, 1)), rng.integers(0, 2, (4000, 1))
    cut = np.array([-0.8, 0.0, 0.8])
    columns = {}
    for j in range(8):
        shift = 0.9 * focal[:, 0] if j == 5 else 0.0
        noisy = theta[:, 0] - shift + rng.logistic(size=4000)
        columns[f"q{j}"] = (noisy[:, None] > cut).sum(axis=1)
    data = pl.DataFrame(columns).with_columns(g=pl.Series(np.where(focal[:, 0] == 1, "f", "m")))
    table = dif(data, "g", reference="m").table
    assert table["size_class"].to_list()[5] == "C-"
    assert set(table["size_class"].to_list()) - {"C-"} <= {"A"}
    assert table["generalized_df"].to_list() == [3] * 8
    by_model = dif(
        data,
        "g",
        "irt",
        reference="m",
        options=DifOptions(model="pcm", studied=["q5", "q6"], calibration=CalibrationOptions(n_nodes=21)),
    ).table
    assert by_model["item"].to_list() == ["q5", "q6"]
    assert by_model["df"].to_list() == [3, 3]
    assert (
        by_model["difference"][0] < -0.3
    )  # the answers are cumulative logits of slope 1, steeper than this PCM
    assert abs(by_model["difference"][1]) < 0.2


def test_nonuniform_difference_is_told_apart() -> None:
    rng = np.random.default_rng(21)
    theta, focal = rng.normal(size=4000), rng.integers(0, 2, 4000)
    columns = {f"i{j}": (theta + rng.logistic(size=4000) > (j - 7) / 5).astype(int) for j in range(15)}
    slope = np.where(focal == 1, 0.3, 2.0)
    columns["x"] = (slope * theta + rng.logistic(size=4000) > 0).astype(int)
    data = pl.DataFrame(columns).with_columns(g=pl.Series(np.where(focal == 1, "b", "a")))
    row = dif(data, "g", "logistic").table.filter(pl.col("item") == "x").row(0, named=True)
    assert row["nonuniform_p"] < 1e-10
    assert row["interaction"] < 0
    mh = dif(data, "g", "mh").table.filter(pl.col("item") == "x").row(0, named=True)
    assert mh["breslow_day_p"] < 1e-6


def test_an_item_that_the_score_determines_is_undefined_with_its_reason() -> None:
    data = answers(5, n=400, n_items=6)
    constant = data.with_columns(i05=pl.lit(1))
    row = dif(constant, "g", options=DifOptions(purification="none")).table.row(-1, named=True)
    assert row["d_dif"] is None
    assert "odds ratio is zero or infinite" in row["undefined_because"]
    logistic = dif(constant, "g", "logistic", options=DifOptions(purification="none")).table.row(
        -1, named=True
    )
    assert logistic["uniform_p"] is None
    assert "no finite maximum" in logistic["undefined_because"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"method": "sibtest"}, "must be one of mh, logistic, irt"),
        ({"reference": "z"}, "at least two groups, among them the reference"),
        ({"options": DifOptions(anchor=["nope"])}, "1 items of 'anchor' are not among the items"),
        (
            {"method": "irt", "options": DifOptions(model="2pl", criterion="wald")},
            "needs models without free slope",
        ),
    ],
)
def test_what_is_refused(change: dict, sentence: str) -> None:
    with pytest.raises(CalibrationError) as refusal:
        dif(answers(1, n=200), "g", **change)
    assert sentence in str(refusal.value)


def test_refused_data() -> None:
    data = answers(1, n=200)
    lonely = data.with_columns(g=pl.Series(["b"] + ["a"] * 199))
    with pytest.raises(CalibrationError, match="The group 'b' has 1 students"):
        dif(lonely, "g")
    with pytest.raises(CalibrationError, match="'purification' of DIF cannot be 'twice'"):
        DifOptions(purification="twice")
    everything = answers(1, n=4000, shift=6.0, n_items=4)
    with pytest.raises(CalibrationError, match="Purification leaves"):
        dif(everything, "g", options=DifOptions(purification="iterate", purify_by="significant"))


def test_proportional_odds_with_two_categories_is_the_logistic_regression() -> None:
    rng = np.random.default_rng(12)
    n = 60
    score, booklet = rng.integers(0, 10, n).astype(float), rng.integers(0, 3, n)
    focal = rng.integers(0, 2, n).astype(float)
    total = rng.integers(1, 30, n).astype(float)
    right = rng.binomial(total.astype(int), 1 / (1 + np.exp(-(score - 5) / 3))).astype(float)
    two = logistic_dif(Cells(score=score, booklet=booklet, focal=focal, right=right, total=total))
    counts = np.column_stack([total - right, right])
    many = ordinal_dif(OrdinalCells(score=score, booklet=booklet, focal=focal, counts=counts))
    for name, value in asdict(two).items():
        if isinstance(value, float):
            assert getattr(many, name) == pytest.approx(value, abs=1e-8), name


def test_proportional_odds_find_a_planted_shift_and_only_that() -> None:
    rng = np.random.default_rng(13)
    n, n_items = 4000, 10
    theta, focal = rng.normal(size=(n, 1)), np.repeat([0, 1], n // 2)[:, None]
    hard = np.linspace(-1, 1, n_items) + 0.9 * focal * (np.arange(n_items) == 4)
    noise = rng.logistic(size=(n, n_items))
    score = sum((theta - hard - cut + noise > 0).astype(int) for cut in (-0.7, 0.7))
    data = pl.DataFrame({f"i{j}": score[:, j] for j in range(n_items)}).with_columns(
        g=pl.Series(np.where(focal[:, 0] == 1, "focal", "ref"))
    )
    found = dif(data, "g", "logistic", reference="ref").table
    row = found.filter(pl.col("item") == "i4").row(0, named=True)
    assert row["group_effect"] == pytest.approx(
        -0.9, abs=0.25
    )  # the score holds the item itself: a little less
    assert row["uniform_p"] < 1e-10
    assert found.filter(pl.col("item") != "i4")["uniform_p"].min() > 1e-4


def test_proportional_odds_without_a_finite_maximum_say_so() -> None:
    score = np.arange(6.0)
    counts = np.zeros((6, 3))
    counts[np.arange(6), [0, 0, 1, 1, 2, 2]] = 5.0  # the score tells the category
    found = ordinal_dif(
        OrdinalCells(
            score=score, booklet=np.zeros(6, dtype=np.int64), focal=np.tile([0.0, 1.0], 3), counts=counts
        )
    )
    assert found.undefined_because is not None
    assert "no finite maximum" in found.undefined_because
