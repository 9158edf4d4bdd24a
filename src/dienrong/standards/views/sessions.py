"""Sessions: the list, a new one, one session with its rounds, its booklet and its item map."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dienrong.accounts import permissions
from dienrong.accounts.permissions import requires
from dienrong.audit.queries import history_of
from dienrong.core.recording import action_word
from dienrong.core.refusals import NotAllowed, Refusal
from dienrong.standards import operations, outputs, queries, sources, words
from dienrong.standards.documents import papers
from dienrong.standards.forms import CloseForm, NewSessionForm, NotesForm, PeopleForm, ReasonForm
from dienrong.standards.models import StandardSetting
from dienrong.standards.views import parts

ROWS_PER_PAGE = 30
HISTORY_ROWS = 200


@require_GET
@requires("view_standards")
def home(request: HttpRequest) -> HttpResponse:
    """List the sessions of the cycle."""
    cycle = parts.cycle_or_404(request)
    names = parts.subject_names(cycle)
    page = Paginator(queries.settings_of(cycle), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    page.object_list = [
        {
            "setting": one,
            "state": parts.state_of(one, one.n_rounds),
            "subject": parts.subject_title(one, names),
        }
        for one in page.object_list
    ]
    context = {
        "cycle": cycle,
        "page": page,
        "may_manage": permissions.may(request.user, "manage_standards"),
        "has_source": bool(sources.choices(cycle, request.user)),
    }
    return render(request, "standards/home.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("manage_standards")
def new(request: HttpRequest) -> HttpResponse:
    """Open a session."""
    cycle = parts.cycle_or_404(request)
    offered = [(one.key, one.title) for one in sources.choices(cycle, request.user)]
    form = NewSessionForm(request.POST or None, choices=offered)
    if request.method == "POST" and form.is_valid():
        try:
            setting = operations.open_session(cycle=cycle, new=form.session(), by=request.user)
        except operations.StandardRefusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The session is open. Next: who sits on the panel?"))
            return redirect(f"{reverse('standards:setting', args=[setting.pk])}?tab=chuyen-gia")
    context = {"cycle": cycle, "form": form, "has_source": bool(offered)}
    return render(request, "standards/new.html", context, status=422 if form.errors else 200)


@require_GET
@requires("view_standards")
def setting(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a session: what comes next, the panel, rounds and cuts, what happened."""
    found = parts.setting_or_404(pk)
    return page_of(request, found, request.GET.get("tab", "viec"))


def page_of(
    request: HttpRequest,
    found: StandardSetting,
    tab: str,
    *,
    forms: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Draw the page of a session at a tab."""
    tab = tab if tab in parts.TABS else "viec"
    rounds = queries.rounds_of(found)
    context = {
        "setting": found,
        "cycle": found.cycle,
        "subject": parts.subject_title(found),
        "levels": queries.levels_of(found),
        "rounds": rounds,
        "tab": tab,
        "tabs": parts.tabs(found, tab),
        "state": parts.state_of(found, len(rounds)),
        "may_manage": permissions.may(request.user, "manage_standards"),
        "may_adopt": permissions.may(request.user, "run_analysis"),
        "close_form": CloseForm(),
        "adopt_form": ReasonForm(prefix="adopt"),
        "withdraw_form": ReasonForm(prefix="withdraw"),
        "people_form": PeopleForm(),
    }
    context |= {"viec": _next, "chuyen-gia": _people, "ket-qua": _results, "lich-su": _history}[tab](found)
    return render(request, "standards/setting.html", context | (forms or {}), status=status)


def _next(found: StandardSetting) -> dict[str, Any]:
    """Give what the tab of next steps shows."""
    progress = queries.progress_of(found, queries.open_round_of(found))
    panels = [
        {"number": panel, "n": sum(one.panelist.panel == panel for one in progress)}
        for panel in range(1, found.n_panels + 1)
    ]
    return {
        "panels": panels,
        "advised": queries.ADVISED_JUDGES,
        "n_submitted": sum(one.state == "done" for one in progress),
        "n_waited": sum(one.panelist.revoked_at is None or one.state == "done" for one in progress),
        "waiting": [
            one.panelist for one in progress if one.state != "done" and one.panelist.revoked_at is None
        ],
        "n_items": len(queries.items_of(found)),
        "n_points": len(queries.booklet_of(found)),
        "n_notes": found.notes.count(),
        "last_round": queries.last_closed(found),
        "cuts": outputs.cut_rows(found),
        "few": outputs.few_judges(min((one["n_judges"] for one in found.result.get("cuts", ())), default=0)),
    }


def _people(found: StandardSetting) -> dict[str, Any]:
    """Give what the tab of panelists shows."""
    open_round = queries.open_round_of(found)
    rows = [
        {
            "progress": one,
            "form_word": str(words.FORM_WORDS[one.state]) if open_round else "",
            "link_word": str(words.LINK_WORDS[one.panelist.link_state]),
            "link_shape": words.LINK_SHAPES[one.panelist.link_state],
        }
        for one in queries.progress_of(found, open_round)
    ]
    return {
        "people": rows,
        "open_round": open_round,
        "may_seat": found.state in ("preparation", "open", "discussion"),
    }


def _results(found: StandardSetting) -> dict[str, Any]:
    """Give what the tab of rounds and cuts shows."""
    return {
        "cuts": outputs.cut_rows(found),
        "panel_rows": outputs.panel_rows(found),
        "impact": outputs.impact_figure(found.result.get("impact", ()), queries.levels_of(found)),
        "few": outputs.few_judges(min((one["n_judges"] for one in found.result.get("cuts", ())), default=0)),
    }


def _history(found: StandardSetting) -> dict[str, Any]:
    """Give what the tab of the history shows."""
    rows = history_of(kind="standards.setting", key=str(found.pk))[:HISTORY_ROWS]
    return {"events": [{"entry": row, "word": action_word(row.action)} for row in rows]}


@require_POST
@requires("view_standards")
def act(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """Carry out one step of a session; what is refused is said on the page of the session."""
    found = parts.setting_or_404(pk)
    steps = {
        "mo-vong": _open_round,
        "dong-vong": _close_round,
        "tinh-diem-cat": _compute,
        "thong-qua": _adopt,
        "rut-lai": _withdraw,
    }
    if action not in steps:
        raise Http404
    try:
        text = steps[action](request, found)
    except NotAllowed:
        raise
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, text)
    return redirect("standards:setting", found.pk)


def _open_round(request: HttpRequest, found: StandardSetting) -> str:
    """Open a round."""
    number = operations.open_round(setting=found, by=request.user).number
    return _("Round %(n)s is open. Panelists can fill in their forms now.") % {"n": number}


def _close_round(request: HttpRequest, found: StandardSetting) -> str:
    """Close the round."""
    form = CloseForm(request.POST)
    form.is_valid()
    closed = operations.close_round(
        setting=found,
        leave_out=form.cleaned_data.get("leave_out", False),
        remark=form.cleaned_data.get("remark", ""),
        by=request.user,
    )
    return _("Round %(n)s is closed. Panelists see their feedback now.") % {"n": closed.number}


def _compute(request: HttpRequest, found: StandardSetting) -> str:
    """Compute the cuts."""
    operations.compute_cuts(setting=found, by=request.user)
    return _("The cuts are computed and kept with their lineage. They hold once a person adopts them.")


def _adopt(request: HttpRequest, found: StandardSetting) -> str:
    """Adopt the cuts."""
    reason = request.POST.get("adopt-reason", "")
    operations.adopt_cuts(setting=found, reason=reason, by=request.user)
    return _("The cuts are adopted.")


def _withdraw(request: HttpRequest, found: StandardSetting) -> str:
    """Withdraw the session."""
    reason = request.POST.get("withdraw-reason", "")
    operations.withdraw_session(setting=found, reason=reason, by=request.user)
    return _("The session is withdrawn.")


@require_GET
@requires("view_standards")
def round_page(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Show what came of a closed round: where panelists stand, items in dispute, shares of students."""
    found = parts.setting_or_404(pk)
    judging_round = found.rounds.filter(number=number, closed_at__isnull=False).first()
    if judging_round is None:
        raise Http404
    asked = request.GET.get("nhom", "")
    panel = (
        int(asked) if asked in ("1", "2") and int(asked) <= found.n_panels and found.n_panels > 1 else None
    )
    url = reverse("standards:round", args=[found.pk, number])
    chips = [{"title": _("All panelists"), "url": url, "is_current": panel is None}]
    chips += [
        {"title": _("Panel %(n)s") % {"n": one}, "url": f"{url}?nhom={one}", "is_current": panel == one}
        for one in range(1, found.n_panels + 1)
    ]
    context = {
        "setting": found,
        "round": judging_round,
        "pages": outputs.round_pages(found, judging_round, panel=panel),
        "panel_chips": chips if found.n_panels > 1 else [],
    }
    return render(request, "standards/round.html", context)


@require_GET
@requires("view_standards")
def booklet(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the ordered item booklet."""
    found = parts.setting_or_404(pk)
    context = {
        "setting": found,
        "rows": outputs.booklet_rows(found),
        "may_manage": permissions.may(request.user, "manage_standards") and not found.is_over,
    }
    return render(request, "standards/booklet.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("manage_standards")
def describe(request: HttpRequest, pk: int) -> HttpResponse:
    """Write what each item asks."""
    found = parts.setting_or_404(pk)
    notes = queries.notes_of(found)
    start = "\n".join(f"{one.item}; {notes.get(one.item, '')}" for one in queries.items_of(found))
    form = NotesForm(request.POST or None, initial={"texts": start})
    if request.method == "POST" and form.is_valid():
        try:
            n = operations.describe_items(setting=found, texts=form.texts_read(), by=request.user)
        except operations.StandardRefusal as refusal:
            form.add_error("texts", str(refusal))
        else:
            messages.success(request, _("%(n)s items are described.") % {"n": n})
            return redirect("standards:booklet", found.pk)
    context = {"setting": found, "form": form}
    return render(request, "standards/describe.html", context, status=422 if form.errors else 200)


@require_GET
@requires("view_standards")
def item_map(request: HttpRequest, pk: int) -> HttpResponse:
    """Show every score point at RP62 on the reporting scale, level by level."""
    found = parts.setting_or_404(pk)
    rows = papers.map_rows(found)
    levels = queries.levels_of(found)
    groups = [
        {"level": level, "rows": [row for row in rows if row["level"] == level]} for level in reversed(levels)
    ]
    groups.append({"level": None, "rows": [row for row in rows if row["level"] is None]})
    has_cuts = any(level.scale is not None for level in levels)
    return render(
        request, "standards/item_map.html", {"setting": found, "groups": groups, "has_cuts": has_cuts}
    )
