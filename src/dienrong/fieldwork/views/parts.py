"""What the pages of the room share: finding things and refusing strangers."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.core.refusals import NotAllowed
from dienrong.fieldwork import words
from dienrong.fieldwork.models import FieldSchool, Fieldwork, TestSession
from dienrong.fieldwork.queries import access
from dienrong.rosters import charge

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PDF = "application/pdf"


def fieldwork_of(request: HttpRequest, plan_id: int) -> Fieldwork:
    """Give a fieldwork in which the person has schools; refuse others."""
    found = Fieldwork.objects.select_related("plan__cycle").filter(plan=plan_id).first()
    if found is None:
        raise Http404
    if not access.fieldworks_of(request.user).filter(pk=found.pk).exists():
        raise NotAllowed(
            _("No school of this sample is in your charge."),
            whom_to_ask=permissions.whom_to_ask(request.user),
        )
    return found


def school_of(request: HttpRequest, key: int, permission: str = "view_fieldwork") -> FieldSchool:
    """Give a school in the field; refuse who does not hold the permission there."""
    found = access.school_of(request.user, key)
    if found is None:
        raise Http404
    charge.demand_at(request.user, permission, found.school)
    return found


def session_of(request: HttpRequest, key: int) -> TestSession:
    """Give a session that the person reports; refuse others."""
    from dienrong.fieldwork.operations.reports import demand_reporter

    found = access.session_by_key(key)
    if found is None:
        raise Http404
    demand_reporter(request.user, found)
    return found


def tabs(request: HttpRequest, fieldwork: Fieldwork) -> list[dict[str, Any]]:
    """Make the tabs of a fieldwork."""
    titles = {
        "board": _("Participation"),
        "calls": _("Whom to call today"),
        "schools": _("Schools"),
    }
    if permissions.may(request.user, "compute_weights"):
        titles["weights"] = _("Weights and report")
    current = request.resolver_match.url_name if request.resolver_match else ""
    return [
        {
            "title": title,
            "url": reverse(f"fieldwork:{name}", args=[fieldwork.plan_id]),
            "is_current": name == current,
        }
        for name, title in titles.items()
    ]


def state_of(school: FieldSchool) -> dict[str, str]:
    """Give a school's state as shape and word."""
    return {"shape": words.SHAPES[school.state], "word": str(FieldSchool.State(school.state).label)}


def file(content: bytes, name: str, kind: str) -> HttpResponse:
    """Give bytes as a file to save."""
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response
