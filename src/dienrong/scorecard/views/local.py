"""The pages of a province, a commune and a school, and what people do there."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from dienrong.accounts.permissions import demand_unit, may, requires, scope_of
from dienrong.core import clock
from dienrong.core.formats import number_text
from dienrong.registry.models import AdministrativeUnit, School
from dienrong.registry.queries import school_by_id
from dienrong.scorecard import files, operations, rule_set, words
from dienrong.scorecard.models import Dimension, UnitKind
from dienrong.scorecard.queries import schools as school_queries
from dienrong.scorecard.queries import units
from dienrong.scorecard.queries.schools import Filters
from dienrong.scorecard.views import parts
from dienrong.scorecard.views.nation import file_response

ROWS_PER_PAGE = 30
PROVINCE_TABS = ("truong", "xa", "tinh", "dien-bien")


def _province(request: HttpRequest, code: str) -> AdministrativeUnit:
    """Give a province whose page the person may see."""
    unit = units.unit_name(AdministrativeUnit.Level.PROVINCE, code, clock.today())
    demand_unit(request.user, province_code=code)
    if unit is None:
        raise Http404
    return unit


@require_GET
@requires("view_scorecard")
def province(request: HttpRequest, code: str) -> HttpResponse:
    """Show a province: the schools to nudge, its communes, its own findings, its trend."""
    unit, today = _province(request, code), clock.today()
    tab = request.GET.get("tab", PROVINCE_TABS[0])
    tab = tab if tab in PROVINCE_TABS else PROVINCE_TABS[0]
    score = units.score_of(UnitKind.PROVINCE, code)
    titles = {
        "truong": _("Schools to nudge"),
        "xa": _("By commune"),
        "tinh": _("Of the province"),
        "dien-bien": _("Over time"),
    }
    context: dict[str, Any] = {
        "unit": unit,
        "score": score,
        "cards": parts.score_cards(score),
        "tab": tab,
        "tabs": [
            {"title": titles[one], "url": f"?tab={one}", "is_current": one == tab} for one in PROVINCE_TABS
        ],
    }
    if tab == "truong":
        context |= _nudge_context(request, unit)
    elif tab == "xa":
        context["communes"] = units.commune_rows(code, today)
    elif tab == "tinh":
        context["findings"] = parts.with_words(school_queries.findings_of_province(code), user=request.user)
    else:
        context["trend"] = parts.trend_context(UnitKind.PROVINCE, code, today)
    return render(request, "scorecard/province.html", context)


def _nudge_context(request: HttpRequest, unit: AdministrativeUnit) -> dict[str, Any]:
    """Give the schools of a province that need a word, with filters."""
    today = clock.today()
    given = {
        name: request.GET.get(name, "").strip()[:80] for name in ("commune", "dimension", "rule", "text")
    }
    filters = Filters(**given)
    found = school_queries.schools_to_nudge(scope_of(request.user), province_code=unit.code, filters=filters)
    page = Paginator(found, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    rows = list(page.object_list)
    school_queries.attach(rows)
    rule = rule_set.rules().get(filters.rule)
    return {
        "page": page,
        "rows": parts.school_rows(request, rows),
        "filters": filters,
        "communes": units.commune_choices(unit.code, today),
        "dimensions": parts.chips(request, "dimension", Dimension.choices, _("All dimensions")),
        "rule_sentence": words.rule_sentence(rule) if rule else "",
    }


@require_GET
@requires("view_scorecard")
def province_file(request: HttpRequest, code: str) -> HttpResponse:
    """Give the findings of a province's schools as an Excel file."""
    unit = _province(request, code)
    content = files.errors_of_province(scope_of(request.user), unit=unit, today=clock.today())
    return file_response(content, f"loi-du-lieu-{code}.xlsx")


@require_GET
@requires("view_scorecard")
def commune(request: HttpRequest, code: str) -> HttpResponse:
    """Show a commune: its schools, their state in words, one button each."""
    unit = _commune(request, code)
    found = school_queries.schools_of_commune(scope_of(request.user), code)
    school_queries.attach(found)
    rows = parts.school_rows(request, found)
    n_waiting = sum(not row["is_done"] for row in rows)
    context = {
        "unit": unit,
        "rows": rows,
        "score": units.score_of(UnitKind.COMMUNE, code),
        "n_waiting": n_waiting,
        "heading": _commune_sentence(len(rows), n_waiting),
    }
    return render(request, "scorecard/commune.html", context)


def _commune(request: HttpRequest, code: str) -> AdministrativeUnit:
    """Give a commune whose page the person may see."""
    unit = units.unit_name(AdministrativeUnit.Level.COMMUNE, code, clock.today())
    demand_unit(request.user, unit.parent.code if unit and unit.parent else None, code)
    if unit is None:
        raise Http404
    return unit


def _commune_sentence(n_schools: int, n_waiting: int) -> str:
    """Say first what is left to do."""
    if not n_schools:
        return _("No open school in this commune")
    if not n_waiting:
        return _("All schools have confirmed their data")
    return ngettext(
        "%(n)s school has not confirmed its data yet",
        "%(n)s schools have not confirmed their data yet",
        n_waiting,
    ) % {"n": number_text(n_waiting)}


@require_GET
@requires("view_scorecard")
def commune_file(request: HttpRequest, code: str) -> HttpResponse:
    """Give the findings of a commune's schools as an Excel file."""
    unit = _commune(request, code)
    content = files.errors_of_province(
        scope_of(request.user), unit=unit.parent, today=clock.today(), commune_code=code
    )
    return file_response(content, f"loi-du-lieu-{code}.xlsx")


def _school(request: HttpRequest, school_id: str) -> School:
    """Give a school whose page the person may see."""
    found = school_queries.school_with_state(school_id)
    if found is None:
        demand_unit(request.user, school_id=school_id)
        raise Http404
    demand_unit(request.user, found.province.code, found.commune.code, found.school_id)
    return found


@require_GET
@requires("view_scorecard")
def school(request: HttpRequest, school_id: str) -> HttpResponse:
    """Show a school: what is missing, the confirmation, its data."""
    found = _school(request, school_id)
    findings = school_queries.findings_of(found)
    state = getattr(found, "state", None)
    shape, word = words.state_of(state, found.confirmed_at)
    n_errors = sum(one.severity == "error" for one in findings)
    counts = list(found.enrolments.all())
    years = sorted({row.school_year for row in counts}, reverse=True)[:2]
    by_grade = {(row.school_year, row.grade): row for row in counts}
    context = {
        "school": found,
        "state": state,
        "shape": shape,
        "word": word,
        "findings": parts.with_words(findings, school=found, user=request.user),
        "n_errors": n_errors,
        "n_findings": len(findings),
        "years": years,
        "grades": [
            {"title": words.grade_title(grade), "counts": [by_grade.get((year, grade)) for year in years]}
            for grade in sorted({row.grade for row in counts if row.school_year in years})
        ],
        "sites": [site for site in found.sites.all() if site.is_open],
        "may_confirm": may(request.user, "confirm_school"),
        "cards": parts.score_cards(state),  # type: ignore[arg-type]
        "commune_url": reverse("scorecard:commune", args=[found.commune.code])
        if scope_of(request.user).covers(found.province.code, found.commune.code)
        else "",
    }
    return render(request, "scorecard/school.html", context)


@require_POST
@requires("confirm_school")
def confirm(request: HttpRequest, school_id: str) -> HttpResponse:
    """Confirm that the data of a school are right."""
    operations.confirm_school(school=_school(request, school_id), by=request.user)
    messages.success(request, _("The data are confirmed. Thank you."))
    return redirect("scorecard:school", school_id)


@require_POST
@requires("view_scorecard")
def check(request: HttpRequest, school_id: str) -> HttpResponse:
    """Check a school anew."""
    found = _school(request, school_id)
    operations.check_schools(school_keys=[found.pk])
    messages.success(request, _("The data of the school were checked anew."))
    return redirect("scorecard:school", school_id)


@require_POST
@requires("view_scorecard")
def remind(request: HttpRequest, school_id: str) -> HttpResponse:
    """Write down that the school was reminded."""
    found = school_by_id(school_id)
    if found is None:
        demand_unit(request.user, school_id=school_id)
        raise Http404
    demand_unit(request.user, found.province.code, found.commune.code)
    operations.remind_school(school=found, by=request.user)
    messages.success(request, _("Noted: %(school)s was reminded.") % {"school": found.name})
    return _back(request, reverse("scorecard:commune", args=[found.commune.code]))


def _back(request: HttpRequest, otherwise: str) -> HttpResponseRedirect:
    """Go back to the list from which the person came."""
    address = request.POST.get("back", "")
    if not address.startswith("/") or not url_has_allowed_host_and_scheme(address, allowed_hosts=None):
        address = otherwise
    return HttpResponseRedirect(address)
