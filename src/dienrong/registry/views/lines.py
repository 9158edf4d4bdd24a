"""Pages on which lines of a batch are written down: mergers and the like, splits, openings."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from dienrong.accounts.permissions import requires, scope_of
from dienrong.core import clock
from dienrong.core.text import clean_text
from dienrong.registry import operations, queries
from dienrong.registry.event_forms import MOST_PARTS, OpeningLineForm, PartsForm
from dienrong.registry.forms import LineForm
from dienrong.registry.models import MergerBatch, MergerLine, School
from dienrong.registry.queries import Line
from dienrong.registry.queries.schools import SchoolFilter
from dienrong.registry.views.events import keeps_itself, number_of_parts
from dienrong.registry.views.mergers import batch_of_address

FOUND = 20
MOST_CHOSEN = 12


@require_http_methods(["GET", "POST"])
@requires("apply_mergers")
def add_line(request: HttpRequest, key: int) -> HttpResponse:
    """Add a line: choose schools by searching, then say what becomes of them."""
    found = batch_of_address(request, key)
    chosen = _chosen(request, found)
    communes = queries.communes_in(scope_of(request.user), clock.today(), found.province.code)
    form = LineForm(request.POST or None, schools=chosen, communes=communes)
    if request.method == "POST" and form.is_valid():
        operations.add_line(batch=found, line=_line(form.cleaned_data, chosen), by=request.user)
        messages.success(request, _("The line is added."))
        return redirect("registry:add_line", key)
    words = request.GET.get("q", "").strip()[:80]
    narrowed = SchoolFilter(search=words, province_code=found.province.code)
    matches = queries.find_schools(scope_of(request.user), narrowed)[: FOUND + 1] if words else None
    rows = queries.rows_of(matches) if matches is not None else []
    context = {
        "batch": found,
        "chosen": chosen,
        "form": form,
        "words": words,
        "rows": [row for row in rows[:FOUND] if row.school_id not in {school.school_id for school in chosen}],
        "is_cut": len(rows) > FOUND,
        "is_full": len(chosen) >= MOST_CHOSEN,
        "n_lines": found.lines.count(),
    }
    return render(request, "registry/line_new.html", context, status=422 if form.is_bound else 200)


@require_POST
@requires("apply_mergers")
def remove_line(request: HttpRequest, key: int, number: int) -> HttpResponse:
    """Take a line out."""
    operations.remove_line(batch=batch_of_address(request, key), line_number=number, by=request.user)
    messages.success(request, _("Line %(n)d is taken out.") % {"n": number})
    return redirect(f"{reverse('registry:batch', args=[key])}?tab=lines")


@require_http_methods(["GET", "POST"])
@requires("apply_mergers")
def add_opening(request: HttpRequest, key: int) -> HttpResponse:
    """Add a line that opens a school."""
    found = batch_of_address(request, key)
    communes = queries.communes_in(scope_of(request.user), clock.today(), found.province.code)
    form = OpeningLineForm(request.POST or None, communes=communes)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        line = Line(
            line_number=0,
            kind=MergerLine.Kind.OPEN,
            predecessor_codes=(),
            successor_code=clean_text(values["code"]),
            successor_name=clean_text(values["name"]),
            commune_code=values["commune"],
            levels=form.joined_levels,
        )
        operations.add_line(batch=found, line=line, by=request.user)
        messages.success(request, _("The line is added."))
        return redirect("registry:add_line", key)
    context = {"batch": found, "form": form}
    return render(request, "registry/line_opening.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@requires("apply_mergers")
def add_split(request: HttpRequest, key: int, school_id: str) -> HttpResponse:
    """Add a line that splits a school, with the pupils by grade of every part."""
    found = batch_of_address(request, key)
    schools = queries.schools_in(scope_of(request.user), province_code=found.province.code)
    school = schools.prefetch_related(None).filter(school_id=school_id).first()
    if school is None:
        raise Http404
    n_parts, keeps = number_of_parts(request), keeps_itself(request)
    form = PartsForm(
        request.POST or None,
        school=school,
        known=queries.shareable([school.pk], found.effective_date)[school.pk],
        communes=queries.communes_in(scope_of(request.user), clock.today(), found.province.code),
        n_parts=n_parts,
        keeps=keeps,
    )
    if request.method == "POST" and form.is_valid():
        line = Line(
            line_number=0,
            kind=MergerLine.Kind.SPLIT,
            predecessor_codes=(school.school_id,),
            parts=form.parts(),
        )
        operations.add_line(batch=found, line=line, by=request.user)
        messages.success(request, _("The line is added."))
        return redirect(f"{reverse('registry:batch', args=[key])}?tab=preview")
    context = {
        "batch": found,
        "school": school,
        "form": form,
        "parts": form,
        "n_parts": n_parts,
        "keeps": keeps,
        "choices": range(2, MOST_PARTS + 1),
    }
    return render(request, "registry/line_split.html", context, status=422 if form.is_bound else 200)


def _chosen(request: HttpRequest, found: MergerBatch) -> list[School]:
    """Give the schools that were chosen so far, in the order of choosing; those of the province alone."""
    codes = list(dict.fromkeys((request.POST or request.GET).getlist("chosen")))[:MOST_CHOSEN]
    schools = {
        school.school_id: school
        for school in queries.schools_in(scope_of(request.user), province_code=found.province.code)
        .prefetch_related(None)
        .filter(school_id__in=codes)
    }
    return [schools[code] for code in codes if code in schools]


def _line(values: dict[str, Any], chosen: list[School]) -> Line:
    """Make the line of what was filled in."""
    is_new = values["successor"] == LineForm.NEW_SCHOOL
    kind, code = values["kind"], values["successor"]
    if is_new or kind == MergerLine.Kind.RECODE:
        code = values["new_code"]
    elif kind != MergerLine.Kind.MERGE:
        code = ""
    return Line(
        line_number=0,
        kind=kind,
        predecessor_codes=tuple(school.school_id for school in chosen),
        successor_code=clean_text(code),
        successor_name="" if kind == MergerLine.Kind.CLOSE else clean_text(values["new_name"]),
        commune_code=values["commune"],
    )
