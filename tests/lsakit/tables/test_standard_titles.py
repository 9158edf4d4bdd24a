"""The title of a figure claims a difference only where its interval leaves out 0."""

from __future__ import annotations

import re
from typing import Any

import pytest

import standard_rows as rows
from lsakit.tables import standard_figures as figures
from lsakit.tables.standard_figures import Scope

SIGNIFICANT, NOT_SIGNIFICANT, FALLING, HIDDEN = "up", "none", "down", "hidden"
CASES = {SIGNIFICANT: (12.0, 3.0), NOT_SIGNIFICANT: (5.0, 3.0), FALLING: (-12.0, 3.0), HIDDEN: (12.0, 3.0)}


def scope(language: str = "en") -> Scope:
    return Scope(
        population="grade5", subject="maths", language=language, names={"01": "Hà Nội", "04": "Cao Bằng"}
    )


def case(kind: str, make: Any, *where: Any, **more: Any) -> dict[str, Any]:
    estimate, error = CASES[kind]
    return make(*where, estimate, error, hidden=kind == HIDDEN, **more)


def nation_over_time(change: dict[str, Any] | None) -> str:
    cycles = rows.table(rows.cycles_of({"all": [490.0, 502.0]}, "nation", years=(2023, 2026)))
    changes = rows.table([change] if change else []) if change else rows.table([rows.change(
        "sd", "nation", "all", 1.0, 1.0, cycles=(2023, 2026))])  # fmt: skip
    return figures.trend_lines(cycles, changes, scope()).title


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (SIGNIFICANT, "rose by 12.0 points from 2023 to 2026"),
        (NOT_SIGNIFICANT, "did not change significantly from 2023 to 2026"),
        (FALLING, "fell by 12.0 points"),
        (HIDDEN, "change not tested"),
    ],
)
def test_a_trend_says_what_its_change_allows(kind: str, words: str) -> None:
    title = nation_over_time(case(kind, rows.change, "mean", "nation", "all", cycles=(2023, 2026)))
    assert words in title
    if kind in (NOT_SIGNIFICANT, HIDDEN):
        assert "rose" not in title
        assert "fell" not in title


def test_without_a_change_no_change_is_told_however_far_the_means_are_apart() -> None:
    assert "change not tested" in nation_over_time(None)


def test_the_linking_error_decides() -> None:
    """A change of 7 points, error 3: significant by itself (z = 2.33), not with a linking error of 2.5 (z = 1.79)."""
    without = rows.change("mean", "nation", "all", 7.0, 3.0, cycles=(2023, 2026))
    held = rows.change("mean", "nation", "all", 7.0, 3.0, cycles=(2023, 2026), linking=2.5)
    assert "rose by 7.0 points" in nation_over_time(without)
    assert "did not change significantly" in nation_over_time(held)


def test_a_broken_scale_is_neither_joined_nor_compared() -> None:
    given = {"all": [400.0, 490.0, 502.0]}
    cycles = rows.table(rows.cycles_of(given, "nation"))
    changes = rows.table([rows.change("mean", "nation", "all", 12.0, 3.0, cycles=(2023, 2026))])
    figure = figures.trend_lines(cycles, changes, scope())
    assert "rose by 12.0 points from 2023 to 2026" in figure.title
    assert "2020" not in figure.title
    assert "not on one scale" in figure.note
    assert "another scale: not comparable" in figure.svg
    joined = rows.table([*rows.changes_of(given, "nation")])
    whole = figures.trend_lines(cycles, joined, scope())
    assert "another scale" not in whole.svg
    assert "from 2020 to 2026" in whole.title


def test_few_groups_are_named_and_many_are_counted() -> None:
    given = {"F": [490.0, 505.0], "M": [500.0, 501.0]}
    cycles = rows.table(rows.cycles_of(given, "gender", years=(2023, 2026)))
    changes = rows.table(rows.changes_of(given, "gender", years=(2023, 2026)))
    title = figures.trend_lines(cycles, changes, scope(), by="gender").title
    assert "Girls rose by 15.0 points; Boys did not change significantly" in title
    many = {f"g{place}": [490.0, 490.0 + step] for place, step in enumerate((15.0, 15.0, -15.0, 1.0))}
    hidden = rows.changes_of(many, "gender", years=(2023, 2026))
    hidden[0] = rows.change("mean", "gender", "g0", 15.0, 3.0, cycles=(2023, 2026), hidden=True)
    cycles = rows.table(rows.cycles_of(many, "gender", years=(2023, 2026)))
    title = figures.trend_lines(cycles, rows.table(hidden), scope(), by="gender").title
    assert title.endswith("1 groups rose, 1 fell, 1 did not change significantly, 1 not tested")


def test_a_group_that_entered_later_is_not_told_with_the_others() -> None:
    given = {"F": [490.0, 495.0, 520.0], "M": [490.0, 495.0, 520.0]}
    cycles = [one for one in rows.cycles_of(given, "gender") if (one["group"], one["cycle"]) != ("M", "2020")]
    changes = [
        one for one in rows.changes_of(given, "gender") if (one["group"], one["from_cycle"]) != ("M", "2020")
    ]
    figure = figures.trend_lines(rows.table(cycles), rows.table(changes), scope(), by="gender")
    assert figure.title.endswith("from 2020 to 2026: Girls rose by 30.0 points")
    assert "Boys, change from 2023 to 2026: 25.0" in figure.alternative


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (SIGNIFICANT, "goes with a score higher by 12.0 points"),
        (NOT_SIGNIFICANT, "no significant relation"),
        (FALLING, "goes with a score lower by 12.0 points"),
        (HIDDEN, "mean score by socio-economic quarter"),
    ],
)
def test_a_gradient_says_what_its_slope_allows(kind: str, words: str) -> None:
    made = [
        rows.row("mean", "ses_quarter", quarter, 450.0 + 30 * int(quarter), 1.0) for quarter in rows.QUARTERS
    ]
    made.append(case(kind, rows.row, "slope", "nation", "all"))
    assert words in figures.gradient_lines(rows.table(made), scope()).title
    alone = figures.gradient_lines(rows.table(made[:-1]), scope()).title
    assert "higher" not in alone


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (SIGNIFICANT, "Girls higher than Boys by 12.0 points"),
        (NOT_SIGNIFICANT, "Girls and Boys do not differ significantly"),
        (FALLING, "Girls lower than Boys by 12.0 points"),
        (HIDDEN, None),
    ],
)
def test_a_gap_says_what_its_interval_allows(kind: str, words: str | None) -> None:
    made = [case(kind, rows.row, "gap", "gender", "F-M"), rows.row("gap", "area", "urban-rural", 1.0, 3.0)]
    figure = figures.gap_bars(rows.table(made), scope(), gaps=["gender", "area"])
    if words is None:
        assert "Girls" not in figure.title
        assert "Not published: Girls – Boys (" in figure.note
        assert "12.0" not in figure.alternative
    else:
        assert words in figure.title


@pytest.mark.parametrize(
    ("kind", "counted"),
    [
        (SIGNIFICANT, (1, 0, 1)),
        (NOT_SIGNIFICANT, (0, 0, 2)),
        (FALLING, (0, 1, 1)),
        (HIDDEN, (0, 0, 1)),
    ],
)
def test_map_and_standings_count_by_the_test_of_the_difference(kind: str, counted: tuple[int, ...]) -> None:
    made = [
        rows.row("mean", "nation", "all", 500.0, 1.0),
        rows.row("mean", "province_code", "04", 501.0, 9.0),
    ]
    made.append(rows.row("mean", "province_code", "01", 512.0, 3.0, hidden=kind == HIDDEN))
    made.append(case(kind, rows.row, "difference_to_nation", "province_code", "01"))
    made.append(rows.row("difference_to_nation", "province_code", "04", 1.0, 9.0))
    table = rows.table(made)
    for figure in (figures.province_map(table, scope()), figures.standings_of(table, scope())):
        numbers = tuple(int(word) for word in re.findall(r"\d+", figure.title))
        assert numbers[1:] == counted, figure.title  # the first is the grade
        if kind == HIDDEN:
            assert "Hà Nội (" in figure.note
            assert "512" not in figure.svg + figure.alternative


def test_a_fan_tells_only_tested_percentiles() -> None:
    made = [
        rows.row(name, "nation", "all", 500.0 + shift + step, 3.0, cycle=str(year))
        for year, step in ((2023, 0.0), (2026, 30.0))
        for name, shift in {**rows.PERCENTILES, "mean": 0.0}.items()
    ]
    none = rows.table([rows.change("mean", "nation", "all", 30.0, 3.0, cycles=(2023, 2026))])
    some = rows.table([
        rows.change("p05", "nation", "all", 30.0, 4.0, cycles=(2023, 2026)),
        rows.change("p95", "nation", "all", 5.0, 4.0, cycles=(2023, 2026)),
    ])  # fmt: skip
    assert "rose" not in figures.percentile_fan(rows.table(made), none, scope()).title
    title = figures.percentile_fan(rows.table(made), some, scope()).title
    assert title.endswith("Percentile 5 rose by 30.0 points; Percentile 95 did not change significantly")
