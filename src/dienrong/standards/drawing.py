"""Drawings as SVG without styles of their own: where panelists stand, what the cuts would mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from dienrong.core.formats import number_text, percent_text

WIDTH, LEFT, RIGHT, BAND = 760, 190, 30, 74
BLUE, ORANGE, LINE, INK, MUTED = "#0072b2", "#d55e00", "#d9dee5", "#1b2430", "#5a6675"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure of a page: what it finds, its drawing, its table."""

    title: str
    drawing: SafeString
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """The panelists of one level on a line: their values, the center, the reader's own value if there is one."""

    label: str
    values: tuple[float, ...]
    center: float
    own: float | None = None


def dot_strips(
    strips: Sequence[Strip], *, low: float, high: float, axis: str, alternative: str
) -> SafeString:
    """Draw a dot for each panelist, equal values above one another; own is a square, the center a line."""
    span = WIDTH - LEFT - RIGHT
    scale = span / (high - low or 1.0)
    height = len(strips) * BAND + 46
    parts = [_axis(low, high, height, axis, scale)]
    for place, strip in enumerate(strips):
        base = place * BAND + 58
        parts.append(
            format_html(
                '<text class="axis" x="{}" y="{}" text-anchor="end" fill="{}">{}</text>'
                '<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}"/>',
                LEFT - 10, base + 4, INK, strip.label[:26], LEFT, base + 8, LEFT + span, base + 8, LINE,
            )
        )  # fmt: skip
        parts.append(_dots(strip, base, low, scale))
        at = f"{LEFT + (strip.center - low) * scale:.1f}"
        parts.append(
            format_html(
                '<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}" stroke-width="2"/>',
                at, base - 46, at, base + 10, INK,
            )
        )  # fmt: skip
    return format_html(
        '<svg viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">{}</svg>',
        WIDTH, height, WIDTH, height, alternative, format_html_join("", "{}", ((one,) for one in parts)),
    )  # fmt: skip


def _dots(strip: Strip, base: int, low: float, scale: float) -> SafeString:
    """Draw the dots of a level; a column of equal values is squeezed where it is tall."""
    step = 11.0
    columns: dict[int, int] = {}
    tallest = max(
        (sum(round((other - value) * scale / 9) == 0 for other in strip.values) for value in strip.values),
        default=1,
    )
    step = min(step, 44.0 / max(1, tallest))
    dots = []
    own_left = strip.own is not None
    for value in sorted(strip.values):
        key = round((value - low) * scale / 9)
        x, y = LEFT + (value - low) * scale, base - columns.get(key, 0) * step
        columns[key] = columns.get(key, 0) + 1
        if own_left and value == strip.own:
            own_left = False
            dots.append(
                format_html(
                    '<rect x="{}" y="{}" width="11" height="11" fill="{}"/>',
                    f"{x - 5.5:.1f}",
                    f"{y - 5.5:.1f}",
                    ORANGE,
                )
            )
        else:
            dots.append(
                format_html(
                    '<circle cx="{}" cy="{}" r="4.5" fill="{}" fill-opacity="0.75"/>',
                    f"{x:.1f}",
                    f"{y:.1f}",
                    BLUE,
                )
            )
    return format_html_join("", "{}", ((dot,) for dot in dots))


def _axis(low: float, high: float, height: int, axis: str, scale: float) -> SafeString:
    """Draw the axis below the strips."""
    ticks = [low + (high - low) * part / 5 for part in range(6)]
    digits = 0 if high - low >= 10 else 1
    marks = format_html_join(
        "",
        '<line x1="{}" y1="6" x2="{}" y2="{}" stroke="{}"/>'
        '<text class="axis" x="{}" y="{}" text-anchor="middle" fill="{}">{}</text>',
        (
            (
                f"{LEFT + (tick - low) * scale:.1f}", f"{LEFT + (tick - low) * scale:.1f}", height - 34, LINE,
                f"{LEFT + (tick - low) * scale:.1f}", height - 20, INK, number_text(tick, digits),
            )
            for tick in ticks
        ),
    )  # fmt: skip
    title = format_html(
        '<text class="axis" x="{}" y="{}" text-anchor="middle" fill="{}">{}</text>',
        LEFT + (WIDTH - LEFT - RIGHT) / 2, height - 4, MUTED, axis,
    )  # fmt: skip
    return marks + title


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The share of students at or above a cut; ``low`` and ``high`` are its 95 % interval, None without an error."""

    label: str
    share: float
    low: float | None
    high: float | None


def share_bars(shares: Sequence[Share], *, alternative: str) -> SafeString:
    """Draw the share at or above each cut with its interval, on a line from 0 to 100 %."""
    span = WIDTH - LEFT - RIGHT - 60
    height = len(shares) * 40 + 40
    parts = []
    for at in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = f"{LEFT + span * at:.1f}"
        parts.append(
            format_html(
                '<line x1="{}" y1="4" x2="{}" y2="{}" stroke="{}"/>'
                '<text class="axis" x="{}" y="{}" text-anchor="middle" fill="{}">{}</text>',
                x, x, height - 26, LINE, x, height - 8, INK, percent_text(at, 0),
            )
        )  # fmt: skip
    for place, one in enumerate(shares):
        y = place * 40 + 10
        parts.append(
            format_html(
                '<text class="axis" x="{}" y="{}" text-anchor="end" fill="{}">{}</text>'
                '<rect x="{}" y="{}" width="{}" height="16" fill="{}"/>'
                '<text class="axis" x="{}" y="{}" fill="{}">{}</text>',
                LEFT - 10, y + 13, INK, one.label[:26], LEFT, y, f"{max(0.0, one.share) * span:.1f}", BLUE,
                f"{LEFT + span * (one.high if one.high is not None else one.share) + 8:.1f}", y + 13, INK,
                percent_text(one.share),
            )
        )  # fmt: skip
        if one.low is not None and one.high is not None:
            parts.append(
                format_html(
                    '<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}" stroke-width="2"/>',
                    f"{LEFT + span * one.low:.1f}", y + 8, f"{LEFT + span * one.high:.1f}", y + 8, INK,
                )
            )  # fmt: skip
    return format_html(
        '<svg viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">{}</svg>',
        WIDTH, height, WIDTH, height, alternative, format_html_join("", "{}", ((one,) for one in parts)),
    )  # fmt: skip


def interval_words(low: float | None, high: float | None) -> str:
    """Write an interval of shares, or a dash where there is none."""
    if low is None or high is None:
        return "–"
    return _("%(low)s to %(high)s") % {"low": percent_text(low), "high": percent_text(high)}
