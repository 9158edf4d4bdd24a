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
from dienrong.core.recording import action_word
from dienrong.core.refusals import NotAllowed, Refusal
from dienrong.core.text import clean_text
from dienrong.registry import operations, queries
from dienrong.registry.forms import BatchForm, LineForm
from dienrong.registry.models import MergerBatch, MergerLine, School
from dienrong.registry.queries import Line
from dienrong.registry.queries.schools import SchoolFilter

TABS = ("lines", "preview", "happened")
LINES_SHOWN = 200
FOUND = 20
MOST_CHOSEN = 12


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
    found = _batch(request, key)
    tab = request.GET.get("tab") or ("lines" if found.state == MergerBatch.State.APPLIED else "preview")
    tab = tab if tab in TABS else TABS[0]
    address = reverse("registry:batch", args=[key])
    titles = {"lines": _("Lines"), "preview": _("What it changes"), "happened": _("What happened")}
    is_applied = found.state == MergerBatch.State.APPLIED
    plan = queries.preview_batch(found) if not is_applied else None
    context = {
        "batch": found,
        "is_applied": is_applied,
        "is_due": found.effective_date <= clock.today(),
        "tab": tab,
        "tabs": [
            {"title": titles[name], "url": f"{address}?tab={name}", "is_current": name == tab}
            for name in TABS
        ],
        "plan": plan,
        "may_apply": bool(
            plan and plan.lines and not plan.problems and found.effective_date <= clock.today()
        ),
        "lines": _lines(found, plan) if tab == "lines" else [],
        "n_shown": LINES_SHOWN,
        "entries": _entries(found) if tab == "happened" else [],
    }
    return render(request, "registry/batch.html", context)


@require_http_methods(["GET", "POST"])
@requires("apply_mergers")
def add_line(request: HttpRequest, key: int) -> HttpResponse:
    """Add a line: choose schools by searching, then say what becomes of them."""
    found = _batch(request, key)
    chosen = _chosen(request, found)
    communes = queries.communes_in(scope_of(request.user), clock.today(), found.province.code)
    form = LineForm(request.POST or None, schools=chosen, communes=communes)
    if request.method == "POST" and form.is_valid():
        operations.add_line(batch=found, line=_line(form.cleaned_data, chosen), by=request.user)
        messages.success(request, _("The line is added."))
        return redirect("registry:add_line", key)
    words = request.GET.get("q", "").strip()[:80]
    narrowed = SchoolFilter(search=words, province_code=found.province.code)
    matches = queries.find_schools(scope_of(request.user), narrowed)[: FOUND + 1] if words else None
    rows = queries.rows_of(matches) if matches is not None else []
    context = {
        "batch": found,
        "chosen": chosen,
        "form": form,
        "words": words,
        "rows": [row for row in rows[:FOUND] if row.school_id not in {school.school_id for school in chosen}],
        "is_cut": len(rows) > FOUND,
        "is_full": len(chosen) >= MOST_CHOSEN,
        "n_lines": found.lines.count(),
    }
    return render(request, "registry/line_new.html", context, status=422 if form.is_bound else 200)


@require_POST
@requires("apply_mergers")
def remove_line(request: HttpRequest, key: int, number: int) -> HttpResponse:
    """Take a line out."""
    operations.remove_line(batch=_batch(request, key), line_number=number, by=request.user)
    messages.success(request, _("Line %(n)d is taken out.") % {"n": number})
    return redirect(f"{reverse('registry:batch', args=[key])}?tab=lines")


@require_POST
@requires("apply_mergers")
def apply_batch(request: HttpRequest, key: int) -> HttpResponse:
    """Apply a batch."""
    return _act(
        request, key, operations.apply_batch, _("The batch is applied; it can be undone as one step.")
    )


@require_POST
@requires("apply_mergers")
def undo_batch(request: HttpRequest, key: int) -> HttpResponse:
    """Undo a batch."""
    return _act(request, key, operations.undo_batch, _("The batch is undone; every school is what it was."))


@require_POST
@requires("apply_mergers")
def remove_batch(request: HttpRequest, key: int) -> HttpResponse:
    """Throw a draft away."""
    operations.remove_batch(batch=_batch(request, key), by=request.user)
    messages.success(request, _("The draft is thrown away."))
    return redirect("registry:batches")


def _act(request: HttpRequest, key: int, act: Callable[..., Any], done: str) -> HttpResponse:
    """Apply or undo, and show a refusal on the page of the batch."""
    found = _batch(request, key)
    try:
        act(batch=found, by=request.user)
    except NotAllowed:
        raise
    except Refusal as refusal:
        messages.error(request, f"{refusal.sentence} {refusal.hint}".strip())
    else:
        messages.success(request, done)
    return redirect("registry:batch", key)


def _batch(request: HttpRequest, key: int) -> MergerBatch:
    """Give the batch of the address; refuse a stranger."""
    found = queries.batch_by_key(key)
    if found is None:
        raise Http404
    demand_unit(request.user, found.province.code)
    return found


def _chosen(request: HttpRequest, found: MergerBatch) -> list[School]:
    """Give the schools that were chosen so far, in the order of choosing; those of the province alone."""
    codes = list(dict.fromkeys((request.POST or request.GET).getlist("chosen")))[:MOST_CHOSEN]
    schools = {
        school.school_id: school
        for school in queries.schools_in(scope_of(request.user), province_code=found.province.code)
        .prefetch_related(None)
        .filter(school_id__in=codes)
    }
    return [schools[code] for code in codes if code in schools]


def _line(values: dict[str, Any], chosen: list[School]) -> Line:
    """Make the line of what was filled in."""
    is_new = values["successor"] == LineForm.NEW_SCHOOL
    kind, code = values["kind"], values["successor"]
    if is_new or kind == MergerLine.Kind.RECODE:
        code = values["new_code"]
    elif kind != MergerLine.Kind.MERGE:
        code = ""
    return Line(
        line_number=0,
        kind=kind,
        predecessor_codes=tuple(school.school_id for school in chosen),
        successor_code=clean_text(code),
        successor_name="" if kind == MergerLine.Kind.CLOSE else clean_text(values["new_name"]),
        commune_code=values["commune"],
    )


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
                "code": planned.code_after,
                "name": planned.name_after,
                "is_new": planned.makes_school,
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
            "before": [
                (part.predecessor.school_id, part.predecessor.name) for part in event.successions.all()
            ],
            "code": event.new_code,
            "name": event.new_name,
            "is_new": False,
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
