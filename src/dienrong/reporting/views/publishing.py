"""Publishing and withdrawing a report, and the comparison with real studies."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from dienrong.accounts import permissions
from dienrong.analysis.queries import run_of
from dienrong.cycles.shell import cycle_of_request
from dienrong.reporting import operations, queries
from dienrong.reporting.views.reports import language_now

ROWS_PER_PAGE = 100


@require_POST
@permissions.requires("publish_report")
def publish(request: HttpRequest, slug: str) -> HttpResponse:
    """Publish the report of a run."""
    cycle = cycle_of_request(request)
    number = request.POST.get("run", "")
    run = run_of(cycle, int(number)) if cycle and number.isdigit() else None
    if run is None:
        raise Http404
    operations.publish_report(run=run, by=request.user)
    messages.success(request, _("The report is published; everyone can read it now."))
    return redirect("reporting:index")


@require_POST
@permissions.requires("publish_report")
def withdraw(request: HttpRequest, slug: str) -> HttpResponse:
    """Withdraw the report of a cycle."""
    cycle = cycle_of_request(request)
    if cycle is None:
        raise Http404
    operations.withdraw_report(cycle=cycle, by=request.user)
    messages.success(request, _("The report is withdrawn; only the ministry reads it now."))
    return redirect("reporting:index")


@require_GET
def comparison(request: HttpRequest) -> HttpResponse:
    """Show our results on real studies beside those of other programs."""
    studies = queries.comparison_studies()
    study = request.GET.get("study", "")
    study = study if study in studies else ""
    page = Paginator(queries.comparison_rows(study), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    page.object_list = list(page.object_list)
    for row in page.object_list:
        row.difference_text = difference_text(row.difference)
    address = reverse("reporting:comparison")
    chips = [{"title": _("All"), "url": address, "is_current": not study, "count": ""}]
    chips += [
        {"title": name, "url": f"{address}?study={name}", "is_current": name == study, "count": ""}
        for name in studies
    ]
    context = {
        "page": page,
        "chips": chips,
        "chips_label": _("Study"),
        "largest": difference_text(queries.largest_difference(study)),
    }
    return render(request, "reporting/comparison.html", context)


def difference_text(value: float) -> str:
    """Write a difference with two significant digits, in powers of ten where it is tiny."""
    if value == 0:
        return "0"
    mantissa, _e, exponent = f"{value:.1e}".partition("e")
    mark = mantissa.replace(".", ",") if language_now() == "vi" else mantissa
    return f"{mark} · 10^{int(exponent)}".replace("-", "−")
