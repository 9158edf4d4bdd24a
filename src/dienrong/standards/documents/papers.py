"""Papers as PDF and Excel; the same content gives the same bytes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import as_file, files
from typing import Any

import segno
import typst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from dienrong.core.formats import day_text, is_vietnamese, number_text
from dienrong.fieldwork.documents import printing
from dienrong.fieldwork.documents.document import Document, paragraph, table
from dienrong.standards import numeric, outputs, queries
from dienrong.standards.models import StandardSetting
from dienrong.standards.operations import Slip

ZERO_WIDTH = "\u200b"


def language() -> str:
    """Give the language of the reader for a document."""
    return "vi" if (get_language() or "vi").startswith("vi") else "en"


def slips_pdf(setting: StandardSetting, slips: Sequence[Slip], address_of: Callable[[str], str]) -> bytes:
    """Print the slips, six on a sheet.

    Parameters
    ----------
    setting : StandardSetting
        The session.
    slips : sequence of Slip
        What is printed.
    address_of : callable
        Gives the whole address of a link's code.
    """
    data = {
        "title": setting.title,
        "language": language(),
        "link_word": _("Link (type it or scan the code)"),
        "pin_word": _("PIN"),
        "advice": _(
            "For you alone. Open the link on a telephone or computer, type the PIN; on a shared computer press "
            "“Leave” at the end. Valid until %(day)s."
        )
        % {"day": day_text(setting.links_end_at)},
        "slips": [_slip(one, address_of(one.code)) for one in slips],
    }
    return _compile(data)


def _slip(slip: Slip, address: str) -> dict[str, str]:
    """Give what a slip shows; the address may break after a slash."""
    one = slip.panelist
    return {
        "name": one.full_name,
        "place": " · ".join(
            part for part in (one.position, one.unit, _("panel %(n)s") % {"n": one.panel}) if part
        ),
        "link": address,
        "link_shown": address.replace("://", f"://{ZERO_WIDTH}").replace("/", f"/{ZERO_WIDTH}"),
        "pin": f"{slip.pin[:3]} {slip.pin[3:]}",
        "qr": qr_svg(address),
    }


def qr_svg(address: str) -> str:
    """Draw the QR code of an address as SVG."""
    out = io.BytesIO()
    segno.make(address, error="m").save(out, kind="svg", border=2, scale=4, xmldecl=False)
    return out.getvalue().decode()


def _compile(data: dict[str, Any]) -> bytes:
    """Set the template of slips."""
    with as_file(files("lsakit.tables").joinpath("fonts")) as fonts:
        make: Any = typst.Compiler
        compiler = make(
            _template(),
            font_paths=[str(fonts)],
            ignore_system_fonts=True,
            sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        )
        return bytes(compiler.compile(format="pdf", timestamp=0))


@cache
def _template() -> bytes:
    """Read the template."""
    return files("dienrong.standards.documents").joinpath("typst", "slips.typ").read_bytes()


def _source(setting: StandardSetting) -> str:
    """Say on which results a paper rests."""
    return _("%(title)s · items %(hash)s") % {"title": setting.title, "hash": setting.items_hash[:23]}


def booklet_pdf(setting: StandardSetting) -> bytes:
    """Print the ordered item booklet."""
    rows = [
        (
            number_text(row["page"]),
            row["item"],
            row["note"] or "–",
            f"{row['score']}/{row['max_score']}",
            number_text(row["scale"], 1),
        )
        for row in outputs.booklet_rows(setting)
    ]
    document = Document(
        title=_("Ordered item booklet"),
        subtitle=f"{setting.title} · {setting.get_probability_display()}",
        blocks=(
            paragraph(
                _(
                    "From the easiest to the hardest score point; each stands where it is mastered with this probability."
                )
            ),
            table(
                (_("Page"), _("Item"), _("What it asks"), _("Score"), _("Scale")),
                rows,
                widths=(0.6, 1.3, 4.2, 0.7, 0.9),
            ),
        ),
        source_line=_source(setting),
        language=language(),
    )
    return printing.pdf(document)


def paper_form_pdf(setting: StandardSetting) -> bytes:
    """Print an empty form for a panelist who writes by hand."""
    levels = queries.levels_of(setting)
    described = [paragraph(f"{level.name}: {level.description}") for level in levels if level.description]
    if setting.is_bookmark:
        columns = (_("Proficiency level"), _("Last page mastered"))
        rows: list[tuple[str, ...]] = [(level.name, "") for level in levels]
        ask = _("Write for each level the last page of the booklet that a student just at the level masters.")
    else:
        notes = queries.notes_of(setting)
        columns = (_("Item"), _("What it asks"), _("Highest score"), *(level.name for level in levels))
        rows = [
            (one.item, notes.get(one.item, "–"), number_text(one.max_score), *("" for _level in levels))
            for one in queries.items_of(setting)
        ]
        ask = _(
            "Write for each item and level the score that a student just at the level is expected to get, such as 0.6."
        )
    document = Document(
        title=_("Form of a panelist"),
        subtitle=f"{setting.title} · {setting.get_method_display()}",
        blocks=(
            paragraph(_("Name: ………………………………………   Panel: ………   Round: ………   Date: …………………")),
            paragraph(ask),
            *described,
            table(columns, rows, widths=(1.2, 2.4, 0.9, *[1.0] * len(levels))[: len(columns)]),
        ),
        source_line=_source(setting),
        language=language(),
    )
    return printing.pdf(document)


def booklet_xlsx(setting: StandardSetting) -> bytes:
    """Write the ordered item booklet as Excel."""
    rows = tuple(
        (row["page"], row["item"], row["score"], row["max_score"], row["note"], round(row["scale"], 2))
        for row in outputs.booklet_rows(setting)
    )
    sheet = numeric.Sheet(
        title=" · ".join((_("Ordered item booklet"), setting.title, str(setting.get_probability_display()))),
        name=_("Item booklet"),
        columns=(_("Page"), _("Item"), _("Score"), _("Highest score"), _("What it asks"), _("Scale")),
        rows=rows,
        note=_source(setting),
    )
    return numeric.workbook([sheet])


def tables_xlsx(setting: StandardSetting) -> bytes:
    """Write every table of the session as Excel: cuts, rounds, panels, panelists by code, impact, item map."""
    sheets = [_cuts_sheet(setting), *_result_sheets(setting), _map_sheet(setting)]
    return numeric.workbook(sheets)


def _cuts_sheet(setting: StandardSetting) -> numeric.Sheet:
    """Give the sheet of the cuts."""
    rows = tuple(
        (
            row["level"].name,
            row["cut"]["cut"],
            row["cut"]["se"],
            row["cut"]["n_judges"],
            row["cut"]["theta"],
            row["cut"]["se_theta"],
            row["cut"]["scale"],
            row["cut"]["se_scale"],
        )
        for row in outputs.cut_rows(setting)
    )
    unit = _("logits") if setting.is_bookmark else _("points of the test")
    return numeric.Sheet(
        title=f"{setting.title} · {setting.get_method_display()} · {setting.get_state_display()}",
        name=_("Cuts"),
        columns=(
            _("Proficiency level"),
            _("Cut (%(unit)s)") % {"unit": unit},
            _("SE of the cut"),
            _("Panelists"),
            _("Theta"),
            _("SE (theta)"),
            _("Scale"),
            _("SE (scale)"),
        ),
        rows=rows,
        note=_("Manifest %(id)s") % {"id": setting.manifest_id},
    )


COLUMN_WORDS = {
    "rounds": ("round", "level", "n_judges", "cut", "mean", "median", "sd", "se", "minimum", "maximum", "n_panels", "se_panels"),
    "panels": ("panel", "round", "level", "n_judges", "cut", "mean", "median", "sd", "se", "minimum", "maximum"),
    "judges": ("round", "level", "panel", "judge", "cut", "consistency"),
    "impact": ("level", "scale", "share_at_or_above", "standard_error", "ci_low", "ci_high", "share_one_se_lower", "share_one_se_higher", "n"),
}  # fmt: skip


def _result_sheets(setting: StandardSetting) -> list[numeric.Sheet]:
    """Give the sheets of rounds, panels, panelists and impact."""
    titles = {
        "rounds": _("Rounds"),
        "panels": _("Panels"),
        "judges": _("Panelists by code"),
        "impact": _("Share of students"),
    }
    heads = _heads()
    names = {level.code: level.name for level in queries.levels_of(setting)}
    found = []
    for role, columns in COLUMN_WORDS.items():
        rows = tuple(
            tuple(_cell(row[column], column, names) for column in columns)
            for row in setting.result.get(role, ())
        )
        found.append(
            numeric.Sheet(
                title=f"{titles[role]} · {setting.title}",
                name=titles[role],
                columns=tuple(heads[column] for column in columns),
                rows=rows,
                note=_("Manifest %(id)s") % {"id": setting.manifest_id},
            )
        )
    return found


def _cell(value: Any, column: str, names: dict[str, str]) -> Any:
    """Write a cell: levels and panels by their names."""
    if column == "level":
        return names.get(value, value)
    return value.rpartition("_")[2] if column == "panel" else value


def _heads() -> dict[str, str]:
    """Give the headings of the tables."""
    return {
        "round": _("Round"),
        "level": _("Proficiency level"),
        "panel": _("Panel"),
        "judge": _("Panelist"),
        "n_judges": _("Panelists"),
        "cut": _("Cut"),
        "mean": _("Mean"),
        "median": _("Median"),
        "sd": _("Spread (SD)"),
        "se": _("Error (SE)"),
        "minimum": _("Lowest"),
        "maximum": _("Highest"),
        "n_panels": _("Panels"),
        "se_panels": _("SE between panels"),
        "consistency": _("Consistency with the items"),
        "scale": _("Scale"),
        "share_at_or_above": _("Share at or above"),
        "standard_error": _("SE of the share"),
        "ci_low": _("Lower bound (95%)"),
        "ci_high": _("Upper bound (95%)"),
        "share_one_se_lower": _("Share at the cut less 1 SE"),
        "share_one_se_higher": _("Share at the cut plus 1 SE"),
        "n": _("Students"),
    }


def map_rows(setting: StandardSetting) -> list[dict[str, Any]]:
    """Give the item map: every score point at RP62, in its level by the cuts computed here, the hardest first."""
    levels = {level.code: level for level in queries.levels_of(setting)}
    cuts = {level.code: level.scale for level in levels.values() if level.scale is not None}
    notes = queries.notes_of(setting)
    rows = numeric.item_map(queries.basis_of(setting), queries.rules_of(setting), cuts)
    return [
        {
            "item": row.item,
            "score": row.score,
            "scale": row.scale,
            "level": levels.get(row.level),
            "note": notes.get(row.item, ""),
        }
        for row in rows
    ]


def _map_sheet(setting: StandardSetting) -> numeric.Sheet:
    """Give the sheet of the item map."""
    rows = tuple(
        (
            row["item"],
            row["score"],
            round(row["scale"], 2),
            row["level"].name if row["level"] else "–",
            row["note"],
        )
        for row in map_rows(setting)
    )
    return numeric.Sheet(
        title=" · ".join((_("Item map (RP62)"), setting.title)),
        name=_("Item map"),
        columns=(_("Item"), _("Score"), _("Scale"), _("Proficiency level"), _("What it asks")),
        rows=rows,
        note=_source(setting),
    )


def file_stem(setting: StandardSetting) -> str:
    """Give the beginning of a file's name."""
    return f"dat-chuan-{setting.number}" if is_vietnamese() else f"standard-setting-{setting.number}"
