"""What the pages of the room share: units of the address, tabs, files."""

from __future__ import annotations

import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.core import clock
from dienrong.core.days import read_day
from dienrong.core.refusals import Refusal
from dienrong.plans.models import Phase, PlanReport
from dienrong.plans.queries import access, documents, reports
from dienrong.plans.queries.access import Unit
from dienrong.plans.words import REPORT_SHAPES

KINDS = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def unit_for(request: HttpRequest, kind: str, code: str, permission: str = "view_plans") -> Unit:
    """Give the unit of an address in the person's charge; refuse others."""
    if kind not in access.KINDS:
        raise Http404
    permissions.demand(request.user, permission)
    found = access.find_unit(access.KINDS[kind], code)
    if found is None:
        raise Http404
    access.demand_unit(request.user, found, permission)
    return found


def report_for(request: HttpRequest, key: int, permission: str = "view_plans") -> PlanReport:
    """Give a report of a unit in the person's charge; the nation's to the ministry alone; refuse others."""
    permissions.demand(request.user, permission)
    found = reports.report_by_key(key)
    if found is None:
        raise Http404
    access.demand_unit(request.user, access.unit_of_row(found.unit), permission)
    return found


def phase_for(request: HttpRequest) -> Phase | None:
    """Give the phase that the address names, the present one otherwise."""
    code = request.GET.get("giai-doan", "")
    found = documents.phase_of(code)
    if found is None and code:
        raise Http404
    return found


def day_for(request: HttpRequest) -> datetime.date:
    """Give the day that the address names, at most today."""
    return min(read_day(request.GET.get("ngay", "")) or clock.today(), clock.today())


def tabs(request: HttpRequest) -> list[dict[str, Any]]:
    """Make the tabs of the room."""
    titles = {"home": _("Where we stand"), "documents": _("Documents and targets")}
    if permissions.may(request.user, "write_plan_reports"):
        titles["reports"] = _("Reports")
    current = request.resolver_match.url_name if request.resolver_match else ""
    return [
        {"title": title, "url": reverse(f"plans:{name}"), "is_current": name == current}
        for name, title in titles.items()
    ]


def file(content: bytes, name: str, ending: str) -> HttpResponse:
    """Give bytes as a file to save; nothing on the way keeps it."""
    response = HttpResponse(content, content_type=KINDS[ending])
    response["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    response["Cache-Control"] = "no-store"
    return response


def told(form: Any, refusal: Refusal, field: str | None = None) -> None:
    """Show a refusal in the error summary of a form."""
    form.add_error(field, f"{refusal.sentence} {refusal.hint}".strip())


def form_page(form: Any, *, title: str, button: str, back: str, lead: str = "") -> dict[str, Any]:
    """Give the context of a page that is one form."""
    return {"form": form, "title": title, "button": button, "back": back, "lead": lead}


def report_state(state: str, word: str = "") -> dict[str, str]:
    """Give the state of a report as shape and word."""
    words = dict(PlanReport.State.choices)
    return {"shape": REPORT_SHAPES[state], "word": word or str(words.get(state, _("Not begun")))}
