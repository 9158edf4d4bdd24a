"""What the pages of the room share: the cycle, the school, tabs, files, refusals in forms."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.core import clock
from dienrong.core.refusals import Refusal
from dienrong.cycles.models import Cycle
from dienrong.cycles.queries import current_cycle
from dienrong.readiness.models import Survey
from dienrong.readiness.queries import access
from dienrong.readiness.queries.surveys import survey_at
from dienrong.registry.models import AdministrativeUnit
from dienrong.registry.queries import provinces_in, school_by_code
from dienrong.rosters import charge

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PAGE_SIZE = 50


def cycle_now() -> Cycle:
    """Give the current cycle; the room is about one."""
    found = current_cycle()
    if found is None:
        raise Http404
    return found


def survey_for(request: HttpRequest, school_id: str, permission: str = "view_readiness") -> Survey:
    """Give the survey of a school in the person's charge; refuse others, a school that is not asked among them."""
    survey = survey_at(cycle_now(), school_id)
    if survey is None:
        school = school_by_code(school_id)
        if school is None:
            raise Http404
        charge.demand_at(request.user, permission, school)
        raise NotAsked(
            _("This school is not asked in the current cycle."),
            hint=_("The province opens the survey for it first."),
        )
    access.demand_survey(request.user, survey, permission)
    return survey


class NotAsked(Refusal):
    """A school without a survey in the current cycle."""

    code = "readiness.not_asked"


def province_for(request: HttpRequest, code: str, permission: str) -> AdministrativeUnit:
    """Give a province in the person's charge; refuse others."""
    level = AdministrativeUnit.Level.PROVINCE
    found = AdministrativeUnit.objects.filter(level=level, code=code, valid_to__isnull=True).first()
    if found is None:
        raise Http404
    access.demand_province(request.user, permission, found)
    return found


def provinces_for(user: Any, permission: str) -> list[tuple[str, str]]:
    """List the provinces for which a person holds a permission."""
    scope = access.scope_of(user, permission)
    return [(unit.code, unit.full_name) for unit in provinces_in(scope, clock.today())]


def tabs(request: HttpRequest) -> list[dict[str, Any]]:
    """Make the tabs of the room."""
    titles = {"home": _("Overview"), "schools": _("Schools")}
    if permissions.may(request.user, "manage_budgets"):
        titles |= {
            "procurement": _("Procurement"),
            "budgets": _("Budget estimates"),
            "prices": _("Unit prices"),
        }
    titles["norms"] = _("Norm")
    current = request.resolver_match.url_name if request.resolver_match else ""
    return [
        {"title": title, "url": reverse(f"readiness:{name}"), "is_current": name == current}
        for name, title in titles.items()
    ]


def school_tabs(survey: Survey, current: str) -> list[dict[str, Any]]:
    """Make the tabs of one school."""
    titles = {"school": _("Where it stands"), "form": _("Survey"), "machines": _("Machine check")}
    return [
        {
            "title": title,
            "url": reverse(f"readiness:{name}", args=[survey.school.school_id]),
            "is_current": name == current,
        }
        for name, title in titles.items()
    ]


def page_of(request: HttpRequest, rows: Any) -> Page:
    """Give the page of a list that the address names."""
    return Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))


def file(content: bytes, name: str, kind: str) -> HttpResponse:
    """Give bytes as a file to save; nothing on the way keeps it."""
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def told(form: Any, refusal: Refusal) -> None:
    """Show a refusal in the error summary of a form."""
    form.add_error(None, f"{refusal.sentence} {refusal.hint}".strip())
