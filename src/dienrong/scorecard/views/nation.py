"""The ministry's page: where the data are worst; and the way in for everybody else."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from dienrong.accounts.permissions import demand_unit, may, requires, scope_of
from dienrong.core import clock
from dienrong.core.formats import percent_text
from dienrong.jobs.operations import enqueue
from dienrong.jobs.queries import card_of, jobs_for
from dienrong.registry.models import AdministrativeUnit
from dienrong.scorecard import drawing, files, words
from dienrong.scorecard.models import UnitKind
from dienrong.scorecard.operations.checking import NATION_JOB
from dienrong.scorecard.queries import schools, units
from dienrong.scorecard.views import parts

LOW = drawing.STEPS[2]


@require_GET
@requires("view_scorecard")
def home(request: HttpRequest) -> HttpResponse:
    """Open the page of the person's unit; where there are several, let them choose."""
    scope = scope_of(request.user)
    place = units.home_of(scope)
    if place == ("nation", ""):
        return _nation(request)
    if place is not None:
        return redirect(f"scorecard:{place[0]}", place[1])
    return render(request, "scorecard/choose.html", {"places": _places(scope)})


def _places(scope: Any) -> list[dict[str, str]]:
    """Name the units of a person who has several."""
    today = clock.today()
    found = units.places_of(scope)
    names = schools.names_of_schools(code for kind, code in found if kind == "school")
    for level in (AdministrativeUnit.Level.PROVINCE, AdministrativeUnit.Level.COMMUNE):
        codes = [code for kind, code in found if kind == level]
        names |= units.unit_names(level, codes, today) if codes else {}
    return [
        {"title": names.get(code, code), "url": reverse(f"scorecard:{kind}", args=[code])}
        for kind, code in found
    ]


def _nation(request: HttpRequest) -> HttpResponse:
    """Draw the map and the table of the provinces, the worst first."""
    today = clock.today()
    rows = units.province_rows(today)
    score = units.score_of(UnitKind.NATION)
    title = _finding(rows)
    job = jobs_for(request.user).filter(kind=NATION_JOB).first()
    context = {
        "rows": [
            {
                "unit": row,
                "spark": drawing.sparkline(row.history, today),
                "words": trend_words().get(row.trend, ""),
            }
            for row in rows
        ],
        "score": score,
        "cards": parts.score_cards(score),
        "map": drawing.map_of([_tile(row) for row in rows], title),
        "map_title": title,
        "legend": _legend(),
        "trend": parts.trend_context(UnitKind.NATION, "", today),
        "last_check": units.last_check(),
        "may_run": may(request.user, "run_scorecard"),
        "job": card_of(job, request.user) if job is not None and job.is_active else None,
    }
    return render(request, "scorecard/nation.html", context)


def trend_words() -> dict[str, str]:
    """Say in words how a score moved."""
    return {"up": _("rising"), "down": _("falling"), "same": _("steady")}


def _finding(rows: list[units.UnitRow]) -> str:
    """Say what the map shows."""
    scored = [row for row in rows if row.total is not None]
    if not scored:
        return _("No province has a score yet")
    worst = scored[0]
    n_low = sum(row.total < LOW for row in scored if row.total is not None)
    sentence = _("The data need most care in %(name)s (%(score)s)") % {
        "name": worst.name,
        "score": words.score_text(worst.total),
    }
    if not n_low:
        return sentence
    return (
        sentence
        + "; "
        + ngettext("%(n)d province is below %(bound)d", "%(n)d provinces are below %(bound)d", n_low)
        % {"n": n_low, "bound": LOW}
    )


def _tile(row: units.UnitRow) -> drawing.Tile:
    """Make the tile of a province."""
    coverage = row.score.coverage if row.score else None
    return drawing.Tile(
        code=row.code,
        name=row.name,
        total=row.total,
        coverage=_("coverage %(share)s") % {"share": percent_text(coverage, 0)},
        url=reverse("scorecard:province", args=[row.code]),
    )


def _legend() -> list[dict[str, Any]]:
    """Name the classes of the map."""
    bounds = [f"≥ {bound:.0f}" for bound in drawing.STEPS] + [f"< {drawing.STEPS[-1]:.0f}"]
    return [{"number": number, "title": title} for number, title in enumerate(bounds, start=1)]


@require_GET
@requires("view_scorecard")
def provinces_file(request: HttpRequest) -> HttpResponse:
    """Give the table of the provinces as an Excel file."""
    demand_unit(request.user)
    return file_response(files.provinces(clock.today()), "chat-luong-du-lieu.xlsx")


def file_response(content: bytes, name: str) -> HttpResponse:
    """Give an Excel file."""
    response = HttpResponse(content, content_type=files.XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


@require_POST
@requires("run_scorecard")
def run(request: HttpRequest) -> HttpResponse:
    """Ask for a check of the whole country."""
    enqueue(NATION_JOB, {}, by=request.user)
    messages.success(request, _("The check of the whole country was asked for."))
    return redirect("scorecard:home")
