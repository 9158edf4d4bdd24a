"""Pages of batches of mergers: the list, a batch with its preview, a line after the other, apply and undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dienrong.accounts.permissions import demand_unit, requires, scope_of
from dienrong.audit.queries import history_of
from dienrong.core import clock
from dienrong.core.formats import day_text
from dienrong.core.recording import action_word
from dienrong.core.refusals import NotAllowed, Refusal
from dienrong.registry import operations, queries
from dienrong.registry.forms import BatchForm
from dienrong.registry.models import MergerBatch, MergerLine

TABS = ("lines", "preview", "happened")
LINES_SHOWN = 200


@require_GET
@requires("apply_mergers")
def batches(request: HttpRequest) -> HttpResponse:
    """List the batches of the reader's provinces with their states."""
    rows = list(queries.batches_in(scope_of(request.user))[:LINES_SHOWN])
    columns = [
        {"state": state, "title": word, "rows": [row for row in rows if row.state == state]}
        for state, word in MergerBatch.State.choices
    ]
    return render(request, "registry/batches.html", {"rows": rows, "columns": columns})


@require_http_methods(["GET", "POST"])
@requires("apply_mergers")
def new_batch(request: HttpRequest) -> HttpResponse:
    """Write down a new batch."""
    provinces = queries.provinces_in(scope_of(request.user), clock.today())
    form = BatchForm(request.POST or None, provinces=provinces)
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        province = form.units[values.pop("province")]
        batch = operations.plan_batch(province, (), **values, by=request.user)
        messages.success(request, _("The batch is written down. Add its lines now."))
        return redirect("registry:add_line", batch.pk)
    status = 422 if form.is_bound else 200
    return render(request, "registry/batch_new.html", {"form": form}, status=status)


@require_GET
@requires("apply_mergers")
def batch(request: HttpRequest, key: int) -> HttpResponse:
    """Show a batch: its lines, what it would change, what happened."""
    found = batch_of_address(request, key)
    is_written = found.state in (MergerBatch.State.APPLIED, MergerBatch.State.ACCEPTED)
    tab = request.GET.get("tab") or ("lines" if is_written else "preview")
    tab = tab if tab in TABS else TABS[0]
    address = reverse("registry:batch", args=[key])
    titles = {"lines": _("Lines"), "preview": _("What it changes"), "happened": _("What happened")}
    plan = queries.preview_batch(found) if not is_written else None
    context = {
        "batch": found,
        "is_written": is_written,
        "is_accepted": found.state == MergerBatch.State.ACCEPTED,
        "is_due": found.effective_date <= clock.today(),
        "tab": tab,
        "tabs": [
            {"title": titles[name], "url": f"{address}?tab={name}", "is_current": name == tab}
            for name in TABS
        ],
        "plan": plan,
        "may_apply": bool(plan and plan.lines and not plan.problems),
        "lines": _lines(found, plan) if tab == "lines" else [],
        "n_shown": LINES_SHOWN,
        "entries": _entries(found) if tab == "happened" else [],
    }
    return render(request, "registry/batch.html", context)


@require_POST
@requires("apply_mergers")
def apply_batch(request: HttpRequest, key: int) -> HttpResponse:
    """Apply a batch, or accept it for its day where that has not come."""
    found = batch_of_address(request, key)
    done = _("The batch is applied; it can be undone as one step.")
    if found.effective_date > clock.today():
        done = _(
            "The batch is accepted for %(day)s; until then the schools stay what they are, and it can be taken back."
        ) % {"day": day_text(found.effective_date)}
    return _act(request, found, operations.apply_batch, done)


@require_POST
@requires("apply_mergers")
def let_take_effect(request: HttpRequest, key: int) -> HttpResponse:
    """Let a batch take effect whose day has come, where the night has not done so yet."""
    found = batch_of_address(request, key)
    done = _("The batch has taken effect; every school is what it decides.")
    return _act(request, found, operations.let_take_effect, done)


@require_POST
@requires("apply_mergers")
def undo_batch(request: HttpRequest, key: int) -> HttpResponse:
    """Undo a batch."""
    found = batch_of_address(request, key)
    return _act(request, found, operations.undo_batch, _("The batch is undone; every school is what it was."))


@require_POST
@requires("apply_mergers")
def remove_batch(request: HttpRequest, key: int) -> HttpResponse:
    """Throw a draft away."""
    operations.remove_batch(batch=batch_of_address(request, key), by=request.user)
    messages.success(request, _("The draft is thrown away."))
    return redirect("registry:batches")


def _act(request: HttpRequest, found: MergerBatch, act: Callable[..., Any], done: str) -> HttpResponse:
    """Apply or undo, and show a refusal on the page of the batch."""
    try:
        act(batch=found, by=request.user)
    except NotAllowed:
        raise
    except Refusal as refusal:
        messages.error(request, f"{refusal.sentence} {refusal.hint}".strip())
    else:
        messages.success(request, done)
    return redirect("registry:batch", found.pk)


def batch_of_address(request: HttpRequest, key: int) -> MergerBatch:
    """Give the batch of the address; refuse a stranger."""
    found = queries.batch_by_key(key)
    if found is None:
        raise Http404
    demand_unit(request.user, found.province.code)
    return found


def _lines(found: MergerBatch, plan: queries.BatchPlan | None) -> list[dict[str, Any]]:
    """Give the lines with the names of their schools: as planned, or as they were applied."""
    words = dict(MergerLine.Kind.choices)
    if plan is not None:
        return [
            {
                "number": planned.line.line_number,
                "kind": words.get(planned.line.kind, planned.line.kind),
                "before": [(school.school_id, school.name) for school in planned.predecessors]
                or [(code, "") for code in planned.line.predecessor_codes],
                "after": planned.after,
                "problems": planned.problems,
            }
            for planned in plan.lines[:LINES_SHOWN]
        ]
    events = found.events.filter(state="applied").prefetch_related(
        "successions__predecessor", "successions__successor"
    )
    return [
        {
            "number": event.line_number,
            "kind": event.get_kind_display(),
            "before": list(
                dict.fromkeys(
                    (part.predecessor.school_id, part.predecessor.name)
                    for part in event.successions.all()
                    if part.predecessor
                )
            ),
            "after": [(event.new_code, event.new_name, False)]
            if event.new_code
            else [
                (part.successor.school_id, part.successor.name, False)
                for part in event.successions.all()
                if part.successor
            ],
            "problems": (),
        }
        for event in events.order_by("line_number")[:LINES_SHOWN]
    ]


def _entries(found: MergerBatch) -> list[dict[str, Any]]:
    """Tell what happened to a batch, the last first."""
    return [
        {"title": action_word(entry.action), "at": entry.at, "who": entry.actor_name or _("the system")}
        for entry in history_of(kind="registry.mergerbatch", key=str(found.pk))[:LINES_SHOWN]
    ]
