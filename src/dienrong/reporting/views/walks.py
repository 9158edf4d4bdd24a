"""The page that walks from a figure back to the frame and the responses."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from dienrong.accounts import permissions
from dienrong.cycles import words
from dienrong.cycles.shell import cycle_of_request
from dienrong.reporting import numeric, queries

LONGEST_ID = 60
GROUP_ROLE = "analysis_groups"


@require_GET
def trace(request: HttpRequest, slug: str) -> HttpResponse:
    """Walk from a figure back to where it comes from.

    Everyone who may read the figure sees each step, its sentence and its hashes; rows of single schools and
    students are shown only to those who may open artefacts.
    """
    cycle = cycle_of_request(request)
    report = queries.readable_report(request.user, cycle) if cycle else None
    if report is None:
        raise Http404
    language = "en" if (get_language() or "vi").startswith("en") else "vi"
    figure = numeric.figure_facts(report.source, report.wording(language), request.GET.get("figure", ""))
    if figure is None:
        raise Http404
    may_follow = permissions.may(request.user, "view_artefacts")
    student_id, school_id = (
        request.GET.get(name, "").strip()[:LONGEST_ID] if may_follow else "" for name in ("student", "school")
    )
    walk = numeric.walk(report.source, figure.id, language, student_id=student_id, school_id=school_id)
    here = [slug, figure.population, figure.subject]
    back = (
        reverse("reporting:provincial", args=[*here, figure.province])
        if figure.province
        else reverse("reporting:national", args=here)
    )
    context = {
        "cycle": report.cycle,
        "figure": figure,
        "refusal": walk.refusal,
        "cards": [shown(card, may_follow) for card in walk.cards],
        "may_follow": may_follow,
        "student_id": walk.student_id if may_follow else "",
        "school_id": walk.school_id if may_follow else "",
        "back_url": back,
    }
    return render(request, "reporting/trace.html", context)


def shown(card: numeric.TraceCard, may_follow: bool) -> dict[str, Any]:
    """Give what a reader sees of a step; what tells of one school or student is left out for the public."""
    whole = {name: getattr(card, name) for name in card.__slots__}
    is_group = any(role == GROUP_ROLE for role, _hash in card.outputs)
    if may_follow or card.stage == "report" or (card.stage == "estimates" and not is_group):
        return whole
    sentence = str(words.STAGE_SENTENCES["group" if is_group else card.stage])
    return {**whole, "sentence": sentence, "explanation": "", "columns": (), "rows": (), "pairs": ()}
