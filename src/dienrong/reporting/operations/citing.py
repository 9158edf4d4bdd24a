"""Figures quoted in the words: given a mark, and renewed when a new run tells them otherwise."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from dienrong.analysis.models import AnalysisRun
from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.refusals import Conflict
from dienrong.reporting import quoting
from dienrong.reporting.models import Citation, ProvincialText, TextSection
from dienrong.reporting.operations.refusals import demand_open, demand_writer, locked
from dienrong.reporting.operations.writing import write
from dienrong.reporting.queries.evidence import Offered

MOST_CITATIONS = 300


@transaction.atomic
def cite(*, text: ProvincialText, offered: Offered, language: str, run: AnalysisRun, by: Any) -> Citation:
    """Give a figure its mark in a text; a figure that has one keeps it, and its sentence as it was quoted.

    Raises
    ------
    Conflict
        If the text may not be changed now, or quotes too much.
    """
    demand_writer(by, text.province_code)
    text = locked(text)
    demand_open(text, by)
    known = text.citations.filter(key=offered.key, language=language).first()
    if known is not None:
        return known
    last = text.citations.aggregate(last=Max("number"))["last"] or 0
    if last >= MOST_CITATIONS:
        raise Conflict(
            _("A report quotes at most %(n)s figures.") % {"n": MOST_CITATIONS},
            hint=_("Use the marks of figures that are quoted already."),
        )
    citation = Citation.objects.create(
        text=text,
        number=last + 1,
        key=offered.key,
        figure_id=offered.figure_id,
        source=offered.source,
        language=language,
        sentence=offered.sentence,
        run=run,
        cited_at=clock.now(),
        cited_by=by,
    )
    record(
        action="reporting.figure_quoted",
        actor=by,
        obj=text,
        after={"mark": citation.mark, "key": offered.key, "run": run.number},
    )
    return citation


@transaction.atomic
def renew(*, text: ProvincialText, number: int, sentence: str, run: AnalysisRun, by: Any) -> Citation:
    """Put the present sentence of a figure into the quotations of its mark; the officer's own words stay.

    Raises
    ------
    Conflict
        If the text may not be changed now.
    """
    demand_writer(by, text.province_code)
    text = locked(text)
    demand_open(text, by)
    citation = text.citations.get(number=number)
    before = citation.sentence
    citation.sentence, citation.run = sentence, run
    citation.cited_at, citation.cited_by = clock.now(), by
    citation.save()
    for section in TextSection.objects.select_for_update().filter(text=text):
        body = quoting.renewed(section.body, citation.mark, sentence)
        if body != section.body:
            write(section, body, by=by)
    record(
        action="reporting.figure_renewed",
        actor=by,
        obj=text,
        before={"sentence": before},
        after={"mark": citation.mark, "sentence": sentence, "run": run.number},
    )
    return citation
