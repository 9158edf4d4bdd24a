"""Parts of a report that a page asks for one by one: drawings, tables, and each as a file."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from dienrong.core.templatetags.report_parts import as_one_picture
from dienrong.reporting import numeric
from dienrong.reporting.views.reports import XLSX, composed, file_answer, language_now, readable_or_404


@require_GET
def drawing(
    request: HttpRequest, slug: str, population: str, subject: str, province: str = ""
) -> HttpResponse:
    """Give the drawing of one figure for the page that shows it."""
    _report, figure = _figure(request, population, subject, province)
    svg = figure.narrow if "hep" in request.GET and figure.narrow else figure.svg
    return HttpResponse(as_one_picture(svg), content_type="text/html; charset=utf-8")


@require_GET
def table(request: HttpRequest, slug: str, population: str, subject: str, province: str = "") -> HttpResponse:
    """Give the table behind one figure: a part of the page, or a page of its own without script."""
    _report, figure = _figure(request, population, subject, province)
    name = "reporting:provincial" if province else "reporting:national"
    here = [slug, population, subject, *([province] if province else [])]
    trace_url = reverse("reporting:trace", args=[slug])
    if getattr(request, "htmx", False):
        return render(request, "core/report/table.html", {"table": figure.table, "trace_url": trace_url})
    context = {
        "figure": figure,
        "trace_url": trace_url,
        "back_url": f"{reverse(name, args=here)}#{figure.key}",
    }
    return render(request, "reporting/table_part.html", context)


@require_GET
def figure_svg(
    request: HttpRequest, slug: str, population: str, subject: str, province: str = ""
) -> HttpResponse:
    """Give the drawing of one figure as a file."""
    _report, figure = _figure(request, population, subject, province)
    svg = figure.narrow if "hep" in request.GET and figure.narrow else figure.svg
    response = HttpResponse(svg, content_type="image/svg+xml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{figure.key}.svg"'
    return response


@require_GET
def figure_xlsx(
    request: HttpRequest, slug: str, population: str, subject: str, province: str = ""
) -> HttpResponse:
    """Give the table behind one figure as an Excel workbook."""
    report, figure = _figure(request, population, subject, province)
    return file_answer(numeric.figure_workbook(report, figure), XLSX, f"{figure.key}.xlsx")


def _figure(request: HttpRequest, population: str, subject: str, province: str) -> tuple[Any, Any]:
    """Give a report and the figure that the address names."""
    report = readable_or_404(request)
    found = composed(report, report.wording(language_now()), (population, subject, province))
    figure = numeric.figure_of(found, request.GET.get("figure", ""))
    if figure is None:
        raise Http404
    return found, figure
