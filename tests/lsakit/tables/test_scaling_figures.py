"""Figures of a scaling, drawn from the tables of a real small study."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import polars as pl
import pytest

from lsakit.errors import EstimationError
from lsakit.lineage import Store
from lsakit.pipeline.scaling import ScalingDecision, ScalingOptions, run_scaling
from lsakit.tables import scaling_figures as figures
from lsakit.tables.chart_parts import spread_labels
from lsakit.tables.figures import Figure
from small_study import NOW, WITH_DIF, WITH_SHIFT, make_study

Get = Callable[..., Any]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Get]:
    """Two runs of one study, and a linked second cycle; each gives the output of a stage by its role."""
    store = Store(tmp_path_factory.mktemp("figures") / "store")
    inputs = make_study().inputs(store)
    options = ScalingOptions(
        group="province", weight="final_weight", dif_by=("gender",), n_values=2, cuts=(450.0, 550.0)
    )

    def reader(result: Any) -> Get:
        return lambda stage, role: store.load(store.manifest(result.manifests[stage]).outputs[role].hash)

    first = run_scaling(store, inputs, options, now=NOW, who="an expert")
    freed = ScalingDecision(item=WITH_DIF, kind="free", groups=("48",))
    second = run_scaling(store, inputs, options, [freed], now=NOW, who="an expert")
    old = store.manifest(first.manifests["calibration"]).outputs["item_parameters"].hash
    later = make_study(seed=6, mean=0.6, shifted=WITH_SHIFT).inputs(store, old_items=old)
    linked = ScalingOptions(group="province", link="stocking_lord", until="link")
    third = run_scaling(store, later, linked, now=NOW, who="an expert")
    return {"first": reader(first), "freed": reader(second), "linked": reader(third)}


def draw_all(runs: dict[str, Get], language: str) -> dict[str, Figure]:
    """Draw every figure once."""
    first, freed, linked = runs["first"], runs["freed"], runs["linked"]
    curves, items = first("fit", "curves"), first("calibration", "item_parameters")
    options = (first("classical", "option_curves"), first("classical", "option_statistics"))
    fit, said = first("fit", "group_fit"), {"48": "Đà Nẵng"}
    return {
        "item": figures.item_curve(curves, items, item="M03", language=language, group_fit=fit, names=said),
        "freed": figures.item_curve(
            freed("fit", "curves"), freed("calibration", "item_parameters"), item=WITH_DIF, language=language, names=said
        ),
        "category": figures.category_curve(curves, items, item="C11", language=language),
        "options": figures.option_plot(*options, item="M04", language=language),
        "scores": figures.option_plot(*options, item="C11", language=language),
        "dif": figures.dif_plot(first("dif", "dif"), variable="gender", focal="M", language=language),
        "wright": figures.wright_map(first("fit", "wright"), language=language),
        "information": figures.test_information(first("fit", "information"), language=language),
        "convergence": figures.convergence_plot(first("calibration", "history"), language=language),
        "link": figures.link_plot(linked("link", "link_items"), linked("link", "link"), language=language),
        "comparison": figures.run_comparison(items, freed("calibration", "item_parameters"), language=language),
        "groups": figures.group_distribution(first("calibration", "groups"), language=language, names=said),
        "values": figures.values_distribution(first("values", "distribution"), language=language),
    }  # fmt: skip


@pytest.fixture(scope="module")
def drawn(runs: dict[str, Get]) -> dict[str, Figure]:
    return draw_all(runs, "vi")


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_figure_has_drawing_words_and_numbers(runs: dict[str, Get], language: str) -> None:
    found = draw_all(runs, language)
    for name, figure in found.items():
        assert figure.svg.startswith("<svg"), name
        assert figure.title, name
        assert figure.note, name
        assert len(figure.alternative) > 40, name
        assert figure.table.rows, name
        assert all(len(row) == len(figure.table.columns) for row in figure.table.rows), name
        assert "{" not in figure.title + figure.note + figure.alternative, name
        assert "null" not in figure.svg, name


def test_the_drawing_says_its_axes(drawn: dict[str, Figure]) -> None:
    for name in ("item", "wright", "information"):
        assert "Năng lực (logit)" in drawn[name].svg, name
    assert "Tỷ lệ học sinh" in drawn["options"].svg
    assert "Thang đo (điểm)" in drawn["values"].svg


def test_titles_say_what_was_found(drawn: dict[str, Figure], runs: dict[str, Get]) -> None:
    fit = runs["first"]("fit", "group_fit").filter(pl.col("item") == "M03").sort("rmsd", descending=True)
    worst = fit.row(0, named=True)
    name = {"48": "Đà Nẵng"}.get(worst["group"], worst["group"])
    assert drawn["item"].title == f"Câu M03: lệch nhiều nhất ở nhóm {name}, RMSD {worst['rmsd']:.2f}".replace(
        ".", ","
    )
    assert drawn["dif"].title == "gender, M so với F: 1 câu loại C, 0 câu loại B"
    kept = runs["linked"]("link", "link")["n_kept"]
    assert drawn["link"].title.startswith(f"{kept} trong 12 câu hỏi neo được giữ; sai số neo thang 0,")
    assert "14 bước câu hỏi" in drawn["wright"].title
    assert "(đáp án)" in drawn["options"].svg


def test_a_freed_item_shows_both_curves_with_their_words(drawn: dict[str, Figure]) -> None:
    assert ">mô hình, Đà Nẵng<" in drawn["freed"].svg
    assert ">mô hình<" not in drawn["item"].svg  # a single line needs no word
    labels = {row[0] for row in drawn["freed"].table.rows}
    assert labels == {WITH_DIF, f"{WITH_DIF}@48"}


def test_items_of_several_points_stand_in_the_table_of_dif_only(drawn: dict[str, Figure]) -> None:
    assert ">C11<" not in drawn["dif"].svg
    assert "C11" in [row[0] for row in drawn["dif"].table.rows]
    assert len(drawn["dif"].table.rows) == 12


def test_dropped_trend_items_are_named_and_no_others(drawn: dict[str, Figure], runs: dict[str, Get]) -> None:
    status = dict(runs["linked"]("link", "link_items").select("item", "status").rows())
    named = {item for item in status if f">{item}<" in drawn["link"].svg}
    assert named == {item for item in status if status[item] == "dropped"}
    assert WITH_SHIFT in named


def test_runs_are_compared_item_by_item(drawn: dict[str, Figure], runs: dict[str, Get]) -> None:
    before = runs["first"]("calibration", "item_parameters")
    after = runs["freed"]("calibration", "item_parameters")
    both = dict(before.select("item", "difficulty").rows())
    moved = [
        name
        for name, value in after.select("item", "difficulty").rows()
        if name in both and abs(value - both[name]) > 0.1
    ]
    assert drawn["comparison"].title.startswith(f"So hai lần chạy: {len(moved)} trong 12 câu")
    assert len(drawn["comparison"].table.rows) == 13  # the set of its own is in the second run only
    with pytest.raises(EstimationError, match="difficulty or slope"):
        figures.run_comparison(before, after, language="vi", what="guessing")
    with pytest.raises(EstimationError, match="share no item"):
        figures.run_comparison(before.head(2), after.tail(2), language="vi")


def test_a_map_of_many_items_has_dots_and_the_names_in_the_table(runs: dict[str, Get]) -> None:
    wright = runs["first"]("fit", "wright")
    steps = wright.filter(pl.col("kind") == "item")
    many = pl.concat(
        [wright, *(steps.with_columns(item=pl.format("X{}-{}", pl.lit(k), "item")) for k in range(6))]
    )
    figure = figures.wright_map(many, language="en")
    assert ">X0-M01<" not in figure.svg
    assert "X0-M01" in [row[0] for row in figure.table.rows]


def test_what_cannot_be_drawn_is_refused(runs: dict[str, Get]) -> None:
    first = runs["first"]
    curves, items = first("fit", "curves"), first("calibration", "item_parameters")
    with pytest.raises(EstimationError, match="no item 'M99'"):
        figures.item_curve(curves, items, item="M99", language="vi")
    with pytest.raises(EstimationError, match="no score categories of 'M01'"):
        figures.category_curve(curves, items, item="M01", language="vi")
    with pytest.raises(EstimationError, match="no group 'X' of 'gender'"):
        figures.dif_plot(first("dif", "dif"), variable="gender", focal="X", language="vi")
    without = first("fit", "wright").with_columns(location=pl.lit(None, pl.Float64))
    with pytest.raises(EstimationError, match="no step of an item has a location"):
        figures.wright_map(without, language="vi")
    with pytest.raises(EstimationError, match="no item is common"):
        figures.link_plot(runs["linked"]("link", "link_items").clear(), {}, language="vi")


@pytest.mark.parametrize("places", [[0.0] * 5, [1.0] * 5, [0.5, 0.51, 0.1, 0.99], [0.3]])
def test_labels_stand_apart_and_inside(places: list[float]) -> None:
    found = spread_labels(places, 0.0, 1.0)
    ordered = sorted(found)
    assert all(high - low >= 0.0549 for low, high in pairwise(ordered))
    assert ordered[0] > 0.0
    assert ordered[-1] < 1.0
