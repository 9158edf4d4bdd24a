"""Plans of the cycle: the list, a new one, one plan with its steps."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from dienrong.accounts.permissions import may, requires, scope_of
from dienrong.audit.queries import history_of
from dienrong.core import clock
from dienrong.core.formats import number_text
from dienrong.core.recording import action_word
from dienrong.core.refusals import Conflict
from dienrong.cycles.shell import cycle_of_request
from dienrong.registry.queries import newest_school_year
from dienrong.sampling import operations, outputs, pages, queries, signing, words
from dienrong.sampling.forms import PlanForm, WithdrawForm
from dienrong.sampling.models import Plan

ROWS_PER_PAGE = 30
HISTORY_ROWS = 50
TABS = ("what", "happened")
STEP_OF_SAMPLING = 5
"""The step of the 14 to which a sample belongs."""


def plan_of(pk: int) -> Plan:
    """Give a plan, or nothing at this address."""
    found = queries.plan_by_pk(pk)
    if found is None:
        raise Http404
    return found


@require_GET
@requires("view_samples")
def home(request: HttpRequest) -> HttpResponse:
    """List the plans of the cycle; a province sees those that are drawn, with its own schools."""
    cycle = cycle_of_request(request)
    may_change, scope = may(request.user, "change_samples"), scope_of(request.user)
    rows: Any = []
    if cycle is not None:
        rows = queries.plans_of(cycle) if may_change else queries.drawn_plans(cycle)
    page = Paginator(rows, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    counts = queries.sampled_counts(shown, scope)
    page.object_list = [_row(plan, counts, may_change=may_change) for plan in shown]
    context = {"cycle": cycle, "page": page, "may_change": may_change and cycle is not None}
    return render(request, "sampling/plans.html", context)


def _row(plan: Plan, counts: dict[int, int], *, may_change: bool) -> dict[str, Any]:
    """Give the row of a plan."""
    name = "sampling:plan" if may_change else "sampling:schools"
    return {
        "plan": plan,
        "population": outputs.population_title(plan),
        "state": pages.state_of(plan),
        "n_sampled": counts.get(plan.pk),
        "rules": str(words.RULES.get(plan.rules, plan.rules)),
        "url": reverse(name, args=[plan.pk]),
        "is_due": plan.state == Plan.State.COMMITTED and plan.draw.source_due_at <= clock.now(),
    }


@require_http_methods(["GET", "POST"])
@requires("change_samples")
def new(request: HttpRequest) -> HttpResponse:
    """Make a plan."""
    cycle = cycle_of_request(request)
    if cycle is None:
        raise Conflict(_("There is no cycle yet."), hint=_("Make the cycle first; a plan belongs to one."))
    today = clock.today()
    grade = cycle.grades.values_list("grade", flat=True).first()
    initial = {
        "population": Plan.Population.STUDENTS,
        "grade": grade,
        "phase": Plan.Phase.MAIN_SURVEY,
        "school_year": newest_school_year(today) or cycle.school_year,
        "frame_date": today,
        "within": Plan.Within.STUDENTS,
        "n_classes": 1,
        "n_booklets": 1,
    }
    form = PlanForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = operations.create_plan(
                cycle=cycle, new=operations.NewPlan(**form.values()), by=request.user
            )
        except Conflict as refusal:
            form.add_error("title", f"{refusal.sentence} {refusal.hint}")
        else:
            messages.success(request, _("The plan is saved. Choose where its schools come from."))
            return redirect("sampling:source", made.pk)
    status = 422 if form.is_bound else 200
    return render(request, "sampling/new.html", {"form": form, "cycle": cycle}, status=status)


@require_GET
@requires("view_samples")
def plan(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one plan: its steps, what is frozen, what happened."""
    found = plan_of(pk)
    if not may(request.user, "change_samples"):
        if found.state != Plan.State.DRAWN:
            raise Http404
        return redirect("sampling:schools", pk)
    tab = request.GET.get("tab", TABS[0])
    tab = tab if tab in TABS else TABS[0]
    address = reverse("sampling:plan", args=[pk])
    titles = {"what": _("What it is"), "happened": _("What happened")}
    draw = getattr(found, "draw", None)
    context = {
        **pages.plan_context(found),
        "population": outputs.population_title(found),
        "tab": tab,
        "tabs": [
            {"title": titles[name], "url": f"{address}?tab={name}", "is_current": name == tab}
            for name in TABS
        ],
        "history": _history(found) if tab == "happened" else (),
        "counts": queries.counts_of(draw) if draw is not None and draw.drawn_at else {},
        "fingerprint": signing.fingerprint(draw.public_key) if draw is not None and draw.public_key else "",
        "form": WithdrawForm(),
        "cycle_step": reverse("cycles:step", args=[found.cycle.slug, STEP_OF_SAMPLING]),
    }
    return render(request, "sampling/plan.html", context)


def _history(found: Plan) -> list[dict[str, Any]]:
    """Tell what happened to a plan, newest first."""
    return [
        {
            "at": entry.at,
            "who": entry.actor_name or _("the system"),
            "title": action_word(entry.action),
            "facts": _facts(entry.after),
        }
        for entry in history_of(kind="sampling.plan", key=str(found.pk))[:HISTORY_ROWS]
    ]


def _facts(after: Any) -> str:
    """Write what an entry tells in short."""
    if not isinstance(after, dict):
        return ""
    names = {
        "n_schools": _("schools: %(value)s"),
        "n_excluded": _("left out: %(value)s"),
        "hash": _("hash: %(value)s"),
        "commitment": _("commitment: %(value)s"),
        "source_text": _("announced: %(value)s"),
        "reason": _("reason: %(value)s"),
    }
    found = []
    for name, text in names.items():
        value = after.get(name)
        if value not in (None, "", {}) and not isinstance(value, dict):
            shown = number_text(value) if isinstance(value, int) else str(value)[:80]
            found.append(text % {"value": shown})
    return " · ".join(found)
