"""The public page of a draw, without sign-in: the commitment before the number, the record after it."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dienrong.core import clock
from dienrong.registry.queries import province_names
from dienrong.sampling import outputs, queries, signing, words
from dienrong.sampling.models import Plan

ROWS_PER_PAGE = 50


def _plan(pk: int) -> Plan:
    """Give a plan whose commitment is published."""
    found = queries.public_plan(pk)
    if found is None:
        raise Http404
    return found


@require_GET
def record(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what is published of a draw."""
    plan = _plan(pk)
    draw = plan.draw
    explicit = plan.design.get("explicit") or []
    context = {
        "plan": plan,
        "draw": draw,
        "facts": outputs.design_facts(plan),
        "is_withdrawn": plan.state == Plan.State.WITHDRAWN,
        "is_due": draw.source_due_at <= clock.now(),
        "rules_title": str(words.RULES.get(plan.rules, plan.rules)),
        "fingerprint": signing.fingerprint(draw.public_key) if draw.public_key else "",
        "page": None,
    }
    if draw.drawn_at:
        rows = queries.schools_of(
            draw, queries.WHOLE_COUNTRY, role="original", search=request.GET.get("q", "")[:80]
        )
        page = Paginator(rows, ROWS_PER_PAGE).get_page(request.GET.get("page"))
        names = province_names(clock.today())
        page.object_list = [
            {
                "school": row,
                "province": names.get(row.province_code, ""),
                "stratum": words.stratum_title(row.stratum, explicit),
            }
            for row in page.object_list
        ]
        context["page"] = page
    return render(request, "sampling/public.html", context)


@require_GET
def file(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Give one published file of a draw."""
    found = outputs.output(_plan(pk), name)
    if found is None:
        raise Http404
    return found
