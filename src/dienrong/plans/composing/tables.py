"""Tables of a report, with the numbers behind their cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from dienrong.core.formats import day_text, moment_text, number_text, percent_text
from dienrong.plans.composing.facts import Facts
from dienrong.plans.words import STAND_WORDS

Cell = tuple[str, float | None, str]


def text(value: Any) -> Cell:
    """Give a cell of words."""
    return (str(value), None, "")


def count(value: int | None) -> Cell:
    """Give a cell that counts."""
    return (number_text(value), None if value is None else float(value), "n")


def share(value: float | None) -> Cell:
    """Give a cell that is a share."""
    return (percent_text(value), value, "share")


def table(
    caption: str,
    columns: Sequence[Any],
    rows: Sequence[Sequence[Cell]],
    *,
    note: str = "",
    widths: Sequence[float] = (),
    is_printed: bool = True,
) -> dict[str, Any]:
    """Give a table as it is kept: written cells, and the numbers behind them by row and column."""
    return {
        "caption": caption,
        "columns": [str(one) for one in columns],
        "rows": [[cell[0] for cell in row] for row in rows],
        "numbers": [
            [line, place, cell[1], cell[2]]
            for line, row in enumerate(rows)
            for place, cell in enumerate(row)
            if cell[1] is not None
        ],
        "note": note,
        "widths": list(widths),
        "is_printed": is_printed,
    }


def targets(facts: Facts) -> dict[str, Any]:
    """Tabulate target, value and what is missing of each indicator."""
    rows = []
    for one in facts.stands:
        value = one.value
        rows.append(
            [
                text(one.aim.indicator.title),
                share(one.target_share) if one.target_share is not None else text(_("no share named")),
                count(value.n_counted if value else None),
                count(value.n_all if value else None),
                share(value.share if value else None),
                count(one.n_missing) if one.target_share is not None and value else text("–"),
                text(STAND_WORDS[one.state]),
            ]
        )
    note = _("As of %(day)s. How each number is counted stands at the end.") % {"day": day_text(facts.day)}
    columns = [
        _("Indicator"),
        _("Target"),
        _("Reached"),
        _("Out of"),
        _("Share"),
        _("Missing"),
        _("Assessment"),
    ]
    return table(_("Targets of the phase and results"), columns, rows, note=note)


def progress(facts: Facts) -> dict[str, Any] | None:
    """Tabulate the shares by month; before a merger a row for each province that became the present one."""
    codes = [code for code, points in facts.progress.items() if points]
    titles = {one.aim.indicator.code: str(one.aim.indicator.title) for one in facts.stands}
    keys = sorted({(point.day, point.name) for code in codes for point in facts.progress[code]})
    if not keys:
        return None
    by_key = {code: {(point.day, point.name): point for point in facts.progress[code]} for code in codes}
    several = len({name for _day, name in keys}) > 1
    rows = []
    for day, name in keys:
        row: list[Cell] = [text(day_text(day))]
        if several:
            row.append(text(name))
        for code in codes:
            point = by_key[code].get((day, name))
            row.append(share(point.share) if point is not None else text("–"))
        rows.append(row)
    columns = [_("As of"), *([_("Unit")] if several else []), *(titles[code] for code in codes)]
    widths = [1.35, *([1.5] if several else []), *(1.5 for _code in codes)]
    return table(_("Shares over time"), columns, rows, widths=widths)


def participation(facts: Facts) -> dict[str, Any] | None:
    """Tabulate the sampled schools by programme."""
    rows = [
        [
            text(one.title),
            count(one.n_drawn),
            count(one.n_full),
            count(one.n_replaced),
            count(one.n_open),
            count(one.n_out),
        ]
        for one in facts.programmes
    ]
    columns = [
        _("Programme and sample"), _("Institutions drawn"), _("Took part fully"), _("Replaced"), _("Still open"),
        _("Did not take part"),
    ]  # fmt: skip
    return table(_("Sampled schools by programme"), columns, rows) if rows else None


def training(facts: Facts) -> dict[str, Any] | None:
    """Tabulate the trainings of the period."""
    rows = [
        [
            text(one.code),
            text(one.course),
            text(f"{day_text(one.first_day)} – {day_text(one.last_day)}"),
            text(one.organizer),
            count(one.n_people),
            count(one.n_completed),
            count(one.n_certified),
        ]
        for one in facts.trainings
    ]
    if not rows:
        return None
    sums = [
        sum(getattr(one, name) for one in facts.trainings)
        for name in ("n_people", "n_completed", "n_certified")
    ]
    rows.append([text(_("Sum")), text(""), text(""), text(""), *(count(one) for one in sums)])
    columns = [
        _("Code"), _("Course"), _("Days"), _("Organizer"), _("Took part"), _("Completed"), _("Certified"),
    ]  # fmt: skip
    note = _("People of the unit, once for each training; a revoked certificate does not count.")
    widths = (1.5, 2.6, 1.5, 1.2, 0.9, 0.95, 1.0)
    return table(_("Trainings of the period"), columns, rows, note=note, widths=widths)


def provinces(facts: Facts) -> dict[str, Any]:
    """Tabulate the provinces: their values under the nation's reading, and when they sent their report."""
    aims = [one.aim for one in facts.stands if one.value is not None]
    rows = []
    for row in facts.nation:
        sent = facts.sent.get(row.unit.code)
        rows.append(
            [
                text(row.unit.name),
                *(share(row.values[aim.indicator.code].share) for aim in aims),
                text(moment_text(sent) if sent is not None else _("not sent")),
            ]
        )
    columns = [_("Province"), *(str(aim.indicator.title) for aim in aims), _("Report sent")]
    return table(_("Provinces against the targets"), columns, rows)


def method(facts: Facts) -> dict[str, Any]:
    """Tabulate the definitions with their versions and hashes."""
    rows = []
    for one in facts.stands:
        if one.value is not None:
            rows.append(
                [
                    text(one.aim.indicator.title),
                    text(" ".join(one.value.sentences)),
                    text(f"{one.value.version} · {one.value.definition_hash[7:19]}"),
                ]
            )
    return table(
        _("Definitions"), [_("Indicator"), _("How it is counted"), _("Version")], rows, widths=(1.3, 4, 1)
    )
