"""Documents side by side with their targets, targets that a unit adds, readings."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from dienrong.accounts.permissions import may, requires
from dienrong.core import clock
from dienrong.core.refusals import NotAllowed, Refusal
from dienrong.plans.definitions import INDICATORS
from dienrong.plans.forms import ReadingForm, ReasonForm, TargetForm
from dienrong.plans.models import PlanDocument, Target
from dienrong.plans.operations import targets as operations
from dienrong.plans.queries import access, documents, values
from dienrong.plans.queries.access import Unit
from dienrong.plans.views import parts
from dienrong.registry.models import AdministrativeUnit


@require_safe
@requires("view_plans")
def home(request: HttpRequest) -> HttpResponse:
    """List the documents that a person works by; for the ministry those of all provinces."""
    scope = access.scope_of(request.user)
    found = PlanDocument.objects.select_related("unit").prefetch_related("targets")
    if scope.is_national:
        rows = list(found)
    else:
        provinces = {one.province.pk: one.province for one in access.units_of(request.user) if one.province}
        keys = {row.pk for one in provinces.values() for row in documents.documents_of(one)}
        rows = [one for one in found if one.unit_id is None or one.pk in keys]
    context = {
        "tabs": parts.tabs(request),
        "rows": [
            {"document": one, "n_targets": sum(row.withdrawn_at is None for row in one.targets.all())}
            for one in rows
        ],
        "ancestors": [
            {"unit": one.unit, "until": one.until, "has": any(row.unit_id == one.unit.pk for row in rows)}
            for unit in _provinces(request.user)
            for one in documents.ancestors_of(unit)
        ],
        "may_change": may(request.user, "change_plans"),
    }
    return render(request, "plans/documents.html", context)


def _provinces(user: Any) -> list[AdministrativeUnit]:
    """List the provinces of a person; none for the whole country."""
    return list({one.province.pk: one.province for one in access.units_of(user) if one.province}.values())


@require_safe
@requires("view_plans")
def document(request: HttpRequest, code: str) -> HttpResponse:
    """Show a document word by word beside the targets that were read from it."""
    found = documents.document_by_code(code)
    if found is None:
        raise Http404
    _demand_document(request.user, found)
    by_place: dict[tuple[str, int | None], list[Target]] = {}
    targets = list(found.targets.filter(withdrawn_at__isnull=True).select_related("phase"))
    for one in targets:
        by_place.setdefault((one.place, one.paragraph), []).append(one)
    sections = [
        {
            "section": section,
            "depth": min(section.path.count("."), 3),
            "rows": [
                {"text": text, "targets": _shown(by_place.get((section.path, number), []))}
                for number, text in enumerate(section.paragraphs, start=1)
            ],
        }
        for section in found.sections.select_related("phase")
    ]
    context = {
        "tabs": parts.tabs(request),
        "document": found,
        "sections": sections,
        "own_targets": [] if sections else _shown(targets),
        "may_change": may(request.user, "change_plans"),
    }
    return render(request, "plans/document.html", context)


def _shown(targets: list[Target]) -> list[dict[str, Any]]:
    """Give targets with the titles of their indicators."""
    return [{"target": one, "title": INDICATORS[one.indicator].title} for one in targets]


def _demand_document(user: Any, found: PlanDocument) -> None:
    """Refuse whoever does not work by a document: the national one is everybody's, a province's its own."""
    if found.unit is None:
        return
    scope = access.scope_of(user)
    provinces = {one.province.pk: one.province for one in access.units_of(user) if one.province}
    mine = {row.pk for one in provinces.values() for row in documents.documents_of(one)}
    if not scope.is_national and found.pk not in mine:
        access.demand_unit(user, Unit(kind="province", row=found.unit))


def _own_province(user: Any) -> AdministrativeUnit | None:
    """Give the province for which a person changes targets; None for the nation.

    Raises
    ------
    NotAllowed
        If the person changes no province's targets.
    """
    units = access.units_of(user, "change_plans")
    if not units:
        raise NotAllowed(_("This belongs to a unit that is not in your charge."))
    row = units[0].row
    return row if isinstance(row, AdministrativeUnit) else None


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_plans")
def add_target(request: HttpRequest) -> HttpResponse:
    """Add a target."""
    form = TargetForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = operations.add_target(
                unit=_own_province(request.user), facts=form.facts(), by=request.user
            )
        except NotAllowed:
            raise
        except Refusal as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("The target is added; its value is counted from the registers."))
            return redirect("plans:document", made.document.code)
    context = parts.form_page(
        form,
        title=_("Add a target"),
        button=_("Add it"),
        back=reverse("plans:documents"),
        lead=_(
            "A target stands beside the document that sets it, with its words. The value is never typed in."
        ),
    )
    return render(request, "plans/form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_plans")
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw a target that a unit added."""
    found = Target.objects.select_related("document__unit").filter(pk=pk).first()
    if found is None:
        raise Http404
    access.demand_unit(request.user, access.unit_of_row(found.document.unit), "change_plans")
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            operations.withdraw_target(target=found, reason=form.cleaned_data["reason"], by=request.user)
        except NotAllowed:
            raise
        except Refusal as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("The target is withdrawn."))
            return redirect("plans:documents")
    context = parts.form_page(
        form,
        title=_("Withdraw a target"),
        button=_("Withdraw it"),
        back=reverse("plans:document", args=[found.document.code]),
        lead=str(INDICATORS[found.indicator].title),
    )
    return render(request, "plans/form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_plans")
def reading(request: HttpRequest, kind: str, code: str, indicator: str) -> HttpResponse:
    """Set how a province reads an indicator."""
    found = parts.unit_for(request, kind, code, "change_plans")
    if found.kind != "province":
        raise Http404
    return _reading_page(request, found, indicator)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_plans")
def national_reading(request: HttpRequest, indicator: str) -> HttpResponse:
    """Set how the nation reads an indicator."""
    access.demand_unit(request.user, access.NATION, "change_plans")
    return _reading_page(request, access.NATION, indicator)


def _reading_page(request: HttpRequest, found: Unit, code: str) -> HttpResponse:
    """Draw the form of a reading, or set it."""
    if code not in INDICATORS:
        raise Http404
    indicator, row = INDICATORS[code], found.province
    chosen = values.choices_on(code, row, clock.today())
    initial = {f"option_{name}": value for name, value in chosen.items()}
    form = ReadingForm(request.POST or None, indicator=indicator, initial=initial)
    phase = documents.phase_of("")
    where = {"phase": phase.code if phase else "", "indicator": code}
    back = (
        reverse("plans:nation_target", kwargs=where)
        if found.row is None
        else reverse("plans:target", kwargs={**found.address, **where})
    )
    if request.method == "POST" and form.is_valid():
        try:
            operations.set_reading(
                unit=row,
                indicator=code,
                choices=form.choices(),
                reason=form.cleaned_data["reason"],
                by=request.user,
            )
        except NotAllowed:
            raise
        except Refusal as refusal:
            parts.told(form, refusal)
        else:
            messages.success(
                request, _("The reading holds from today on; earlier days keep the earlier one.")
            )
            return redirect(back)
    context = parts.form_page(
        form,
        title=_("How “%(name)s” is counted") % {"name": indicator.title},
        button=_("Set the reading"),
        back=back,
        lead=_(
            "The plans leave these things open. What is chosen stands beside the number, with its reason."
        ),
    )
    return render(request, "plans/form.html", context, status=422 if form.errors else 200)
