"""Procurement, unit prices, estimates with their lines and their trail."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dienrong.accounts.permissions import requires
from dienrong.core import clock
from dienrong.core.formats import day_text
from dienrong.readiness import operations, words
from dienrong.readiness.forms import BudgetForm, LineForm, PriceForm, StepForm, VersionForm
from dienrong.readiness.models import Budget, BudgetLine, BudgetStep, Item, Price, Section, Source
from dienrong.readiness.operations.money import STEPS
from dienrong.readiness.queries import access
from dienrong.readiness.queries import money as reading
from dienrong.readiness.views import parts
from dienrong.registry.models import AdministrativeUnit, School

NEXT = {
    Budget.State.DRAFT: (BudgetStep.Action.SUBMIT,),
    Budget.State.APPRAISAL: (BudgetStep.Action.APPRAISE, BudgetStep.Action.RETURN),
    Budget.State.APPRAISED: (BudgetStep.Action.PROPOSE, BudgetStep.Action.RETURN),
    Budget.State.PROPOSED: (BudgetStep.Action.APPROVE, BudgetStep.Action.RETURN),
}

STEP_BUTTONS = {
    BudgetStep.Action.SUBMIT: gettext_lazy("Send for appraisal"),
    BudgetStep.Action.APPRAISE: gettext_lazy("Note that it was appraised"),
    BudgetStep.Action.PROPOSE: gettext_lazy("Note that it was laid before the authority"),
    BudgetStep.Action.APPROVE: gettext_lazy("Note the approval"),
    BudgetStep.Action.RETURN: gettext_lazy("Note that it was returned"),
}


def _province(request: HttpRequest) -> tuple[AdministrativeUnit | None, list[tuple[str, str]]]:
    """Give the province that the address names, or the only one; and those to choose from."""
    offered = parts.provinces_for(request.user, "manage_budgets")
    code = request.GET.get("tinh") or (offered[0][0] if len(offered) == 1 else "")
    return (parts.province_for(request, code, "manage_budgets") if code else None), offered


@require_safe
@requires("manage_budgets")
def procurement(request: HttpRequest) -> HttpResponse:
    """Show what schools lack, with prices: missing quantity × unit price, by school and by source."""
    cycle = parts.cycle_now()
    province, offered = _province(request)
    context: dict[str, Any] = {
        "tabs": parts.tabs(request),
        "cycle": cycle,
        "province": province,
        "offered": offered,
    }
    if province is not None:
        lines = reading.procurement(cycle, province, reading.prices_on(clock.today(), province))
        page = parts.page_of(request, lines)
        schools = School.objects.in_bulk({one.school_id for one in page.object_list})
        context |= {
            "page": page,
            "rows": [
                {"line": one, "school": schools.get(one.school_id), "source": Source(one.source).label}
                for one in page.object_list
            ],
            "total": reading.total_of(lines),
            "by_item": reading.sums_by(lines, "item", dict(Item.choices)),
            "by_source": reading.sums_by(lines, "source", dict(Source.choices)),
            "n_unpriced": sum(not one.unit_price for one in lines),
        }
    return render(request, "readiness/procurement.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("manage_budgets")
def prices(request: HttpRequest) -> HttpResponse:
    """Show and set unit prices."""
    province, offered = _province(request)
    form = PriceForm(request.POST or None, initial={"from_day": day_text(clock.today())})
    if request.method == "POST" and form.is_valid():
        try:
            operations.set_price(province=province, by=request.user, **form.cleaned_data)
        except (operations.ReadinessRefusal, operations.NotNow) as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect(request.get_full_path())
    rows = (
        Price.objects.filter(province=province) if province else Price.objects.filter(province__isnull=True)
    )
    context = {
        "tabs": parts.tabs(request),
        "form": form,
        "province": province,
        "offered": offered,
        "in_force": [
            {"price": one, "word": Item(one.item).label, "is_own": one.province_id is not None}
            for one in (
                reading.prices_on(clock.today(), province).values()
                if province
                else rows.filter(valid_to__isnull=True)
            )
        ],
        "past": rows.filter(valid_to__isnull=False)[:50],
    }
    return render(request, "readiness/prices.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("manage_budgets")
def budgets(request: HttpRequest) -> HttpResponse:
    """List the estimates, and begin one."""
    offered = parts.provinces_for(request.user, "manage_budgets")
    form = BudgetForm(request.POST or None, provinces=offered, initial={"year": clock.today().year + 1})
    if request.method == "POST" and form.is_valid():
        province = parts.province_for(request, form.cleaned_data["province"], "manage_budgets")
        facts = {name: form.cleaned_data[name] for name in ("year", "stream")}
        try:
            made = operations.begin_budget(
                cycle=parts.cycle_now(), province=province, by=request.user, **facts
            )
        except (operations.ReadinessRefusal, operations.NotNow) as refusal:
            parts.told(form, refusal)
        else:
            return redirect(reverse("readiness:budget", args=[made.pk]))
    page = parts.page_of(request, access.budgets_of(request.user).prefetch_related("lines"))
    context = {
        "tabs": parts.tabs(request),
        "form": form,
        "page": page,
        "rows": [
            {"budget": one, "state": words.budget_state(one), "total": reading.total_of(one.lines.all())}
            for one in page.object_list
        ],
        "is_national": len(offered) > 1,
    }
    return render(request, "readiness/budgets.html", context, status=422 if form.errors else 200)


def budget_for(request: HttpRequest, key: int) -> Budget:
    """Give an estimate of the person's provinces; refuse others."""
    found = Budget.objects.select_related("province", "cycle").filter(pk=key).first()
    if found is None:
        raise Http404
    access.demand_province(request.user, "manage_budgets", found.province)
    return found


@require_safe
@requires("manage_budgets")
def budget(request: HttpRequest, budget_id: int) -> HttpResponse:
    """Show an estimate."""
    return _page(request, budget_for(request, budget_id))


def _page(
    request: HttpRequest, found: Budget, line_form: Any = None, step_form: Any = None, status: int = 200
) -> HttpResponse:
    """Draw the page of an estimate."""
    lines = list(found.lines.select_related("school"))
    page = parts.page_of(request, lines)
    same = Budget.objects.filter(
        cycle=found.cycle, province=found.province, year=found.year, stream=found.stream
    )
    versions = list(same.order_by("-version"))
    context = {
        "budget": found,
        "state": words.budget_state(found),
        "page": page,
        "total": reading.total_of(lines),
        "by_section": reading.sums_by(lines, "section", dict(Section.choices)),
        "by_source": reading.sums_by(lines, "source", dict(Source.choices)),
        "sources": Source.choices,
        "steps": found.steps.select_related("by"),
        "versions": versions,
        "is_draft": found.state == Budget.State.DRAFT,
        "next_steps": [(one, STEP_BUTTONS[one]) for one in NEXT.get(Budget.State(found.state), ())],
        "may_version": versions[0].pk == found.pk and found.state != Budget.State.DRAFT,
        "line_form": line_form or LineForm(),
        "step_form": step_form or StepForm(),
        "version_form": VersionForm(),
    }
    return render(request, "readiness/budget.html", context, status=status)


def _went(request: HttpRequest, found: Budget) -> HttpResponse:
    """Go back to an estimate."""
    return redirect(reverse("readiness:budget", args=[found.pk]))


@require_POST
@requires("manage_budgets")
def fill(request: HttpRequest, budget_id: int) -> HttpResponse:
    """Draw the lines from the registers."""
    found = budget_for(request, budget_id)
    try:
        problems = operations.fill_budget(budget=found, by=request.user)
    except operations.NotNow as refusal:
        messages.error(request, f"{refusal.sentence} {refusal.hint}".strip())
    else:
        messages.success(request, _("The lines were drawn from the registers."))
        for one in problems:
            messages.warning(request, one)
    return _went(request, found)


@require_POST
@requires("manage_budgets")
def add_line(request: HttpRequest, budget_id: int) -> HttpResponse:
    """Add a line that is typed."""
    found = budget_for(request, budget_id)
    form = LineForm(request.POST)
    if form.is_valid():
        try:
            operations.add_line(budget=found, facts=form.facts(), by=request.user)
        except (operations.ReadinessRefusal, operations.NotNow) as refusal:
            parts.told(form, refusal)
        else:
            return _went(request, found)
    return _page(request, found, line_form=form, status=422)


def _line(found: Budget, key: int) -> BudgetLine:
    """Give a line of an estimate."""
    line = found.lines.select_related("budget__province").filter(pk=key).first()
    if line is None:
        raise Http404
    return line


@require_POST
@requires("manage_budgets")
def change_source(request: HttpRequest, budget_id: int, line_id: int) -> HttpResponse:
    """Say from where a line is paid."""
    found = budget_for(request, budget_id)
    try:
        operations.change_source(
            line=_line(found, line_id), source=request.POST.get("source", ""), by=request.user
        )
    except (operations.ReadinessRefusal, operations.NotNow) as refusal:
        messages.error(request, refusal.sentence)
    return _went(request, found)


@require_POST
@requires("manage_budgets")
def remove_line(request: HttpRequest, budget_id: int, line_id: int) -> HttpResponse:
    """Take a line out."""
    found = budget_for(request, budget_id)
    try:
        operations.remove_line(line=_line(found, line_id), by=request.user)
    except operations.NotNow as refusal:
        messages.error(request, refusal.sentence)
    return _went(request, found)


@require_POST
@requires("manage_budgets")
def move(request: HttpRequest, budget_id: int) -> HttpResponse:
    """Take an estimate a step on."""
    found = budget_for(request, budget_id)
    form = StepForm(request.POST)
    action = request.POST.get("action", "")
    if form.is_valid() and action in STEPS:
        try:
            operations.move_budget(budget=found, action=action, by=request.user, **form.cleaned_data)
        except (operations.ReadinessRefusal, operations.NotNow) as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return _went(request, found)
    return _page(request, found, step_form=form, status=422)


@require_POST
@requires("manage_budgets")
def further_version(request: HttpRequest, budget_id: int) -> HttpResponse:
    """Begin a further version."""
    found = budget_for(request, budget_id)
    try:
        made = operations.further_version(
            budget=found, change_note=request.POST.get("change_note", ""), by=request.user
        )
    except (operations.ReadinessRefusal, operations.NotNow) as refusal:
        messages.error(request, f"{refusal.sentence} {refusal.hint}".strip())
        return _went(request, found)
    return _went(request, made)
