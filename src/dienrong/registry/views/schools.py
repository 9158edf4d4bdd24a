"""Pages of schools: a list within the reader's scope, and one school with what it is, what happened, its lineage."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from dienrong.accounts.permissions import Scope, demand_unit, may, requires, scope_of
from dienrong.audit.queries import history_of
from dienrong.core import clock
from dienrong.core.days import read_day
from dienrong.core.formats import day_text, number_text
from dienrong.core.recording import action_word
from dienrong.registry import numeric, operations, queries
from dienrong.registry.columns import LEVELS
from dienrong.registry.models import School, SchoolEvent, SchoolTraits
from dienrong.registry.queries.schools import STATES, SchoolFilter

ROWS_PER_PAGE = 50
TABS = ("what", "happened", "lineage")
HISTORY_ROWS = 50
MOVING = (SchoolEvent.Kind.MERGE, SchoolEvent.Kind.SPLIT)
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_GET
@requires("view_schools")
def schools(request: HttpRequest) -> HttpResponse:
    """List the schools of the reader's scope."""
    scope, today = scope_of(request.user), clock.today()
    narrowed = read_filter(request)
    provinces = queries.provinces_in(scope, today)
    chosen = narrowed.province_code or (provinces[0].code if len(provinces) == 1 else "")
    page = Paginator(queries.find_schools(scope, narrowed), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    n_schools = page.paginator.count
    page.object_list = queries.rows_of(page.object_list)
    context = {
        "page": page,
        "provinces": provinces,
        "communes": queries.communes_in(scope, today, chosen),
        "filters": narrowed,
        "day": narrowed.day or today,
        "is_today": narrowed.day in (None, today),
        "levels": LEVELS,
        "kinds": SchoolTraits.Kind.choices,
        "states": state_words(),
        "may_merge": may(request.user, "apply_mergers"),
        "may_open": may(request.user, "change_schools"),
        "scope_sentence": ngettext("%(n)s school in your charge", "%(n)s schools in your charge", n_schools)
        % {"n": number_text(n_schools)},
    }
    return render(request, "registry/schools.html", context)


@require_GET
@requires("view_schools")
def schools_file(request: HttpRequest) -> HttpResponse:
    """Give the filtered list as an Excel file."""
    scope, narrowed = scope_of(request.user), read_filter(request)
    rows = queries.rows_of(queries.find_schools(scope, narrowed))
    day = narrowed.day or clock.today()
    titles = (
        _("Code"), _("School"), _("Levels"), _("Kind of school"), _("Commune"), _("Province"), _("Area"),
        _("Disadvantaged area"), _("State"), _("Pupils"),
    )  # fmt: skip
    words = {True: _("open"), False: _("closed")}
    cells = (
        (
            row.school_id, row.name, row.levels, row.kind, row.commune, row.province, row.area,
            _("yes") if row.is_disadvantaged else _("no"), words[row.is_open], row.n_students,
        )
        for row in rows
    )  # fmt: skip
    title = _("Schools on %(day)s") % {"day": day_text(day)}
    response = HttpResponse(numeric.table_file(title, titles, cells), content_type=EXCEL)
    response["Content-Disposition"] = f'attachment; filename="truong-{day.isoformat()}.xlsx"'
    return response


def read_filter(request: HttpRequest) -> SchoolFilter:
    """Read what narrows the list from the address."""
    given = {
        name: request.GET.get(name, "").strip()[:80]
        for name in ("q", "province", "commune", "level", "kind", "state", "day")
    }
    return SchoolFilter(
        search=given["q"],
        province_code=given["province"],
        commune_code=given["commune"],
        level=given["level"] if given["level"] in LEVELS else "",
        kind=given["kind"] if given["kind"] in SchoolTraits.Kind.values else "",
        state=given["state"] if given["state"] in STATES else "open",
        day=read_day(given["day"]),
    )


def state_words() -> list[tuple[str, str]]:
    """Name the states by which a list is narrowed."""
    return [("open", _("open schools")), ("closed", _("closed schools")), ("all", _("all schools"))]


@require_GET
@requires("view_schools")
def school(request: HttpRequest, school_id: str) -> HttpResponse:
    """Show one school: what it is, what happened, where its data come from and go to."""
    found = school_of_address(request, school_id)
    if found.school_id != school_id:
        return redirect("registry:school", found.school_id)
    tab = request.GET.get("tab", TABS[0])
    tab = tab if tab in TABS else TABS[0]
    address = reverse("registry:school", args=[school_id])
    titles = {
        "what": _("What it is"),
        "happened": _("What happened"),
        "lineage": _("Where it comes from and goes to"),
    }
    parts = {"what": _what_it_is, "happened": _what_happened, "lineage": _lineage}
    context = {
        "school": found,
        "tab": tab,
        "tabs": [
            {"title": titles[name], "url": f"{address}?tab={name}", "is_current": name == tab}
            for name in TABS
        ],
        "may_change": may(request.user, "change_contacts"),
        "may_undo": may(request.user, "change_schools"),
        "coming": list(queries.coming_events(found)),
        "is_to_come": not found.is_open and found.closed_date is None,
        **parts[tab](found, scope_of(request.user)),
    }
    return render(request, "registry/school.html", context)


def school_of_address(request: HttpRequest, school_id: str) -> School:
    """Give the school of an address, also by a code that it once had; refuse a stranger."""
    found = queries.school_by_code(school_id)
    if found is None:
        raise Http404
    demand_unit(request.user, found.province.code, found.commune.code, found.school_id)
    return found


def _what_it_is(found: School, _scope: Scope) -> dict[str, Any]:
    """Give traits, sites and enrolments."""
    return {
        "yes_no": f"{_('yes')},{_('no')}",
        "enrolments": queries.enrolment_table(found),
        "sites": list(found.sites.select_related("commune")),
        "successors": [] if found.is_open else queries.present_successors_of_school(found),
    }


def _what_happened(found: School, scope: Scope) -> dict[str, Any]:
    """Give the events, the versions and the entries of the log."""
    events = list(queries.events_of(found)[:HISTORY_ROWS])
    for event in events:
        event.before = [
            part.predecessor
            for part in event.successions.all()
            if part.predecessor and (event.kind in MOVING or part.predecessor_id != part.successor_id)
        ]
        event.after = list({part.successor: None for part in event.successions.all() if part.successor})
        event.may_be_undone = event.state == SchoolEvent.State.APPLIED and event.batch_id is None
    return {
        "events": events,
        "versions": list(queries.school_versions(found)[:HISTORY_ROWS]),
        "entries": [
            {
                "title": action_word(entry.action),
                "at": entry.at,
                "who": entry.actor_name or _("the system"),
            }
            for entry in history_of(kind="registry.school", key=str(found.pk))[:HISTORY_ROWS]
        ],
        "loads": list(queries.loads()[:10]) if scope.is_national or scope.provinces else [],
    }


def _lineage(found: School, scope: Scope) -> dict[str, Any]:
    """Give the schools before and after, and the load from which the data came."""
    return {
        "before": [_relative(move.predecessor, move.event, scope) for move in queries.predecessors_of(found)],
        "after": [_relative(move.successor, move.event, scope) for move in queries.successors_of(found)],
        "load": queries.last_load(),
    }


def _relative(other: School, event: SchoolEvent, scope: Scope) -> dict[str, Any]:
    """Tell of a school before or after; its page is offered to those who may open it."""
    has_page = scope.covers(other.province.code, other.commune.code, other.school_id)
    return {"school": other, "event": event, "has_page": has_page}


@require_POST
@requires("change_schools")
def undo_event(request: HttpRequest, school_id: str, key: int) -> HttpResponse:
    """Take back what happened to a school."""
    found = school_of_address(request, school_id)
    event = get_object_or_404(queries.events_of(found), pk=key)
    operations.undo_event(event=event, by=request.user)
    messages.success(request, _("This was undone: %(what)s.") % {"what": event.get_kind_display()})
    still = School.objects.filter(pk=found.pk).first()
    if still is None:
        return redirect("registry:schools")
    return redirect(f"{reverse('registry:school', args=[still.school_id])}?tab=happened")
