"""Drawings as SVG without styles of their own: results against targets, the past of one value, a country as tiles."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from dienrong.core.formats import day_text, number_text, percent_text

WIDTH, LEFT, RIGHT, ROW = 760, 330, 70, 46
BLUE, ORANGE, GREEN, LINE, INK, MUTED = "#0072b2", "#d55e00", "#009e73", "#d9dee5", "#1b2430", "#5a6675"
LONGEST_LINE = 44


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure: what it finds, its drawing, its words and its table."""

    title: str
    drawing: SafeString
    note: str
    alternative: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def _svg(height: float, parts: Sequence[SafeString], alternative: str) -> SafeString:
    """Put parts into a drawing."""
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}" '
        'font-family="Be Vietnam Pro, Segoe UI, sans-serif" font-size="13">{}</svg>',
        WIDTH, height, WIDTH, height, alternative, format_html_join("", "{}", ((one,) for one in parts)),
    )  # fmt: skip


def _lines(text: str) -> list[str]:
    """Break a label over two lines at most."""
    words, lines = text.split(), [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + 1 + len(word) > LONGEST_LINE:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines if len(lines) <= 2 else [lines[0], lines[1][: LONGEST_LINE - 1] + "…"]


def target_bars(stands: Sequence[Any]) -> Figure:
    """Draw the share of each indicator as a bar, its target as a line across."""
    span = WIDTH - LEFT - RIGHT
    parts: list[SafeString] = []
    rows = []
    for place, one in enumerate(stands):
        top = 14 + place * ROW
        share, target = one.value.share or 0.0, one.target_share
        lines = _lines(str(one.aim.indicator.title))
        for number, line in enumerate(lines):
            y = top + 17 + (number - (len(lines) - 1) / 2) * 15
            parts.append(
                format_html(
                    '<text x="{}" y="{}" text-anchor="end" fill="{}">{}</text>', LEFT - 10, y, INK, line
                )
            )
        parts.append(
            format_html(
                '<rect x="{}" y="{}" width="{}" height="20" fill="{}"/><rect x="{}" y="{}" width="{}" height="20" fill="{}"/>',
                LEFT, top + 2, span, LINE, LEFT, top + 2, f"{span * min(1.0, share):.1f}", BLUE,
            )
        )  # fmt: skip
        if target is not None:
            x = f"{LEFT + span * min(1.0, target):.1f}"
            parts.append(
                format_html(
                    '<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}" stroke-width="3"/>',
                    x, top - 3, x, top + 27, ORANGE,
                )
            )  # fmt: skip
        parts.append(
            format_html(
                '<text x="{}" y="{}" fill="{}">{}</text>', LEFT + span + 8, top + 17, INK, percent_text(share)
            )
        )
        rows.append((str(one.aim.indicator.title), percent_text(share), percent_text(target)))
    n_reached = sum(one.state == "reached" for one in stands)
    n_set = sum(one.target_share is not None for one in stands)
    title = _("%(n)s of %(all)s targets are reached") % {
        "n": number_text(n_reached),
        "all": number_text(n_set),
    }
    said = "; ".join(f"{row[0]}: {row[1]}" for row in rows)
    return Figure(
        title=title,
        drawing=_svg(20 + ROW * len(stands), parts, title),
        note=_("Bar: share reached. Line across: target."),
        alternative=f"{title}. {said}.",
        columns=(_("Indicator"), _("Share"), _("Target")),
        rows=tuple(rows),
    )


def _line_name(name: str, x: float, y: float, color: str) -> SafeString:
    """Write whose line it is beside its first point."""
    return format_html(
        '<text x="{}" y="{}" fill="{}" font-size="12">{}</text>', f"{x + 6:.1f}", f"{y - 8:.1f}", color, name
    )


def past_line(
    points: Sequence[Any], *, target: float | None, deadline: datetime.date, expected: float | None
) -> Figure | None:
    """Draw the past of a share as dots on a line for each unit, the target as a level, the forecast as a dashed line."""
    known = [one for one in points if one.share is not None]
    if not known:
        return None
    height, top, bottom, left, right = 260, 20, 40, 60, 30
    first = min(one.day for one in known)
    days = max(1, (max(deadline, known[-1].day) - first).days)

    def x(day: datetime.date) -> float:
        return left + (WIDTH - left - right) * (day - first).days / days

    def y(share: float) -> float:
        return top + (height - top - bottom) * (1 - min(1.0, share))

    parts = [
        format_html(
            '<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}"/><text x="{}" y="{}" text-anchor="end" fill="{}">{}</text>',
            left, y(level), WIDTH - right, y(level), LINE, left - 8, y(level) + 4, MUTED, percent_text(level, 0),
        )
        for level in (0, 0.25, 0.5, 0.75, 1)
    ]  # fmt: skip
    if target is not None:
        parts.append(
            format_html(
                '<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}" stroke-width="2"/>',
                left, y(target), WIDTH - right, y(target), ORANGE,
            )
        )  # fmt: skip
    for place, name in enumerate(dict.fromkeys(one.name for one in known)):
        own = [one for one in known if one.name == name]
        color = (BLUE, GREEN, "#cc79a7")[place % 3]
        path = " ".join(f"{x(one.day):.1f},{y(one.share):.1f}" for one in own)
        parts.append(
            format_html('<polyline points="{}" fill="none" stroke="{}" stroke-width="2"/>', path, color)
        )
        if len({one.name for one in known}) > 1:
            parts.append(_line_name(own[0].name, x(own[0].day), y(own[0].share), color))
        parts += [
            format_html(
                '<circle cx="{}" cy="{}" r="4" fill="{}"/>', f"{x(one.day):.1f}", f"{y(one.share):.1f}", color
            )
            for one in own
        ]
    last = known[-1]
    if expected is not None and deadline > last.day:
        parts.append(
            format_html(
                '<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}" stroke-width="2" stroke-dasharray="5 4"/>',
                f"{x(last.day):.1f}", f"{y(last.share):.1f}", f"{x(deadline):.1f}", f"{y(expected):.1f}", BLUE,
            )
        )  # fmt: skip
    for day, anchor in ((first, "start"), (max(deadline, last.day), "end")):
        parts.append(
            format_html(
                '<text x="{}" y="{}" text-anchor="{}" fill="{}">{}</text>',
                f"{x(day):.1f}", height - 14, anchor, MUTED, day_text(day),
            )
        )  # fmt: skip
    title = _("%(share)s on %(day)s") % {"share": percent_text(last.share), "day": day_text(last.day)}
    rows = tuple(
        (
            day_text(one.day),
            one.name,
            number_text(one.n_counted),
            number_text(one.n_all),
            percent_text(one.share),
        )
        for one in known
    )
    note = _("Line across: target. Dashed: where the pace so far leads by the deadline.")
    return Figure(
        title=title,
        drawing=_svg(height, parts, title),
        note=note,
        alternative=f"{title}. {note}",
        columns=(_("As of"), _("Unit"), _("Reached"), _("Out of"), _("Share")),
        rows=rows,
    )


TILE_WIDTH, TILE_HEIGHT = 108, 40
FILLS = {"reached": BLUE, "behind": "#f5b98d", "unknown": "#ffffff"}
INKS = {"reached": "#ffffff", "behind": INK, "unknown": MUTED}
ARCHIPELAGOS = (("QĐ Hoàng Sa (Đà Nẵng)", 7), ("QĐ Trường Sa (Khánh Hòa)", 12))
SIGNS = {"reached": "✓", "behind": "–", "unknown": "?"}


def province_tiles(rows: Sequence[Any], code: str) -> Figure:
    """Draw the provinces as tiles on a map: name, share of one indicator, and whether its target is reached.

    Parameters
    ----------
    rows : sequence of NationRow
        The provinces with values and states.
    code : str
        The indicator.
    """
    from dienrong.plans.numeric import tiles

    places = {one["code"]: one for one in tiles()}
    known = [row for row in rows if row.unit.code in places]
    parts: list[SafeString] = []
    table = []
    for row in known:
        tile = places[row.unit.code]
        value, state = row.values.get(code), row.states.get(code, "unknown")
        state = "behind" if state == "on_the_way" else state
        x, y = tile["column"] * (TILE_WIDTH + 4) + 4, tile["row"] * (TILE_HEIGHT + 4) + 4
        share = percent_text(value.share if value is not None else None, 0)
        parts.append(
            format_html(
                '<g><title>{}: {}</title><rect x="{}" y="{}" width="{}" height="{}" rx="3" fill="{}" stroke="{}"/>'
                '<text x="{}" y="{}" text-anchor="middle" font-size="12" fill="{}">{}</text>'
                '<text x="{}" y="{}" text-anchor="middle" font-size="12" font-weight="600" fill="{}">{} {}</text></g>',
                row.unit.name, share, x, y, TILE_WIDTH, TILE_HEIGHT, FILLS[state], "#7f8b99",
                x + TILE_WIDTH / 2, y + 16, INKS[state], tile["short"],
                x + TILE_WIDTH / 2, y + 32, INKS[state], SIGNS[state], share,
            )
        )  # fmt: skip
        table.append((row.unit.name, share, SIGNS[state]))
    for name, row_number in ARCHIPELAGOS:
        x, y = 5 * (TILE_WIDTH + 4) + 12, row_number * (TILE_HEIGHT + 4) + 24
        parts.append(format_html('<text x="{}" y="{}" font-size="11" fill="{}">{}</text>', x, y, MUTED, name))
    n_reached = sum(row.states.get(code) == "reached" for row in known)
    title = _("%(n)s of %(all)s provinces reach the target") % {
        "n": number_text(n_reached),
        "all": number_text(len(known)),
    }
    height = (max((one["row"] for one in places.values()), default=0) + 1) * (TILE_HEIGHT + 4) + 8
    said = "; ".join(f"{name}: {share}" for name, share, _sign in table)
    return Figure(
        title=title,
        drawing=_svg(height, parts, title),
        note=_(
            "✓ target reached · – not reached yet · ? nobody or nothing counted there. Equal tiles, not areas."
        ),
        alternative=f"{title}. {said}.",
        columns=(_("Province"), _("Share"), _("Assessment")),
        rows=tuple(table),
    )
