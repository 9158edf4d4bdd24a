"""Pages of the register of risks."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from dienrong.accounts.permissions import requires
from dienrong.followup import operations
from dienrong.followup.forms import RiskForm, RiskStateForm
from dienrong.followup.models import Plan
from dienrong.followup.operations import RiskFacts
from dienrong.followup.views import parts

FACTS = ("title", "cause", "likelihood", "impact", "prevention", "fallback", "owner", "review_on")


def _register(plan: Plan) -> str:
    """Give the address of the register of a plan."""
    return reverse("followup:plan", args=[plan.pk]) + "?tab=rui-ro"


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_tasks")
def add(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Add a risk."""
    plan = parts.own_plan(request, plan_id)
    form = RiskForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        facts = RiskFacts(**form.cleaned_data)
        if parts.tried(form, lambda: operations.add_risk(plan=plan, facts=facts, by=request.user)):
            messages.success(request, _("The risk is in the register."))
            return redirect(_register(plan))
    return parts.form_page(
        request, form, title=_("New risk"), button=_("Add"), back=_register(plan), lead=plan.title
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_tasks")
def change(request: HttpRequest, risk_id: int) -> HttpResponse:
    """Change a risk."""
    found = parts.own_risk(request, risk_id)
    form = RiskForm(request.POST or None, initial={name: getattr(found, name) for name in FACTS})
    if request.method == "POST" and form.is_valid():
        facts = RiskFacts(**form.cleaned_data)
        if parts.tried(form, lambda: operations.change_risk(risk=found, facts=facts, by=request.user)):
            messages.success(request, _("Saved."))
            return redirect(_register(found.plan))
    back = _register(found.plan)
    return parts.form_page(
        request, form, title=_("Change the risk"), button=_("Save"), back=back, lead=found.title
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_tasks")
def set_state(request: HttpRequest, risk_id: int) -> HttpResponse:
    """Say what became of a risk."""
    found = parts.own_risk(request, risk_id)
    form = RiskStateForm(request.POST or None, initial={"state": found.state})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        if parts.tried(form, lambda: operations.set_risk_state(risk=found, by=request.user, **values)):
            messages.success(request, _("Saved."))
            return redirect(_register(found.plan))
    back = _register(found.plan)
    return parts.form_page(
        request, form, title=_("What became of the risk"), button=_("Save"), back=back, lead=found.title
    )
