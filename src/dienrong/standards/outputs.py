"""What pages and files show of a round and of the final cuts: figures, tables, sheets; no panelist is ever named here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dienrong.core.formats import number_text, percent_text
from dienrong.standards import numeric, queries, words
from dienrong.standards.drawing import Figure, Share, Strip, dot_strips, interval_words, share_bars
from dienrong.standards.models import CutLevel, JudgingRound, Panelist, StandardSetting

MOST_DISPUTED = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundPages:
    """What a round leaves to talk about."""

    number: int
    panel: str
    dots: Figure | None
    impact: Figure | None
    disputed: tuple[dict[str, Any], ...]
    refused: tuple[tuple[str, str], ...]
    few: str


def part_of(judging_round: JudgingRound, panel: int | None) -> dict[str, Any]:
    """Give the part of a round's result: one panel, or all panelists."""
    parts: dict[str, Any] = judging_round.result.get("parts", {})
    found: dict[str, Any] = parts.get(str(panel) if panel else "all", {})
    return found


def round_pages(
    setting: StandardSetting,
    judging_round: JudgingRound,
    *,
    panel: int | None = None,
    panelist: Panelist | None = None,
) -> RoundPages:
    """Draw what came of a round, for the facilitator or for one panelist, who sees the own values marked.

    Parameters
    ----------
    setting : StandardSetting
        The session.
    judging_round : JudgingRound
        A closed round.
    panel : int, optional
        One panel; all panelists where left out.
    panelist : Panelist, optional
        Whose own values are marked.
    """
    part = part_of(judging_round, panel)
    levels = queries.levels_of(setting)
    own = panelist.code if panelist is not None else ""
    names = {level.code: level.name for level in levels}
    fewest = min((row["n_judges"] for row in part.get("cuts", ())), default=0)
    return RoundPages(
        number=judging_round.number,
        panel=_("Panel %(n)s") % {"n": panel} if panel else "",
        dots=_dots(setting, part, levels, own),
        impact=impact_figure(part.get("impact", ()), levels),
        disputed=tuple(_disputed(setting, judging_round, part, names, panelist)),
        refused=tuple(
            (names.get(code, code), str(words.REFUSED_WORDS.get(why, words.REFUSED_WORDS["other"])))
            for code, why in part.get("refused", {}).items()
        ),
        few=few_judges(fewest),
    )


def few_judges(n: int) -> str:
    """Warn where fewer judges stand behind a cut than are advised; empty where there are enough."""
    if n == 0 or n >= queries.ADVISED_JUDGES:
        return ""
    return ngettext(
        "Only %(n)s panelist stands behind a cut; ten or more are advised, so that the error is known well.",
        "Only %(n)s panelists stand behind a cut; ten or more are advised, so that the error is known well.",
        n,
    ) % {"n": number_text(n)}


def _dots(
    setting: StandardSetting, part: Mapping[str, Any], levels: Sequence[CutLevel], own: str
) -> Figure | None:
    """Draw where the panelists of a round stand."""
    strips, rows = [], []
    spread = {row["level"]: row for row in part.get("spread", ()) if row["item"] == numeric.PAGE}
    cuts = {row["level"]: row for row in part.get("cuts", ())}
    digits = 0 if setting.is_bookmark else 1
    for level in levels:
        judges = [row for row in part.get("judges", ()) if row["level"] == level.code]
        if not judges:
            continue
        mine = next((row["shown"] for row in judges if row["judge"] == own), None)
        summary = spread[level.code] if setting.is_bookmark else cuts[level.code]
        center = summary["median"] if setting.is_bookmark else summary["mean"]
        strips.append(
            Strip(
                label=level.name,
                values=tuple(row["shown"] for row in judges),
                center=float(center),
                own=mine,
            )
        )
        cells = [
            level.name,
            number_text(summary["median"], 1),
            number_text(summary["mean"], 1),
            number_text(summary["sd"], 1),
            _("%(low)s to %(high)s")
            % {
                "low": number_text(summary["minimum"], digits),
                "high": number_text(summary["maximum"], digits),
            },
            number_text(len(judges)),
        ]
        if own:
            cells.insert(1, number_text(mine, digits))
        rows.append(tuple(cells))
    if not strips:
        return None
    columns = [
        _("Proficiency level"),
        _("Median"),
        _("Mean"),
        _("Spread (SD)"),
        _("Lowest to highest"),
        _("Panelists"),
    ]
    if own:
        columns.insert(1, _("You"))
    low, high, axis = _scale_of(setting)
    title = _title_of(setting, strips)
    note = _("Each dot is one panelist; the line is the %(center)s of the panel.") % {
        "center": _("median") if setting.is_bookmark else _("mean")
    }
    if own:
        note += " " + _("The square is you.")
    return Figure(
        title=title,
        drawing=dot_strips(strips, low=low, high=high, axis=axis, alternative=title),
        note=note,
        columns=tuple(columns),
        rows=tuple(rows),
    )


def _scale_of(setting: StandardSetting) -> tuple[float, float, str]:
    """Give the ends and the name of the axis: pages of the booklet, or points of the test."""
    if setting.is_bookmark:
        return 1.0, float(len(queries.booklet_of(setting))), _("Page of the ordered item booklet")
    most = sum(one.max_score for one in queries.items_of(setting))
    return 0.0, float(most), _("Points of the test (of %(most)s)") % {"most": number_text(most)}


def _title_of(setting: StandardSetting, strips: Sequence[Strip]) -> str:
    """Say the finding: at which level the panel lies furthest apart."""
    widest = max(strips, key=lambda strip: max(strip.values) - min(strip.values))
    low, high = min(widest.values), max(widest.values)
    digits = 0 if setting.is_bookmark else 1
    if low == high:
        return _("The panel agrees on every level")
    sentence = (
        _("The panel lies furthest apart at “%(level)s”: pages %(low)s to %(high)s")
        if setting.is_bookmark
        else _("The panel lies furthest apart at “%(level)s”: %(low)s to %(high)s points")
    )
    return sentence % {
        "level": widest.label,
        "low": number_text(low, digits),
        "high": number_text(high, digits),
    }


def impact_figure(impact: Sequence[Mapping[str, Any]], levels: Sequence[CutLevel]) -> Figure | None:
    """Draw the share of students at or above each cut with its interval."""
    names = {level.code: level.name for level in levels}
    if not impact:
        return None
    shares = [
        Share(
            label=names.get(row["level"], row["level"]),
            share=row["share_at_or_above"],
            low=row["ci_low"],
            high=row["ci_high"],
        )
        for row in impact
    ]
    lowest = shares[0]
    title = _("With these cuts %(share)s of the students would reach “%(level)s” or more") % {
        "share": percent_text(lowest.share),
        "level": lowest.label,
    }
    has_error = all(row["standard_error"] is not None for row in impact)
    note = (
        _(
            "Lines are 95%% intervals of the share (sampling and measurement), at a fixed cut; n = %(n)s students."
        )
        if has_error
        else _(
            "The run has no replicate weights, so the error of these shares is not known; n = %(n)s students."
        )
    )
    rows = tuple(
        (
            one.label,
            number_text(row["scale"], 1),
            percent_text(one.share),
            percent_text(row["standard_error"]),
            interval_words(one.low, one.high),
            interval_words(row["share_one_se_higher"], row["share_one_se_lower"]),
        )
        for one, row in zip(shares, impact, strict=True)
    )
    return Figure(
        title=title,
        drawing=share_bars(shares, alternative=title),
        note=note % {"n": number_text(impact[0]["n"])},
        columns=(
            _("Proficiency level"),
            _("Cut (scale)"),
            _("At or above"),
            _("Error (SE)"),
            _("Interval (95%)"),
            _("Share at the cut ± 1 SE of the cut"),
        ),
        rows=rows,
    )


def _disputed(
    setting: StandardSetting,
    judging_round: JudgingRound,
    part: Mapping[str, Any],
    names: Mapping[str, str],
    panelist: Panelist | None,
) -> list[dict[str, Any]]:
    """List the items on which ratings lie furthest apart (Angoff), with the reader's own rating."""
    if setting.is_bookmark:
        return []
    entry = queries.entry_of(judging_round, panelist) if panelist is not None else None
    own = queries.values_of(entry)
    notes = queries.notes_of(setting)
    rows = [row for row in part.get("spread", ()) if row["sd"] is not None and row["sd"] > 0]
    rows.sort(key=lambda row: -row["sd"])
    return [
        {
            "item": row["item"],
            "note": notes.get(row["item"], ""),
            "level": names.get(row["level"], row["level"]),
            "own": own.get((row["level"], row["item"])),
            **{name: row[name] for name in ("mean", "median", "sd", "minimum", "maximum")},
        }
        for row in rows[:MOST_DISPUTED]
    ]


def cut_rows(setting: StandardSetting) -> list[dict[str, Any]]:
    """Give the final cuts for a table: points of the test or page scale, logits, reporting scale, panels, impact."""
    cuts = {row["level"]: row for row in setting.result.get("cuts", ())}
    impact = {row["level"]: row for row in setting.result.get("impact", ())}
    found = []
    for level in queries.levels_of(setting):
        if level.code in cuts:
            found.append({"level": level, "cut": cuts[level.code], "impact": impact.get(level.code)})
    return found


def panel_rows(setting: StandardSetting) -> list[dict[str, Any]]:
    """Give the cut of each panel and round, level by level, for a table."""
    names = {level.code: level.name for level in queries.levels_of(setting)}
    rows = sorted(
        setting.result.get("panels", ()), key=lambda row: (row["level"], row["round"], row["panel"])
    )
    return [
        {**row, "level_name": names.get(row["level"], row["level"]), "panel_number": row["panel"][-1]}
        for row in rows
    ]


def booklet_rows(setting: StandardSetting) -> list[dict[str, Any]]:
    """Give the pages of the booklet with what each item asks and where it lies on the reporting scale."""
    notes = queries.notes_of(setting)
    most = {one.item: one.max_score for one in queries.items_of(setting)}
    return [
        {
            "page": one.page,
            "item": one.item,
            "score": one.score,
            "max_score": most[one.item],
            "note": notes.get(one.item, ""),
            "scale": setting.scale_intercept + setting.scale_slope * one.location,
        }
        for one in queries.booklet_of(setting)
    ]
