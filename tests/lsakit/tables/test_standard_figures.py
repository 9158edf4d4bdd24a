"""Standard figures: what is drawn is what was given, with words and table behind; sizes, bytes, languages, refusals."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from typing import Any

import polars as pl
import pytest

import standard_rows as rows
from lsakit.errors import EstimationError, UnknownColumnError
from lsakit.tables import Figure, Texts, charts
from lsakit.tables import standard_figures as figures
from lsakit.tables.standard_figures import NARROW, WIDE, Scope

REGIONS = [f"r{place}" for place in range(1, 41)]
Maker = Callable[[Scope, int], Figure]


def scope(language: str = "vi", **more: Any) -> Scope:
    names = {code: f"Vùng {code[1:]}" for code in REGIONS}
    return Scope(population="grade5", subject="maths", language=language, names=names, **more)


def means(count: int) -> dict[str, list[float]]:
    return {
        code: [480.0 + 2 * place, 485.0 + 2 * place, 500.0 - place]
        for place, code in enumerate(REGIONS[:count])
    }


def trend(at: Scope, count: int) -> Figure:
    given = means(count)
    cycles, changes = rows.cycles_of(given, "region6"), rows.changes_of(given, "region6")
    return figures.trend_lines(rows.table(cycles), rows.table(changes), at, by="region6")


def trend_of_levels(at: Scope, count: int) -> Figure:
    shares = {"at_or_above_1": [0.9, 0.93], "at_or_above_2": [0.7, 0.765], "at_or_above_3": [0.5, 0.51]}
    chosen = list(shares)[: min(count, 3)]
    cycles = [
        rows.row(name, "nation", "all", value, 0.006, cycle=str(year))
        for name in chosen
        for year, value in zip((2023, 2026), shares[name], strict=True)
    ]
    changes = [
        rows.change(
            name,
            "nation",
            "all",
            shares[name][1] - shares[name][0],
            0.008,
            cycles=(2023, 2026),
            linking=0.007,
        )
        for name in chosen
    ]
    return figures.trend_levels(rows.table(cycles), rows.table(changes), at)


def gradient(at: Scope, count: int) -> Figure:
    places = [("region6", code, "") for code in REGIONS[:count]]
    made = [
        rows.row("mean", "region6+ses_quarter", f"{code}+{quarter}", 450.0 + place + 20 * int(quarter), 3.0)
        for place, code in enumerate(REGIONS[:count])
        for quarter in rows.QUARTERS
    ]
    made += [rows.row("slope", "region6", code, 30.5, 2.0) for code in REGIONS[:count]]
    made += [rows.row("strength", "region6", code, 0.152, 0.01) for code in REGIONS[:count]]
    return figures.gradient_lines(rows.table(made), at, places=places)


def scatter(at: Scope, count: int) -> Figure:
    made = [
        rows.row("mean", "region6", code, 480.0 + place, 3.0) for place, code in enumerate(REGIONS[:count])
    ]
    made += [
        rows.row("ses_mean", "region6", code, 0.05 * place, 0.02)
        for place, code in enumerate(REGIONS[:count])
    ]
    made += [rows.row("level", "nation", "all", 500.0, 1.0), rows.row("slope", "nation", "all", 35.0, 1.0)]
    return figures.scatter_mean_by_ses(rows.table(made), at, by="region6")


def bars(at: Scope, count: int) -> Figure:
    made = [
        rows.row(name, "region6", code, 500.0 + place + shift, 4.0)
        for place, code in enumerate(REGIONS[:count])
        for name, shift in {**rows.PERCENTILES, "mean": 0.0}.items()
    ]
    return figures.percentile_bars(rows.table(made), at, by="region6")


def fan(at: Scope, count: int) -> Figure:
    years = [2026 - 3 * place for place in range(min(count, 5))]
    shifts = {**rows.PERCENTILES, "mean": 0.0}
    made = [
        rows.row(name, "nation", "all", 500.0 + shift, 3.0, cycle=str(year))
        for year in years
        for name, shift in shifts.items()
    ]
    changes = [
        rows.change("mean", "nation", "all", 1.0, 3.0, cycles=(year, 2026), linking=2.0)
        for year in years
        if year < 2026
    ]
    return figures.percentile_fan(rows.table(made), rows.table(changes) if changes else None, at)


def levels(at: Scope, count: int) -> Figure:
    shares = (0.08, 0.17, 0.25, 0.25, 0.15, 0.10)
    made = [
        rows.row(name, "region6", code, share, 0.01)
        for code in REGIONS[:count]
        for name, share in [*zip(rows.LEVELS, shares, strict=True), ("at_or_above_2", 0.75)]
    ]
    return figures.stacked_levels(
        rows.table(made), at, places=[("region6", code, "") for code in REGIONS[:count]]
    )


def grid(at: Scope, count: int) -> Figure:
    given = {code: 480.0 + 5 * place for place, code in enumerate(REGIONS[: max(count, 2)])}
    return figures.comparison_grid(rows.table(rows.pairs_of(given, "region6")), at)


def gaps(at: Scope, count: int) -> Figure:
    made = [
        rows.row("gap", "region6+gender", f"{code}+F-M", float(place - 5), 1.7)
        for place, code in enumerate(REGIONS[:count])
    ]
    return figures.gap_bars(rows.table(made), at, gaps=["region6+gender"])


def standings(at: Scope, count: int) -> Figure:
    made = [rows.row("mean", "nation", "all", 500.0, 2.0)]
    for place, code in enumerate(REGIONS[:count]):
        made.append(rows.row("mean", "region6", code, 490.0 + place, 3.0))
        made.append(rows.row("difference_to_nation", "region6", code, -10.0 + place, 2.5))
    return figures.standings_of(rows.table(made), at, by="region6")


MAKERS: dict[str, Maker] = {
    "trend_lines": trend, "trend_levels": trend_of_levels, "gradient_lines": gradient, "scatter": scatter,
    "percentile_bars": bars, "percentile_fan": fan, "stacked_levels": levels, "comparison_grid": grid,
    "gap_bars": gaps, "standings_of": standings,
}  # fmt: skip


@pytest.fixture
def specs(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Listen to what is drawn; it is drawn all the same."""
    heard: list[dict[str, Any]] = []
    draw = charts.draw

    def listen(spec: dict[str, Any], *, language: str) -> str:
        heard.append(spec)
        return draw(spec, language=language)

    monkeypatch.setattr(charts, "draw", listen)
    return heard


def drawn(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for layer in spec["layer"]:
        yield from layer["data"]["values"]


@pytest.mark.parametrize("layout", [WIDE, NARROW], ids=lambda layout: layout.name)
@pytest.mark.parametrize("count", [1, 40])
@pytest.mark.parametrize("kind", list(MAKERS))
def test_one_group_and_forty_are_drawn_at_both_widths(kind: str, count: int, layout: Any) -> None:
    figure = MAKERS[kind](scope(layout=layout), count)
    root = ElementTree.fromstring(figure.svg)
    assert float(root.attrib["width"]) == layout.width
    assert len(figure.svg.encode()) <= (
        60_000 if count == 1 else 75_000
    )  # forty groups is beyond the 34 of the nation
    assert figure.title
    assert figure.note
    assert figure.table.rows


@pytest.mark.parametrize("kind", list(MAKERS))
def test_the_same_rows_give_the_same_bytes(kind: str) -> None:
    assert MAKERS[kind](scope(), 4).svg == MAKERS[kind](scope(), 4).svg


@pytest.mark.parametrize("kind", list(MAKERS))
def test_no_name_inside_a_drawing_is_common_to_two_figures(kind: str) -> None:
    figure = MAKERS[kind](scope(), 4)
    names = set(re.findall(r'\bid="([^"]+)"', figure.svg))
    assert all(name.startswith(figure.key) for name in names)
    assert set(re.findall(r"url\(#([^)]+)\)", figure.svg)) <= names


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("kind", list(MAKERS))
def test_words_and_numbers_are_of_the_language(kind: str, language: str) -> None:
    figure = MAKERS[kind](scope(language), 4)
    words = " ".join([figure.title, figure.note, figure.alternative, *figure.table.columns])
    assert figure.title.startswith("Lớp 5, Toán" if language == "vi" else "Grade 5, Mathematics")
    wrong = r"\d\.\d(?!\d\d)" if language == "vi" else r"\d,\d(?!\d\d)"
    assert not re.search(wrong, words), words
    assert "{" not in words


@pytest.mark.parametrize("kind", list(MAKERS))
def test_the_words_hold_the_numbers_of_the_table(kind: str) -> None:
    figure = MAKERS[kind](scope(), 4)
    texts = Texts("vi")
    kept = [value for value, of in figure.table.values.values() if of != "n"]
    assert kept
    for line, cells in enumerate(figure.table.rows):
        found = figure.table.values.get((line, figure.table.columns.index(texts.say("column.estimate"))))
        if found is None:
            continue
        value, of = found
        shown = texts.share(value) if of == "share" else texts.number(value, 2 if of == "hundredth" else 1)
        assert shown in cells
        if kind in ("percentile_bars", "percentile_fan"):
            shown = texts.number(value)
        if kind != "comparison_grid" and cells[0] != texts.say("group.nation.all"):
            assert shown in figure.alternative, (kind, shown)


@pytest.mark.parametrize("kind", list(MAKERS))
def test_no_figure_ranks(kind: str) -> None:
    for language in ("vi", "en"):
        figure = MAKERS[kind](scope(language), 4)
        words = " ".join([figure.title, figure.alternative, *figure.table.columns]).lower()
        assert not re.search(r"xếp hạng|thứ hạng|ranked|ranking|best|worst|tốt nhất|kém nhất", words)


@pytest.mark.parametrize("kind", list(MAKERS))
def test_both_widths_stand_in_one_page(kind: str) -> None:
    both = figures.at_both_widths(lambda at: MAKERS[kind](at, 4), scope())
    assert both.svg == MAKERS[kind](scope(layout=WIDE), 4).svg
    roots = [ElementTree.fromstring(svg) for svg in (both.svg, both.narrow)]
    assert [float(root.attrib["width"]) for root in roots] == [WIDE.width, NARROW.width]
    wide, narrow = (set(re.findall(r'\bid="([^"]+)"', svg)) for svg in (both.svg, both.narrow))
    assert not wide & narrow
    assert set(re.findall(r"url\(#([^)]+)\)", both.narrow)) <= narrow


def test_a_trend_draws_the_rows_given_and_the_linking_error_apart(specs: list[dict[str, Any]]) -> None:
    trend(scope(), 2)
    points = [
        row for row in drawn(specs[0]) if row.get("series") == "Vùng 1" and "line" not in row and "x" in row
    ]
    first = next(row for row in points if row.get("year") == 2020)
    last = next(row for row in points if row.get("year") == 2026)
    assert (first["estimate"], last["estimate"]) == (480.0, 500.0)
    assert first["low"] == pytest.approx(480.0 - rows.Z * 2.0)
    assert first["outer_low"] == pytest.approx(480.0 - rows.Z * (2.0**2 + 2.2**2) ** 0.5)
    assert last["outer_low"] is None  # the scale is the latest cycle's own


def test_a_gradient_stands_on_the_index_where_every_quarter_has_one(specs: list[dict[str, Any]]) -> None:
    made = [
        rows.row("mean", "ses_quarter", quarter, 450.0 + 20 * int(quarter), 3.0) for quarter in rows.QUARTERS
    ]
    index = [
        rows.row("ses_mean", "ses_quarter", quarter, int(quarter) - 2.4, 0.02) for quarter in rows.QUARTERS
    ]
    figures.gradient_lines(rows.table(made), scope())
    figures.gradient_lines(rows.table(made + index), scope())
    places = [sorted({row["x"] for row in drawn(spec) if "series" in row}) for spec in specs]
    assert places[0] == [1.0, 2.0, 3.0, 4.0]
    assert places[1] == pytest.approx([-1.4, -0.4, 0.6, 1.6])


def test_levels_part_at_the_minimum_and_add_up(specs: list[dict[str, Any]]) -> None:
    figure = levels(scope(), 1)
    parts = [row for row in drawn(specs[0]) if "share" in row and "start" in row]
    assert min(row["start"] for row in parts) == pytest.approx(-25.0)
    assert max(row["end"] for row in parts) == pytest.approx(75.0)
    assert all((row["end"] <= 1e-9) == row["is_below"] for row in parts)
    assert "75,0%" in figure.title
    fills = next(
        layer["encoding"]["color"]["scale"]["range"]
        for layer in specs[0]["layer"]
        if layer["mark"]["type"] == "bar"
    )
    assert ["gradient" in str(fill) for fill in fills] == [True, True, False, False, False, False]


def test_other_minimum_moves_the_border(specs: list[dict[str, Any]]) -> None:
    shares = (0.08, 0.17, 0.25, 0.25, 0.15, 0.10)
    made = [
        rows.row(name, "nation", "all", share, 0.01) for name, share in zip(rows.LEVELS, shares, strict=True)
    ]
    figure = figures.stacked_levels(
        rows.table(made), scope(), places=[("nation", "all", "")], minimum="level_3"
    )
    assert min(row["start"] for row in drawn(specs[0]) if "start" in row) == pytest.approx(-50.0)
    assert "%" not in figure.title  # the cumulative share was not given, so the title claims none
    with pytest.raises(EstimationError, match="'minimum' parameter must be one of"):
        figures.stacked_levels(rows.table(made), scope(), places=[("nation", "all", "")], minimum="below_1")


def test_the_grid_is_the_same_read_from_either_side() -> None:
    given = {"r1": 480.0, "r2": 500.0, "r3": 501.0}
    made = rows.pairs_of(given, "region6")
    turned = [
        one
        | {
            "group": one["reference"],
            "reference": one["group"],
            "estimate": -one["estimate"],
            "ci_low": -one["ci_high"],
            "ci_high": -one["ci_low"],
        }
        for one in made
    ]
    first = figures.comparison_grid(rows.table(made), scope())
    assert first.svg == figures.comparison_grid(rows.table(turned), scope()).svg
    assert first.svg == figures.comparison_grid(rows.table(made + turned), scope()).svg
    assert "Vùng 1: cao hơn 0 nhóm, thấp hơn 2, không khác biệt 0" in first.alternative
    assert "Vùng 3: cao hơn 1 nhóm, thấp hơn 0, không khác biệt 1" in first.alternative
    other = made[0] | {"estimate": 3.0}
    with pytest.raises(EstimationError, match="pair r1 and r2 stands twice"):
        figures.comparison_grid(rows.table([*made, other]), scope())


def test_the_false_discovery_rate_of_the_grid_is_the_one_of_the_estimation_room() -> None:
    given = {code: 480.0 + 2.7 * place for place, code in enumerate(REGIONS[:9])}
    made = rows.pairs_of(given, "region6")
    plain = figures.comparison_grid(rows.table(made), scope())
    held = figures.comparison_grid(rows.table(made), scope(), correction="fdr")
    kept = rows.discoveries(made)
    assert f": {kept} trong 36 cặp" in held.title
    alone = sum(one["p_value"] < 0.05 for one in made)
    assert kept < alone
    assert f": {alone} trong 36 cặp" in plain.title
    assert "Benjamini" in held.note
    assert "không điều chỉnh" in plain.note
    with pytest.raises(EstimationError, match="'correction' parameter"):
        figures.comparison_grid(rows.table(made), scope(), correction="bonferroni")
    with pytest.raises(UnknownColumnError, match="p_value"):
        figures.comparison_grid(rows.table(made).drop("p_value"), scope(), correction="fdr")


def test_an_apostrophe_of_a_name_stays() -> None:
    names = {"r1": "Cư M'gar", "r2": 'Hồ "Ba Bể"'}
    at = Scope(population="grade5", subject="maths", language="vi", names=names)
    pairs = rows.table(rows.pairs_of({"r1": 480.0, "r2": 500.0}, "region6"))
    words = ElementTree.fromstring(figures.comparison_grid(pairs, at).svg).itertext()
    assert {"1 Cư M'gar", '2 Hồ "Ba Bể"'} <= {" ".join(word.split()) for word in words}


def test_figures_of_other_groupings_have_other_keys() -> None:
    at = scope()
    nation, region = ("nation", "all", ""), ("region6", "r1", "")
    found = [
        at.key_of_places("levels", places)
        for places in (
            [nation],
            [nation, region],
            [nation, ("gender", "F", ""), ("gender", "M", "")],
            [region],
        )
    ]
    assert found == [
        "grade5-maths-levels", "grade5-maths-levels-region6-r1", "grade5-maths-levels-gender",
        "grade5-maths-levels-region6-r1",
    ]  # fmt: skip
    assert re.fullmatch(r"[a-z0-9-]+", at.key("gaps", "province_code+gender"))


def test_a_long_grid_has_its_table_in_the_workbook_alone() -> None:
    assert grid(scope(), 6).table.is_printed
    assert not grid(scope(), 34).table.is_printed


EMPTY: dict[str, Callable[[pl.DataFrame], Figure]] = {
    "trend_lines": lambda table: figures.trend_lines(table, table, scope()),
    "trend_levels": lambda table: figures.trend_levels(table, table, scope()),
    "gradient_lines": lambda table: figures.gradient_lines(table, scope()),
    "scatter": lambda table: figures.scatter_mean_by_ses(table, scope()),
    "percentile_bars": lambda table: figures.percentile_bars(table, scope()),
    "percentile_fan": lambda table: figures.percentile_fan(table, table, scope()),
    "stacked_levels": lambda table: figures.stacked_levels(table, scope(), places=[("nation", "all", "")]),
    "comparison_grid": lambda table: figures.comparison_grid(table, scope()),
    "gap_bars": lambda table: figures.gap_bars(table, scope(), gaps=["gender"]),
    "standings_of": lambda table: figures.standings_of(table, scope()),
    "province_map": lambda table: figures.province_map(table, scope()),
}


@pytest.mark.parametrize("kind", list(EMPTY))
def test_nothing_to_draw_is_refused(kind: str) -> None:
    further = {name: pl.Series(name, [], dtype=of) for name, of in {**rows.COLUMNS, **rows.FURTHER}.items()}
    with pytest.raises(EstimationError, match=r"nothing to draw|holds 0 rows"):
        EMPTY[kind](pl.DataFrame(further))
    with pytest.raises(UnknownColumnError):
        EMPTY[kind](pl.DataFrame({"x": [1]}))


def test_a_cycle_that_is_no_year_is_refused() -> None:
    made = rows.table([rows.row("mean", "nation", "all", 500.0, 2.0, cycle="kỳ một")])
    with pytest.raises(EstimationError, match=r"'cycle' must hold years\. Got 'kỳ một'"):
        figures.trend_lines(made, made, scope())
