"""What the pages of the room share: finding things, refusing strangers, files, tabs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from dienrong.accounts import permissions
from dienrong.capacity.models import Certificate, Level, Person, Training
from dienrong.capacity.queries import access
from dienrong.capacity.queries.certificates import certificate_of
from dienrong.capacity.queries.people import person_of
from dienrong.capacity.queries.training import training_of
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed, Refusal
from dienrong.registry.models import AdministrativeUnit
from dienrong.registry.queries import provinces_in

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PDF = "application/pdf"
PAGE_SIZE = 50


def person_for(request: HttpRequest, key: int, permission: str = "view_capacity") -> Person:
    """Give somebody of the register in the person's charge; refuse others."""
    found = person_of(key)
    if found is None:
        raise Http404
    access.demand_person(request.user, found, permission)
    return found


def training_for(request: HttpRequest, key: int) -> Training:
    """Give a training that the person may know of; refuse others."""
    found = training_of(key)
    if found is None:
        raise Http404
    if not access.trainings_of(request.user).filter(pk=found.pk).exists():
        raise NotAllowed(
            _("This training belongs to another province."), whom_to_ask=permissions.whom_to_ask(request.user)
        )
    return found


def certificate_for(request: HttpRequest, key: int) -> Certificate:
    """Give a certificate of somebody in charge, or of the own issue; refuse others."""
    found = certificate_of(key)
    if found is None:
        raise Http404
    if not access.certificates_of(request.user).filter(pk=found.pk).exists():
        raise NotAllowed(
            _("This certificate is not in your charge."), whom_to_ask=permissions.whom_to_ask(request.user)
        )
    return found


def tabs(request: HttpRequest) -> list[dict[str, Any]]:
    """Make the tabs of the room."""
    titles = {
        "home": _("Overview"),
        "people": _("Staff"),
        "courses": _("Courses"),
        "trainings": _("Trainings"),
        "certificates": _("Certificates"),
    }
    if permissions.may(request.user, "change_training"):
        titles["capacity"] = _("Needs")
    current = request.resolver_match.url_name if request.resolver_match else ""
    return [
        {"title": title, "url": reverse(f"capacity:{name}"), "is_current": name == current}
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


def organizers_for(user: Any, permission: str) -> list[tuple[str, str]]:
    """List for whom a person acts as organizer or issuer: the ministry under the empty code, provinces by theirs."""
    scope = access.scope_of(user, permission)
    found = [("", str(Level.NATION.label))] if scope.is_national else []
    return found + [(unit.code, unit.full_name) for unit in provinces_in(scope, clock.today())]


def organizer_of(code: str) -> AdministrativeUnit | None:
    """Give the province of a code; the empty code is the ministry."""
    if not code:
        return None
    level = AdministrativeUnit.Level.PROVINCE
    return AdministrativeUnit.objects.filter(level=level, code=code, valid_to__isnull=True).first()


def told(form: Any, refusal: Refusal, field: str | None = None) -> None:
    """Show a refusal in the error summary of a form."""
    form.add_error(field, f"{refusal.sentence} {refusal.hint}".strip())


def form_page(
    form: Any, *, title: str, button: str, back: str, lead: str = "", crumbs: Sequence[Any] = ()
) -> dict[str, Any]:
    """Give the context of a page that is one form."""
    return {"form": form, "title": title, "button": button, "back": back, "lead": lead, "crumbs": crumbs}
