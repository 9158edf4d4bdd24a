"""A report as content: a mapping of plain values that is kept when it is sent, and from which every file is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy

from dienrong.core.formats import day_text, number_text, percent_text
from dienrong.plans import drawing
from dienrong.plans.composing import tables
from dienrong.plans.composing.facts import Facts
from dienrong.plans.composing.parts import Part, parts_of
from dienrong.plans.models import PlanDocument, ReportCall
from dienrong.plans.queries.reports import document_name, lower_first
from dienrong.plans.queries.standing import Stand

VERSION = "plans.report/1"
WHOLE = 1e-9
COUNTED_WORDS = {
    "people": pgettext_lazy("counted", "people"),
    "schools": pgettext_lazy("counted", "institutions"),
    "programmes": pgettext_lazy("counted", "programmes"),
}
LANGUAGE = "vi"
"""Reports are documents of Vietnamese offices; they are Vietnamese whatever the language of the pages."""


def content_of(facts: Facts, own: Mapping[str, str], head: Mapping[str, Any]) -> dict[str, Any]:
    """Write a report as plain values.

    Parameters
    ----------
    facts : Facts
        What the registers say.
    own : mapping
        The officer's words by part.
    head : mapping
        What it bears as an official document: agency, symbol, bases, addressees, recipients, number, day.
    """
    with translation.override(LANGUAGE):
        parts = []
        for part in parts_of(is_national=facts.report.unit is None):
            sentences, found = WRITERS[part.key](facts)
            parts.append(
                {
                    "key": part.key,
                    "heading": str(part.heading),
                    "paragraphs": sentences,
                    "own": own.get(part.key, ""),
                    "tables": [one for one in found if one is not None],
                    "figure": _figure(part, facts),
                    "is_annex": part.is_annex,
                }
            )
        return {
            "version": VERSION,
            "title": title_of(facts),
            "period": period_of(facts.report.call),
            "day": facts.day.isoformat(),
            "unit": facts.unit.code,
            "head": dict(head),
            "parts": parts,
            "figures": {one.aim.indicator.code: _figures(one) for one in facts.stands},
        }


def _figures(stand: Stand) -> dict[str, Any]:
    """Give the numbers of one target, by which two versions are compared."""
    value = stand.value
    return {
        "label": str(stand.aim.indicator.title),
        "n_counted": value.n_counted if value else None,
        "n_all": value.n_all if value else None,
        "share": percent_text(value.share if value else None),
        "target": percent_text(stand.target_share),
    }


def period_of(call: ReportCall) -> str:
    """Name the period of a report."""
    if call.kind == ReportCall.Kind.PHASE:
        return _("phase %(code)s") % {"code": call.phase.code.replace("-", "\u00a0–\u00a0")}
    if call.kind == ReportCall.Kind.YEAR:
        return _("year %(year)s") % {"year": call.last_day.year}
    return _("month %(month)s/%(year)s") % {"month": call.last_day.month, "year": call.last_day.year}


def title_of(facts: Facts) -> str:
    """Write what the report is about."""
    names = {"period": period_of(facts.report.call), "unit": lower_first(facts.unit.name)}
    if facts.report.unit is None:
        return _("Report on carrying out Project 468 in the whole country, %(period)s") % names
    return _("Report on carrying out Project 468 in %(unit)s, %(period)s") % names


Written = tuple[list[str], list[dict[str, Any] | None]]


def _direction(facts: Facts) -> Written:
    """Tell the documents by which the unit works, and the merger where there was one."""
    said = []
    for one in facts.documents:
        said.append(_document_sentence(one))
    if facts.ancestors and facts.unit.kind == "province":
        names = "; ".join(
            _("%(name)s (until %(day)s)")
            % {"name": lower_first(one.unit.full_name), "day": day_text(one.until)}
            for one in facts.ancestors
        )
        said.append(
            _(
                "%(unit)s continues these provinces: %(names)s. Numbers before that day are given for each of them."
            )
            % {"unit": facts.unit.name, "names": names}
        )
    return said, []


def _document_sentence(one: PlanDocument) -> str:
    """Name a document with its number, day and issuer."""
    return _("The work follows %(document)s.") % {"document": document_name(one)}


def _results(facts: Facts) -> Written:
    """Tell each target in a sentence, and all of them in a table."""
    return [target_sentence(one) for one in facts.stands], [tables.targets(facts)]


def target_sentence(one: Stand) -> str:
    """Tell where one target stands."""
    title = str(one.aim.indicator.title)
    if one.value is None:
        return _("%(title)s: no number can be given. %(why)s") % {"title": title, "why": str(one.refusal)}
    value = one.value
    words = {
        "title": title,
        "n": number_text(value.n_counted),
        "all": number_text(value.n_all),
        "what": str(COUNTED_WORDS[value.indicator.counts]),
        "share": short_share(value.share),
        "target": short_share(one.target_share),
        "missing": number_text(one.n_missing),
    }
    if not value.n_all:
        return _("%(title)s: the registers hold nobody who would count.") % words
    if one.target_share is None:
        return (
            _("%(title)s: %(n)s of %(all)s %(what)s, %(share)s. The documents name no share to reach.")
            % words
        )
    if one.state == "reached":
        return (
            _("%(title)s: %(n)s of %(all)s %(what)s, %(share)s. The target of %(target)s is reached.") % words
        )
    return (
        _(
            "%(title)s: %(n)s of %(all)s %(what)s, %(share)s. To the target of %(target)s %(missing)s are missing."
        )
        % words
    )


def short_share(share: float | None) -> str:
    """Write a share without decimals where it has none: 100%, 43,8%."""
    is_whole = share is not None and abs(share * 100 - round(share * 100)) < WHOLE
    return percent_text(share, 0 if is_whole else 1)


def _progress(facts: Facts) -> Written:
    """Tell the months."""
    found = tables.progress(facts)
    said = [] if found else [_("The registers know nothing of the months before.")]
    return said, [found]


def _participation(facts: Facts) -> Written:
    """Tell the samples."""
    found = tables.participation(facts)
    said = [] if found else [_("No school of the unit was drawn into a sample of the period.")]
    return said, [found]


def _training(facts: Facts) -> Written:
    """Tell the trainings."""
    found = tables.training(facts)
    said = [] if found else [_("Nobody of the unit took part in a training of the period.")]
    return said, [found]


def _annex(key: str) -> Any:
    """Make the writer of a part that another room knows."""

    def write(facts: Facts) -> Written:
        found = facts.annexes[key]
        if found is None:
            return [_("The system holds no data on this yet.")], []
        kept = {
            "caption": found.caption,
            "columns": list(found.columns),
            "rows": [list(row) for row in found.rows],
            "numbers": [list(one) for one in found.numbers],
            "note": "",
            "widths": [],
            "is_printed": True,
        }
        return list(found.sentences), [kept if found.rows else None]

    return write


def _shortcomings(facts: Facts) -> Written:
    """Name what is behind, with the numbers that say so."""
    said = []
    for one in facts.stands:
        if one.state != "behind" or one.value is None or one.gap is None:
            continue
        said.append(
            _("%(title)s: %(share)s against a target of %(target)s.")
            % {
                "title": str(one.aim.indicator.title),
                "share": short_share(one.value.share),
                "target": short_share(one.target_share),
            }
        )
        said += _sides(one)
    return said, []


def _sides(one: Stand) -> list[str]:
    """Tell what stands beside a number and explains a gap."""
    assert one.value is not None
    sides = one.value.sides
    said = []
    n = sides.get("trained_only", 0)
    if n and one.value.choices.get("measure") == "certified":
        said.append(
            ngettext(
                "%(n)s person was trained and holds no certificate in force.",
                "%(n)s people were trained and hold no certificate in force.",
                n,
            )
            % {"n": number_text(n)}
        )
    n = sides.get("undecided", 0)
    if n:
        said.append(
            ngettext(
                "The post of %(n)s person at a divided school is not decided.",
                "The posts of %(n)s people at divided schools are not decided.",
                n,
            )
            % {"n": number_text(n)}
        )
    return said


def _nothing(_facts: Facts) -> Written:
    """Leave the part to the officer."""
    return [], []


def _solutions(facts: Facts) -> Written:
    """Tell how many are still needed, until when."""
    said = [
        _("%(title)s: %(missing)s more %(what)s by %(day)s.")
        % {
            "title": str(one.aim.indicator.title),
            "missing": number_text(one.n_missing),
            "what": str(COUNTED_WORDS[one.value.indicator.counts]),
            "day": day_text(one.deadline),
        }
        for one in facts.stands
        if one.n_missing and one.value is not None
    ]
    return said, []


def _method(facts: Facts) -> Written:
    """Tell how the numbers are counted."""
    said = [
        _("Every number is counted from the registers as they stood at the end of %(day)s; none is typed in.")
        % {"day": day_text(facts.day)},
        facts.report.call.phase.words_vi,
    ]
    return said, [tables.method(facts)]


def _provinces(facts: Facts) -> Written:
    """Tell where the provinces stand, and which have not sent."""
    waiting = [row.unit.name for row in facts.nation if facts.sent.get(row.unit.code) is None]
    n = len(facts.nation) - len(waiting)
    said = [
        _("%(n)s of %(all)s provinces have sent their report.")
        % {"n": number_text(n), "all": number_text(len(facts.nation))}
    ]
    if waiting:
        said.append(_("Not sent yet: %(names)s.") % {"names": ", ".join(waiting)})
    return said, [tables.provinces(facts)]


def _figure(part: Part, facts: Facts) -> dict[str, str] | None:
    """Draw the results against the targets."""
    if part.key != "results":
        return None
    bars = [one for one in facts.stands if one.value is not None and one.value.share is not None]
    if not bars:
        return None
    found = drawing.target_bars(bars)
    return {
        "title": found.title,
        "svg": str(found.drawing),
        "note": found.note,
        "alternative": found.alternative,
    }


WRITERS: dict[str, Any] = {
    "direction": _direction,
    "results": _results,
    "provinces": _provinces,
    "progress": _progress,
    "participation": _participation,
    "training": _training,
    "readiness": _annex("readiness"),
    "budget": _annex("budget"),
    "shortcomings": _shortcomings,
    "causes": _nothing,
    "solutions": _solutions,
    "proposals": _nothing,
    "method": _method,
}
