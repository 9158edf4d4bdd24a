"""The explorer: a question in the address, its answer on the page and as files."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from dienrong.core import requests
from dienrong.explorer import limits, numeric, operations, pages, queries

ROWS_PER_PAGE = 60
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Lead to the newest cycle that the reader may ask; say what will stand here where there is none."""
    found = queries.first_askable(request.user)
    if found is None or found.source is None:
        return render(request, "explorer/empty.html")
    return redirect("explorer:page", found.cycle.slug)


@require_GET
@vary_on_headers("HX-Request")
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the form and the answer; a change of the form draws both anew."""
    context, status = _context(request)
    whole = not getattr(request, "htmx", False)
    template = "explorer/page.html" if whole else "explorer/parts/explorer.html"
    response = render(request, template, context, status=status if whole else 200)
    if not whole:
        response["HX-Push-Url"] = context["here"]
    return response


def _context(request: HttpRequest) -> tuple[dict[str, Any], int]:
    """Read the request, ask, and give what the page shows."""
    found = pages.inquiry(request, request.GET)
    cycle = found.askable.cycle
    context: dict[str, Any] = {
        "cycle": cycle,
        "cycles": queries.askable_cycles(request.user),
        "askable": found.askable,
        "inquiry": found,
        "lists": found.lists,
        "asked": found.asked,
        "here": found.address("page"),
        "rules_url": reverse("explorer:rules", args=[cycle.slug]),
    }
    try:
        limits.count("question", limits.QUESTIONS, requests.address_of(request))
    except limits.TooOften as refusal:
        return {**context, "too_often": refusal}, 429
    outcome = found.answer()
    if outcome.answer is None:
        return {**context, "refusal": outcome.refusal, "refused_field": outcome.field}, 422
    shown = numeric.shown(outcome.answer, pages.language_now(), found.names)
    context |= pages.answer_context(shown)
    context["page"] = Paginator(context["lines"], ROWS_PER_PAGE).get_page(request.GET.get("page"))
    context |= {
        "svg_url": found.address("svg"),
        "xlsx_url": found.address("xlsx"),
        "csv_url": found.address("csv"),
        "keep_url": reverse("explorer:keep", args=[cycle.slug]),
        "query_fields": _fields(found.query),
        "about": pages.about(
            shown, cycle, found.askable.run.number, request.build_absolute_uri(context["here"])
        ),
    }
    return context, 200


def _fields(query: str) -> list[tuple[str, str]]:
    """Give the question as hidden fields of a form."""
    from django.http import QueryDict

    values = QueryDict(query)
    return [(name, value) for name in values for value in values.getlist(name)]


def _shown(request: HttpRequest) -> tuple[pages.Inquiry, numeric.Shown, numeric.Outcome]:
    """Give the answer to the question of a file; what has no answer does not exist."""
    limits.count("file", limits.FILES, requests.address_of(request))
    found = pages.inquiry(request, request.GET if request.method == "GET" else request.POST)
    outcome = found.answer()
    if outcome.answer is None:
        raise Http404
    return found, numeric.shown(outcome.answer, pages.language_now(), found.names), outcome


@require_GET
def svg(request: HttpRequest, slug: str) -> HttpResponse:
    """Give the chart."""
    limits.count("chart", limits.QUESTIONS, requests.address_of(request))
    found = pages.inquiry(request, request.GET)
    outcome = found.answer()
    if outcome.answer is None:
        raise Http404
    return chart(numeric.shown(outcome.answer, pages.language_now(), found.names))


def chart(shown: numeric.Shown) -> HttpResponse:
    """Answer with a chart; one with too many groups to be read is not drawn."""
    if not shown.has_chart:
        raise Http404
    response = HttpResponse(shown.svg, content_type="image/svg+xml; charset=utf-8")
    response["Cache-Control"] = "private, max-age=600"
    return response


@require_GET
def xlsx(request: HttpRequest, slug: str) -> HttpResponse:
    """Give the answer as an Excel workbook."""
    found, shown, _outcome = _shown(request)
    about = pages.about(
        shown,
        found.askable.cycle,
        found.askable.run.number,
        request.build_absolute_uri(found.address("page")),
    )
    return as_file(shown.xlsx(about), XLSX, f"{slug}.xlsx")


@require_GET
def csv(request: HttpRequest, slug: str) -> HttpResponse:
    """Give the answer as CSV."""
    found, shown, _outcome = _shown(request)
    about = pages.about(
        shown,
        found.askable.cycle,
        found.askable.run.number,
        request.build_absolute_uri(found.address("page")),
    )
    return as_file(shown.csv(about), "text/csv; charset=utf-8", f"{slug}.csv")


def as_file(content: bytes, kind: str, name: str) -> HttpResponse:
    """Give bytes as a file to keep."""
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_POST
def keep(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep the answer under a link that never changes, and open it."""
    limits.count("keep", limits.KEPT, requests.address_of(request))
    found, shown, outcome = _shown(request)
    kept = operations.keep_answer(askable=found.askable, outcome=outcome, shown=shown, by=request.user)
    return redirect("explorer:kept", kept.key)
