"""The board of a cycle and the pages of its steps."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from dienrong.accounts import permissions
from dienrong.accounts.models import Role
from dienrong.audit.queries import history_of
from dienrong.core import clock
from dienrong.core.recording import action_word
from dienrong.cycles import board as board_parts
from dienrong.cycles import operations, queries, words
from dienrong.cycles.forms import StepForm, cleaned_seen_at
from dienrong.cycles.models import Cycle, CycleStep
from dienrong.cycles.shell import cycle_of_request

TABS = ("what", "happened", "lineage")
HISTORY_ROWS = 100


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Open on the board of the newest cycle; the public opens on the published reports."""
    cycle = cycle_of_request(request)
    if cycle is not None and permissions.may_view_cycle(request.user):
        return _board(request, cycle)
    context = {"reports": board_parts.public_reports(), "has_cycle": cycle is not None}
    return render(request, "cycles/welcome.html", context)


@require_GET
@permissions.requires("view_cycle")
def board(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the board of one cycle."""
    return _board(request, _cycle(request))


def _board(request: HttpRequest, cycle: Cycle) -> HttpResponse:
    """Draw today's cards, the main results and the 14 steps."""
    today = clock.today()
    steps = queries.steps_of(cycle)
    for step in steps:
        step.url = reverse("cycles:step", args=[cycle.slug, step.number])
        step.owner_title = role_title(step.owner_role)
        step.is_late = step.state != CycleStep.State.DONE and step.due_date < today
    results = board_parts.headlines_for(request.user, cycle)
    context = {
        "cycle": cycle,
        "steps": steps,
        "progress": queries.progress_of(steps, today),
        "next_step": next((step for step in steps if step.state != CycleStep.State.DONE), None),
        "cards": board_parts.cards_for(request.user, cycle),
        "headlines": results.rows if results else (),
        "report_url": results.report_url if results else "",
    }
    return render(request, "cycles/board.html", context)


@require_GET
@permissions.requires("view_cycle")
def step(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Show one step: what it is, what happened, what stands behind it."""
    return _step_page(request, *_step(request, number))


@require_POST
@permissions.requires("change_cycle")
def change_step(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Set the state of a step."""
    cycle, found = _step(request, number)
    form = StepForm(request.POST)
    if not form.is_valid():
        return _step_page(request, cycle, found, form=form, status=422)
    operations.change_step(
        step=found,
        state=form.cleaned_data["state"],
        note=form.cleaned_data["note"],
        by=request.user,
        seen_at=cleaned_seen_at(form),
    )
    messages.success(request, _("The state of step %(number)d is saved.") % {"number": number})
    return redirect("cycles:step", cycle.slug, number)


def _step_page(
    request: HttpRequest, cycle: Cycle, found: CycleStep, *, form: StepForm | None = None, status: int = 200
) -> HttpResponse:
    """Draw the page of a step with the tab that the address names."""
    tab = request.GET.get("tab", TABS[0])
    tab = tab if tab in TABS else TABS[0]
    address = reverse("cycles:step", args=[cycle.slug, found.number])
    titles = {"what": _("What it is"), "happened": _("What happened"), "lineage": _("What stands behind it")}
    context = {
        "cycle": cycle,
        "step": found,
        "tab": tab,
        "tabs": [
            {"title": titles[name], "url": f"{address}?tab={name}", "is_current": name == tab}
            for name in TABS
        ],
        "owner_title": role_title(found.owner_role),
        "is_late": found.state != CycleStep.State.DONE and found.due_date < clock.today(),
        "may_change": permissions.may_change_cycle(request.user),
        "may_open": permissions.may(request.user, "view_artefacts"),
        "form": form or StepForm.of(found),
        "artefacts": _artefacts(found) if tab == "lineage" else (),
        "history": _history(found) if tab == "happened" else (),
    }
    return render(request, "cycles/step.html", context, status=status)


def _artefacts(found: CycleStep) -> list[Any]:
    """List what stands behind a step, each with its words."""
    rows = queries.artefacts_behind(found)
    for row in rows:
        row.stage_title = words.stage_title(row.stage)
        row.role_title = words.role_title(row.role)
    order = list(words.STAGES)
    return sorted(rows, key=lambda row: (row.grade or 0, order.index(row.stage), row.role))


def _history(found: CycleStep) -> list[dict[str, Any]]:
    """Tell what happened to a step, newest first."""
    return [
        {
            "at": entry.at,
            "who": entry.actor_name or _("the system"),
            "title": action_word(entry.action),
            "before": _state_words(entry.before),
            "after": _state_words(entry.after),
        }
        for entry in history_of(kind="cycles.cyclestep", key=str(found.pk))[:HISTORY_ROWS]
    ]


def _state_words(facts: Any) -> str:
    """Write the audited facts of a step as words."""
    if not isinstance(facts, dict):
        return "–"
    state = dict(CycleStep.State.choices).get(facts.get("state", ""), "")
    return " · ".join(str(part) for part in (state, facts.get("note")) if part) or "–"


def role_title(role: str) -> str:
    """Name a role in the reader's language."""
    return str(dict(Role.choices).get(role, role))


def _cycle(request: HttpRequest) -> Cycle:
    """Give the cycle of the address."""
    cycle = cycle_of_request(request)
    if cycle is None:
        raise Http404
    return cycle


def _step(request: HttpRequest, number: int) -> tuple[Cycle, CycleStep]:
    """Give the cycle and the step of the address."""
    cycle = _cycle(request)
    found = queries.step_of(cycle, number)
    if found is None:
        raise Http404
    return cycle, found
