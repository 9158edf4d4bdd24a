"""The report of a run: page, PDF, Word, Excel."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from dienrong.accounts.permissions import requires
from dienrong.core.refusals import Conflict
from dienrong.scaling import report_facts
from dienrong.scaling.models import ScalingRun
from dienrong.scaling.numeric import reports
from dienrong.scaling.numeric.results import ResultGoneError
from dienrong.scaling.views import parts

KINDS = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": parts.EXCEL,
}


def _composed(run: ScalingRun) -> reports.Report:
    """Compose the report of a run, or say how to get a lost result back."""
    try:
        return report_facts.report_of(run)
    except ResultGoneError as error:
        raise Conflict(
            _("The results of this run are not whole: %(why)s") % {"why": error},
            hint=_(
                "Start the run again: the stages that are missing are computed anew, with the same numbers."
            ),
        ) from error


@require_GET
@requires("view_analysis")
def report(request: HttpRequest, slug: str, study: int, run: int) -> HttpResponse:
    """Show the report of a run."""
    found = parts.study_of(request, study)
    one = parts.done_run_of(found, run)
    composed = _composed(one)
    context = {
        "cycle": found.cycle,
        "study": found,
        "tabs": parts.tabs(request, found),
        "run": one,
        "result_tabs": parts.result_tabs(one, "report"),
        "report": composed,
        "sections": reports.sections_of(composed),
        "endings": [("pdf", "PDF"), ("docx", "Word"), ("xlsx", "Excel")],
        "svg_url": reverse("scaling:report_figure", args=[slug, study, run]),
    }
    return render(request, "scaling/report.html", context)


@require_GET
@requires("view_analysis")
def report_file(request: HttpRequest, slug: str, study: int, run: int, ending: str) -> HttpResponse:
    """Give the report of a run as PDF, Word or Excel."""
    if ending not in KINDS:
        raise Http404
    one = parts.done_run_of(parts.study_of(request, study), run)
    content = reports.written(_composed(one), ending, report_facts.official_form())
    return parts.file(content, f"bao-cao-dinh-co-{study}-{run}.{ending}", KINDS[ending])


@require_GET
@requires("view_analysis")
def report_figure(request: HttpRequest, slug: str, study: int, run: int) -> HttpResponse:
    """Give the drawing of one figure of the report as a file."""
    one = parts.done_run_of(parts.study_of(request, study), run)
    key = request.GET.get("figure", "")
    drawing = reports.figure_of(_composed(one), key)
    if not drawing:
        raise Http404
    return parts.file(drawing.encode(), f"{key}.svg", "image/svg+xml; charset=utf-8")
