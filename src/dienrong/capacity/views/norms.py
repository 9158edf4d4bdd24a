"""Required against available capacity of a cycle, its allowances, and the norms behind both."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from dienrong.accounts import permissions
from dienrong.accounts.permissions import requires
from dienrong.capacity import operations
from dienrong.capacity.forms import AllowanceForm, NormForm
from dienrong.capacity.models import AllowanceNorm
from dienrong.capacity.operations import NormFacts
from dienrong.capacity.queries import access, planning
from dienrong.capacity.queries.counting import CannotCount
from dienrong.capacity.views import parts
from dienrong.core import clock
from dienrong.core.refusals import Conflict, Refusal
from dienrong.cycles.models import Cycle
from dienrong.cycles.queries import all_cycles, current_cycle, cycle_by_slug
from dienrong.rosters import workbooks


def _cycle(request: HttpRequest) -> Cycle:
    """Give the cycle of the address; the newest where none is named."""
    slug = request.GET.get("ky", "")
    found = cycle_by_slug(slug) if slug else current_cycle()
    if found is None:
        raise Http404
    return found


def _needs(request: HttpRequest, cycle: Cycle) -> list[planning.Need]:
    """Give the needs of a cycle in the person's provinces."""
    scope = access.scope_of(request.user, "change_training")
    return planning.capacity_of(cycle, clock.today(), None if scope.is_national else scope.provinces)


@require_safe
@requires("change_training")
def capacity(request: HttpRequest) -> HttpResponse:
    """Show required against available people by province, and what they would be paid."""
    cycle = _cycle(request)
    context: dict[str, Any] = {
        "tabs": parts.tabs(request),
        "cycle": cycle,
        "cycles": all_cycles(),
        "day": clock.today(),
        "may_set": permissions.may(request.user, "change_norms"),
    }
    try:
        rows = _needs(request, cycle)
    except CannotCount as refusal:
        context["refusal"] = refusal
    else:
        sums = planning.totals(rows)
        context |= {"rows": rows, "totals": sums, "amount": sum((one["amount"] for one in sums), Decimal(0))}
    return render(request, "capacity/capacity.html", context)


@require_safe
@requires("change_training")
def capacity_file(request: HttpRequest) -> HttpResponse:
    """Give required against available people as Excel."""
    cycle = _cycle(request)
    rows = _needs(request, cycle)
    columns = (
        _("Province"), _("Which staff"), _("Needed"), _("In the register"), _("Certified"), _("Missing"), _("Paid days"),
        _("Dong a day"), _("Amount, dong"),
    )  # fmt: skip
    cells = [
        (
            one.province_name, one.kind_word, one.n_needed, one.n_people, one.n_certified, one.n_missing,
            _plain(one.person_days), one.allowance if one.allowance is not None else "", _plain(one.amount),
        )
        for one in rows
    ]  # fmt: skip
    data = workbooks.class_list(
        title=f"{_('Needed and available people')} · {cycle.name}",
        source=_("As of %(day)s; norms of the cycle, certificates in force.")
        % {"day": f"{clock.today():%d/%m/%Y}"},
        columns=columns,
        rows=cells,
    )
    return parts.file(data, f"nhu-cau-{cycle.slug}.xlsx", parts.EXCEL)


def _plain(value: Decimal | None) -> int | str:
    """Give a whole number as such; a fraction as text, nothing as nothing."""
    if value is None:
        return ""
    return int(value) if value == value.to_integral_value() else f"{value.normalize():f}".replace(".", ",")


@require_safe
@requires("change_training")
def norms(request: HttpRequest) -> HttpResponse:
    """Show the norms of a cycle and the allowances of today."""
    return _norms_page(request, NormForm(), AllowanceForm(initial={"from_day": clock.today()}))


def _norms_page(request: HttpRequest, norm_form: Any, allowance_form: Any, status: int = 200) -> HttpResponse:
    """Draw the page of the norms."""
    context = {
        "tabs": parts.tabs(request),
        "cycle": current_cycle(),
        "norms": planning.norms_of(current_cycle()).values(),
        "allowances": planning.allowances_on(clock.today()).values(),
        "past": AllowanceNorm.objects.filter(valid_to__isnull=False),
        "norm_form": norm_form,
        "allowance_form": allowance_form,
        "may_set": permissions.may(request.user, "change_norms"),
    }
    return render(request, "capacity/norms.html", context, status=status)


@require_POST
@requires("change_norms")
def set_norm(request: HttpRequest) -> HttpResponse:
    """Set a staff norm, for all cycles that have none of their own."""
    form = NormForm(request.POST)
    if form.is_valid():
        values = dict(form.cleaned_data)
        values["n_days"] = Decimal(str(values["n_days"])).quantize(Decimal("0.1"))
        try:
            operations.set_norm(facts=NormFacts(**values), by=request.user)
        except (operations.CapacityRefusal, Conflict) as refusal:
            parts.told(form, refusal)
        else:
            return _saved(request)
    return _norms_page(request, form, AllowanceForm(initial={"from_day": clock.today()}), 422)


@require_POST
@requires("change_norms")
def set_allowance(request: HttpRequest) -> HttpResponse:
    """Set an allowance norm."""
    form = AllowanceForm(request.POST)
    if form.is_valid():
        try:
            operations.set_allowance(by=request.user, **form.cleaned_data)
        except Refusal as refusal:
            parts.told(form, refusal)
        else:
            return _saved(request)
    return _norms_page(request, NormForm(), form, 422)


def _saved(request: HttpRequest) -> HttpResponse:
    """Go back to the norms."""
    messages.success(request, _("Saved."))
    return redirect(reverse("capacity:norms"))
