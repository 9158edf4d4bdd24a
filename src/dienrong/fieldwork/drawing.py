"""Drawings as SVG without styles of their own: participation by unit, the distribution of weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from dienrong.core.formats import number_text, percent_text
from dienrong.fieldwork.queries.board import BoardRow

MOST_BARS = 40
WIDTH, LEFT, RIGHT, STEP = 760, 210, 70, 24
BLUE, LINE, INK = "#0072b2", "#d9dee5", "#1b2430"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure of a page: what it finds, its drawing, its table."""

    title: str
    drawing: SafeString
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def bars_of(rows: Sequence[BoardRow]) -> Figure:
    """Draw the share of selected people who took part by unit, the lowest first, with the target of 100 %."""
    known = sorted(
        ((row.done_share, row) for row in rows if row.done_share is not None),
        key=lambda one: (one[0], one[1].title),
    )
    shown = known[:MOST_BARS]
    height = len(shown) * STEP + 40
    span = WIDTH - LEFT - RIGHT
    bars = format_html_join(
        "",
        '<text class="axis" x="{}" y="{}" text-anchor="end" fill="{}">{}</text>'
        '<rect x="{}" y="{}" width="{}" height="14" fill="{}"/>'
        '<text class="axis" x="{}" y="{}" fill="{}">{}</text>',
        (
            (
                LEFT - 8, place * STEP + 25, INK, row.title[:32], LEFT, place * STEP + 14, f"{share * span:.1f}", BLUE,
                LEFT + span + 8, place * STEP + 25, INK, percent_text(share),
            )
            for place, (share, row) in enumerate(shown)
        ),
    )  # fmt: skip
    grid = format_html_join(
        "",
        '<line x1="{}" y1="6" x2="{}" y2="{}" stroke="{}"/><text class="axis" x="{}" y="{}" text-anchor="middle" fill="{}">{}</text>',
        (
            (
                f"{LEFT + span * at:.1f}", f"{LEFT + span * at:.1f}", height - 24, INK if at == 1 else LINE,
                f"{LEFT + span * at:.1f}", height - 6, INK, percent_text(at, 0),
            )
            for at in (0.0, 0.25, 0.5, 0.75, 1.0)
        ),
    )  # fmt: skip
    title = _title(known)
    drawing = format_html(
        '<svg viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">{}{}</svg>',
        WIDTH, height, WIDTH, height, title, grid, bars,
    )  # fmt: skip
    return Figure(
        title=title,
        drawing=drawing,
        note=_(
            "Share of the eligible selected people who took part, counted, not weighted; people without an outcome "
            "count as not done yet. Target: 100 %%. The lowest %(n)s units."
        )
        % {"n": len(shown)},
        columns=(_("Unit"), _("Took part"), _("Eligible or open"), _("Share")),
        rows=tuple(
            (
                row.title,
                number_text(row.people["respondent"]),
                number_text(row.people["respondent"] + row.people["nonrespondent"] + row.people["open"]),
                percent_text(share),
            )
            for share, row in known
        ),
    )


def _title(known: Sequence[tuple[float, BoardRow]]) -> str:
    """Say the finding: how many units are at 100 per cent, and which is the lowest."""
    n_full = sum(share >= 1 for share, _row in known)
    share, row = known[0]
    return _("%(full)s of %(n)s units are at 100 %%; the lowest is %(unit)s with %(share)s") % {
        "full": number_text(n_full),
        "n": number_text(len(known)),
        "unit": row.title,
        "share": percent_text(share),
    }


def histogram_of(summary: Mapping[str, Any]) -> Figure:
    """Draw the distribution of the final weights."""
    counts, edges = summary["counts"], summary["edges"]
    height, top, bottom, left = 260, 14, 40, 60
    highest = max(counts) or 1
    step = (WIDTH - left - 20) / len(counts)
    bars = format_html_join(
        "",
        '<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>',
        (
            (
                f"{left + place * step + 1:.1f}", f"{height - bottom - (height - top - bottom) * n / highest:.1f}",
                f"{step - 2:.1f}", f"{(height - top - bottom) * n / highest:.1f}", BLUE,
            )
            for place, n in enumerate(counts)
        ),
    )  # fmt: skip
    marks = format_html_join(
        "",
        '<text class="axis" x="{}" y="{}" text-anchor="middle" fill="{}">{}</text>',
        (
            (f"{left + place * step:.1f}", height - bottom + 18, INK, number_text(edges[place], 1))
            for place in range(0, len(edges), 5)
        ),
    )
    title = _("Final weights lie between %(low)s and %(high)s; their middle is %(middle)s") % {
        "low": number_text(summary["quantiles"][0], 1),
        "high": number_text(summary["quantiles"][-1], 1),
        "middle": number_text(summary["quantiles"][3], 1),
    }
    drawing = format_html(
        '<svg viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">'
        '<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}"/><text class="axis" x="{}" y="{}" text-anchor="end" fill="{}">{}</text>'
        '<text class="axis" x="{}" y="{}" text-anchor="end" fill="{}">0</text>{}{}'
        '<text class="axis" x="{}" y="{}" text-anchor="middle" fill="{}">{}</text></svg>',
        WIDTH, height, WIDTH, height, title, left, height - bottom, WIDTH - 20, height - bottom, INK,
        left - 6, top + 8, INK, number_text(highest), left - 6, height - bottom, INK, bars, marks,
        (left + WIDTH) / 2, height - 4, INK, _("Final weight of a respondent"),
    )  # fmt: skip
    rows = tuple(
        (f"{number_text(edges[place], 1)} – {number_text(edges[place + 1], 1)}", number_text(n))
        for place, n in enumerate(counts)
    )
    return Figure(
        title=title,
        drawing=drawing,
        note=_("Respondents by final weight in 20 classes of one width from 0. n = %(n)s.")
        % {"n": number_text(summary["n_respondents"])},
        columns=(_("Weight"), _("Respondents")),
        rows=rows,
    )
