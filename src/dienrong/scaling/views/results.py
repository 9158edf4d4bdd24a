"""Results of a run: pages by theme, whole tables by pages, files of tables and figures."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from dienrong.accounts import permissions
from dienrong.accounts.permissions import requires
from dienrong.core.refusals import Conflict
from dienrong.scaling import drawn, laid_out, queries, sections, words
from dienrong.scaling.addresses import address
from dienrong.scaling.models import ScalingRun
from dienrong.scaling.numeric import drawings, results
from dienrong.scaling.numeric.tables import found_rows, sorted_table
from dienrong.scaling.numeric.workbooks import text_workbook, workbook
from dienrong.scaling.views import parts

ROWS_PER_PAGE = 100


def _gone(error: results.ResultGoneError) -> Conflict:
    """Turn a lost artefact into a refusal with the way out."""
    return Conflict(
        _("The results of this run are not whole: %(why)s") % {"why": error},
        hint=_("Start the run again: the stages that are missing are computed anew, with the same numbers."),
    )


@require_GET
@requires("view_analysis")
def section(request: HttpRequest, slug: str, study: int, run: int, name: str) -> HttpResponse:
    """Show a page of results."""
    found = parts.study_of(request, study)
    one = parts.done_run_of(found, run)
    stages = queries.manifests_of(one)
    if name not in sections.SECTIONS or parts.STAGE_OF_SECTION[name] not in stages:
        raise Http404
    try:
        content = sections.content(one, name)
        reliabilities = sections.reliabilities(one) if name == "maps" else []
        choice, dif_chips = _choice(request, one) if name == "dif" else (("", ""), [])
        figures = drawn.run_figures(one, tuple(sections.SECTIONS[name].figures), choice)
        alarms = sections.alarms(one) if name == "fit" else []
    except results.ResultGoneError as error:
        raise _gone(error) from error
    context = {
        "cycle": found.cycle,
        "study": found,
        "tabs": parts.tabs(request, found),
        "run": one,
        "result_tabs": parts.result_tabs(one, name),
        "title": parts.section_titles()[name],
        "name": name,
        "figures": figures,
        "dif_chips": dif_chips,
        "reliabilities": reliabilities,
        "alarms": alarms,
        "n_doubtful": one.summary.get("n_doubtful", 0) if name == "calibration" else 0,
        "may_run": permissions.may_run_analysis(request.user),
        **content,
    }
    return render(request, "scaling/section.html", context)


def _choice(request: HttpRequest, run: ScalingRun) -> tuple[tuple[str, str], list[dict[str, Any]]]:
    """Give the variable and focal group whose DIF is drawn, and the chips of all."""
    pairs = drawings.dif_choices(queries.store_path(run.study), queries.manifests_of(run))
    asked = (request.GET.get("variable", ""), request.GET.get("focal", ""))
    chosen = asked if asked in pairs else pairs[0] if pairs else ("", "")
    chips = [
        {
            "title": f"{variable}: {focal}",
            "url": "?" + urlencode({"variable": variable, "focal": focal}),
            "is_current": (variable, focal) == chosen,
            "count": "",
        }
        for variable, focal in pairs
    ]
    return chosen, chips if len(chips) > 1 else []


@require_GET
@requires("view_analysis")
def figure_svg(request: HttpRequest, slug: str, study: int, run: int, key: str) -> HttpResponse:
    """Give the drawing of a figure as a file."""
    drawing, _one = _drawing(request, study, run, key)
    return parts.file(drawing.svg.encode(), f"{key}.svg", "image/svg+xml; charset=utf-8")


@require_GET
@requires("view_analysis")
def figure_xlsx(request: HttpRequest, slug: str, study: int, run: int, key: str) -> HttpResponse:
    """Give the table behind a figure as an Excel workbook."""
    drawing, one = _drawing(request, study, run, key)
    notes = [
        one.study.title,
        _("Scaling run %(number)d") % {"number": one.number},
        drawing.title,
        drawing.note,
    ]
    content = text_workbook(drawing.columns, drawing.rows, title=key, notes=notes)
    return parts.file(content, f"{key}.xlsx")


def _drawing(request: HttpRequest, study: int, run: int, key: str) -> tuple[Any, ScalingRun]:
    """Give the figure of the address with its run."""
    one = parts.done_run_of(parts.study_of(request, study), run)
    item = request.GET.get("item", "")
    try:
        drawing = drawn.drawing_of(one, key, item=item, choice=_choice(request, one)[0])
    except results.ResultGoneError as error:
        raise _gone(error) from error
    if drawing is None:
        raise Http404
    return drawing, one


def _table(run: ScalingRun, stage: str, role: str) -> tuple[Any, str]:
    """Give a table of a run with its manifest, or nothing at this address."""
    manifests = queries.manifests_of(run)
    try:
        found = results.table(queries.store_path(run.study), manifests, stage, role)
    except results.ResultGoneError as error:
        raise _gone(error) from error
    if found is None:
        raise Http404
    return found, manifests[stage]


@require_GET
@requires("view_analysis")
def table(request: HttpRequest, slug: str, study: int, run: int, stage: str, role: str) -> HttpResponse:
    """Show a whole table by pages, sorted and searched."""
    found = parts.study_of(request, study)
    one = parts.done_run_of(found, run)
    rows, manifest = _table(one, stage, role)
    order, text = request.GET.get("sort", ""), request.GET.get("q", "").strip()[:80]
    rows = found_rows(sorted_table(rows, order), text)
    page = Paginator(range(rows.height), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    first = max(0, page.start_index() - 1)
    context = {
        "cycle": found.cycle,
        "study": found,
        "tabs": parts.tabs(request, found),
        "run": one,
        "page": page,
        "laid": laid_out.lay_out(rows, stage=stage, role=role, first=first, n=ROWS_PER_PAGE)
        if rows.height
        else None,
        "title": words.role_title(role),
        "stage": stage,
        "role": role,
        "manifest": manifest,
        "order": order,
        "text": text,
    }
    return render(request, "scaling/table.html", context)


@require_GET
@requires("view_analysis")
def table_file(request: HttpRequest, slug: str, study: int, run: int, stage: str, role: str) -> HttpResponse:
    """Give a whole table as an Excel workbook that says where it comes from."""
    found = parts.study_of(request, study)
    one = parts.done_run_of(found, run)
    rows, manifest = _table(one, stage, role)
    titles = [words.column_title(name, role) for name in rows.columns]
    notes = [
        found.title,
        _("Scaling run %(number)d") % {"number": one.number},
        f"{words.stage_title(stage)} · {manifest}",
        one.software_version,
        request.build_absolute_uri(address("run", found, one.number)),
    ]
    content = workbook(rows, title=words.role_title(role), titles=titles, notes=notes)
    return parts.file(content, f"{role}-{found.number}-{one.number}.xlsx")
