"""The evidence offered beside a heading: figures of the report, participation, the quality of data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from dienrong.core import clock
from dienrong.core.formats import day_text, number_text
from dienrong.cycles.models import Cycle
from dienrong.fieldwork.models import FieldSchool, Fieldwork
from dienrong.fieldwork.queries import board, outcomes
from dienrong.reporting import numeric
from dienrong.reporting.models import Citation
from dienrong.reporting.queries.reports import ReadableReport
from dienrong.scorecard.queries import units as scores

FIGURES = {
    ("mean", "above"): {"achieved"},
    ("mean", "same"): {"achieved"},
    ("mean", "below"): {"shortcomings"},
    ("mean", "untested"): {"achieved"},
    ("sample", "same"): {"achieved"},
    ("minimum", "untested"): {"achieved", "shortcomings"},
    ("high", "untested"): {"achieved"},
    ("group", "above"): {"achieved"},
    ("group", "same"): {"achieved"},
    ("group", "below"): {"shortcomings", "causes"},
    ("gap", "apart"): {"shortcomings", "causes"},
    ("gap", "same"): {"achieved"},
    ("conditions", "untested"): {"causes"},
}
"""Beside which headings a figure is offered first; all others stand one click away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A sentence that can be quoted: its key for good, the figure's code, the source, where it is offered."""

    key: str
    sentence: str
    standing: str
    group: str
    figure_id: str = ""
    source: str = ""
    headings: frozenset[str] = frozenset()

    @property
    def is_of_run(self) -> bool:
        """Whether the figure comes from the run of the report, so that a new run may change it."""
        return bool(self.figure_id)


def offered(report: ReadableReport, province: str, language: str) -> list[Offered]:
    """Give all evidence of a province, figures of the report first."""
    found = [
        Offered(
            key=one.key,
            sentence=one.sentence,
            standing=one.standing,
            group=numeric.pair_name(one.population, one.subject, language),
            figure_id=one.figure_id,
            headings=frozenset(FIGURES.get((one.kind, one.standing), ())),
        )
        for one in numeric.evidence(report.source, report.wording(language), province)
    ]
    return [*found, *_participation(report.cycle, province), *_quality(province)]


def _participation(cycle: Cycle, province: str) -> Iterable[Offered]:
    """Say how many schools and students took part until today, of each sample in the field."""
    day = day_text(clock.today())
    for fieldwork in Fieldwork.objects.filter(plan__cycle=cycle).select_related("plan").order_by("pk"):
        schools = FieldSchool.objects.filter(plan=fieldwork.plan_id, school__province__code=province)
        row = board.total(outcomes.collect(fieldwork, schools), "")
        n_present = row.people["respondent"] + row.people["nonrespondent"]
        if not row.schools["tested"] or not n_present:
            continue
        values = {
            "plan": str(fieldwork.plan),
            "day": day,
            "tested": number_text(row.schools["tested"]),
            "sampled": number_text(row.schools["sampled"]),
            "respondents": number_text(row.people["respondent"]),
            "selected": number_text(n_present),
        }
        sentence = _(
            "Participation, %(plan)s, until %(day)s: %(tested)s schools tested, %(sampled)s in the sample; "
            "%(respondents)s of %(selected)s selected students with a known outcome took part."
        )
        yield Offered(
            key=f"participation/{fieldwork.pk}",
            sentence=sentence % values,
            standing="untested",
            group=_("Participation and data"),
            source=_("Participation board, %(day)s") % {"day": day},
            headings=frozenset({"achieved", "shortcomings", "causes"}),
        )


def _quality(province: str) -> Iterable[Offered]:
    """Say the quality of the data of the province's schools."""
    score = scores.score_of("province", province)
    if score is None or score.total is None:
        return
    day = day_text(score.day)
    parts = {name: number_text(getattr(score, name), 1) for name in ("correct", "complete", "clean", "fresh")}
    sentence = _(
        "Quality of data on %(day)s: %(total)s of 100 points (correct %(correct)s, complete %(complete)s, "
        "clean %(clean)s, live %(fresh)s), %(schools)s schools."
    )
    values = {"day": day, "total": number_text(score.total, 1), "schools": number_text(score.n_schools)}
    yield Offered(
        key="scorecard",
        sentence=sentence % (values | parts),
        standing="untested",
        group=_("Participation and data"),
        source=_("Quality of data, %(day)s") % {"day": day},
        headings=frozenset({"shortcomings", "causes"}),
    )


def changed_figures(
    report: ReadableReport, province: str, citations: list[Citation]
) -> dict[str, str | None]:
    """Give the quoted figures that the present run tells otherwise: new sentence by mark, None where it is gone."""
    found: dict[str, str | None] = {}
    known: dict[str, dict[str, str]] = {}
    for one in citations:
        if not one.figure_id or one.run_id == report.run.pk:
            continue
        if one.language not in known:
            rows = numeric.evidence(report.source, report.wording(one.language), province)
            known[one.language] = {row.key: row.sentence for row in rows}
        new = known[one.language].get(one.key)
        if new != one.sentence:
            found[one.mark] = new
    return found


def find(rows: Iterable[Offered], key: str) -> Any:
    """Find evidence by its key; None where there is none."""
    return next((one for one in rows if one.key == key), None)
