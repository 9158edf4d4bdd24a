"""The steps that cannot be taken back: freeze, commit, draw; and verify, withdraw."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from dienrong.accounts.permissions import requires
from dienrong.core.refusals import Refusal
from dienrong.sampling import kept, operations, outputs, pages, queries, words
from dienrong.sampling.forms import CommitForm, DrawForm, WithdrawForm
from dienrong.sampling.models import Plan
from dienrong.sampling.numeric import designs, frames
from dienrong.sampling.operations.planning import read_frame
from dienrong.sampling.views.plans import plan_of


def _page(
    request: HttpRequest, plan: Plan, step: str, more: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """Draw the page of a step."""
    context = {**pages.plan_context(plan, step), **more}
    return render(request, f"sampling/{step}.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires("change_samples")
def freeze(request: HttpRequest, pk: int) -> HttpResponse:
    """Freeze the frame."""
    plan = plan_of(pk)
    if request.method == "POST":
        frame = operations.freeze_frame(plan=plan, by=request.user)
        messages.success(request, _("The frame is frozen: %(hash)s.") % {"hash": frame.hash})
        return redirect("sampling:commit", pk)
    more: dict[str, Any] = {"findings": [], "n_errors": 0}
    if not hasattr(plan, "frame") and kept.population_path(plan).exists():
        narrowed = frames.narrow(read_frame(kept.population_path(plan)), plan.excludes)
        more |= {"narrowed": narrowed, "has_numbers": bool(plan.design.get("n_schools"))}
        if more["has_numbers"]:
            try:
                totals = queries.official_totals(plan)
                findings, _checked = designs.findings_of(narrowed.frame, plan.design, totals=totals)
                more["findings"] = words.finding_rows(findings, plan.design.get("explicit") or [])
                more["n_errors"] = sum(one.severity == "error" for one in findings)
            except designs.PlanRefusedError as error:
                more |= {"check_refusal": str(error), "n_errors": 1}
    return _page(request, plan, "freeze", more)


@require_http_methods(["GET", "POST"])
@requires("change_samples")
def commit(request: HttpRequest, pk: int) -> HttpResponse:
    """Publish the commitment."""
    plan = plan_of(pk)
    form = CommitForm(request.POST or None, initial={"seen_at": plan.updated_at.isoformat()})
    if request.method == "POST" and form.is_valid():
        try:
            operations.commit_plan(
                plan=plan,
                source_name=form.cleaned_data["source_name"],
                source_due_at=form.due_at(),
                by=request.user,
                seen_at=form.cleaned_data["seen_at"],
            )
        except operations.TooEarly as refusal:
            form.add_error("due_day", f"{refusal.sentence} {refusal.hint}")
        except Refusal as refusal:
            form.add_error(None, f"{refusal.sentence} {refusal.hint}")
        else:
            messages.success(request, _("The commitment is published."))
            return redirect("sampling:draw", pk)
    more: dict[str, Any] = {"form": form, "facts": []}
    if hasattr(plan, "frame"):
        more["facts"] = outputs.design_facts(plan)
        strata, _refusal = pages.strata_rows(plan, pages.frame_table(plan))
        more["n_asked"] = sum(row["stratum"].n_schools or 0 for row in strata)
    return _page(request, plan, "commit", more, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@requires("draw_samples")
def draw(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter what was announced, and draw."""
    plan = plan_of(pk)
    form = DrawForm(request.POST or None, initial={"seen_at": plan.updated_at.isoformat()})
    if request.method == "POST" and form.is_valid():
        try:
            operations.draw_sample(
                plan=plan,
                source_text=form.cleaned_data["source_text"],
                witnesses=form.names(),
                by=request.user,
                seen_at=form.cleaned_data["seen_at"],
            )
        except operations.TooEarly as refusal:
            form.add_error(None, f"{refusal.sentence} {refusal.hint}")
        else:
            messages.success(request, _("The sample was drawn."))
            return redirect("sampling:plan", pk)
    return _page(request, plan, "draw", {"form": form}, status=422 if form.is_bound else 200)


@require_POST
@requires("change_samples")
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw a plan with its reason."""
    plan = plan_of(pk)
    form = WithdrawForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    operations.withdraw_plan(plan=plan, reason=reason, by=request.user)
    messages.success(request, _("The plan is withdrawn."))
    return redirect("sampling:plan", pk)


@require_POST
@requires("change_samples")
def copy(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a new draft from a plan."""
    made = operations.copy_plan(plan=plan_of(pk), title=request.POST.get("title", ""), by=request.user)
    messages.success(request, _("The new plan is a draft with everything that the earlier one says."))
    return redirect("sampling:plan", made.pk)


@require_POST
@requires("change_samples")
def verify(request: HttpRequest, pk: int) -> HttpResponse:
    """Repeat the draw from record and frame, and check the signature."""
    plan = plan_of(pk)
    if plan.state != Plan.State.DRAWN:
        return redirect("sampling:plan", pk)
    operations.demand_whole(plan)
    found = outputs.verification_of(plan)
    if found.is_repeated and found.is_signed:
        messages.success(
            request, _("Repeated bit for bit from record and frame; the signature belongs to the record.")
        )
    if not found.is_signed:
        messages.error(request, _("The signature does not belong to the record: its file was changed."))
    for sentence in found.findings:
        messages.error(request, sentence)
    return redirect("sampling:plan", pk)
