"""Results of a run: pages by theme, whole tables by pages, files of tables and figures."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from dienrong.accounts import permissions
from dienrong.accounts.permissions import requires
from dienrong.core.refusals import Conflict
from dienrong.scaling import laid_out, queries, sections, words
from dienrong.scaling.addresses import address
from dienrong.scaling.models import ScalingRun
from dienrong.scaling.numeric import results
from dienrong.scaling.numeric.tables import found_rows, sorted_table
from dienrong.scaling.numeric.workbooks import workbook
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
        alarms = results.output(queries.store_path(found), stages, "fit", "alarms") if name == "fit" else []
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
        "figures": figures_of(one, name),
        "reliabilities": reliabilities,
        "alarms": alarms or [],
        "may_run": permissions.may_run_analysis(request.user),
        **content,
    }
    return render(request, "scaling/section.html", context)


def figures_of(run: ScalingRun, name: str) -> list[dict[str, Any]]:
    """Give the figures of a page of results."""
    return []


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
    titles = [words.column_title(name) for name in rows.columns]
    notes = [
        found.title,
        _("Scaling run %(number)d") % {"number": one.number},
        f"{words.stage_title(stage)} · {manifest}",
        one.software_version,
        request.build_absolute_uri(address("run", found, one.number)),
    ]
    content = workbook(rows, title=words.role_title(role), titles=titles, notes=notes)
    return parts.file(content, f"{role}-{found.number}-{one.number}.xlsx")
