"""Drawings as SVG without styles of their own: the tile map of the provinces, sparklines, the trend of scores."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from dienrong.core.formats import day_text
from dienrong.scorecard.words import score_text

TILES = Path(__file__).resolve().parent / "data" / "province_tiles.csv"
TILE_WIDTH, TILE_HEIGHT, GAP = 80, 50, 4
STEPS = (99.0, 97.0, 94.0, 90.0)
"""Lower bounds of the classes 1 to 4; below the last lies class 5, the darkest."""
SERIES = (
    ("total", "#1b2430", ""),
    ("correct", "#0072b2", "6 3"),
    ("complete", "#d55e00", "2 3"),
    ("clean", "#009e73", "8 3 2 3"),
    ("fresh", "#cc79a7", "12 4"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One province on the map."""

    code: str
    name: str
    total: float | None
    coverage: str
    url: str


@cache
def places() -> Mapping[str, tuple[int, int]]:
    """Give the row and the column of each province, from the data file."""
    with TILES.open(encoding="utf-8", newline="") as file:
        return {row["code"]: (int(row["row"]), int(row["column"])) for row in csv.DictReader(file)}


def class_of(total: float | None) -> int:
    """Give the class of a score, 1 (best) to 5; 0 where there is none."""
    if total is None:
        return 0
    return next((number for number, bound in enumerate(STEPS, start=1) if total >= bound), len(STEPS) + 1)


def map_of(tiles: Sequence[Tile], title: str) -> SafeString:
    """Draw the provinces as tiles placed like the country; each is a link that says its score."""
    placed = [(tile, places()[tile.code]) for tile in tiles if tile.code in places()]
    placed.sort(key=lambda one: one[1])
    n_rows = 1 + max((row for _tile, (row, _column) in placed), default=0)
    n_columns = 1 + max((column for _tile, (_row, column) in placed), default=0)
    drawn = format_html_join("", "{}", ((_tile(tile, row, column),) for tile, (row, column) in placed))
    return format_html(
        '<svg class="tile-map" viewBox="0 0 {} {}" width="{}" height="{}" role="group" aria-label="{}">'
        '<defs><pattern id="no-score" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect width="6" height="6" fill="#ffffff"/><line x1="0" y1="0" x2="0" y2="6" stroke="#d9dee5" stroke-width="3"/>'
        "</pattern></defs>{}</svg>",
        *(2 * (n_columns * (TILE_WIDTH + GAP), n_rows * (TILE_HEIGHT + GAP))),
        title,
        drawn,
    )


def _tile(tile: Tile, row: int, column: int) -> SafeString:
    """Draw one tile."""
    x, y = column * (TILE_WIDTH + GAP) + GAP // 2, row * (TILE_HEIGHT + GAP) + GAP // 2
    score = score_text(tile.total)
    return format_html(
        '<a href="{}" aria-label="{}: {}; {}"><title>{}: {} · {}</title>'
        '<rect class="tile tile-{}" x="{}" y="{}" width="{}" height="{}" rx="4"{}/>'
        '<text class="tile-name tile-text-{}" x="{}" y="{}" text-anchor="middle">{}</text>'
        '<text class="tile-score tile-text-{}" x="{}" y="{}" text-anchor="middle">{}</text></a>',
        tile.url,
        tile.name,
        score,
        tile.coverage,
        tile.name,
        score,
        tile.coverage,
        class_of(tile.total),
        x,
        y,
        TILE_WIDTH,
        TILE_HEIGHT,
        mark_safe(' fill="url(#no-score)"') if tile.total is None else "",
        class_of(tile.total),
        x + TILE_WIDTH / 2,
        y + 20,
        tile.name,
        class_of(tile.total),
        x + TILE_WIDTH / 2,
        y + 40,
        "–" if tile.total is None else score,
    )


def sparkline(steps: Sequence[tuple[datetime.date, float | None]], today: datetime.date) -> SafeString:
    """Draw the way of a score in a few strokes; nothing where there is one day only."""
    known = [(day, total) for day, total in steps if total is not None]
    if len(known) < 2:
        return mark_safe("")
    low, high = min(total for _day, total in known), max(total for _day, total in known)
    first = known[0][0]
    days, spread = max((today - first).days, 1), max(high - low, 0.5)
    ends = [*known[1:], (today, known[-1][1])]
    points = []
    for (day, total), (until, _next) in zip(known, ends, strict=True):
        y = 18 - 16 * (total - low) / spread
        points += [
            f"{2 + 56 * (day - first).days / days:.1f},{y:.1f}",
            f"{2 + 56 * (until - first).days / days:.1f},{y:.1f}",
        ]
    return format_html(
        '<svg class="sparkline" viewBox="0 0 60 20" width="60" height="20" aria-hidden="true">'
        '<polyline points="{}" fill="none" stroke="currentColor" stroke-width="1.5"/></svg>',
        " ".join(points),
    )


WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 300, 48, 132, 14, 34


def trend_chart(rows: Sequence[Any], today: datetime.date, titles: Mapping[str, str]) -> SafeString:
    """Draw total and dimensions as steps over the days, each named at its end."""
    first = rows[0].day
    days = max((today - first).days, 1)
    values = [value for row in rows for name, _c, _d in SERIES if (value := getattr(row, name)) is not None]
    low = max(0.0, min(values, default=0.0) // 5 * 5 - (5 if min(values, default=0.0) % 5 < 1 else 0))
    span = max(100 - low, 1)

    def x(day: datetime.date) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * max((day - first).days, 0) / days

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (100 - value) / span

    marks = sorted({low, low + span / 2, 100.0})
    lines = format_html_join(
        "",
        '<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="#d9dee5"/><text class="axis" x="{}" y="{}" text-anchor="end">{}</text>',
        (
            (
                LEFT,
                f"{y(at):.1f}",
                WIDTH - RIGHT,
                f"{y(at):.1f}",
                LEFT - 6,
                f"{y(at) + 4:.1f}",
                score_text(at),
            )
            for at in marks
        ),
    )
    ends = _spread({name: y(last) for name, _c, _d in SERIES if (last := _last(rows, name)) is not None})
    curves = format_html_join(
        "",
        '<polyline points="{}" fill="none" stroke="{}" stroke-width="{}" stroke-dasharray="{}"/>'
        '<text class="axis" x="{}" y="{}" fill="{}">{}</text>',
        (
            (
                " ".join(_steps(rows, name, today, x, y)),
                color,
                3 if name == "total" else 2,
                dash,
                WIDTH - RIGHT + 8,
                f"{ends[name] + 4:.1f}",
                color,
                f"{titles[name]} {score_text(_last(rows, name))}",
            )
            for name, color, dash in SERIES
            if name in ends
        ),
    )
    days_text = format_html(
        '<text class="axis" x="{}" y="{}">{}</text><text class="axis" x="{}" y="{}" text-anchor="end">{}</text>',
        LEFT,
        HEIGHT - 10,
        day_text(first),
        WIDTH - RIGHT,
        HEIGHT - 10,
        day_text(today),
    )
    return format_html(
        '<svg class="trend" viewBox="0 0 {} {}" width="{}" height="{}">{}{}{}</svg>',
        WIDTH,
        HEIGHT,
        WIDTH,
        HEIGHT,
        lines,
        curves,
        days_text,
    )


def _last(rows: Sequence[Any], name: str) -> float | None:
    """The last known value of a series."""
    return next((value for row in reversed(rows) if (value := getattr(row, name)) is not None), None)


def _steps(rows: Sequence[Any], name: str, today: datetime.date, x: Any, y: Any) -> list[str]:
    """The corners of a step line."""
    points = []
    ends = [*(row.day for row in rows[1:]), today]
    for row, until in zip(rows, ends, strict=True):
        value = getattr(row, name)
        if value is not None:
            points += [f"{x(row.day):.1f},{y(value):.1f}", f"{x(until):.1f},{y(value):.1f}"]
    return points


def _spread(places: dict[str, float], least: float = 15.0) -> dict[str, float]:
    """Push labels apart that would lie over one another; all stay inside the drawing."""
    ordered = sorted(places, key=lambda name: places[name])
    spread: dict[str, float] = {}
    above = TOP - least
    for name in ordered:
        above = max(places[name], above + least)
        spread[name] = above
    below = HEIGHT - BOTTOM + least
    for name in reversed(ordered):
        below = min(spread[name], below - least)
        spread[name] = below
    return spread
