"""The sampling and weighting report: design, frame, exclusions, outcomes, rates, bias analysis, weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext as _

from dienrong.core.formats import day_text, moment_text, number_text, percent_text
from dienrong.fieldwork import drawing, words
from dienrong.fieldwork.documents.document import Block, Document, figure, heading, paragraph, table
from dienrong.fieldwork.documents.letters import language
from dienrong.fieldwork.models import FieldSchool, Fieldwork, WeightRun
from dienrong.fieldwork.queries import board, outcomes
from dienrong.sampling.models import FrameExclusion, SampledSchool


def report(fieldwork: Fieldwork) -> Document:
    """Write the report from what is kept now; parts without data say so."""
    schools = FieldSchool.objects.filter(plan=fieldwork.plan_id)
    collected = outcomes.collect(fieldwork, schools)
    run = WeightRun.objects.filter(plan=fieldwork.plan_id).first()
    blocks = [
        *_design(fieldwork),
        *_frame(fieldwork),
        *_outcomes(fieldwork, collected),
        *_rates(collected),
        *(_weights(run) if run else _no_weights()),
    ]
    plan = fieldwork.plan
    return Document(
        title=_("Sampling and weighting report"),
        subtitle=f"{plan.cycle.name} · {plan.title}",
        blocks=tuple(blocks),
        source_line=_("Diện Rộng · commitment %(commitment)s · weights %(weights)s")
        % {
            "commitment": plan.draw.commitment[:19],
            "weights": run.manifest_hash[:19] if run else "–",
        },
        language=language(),
    )


def _design(fieldwork: Fieldwork) -> list[Block]:
    """Tell the design and the draw."""
    plan, draw = fieldwork.plan, fieldwork.plan.draw
    sampled = SampledSchool.objects.filter(draw=draw)
    n = sampled.filter(role=SampledSchool.Role.ORIGINAL).count()
    facts = [
        [_("Population"), f"{plan.get_population_display()}{f' · {plan.grade}' if plan.grade else ''}"],
        [_("Phase"), plan.get_phase_display()],
        [_("Rules of the programme"), plan.rules],
        [_("Schools drawn"), number_text(n)],
        [_("Replacement schools named"), number_text(sampled.count() - n)],
        [_("Number of strata"), number_text(sampled.values("stratum").distinct().count())],
        [_("Within schools"), f"{plan.get_within_display()} · {plan.design.get('n_students', '–')}"],
        [_("Number of booklets"), number_text(plan.n_booklets)],
        [_("Public source of the seed"), f"{draw.source_name}: {draw.source_text}"],
        [_("Committed, drawn"), f"{moment_text(draw.committed_at)} · {moment_text(draw.drawn_at)}"],
        [_("Commitment"), draw.commitment],
        [_("Result"), draw.result_hash],
    ]
    return [
        heading(_("Design and draw")),
        paragraph(
            _(
                "Schools are drawn with probability proportional to size, systematically in the sorted list of each "
                "stratum; people within schools with equal probability. The plan was published before the number from "
                "which the seed follows."
            )
        ),
        table([_("Characteristic"), _("Value")], facts, widths=(1, 2.4)),
    ]


def _frame(fieldwork: Fieldwork) -> list[Block]:
    """Tell the frame and what was left out of it."""
    frame = fieldwork.plan.frame
    reasons = dict(FrameExclusion.Reason.choices)
    rows = (
        FrameExclusion.objects.filter(frame=frame)
        .order_by()
        .values("reason")
        .annotate(people=Sum("n_people"))
    )
    counted = [
        [
            str(reasons.get(row["reason"], row["reason"])),
            number_text(FrameExclusion.objects.filter(frame=frame, reason=row["reason"]).count()),
            number_text(row["people"]),
        ]
        for row in rows
    ]
    blocks = [
        heading(_("Frame and exclusions")),
        paragraph(
            _(
                "The frame of %(day)s holds %(schools)s schools with %(people)s people. Source: %(source)s. File: %(hash)s."
            )
            % {
                "day": day_text(fieldwork.plan.frame_date),
                "schools": number_text(frame.n_schools),
                "people": number_text(frame.n_people),
                "source": frame.source,
                "hash": frame.hash,
            }
        ),
    ]
    if counted:
        blocks.append(
            table([_("Left out because"), _("Number of schools"), _("People")], counted, widths=(2, 1, 1))
        )
    else:
        blocks.append(paragraph(_("No school of the population was left out of the frame.")))
    return blocks


def _outcomes(fieldwork: Fieldwork, collected: outcomes.Collected) -> list[Block]:
    """Tell what became of schools and people, by code."""
    rules = collected.rules
    by_code: dict[int, int] = {}
    people: dict[int, int] = {}
    for row in collected.schools:
        code = outcomes.status_of(row)
        if code is not None:
            by_code[code] = by_code.get(code, 0) + 1
        for (_name, status), n in collected.people.get(row["pk"], {}).items():
            if status is not None:
                people[status] = people.get(status, 0) + n
    whole = board.total(collected, "")
    return [
        heading(_("Outcomes")),
        paragraph(
            _("%(sampled)s schools were sampled, %(called)s replacements called on, %(tested)s tested.")
            % {name: number_text(whole.schools[name]) for name in ("sampled", "called", "tested")}
        ),
        table(
            [_("Code of schools"), _("Number of schools")],
            [[words.code_word(rules, "school", code), number_text(n)] for code, n in sorted(by_code.items())],
            widths=(4, 1),
        ),
        table(
            [_("Code of people"), _("People")],
            [[words.code_word(rules, "student", code), number_text(n)] for code, n in sorted(people.items())],
            widths=(4, 1),
        ),
    ]


def _rates(collected: outcomes.Collected) -> list[Block]:
    """Tell the rates and the zone."""
    found = outcomes.rates_of(collected)
    if found is None:
        return [heading(_("Response rates")), paragraph(_("No outcome is known yet."))]
    rows = [
        [
            str(words.RATES.get(name, name)),
            percent_text(one["weighted"], 2),
            percent_text(one["unweighted"], 2),
            f"{number_text(one['n_numerator'])} / {number_text(one['n_denominator'])}",
        ]
        for name, one in found.values.items()
    ]
    return [
        heading(_("Response rates")),
        table([_("Rate"), _("Weighted"), _("Unweighted"), _("Count")], rows, widths=(2, 1, 1, 1.2)),
        paragraph(
            _("By the rules of the programme: %(zone)s.") % {"zone": words.ZONES.get(found.zone, found.zone)}
        ),
    ]


def _no_weights() -> list[Block]:
    """Say that weights are still to come."""
    return [heading(_("Weights")), paragraph(_("Weights are computed once every school is concluded."))]


def _weights(run: WeightRun) -> list[Block]:
    """Tell the weights, their distribution and the bias analysis."""
    summary: Mapping[str, Any] = run.summary
    names = (_("Smallest"), "5 %", "25 %", _("Middle"), "75 %", "95 %", _("Largest"))
    drawn = drawing.histogram_of(summary)
    bias = [
        [
            _part(row["part"]),
            f"{_trait(row['characteristic'])}{' = ' + str(row['level']) if row['level'] is not None else ''}",
            _cell(row["all"]),
            _cell(row["respondents"]),
            _cell(row["effect_size"]),
            _flag(row["flag"]),
        ]
        for row in summary["bias"]
    ]
    columns = [_("Part"), _("Characteristic"), _("All"), _("Respondents"), _("Effect size"), _("Flag")]
    return [
        heading(_("Non-response bias analysis")),
        paragraph(
            _(
                "Participating schools against all sampled ones on what the frame knows of both; achievement itself "
                "cannot be compared. Flagged from an effect size of 0.1, to be acted on from 0.2."
            )
        ),
        table(columns, bias, widths=(1.6, 2.2, 1, 1.1, 1, 1)),
        heading(_("Weights")),
        paragraph(
            _(
                "%(n)s respondents; the weights add up to %(sum)s. Coefficient of variation %(cv)s, so unequal weights "
                "alone multiply the variance by %(deff)s. %(replicates)s replicate weights (%(method)s), seed %(seed)s; "
                "the non-response adjustment is made again in each. Strata in which one school took part were joined "
                "with their neighbor for the variance."
            )
            % {
                "n": number_text(summary["n_respondents"]),
                "sum": number_text(summary["sum"], 1),
                "cv": number_text(summary["coefficient_of_variation"], 3),
                "deff": number_text(summary["design_effect_of_weights"], 3),
                "replicates": number_text(summary["n_replicates"]),
                "method": summary["method"],
                "seed": summary["seed"],
            }
        ),
        table(names, [[number_text(one, 2) for one in summary["quantiles"]]]),
        figure(
            drawn.title,
            str(drawn.drawing).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1),
            drawn.note,
        ),
        table(
            [_("File"), _("Hash")],
            [[name, digest] for name, digest in sorted(run.files.items())]
            + [["manifest.json", run.manifest_hash]],
            widths=(1, 3),
        ),
        paragraph(
            _("Weights %(number)s of %(moment)s, %(software)s.")
            % {"number": run.number, "moment": moment_text(run.made_at), "software": run.software}
        ),
    ]


def _part(name: str) -> str:
    """Name a part of the bias analysis."""
    return {
        "originals": _("Before replacement"),
        "after_replacement": _("After replacement"),
        "after_adjustment": _("After weighting"),
    }.get(name, name)


def _trait(name: str) -> str:
    """Name a characteristic of schools."""
    return {"size": _("Size on the frame"), "stratum": _("Stratum")}.get(name, name)


def _flag(name: str) -> str:
    """Name a flag of the bias analysis."""
    return {"none": "–", "small": _("small"), "act": _("act")}.get(name, name)


def _cell(value: float | None) -> str:
    """Write a number of the bias analysis."""
    return number_text(value, 3)
