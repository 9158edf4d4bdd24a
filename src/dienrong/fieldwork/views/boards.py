"""The board, whom to call, the list of schools, the start of a fieldwork."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dienrong.accounts.permissions import may, requires
from dienrong.core import clock
from dienrong.core.formats import number_text, percent_text
from dienrong.fieldwork import drawing, operations, words
from dienrong.fieldwork.forms import CallForm, StartForm
from dienrong.fieldwork.models import FieldSchool, Fieldwork
from dienrong.fieldwork.operations.schools import Days
from dienrong.fieldwork.queries import access, board, outcomes
from dienrong.fieldwork.queries.board import BoardRow, Filters
from dienrong.fieldwork.queries.outcomes import Collected
from dienrong.fieldwork.views import parts
from dienrong.registry.queries import unit_on
from dienrong.rosters import charge
from dienrong.sampling.models import Plan

ROWS_PER_PAGE = 50


@require_GET
@requires("view_fieldwork")
def home(request: HttpRequest) -> HttpResponse:
    """Open the one fieldwork of the person; where there are several, or none, list them."""
    found = list(access.fieldworks_of(request.user))
    may_start = charge.scope_with(request.user, "change_fieldwork").is_national
    waiting = (
        list(Plan.objects.filter(state=Plan.State.DRAWN, fieldwork__isnull=True).select_related("cycle"))
        if may_start
        else []
    )
    if len(found) == 1 and not waiting:
        return redirect("fieldwork:board", found[0].plan_id)
    return render(request, "fieldwork/home.html", {"fieldworks": found, "waiting": waiting})


@require_http_methods(["GET", "HEAD", "POST"])
@requires("change_fieldwork")
def start(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Start the fieldwork of a drawn plan."""
    plan = Plan.objects.select_related("cycle").filter(pk=plan_id).first()
    if plan is None:
        raise Http404
    form = StartForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        operations.start_fieldwork(plan=plan, days=Days(**form.cleaned_data), by=request.user)
        messages.success(request, _("The fieldwork has begun. Next: the letters to the schools."))
        return redirect("fieldwork:board", plan.pk)
    return render(request, "fieldwork/start.html", {"plan": plan, "form": form})


@require_GET
@requires("view_fieldwork")
def board_page(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Show the board: provinces, the communes of one, the schools of one."""
    fieldwork = parts.fieldwork_of(request, plan_id)
    filters = filters_of(request)
    scope = access.scope_of(request.user)
    if (own := _only_school(request.user, fieldwork, scope)) is not None:
        return redirect("fieldwork:school", own.pk)
    level = _level(filters, scope)
    schools = board.narrowed(
        access.schools_of(request.user, fieldwork),
        Filters(province=filters.province, commune=filters.commune),
        fieldwork.plan.rules,
    )
    collected = outcomes.collect(fieldwork, schools)
    rows = board.rows_by(collected, level)
    whole = board.total(collected, _("All together"))
    rates = outcomes.rates_of(collected)
    calls = board.calls_today(access.schools_of(request.user, fieldwork), fieldwork, clock.today())
    context = {
        "fieldwork": fieldwork,
        "tabs": parts.tabs(request, fieldwork),
        "rows": [_row(fieldwork, level, row, filters) for row in rows],
        "whole": _row(fieldwork, "", whole, filters),
        "columns": words.COLUMNS.values(),
        "people_columns": words.PEOPLE.values(),
        "level_title": {"province": _("Province"), "commune": _("Commune"), "school": _("School")}[level],
        "finding": _finding(whole),
        "cards": _cards(fieldwork, whole, calls),
        "rates": _rates(rates),
        "zone": words.ZONES.get(rates.zone, rates.zone) if rates else "",
        "required_after": rates.required_after if rates else None,
        "forecast": _forecast(collected),
        "figure": drawing.bars_of(rows) if any(row.done_share is not None for row in rows) else None,
        "filters": filters,
        "crumbs": _crumbs(fieldwork, filters, collected),
        "may_change": may(request.user, "change_fieldwork"),
    }
    return render(request, "fieldwork/board.html", context)


def _only_school(user: Any, fieldwork: Fieldwork, scope: Any) -> FieldSchool | None:
    """Give the one school of a person who looks after schools alone; a board of one row would tell nothing."""
    if scope.is_national or scope.provinces or scope.communes:
        return None
    found = list(access.schools_of(user, fieldwork)[:2])
    return found[0] if len(found) == 1 else None


def filters_of(request: HttpRequest) -> Filters:
    """Read the filters of an address."""
    given = {
        name: request.GET.get(key, "").strip()[:80]
        for name, key in (
            ("province", "tinh"), ("commune", "xa"), ("column", "cot"), ("people", "nguoi"), ("text", "q"),
        )
    }  # fmt: skip
    if given["people"] not in words.PEOPLE:
        given["people"] = ""
    return Filters(**given)


def _level(filters: Filters, scope: Any) -> str:
    """Say what the rows of the board are: the smallest unit below what is asked for and looked after."""
    if filters.commune or not (scope.is_national or scope.provinces):
        return "school"
    if filters.province or (not scope.is_national and len(scope.provinces) == 1):
        return "commune"
    return "province"


def _row(fieldwork: Fieldwork, level: str, row: BoardRow, filters: Filters) -> dict[str, Any]:
    """Give a row with the addresses that its cells open."""
    place = {"tinh": filters.province, "xa": filters.commune}
    if level == "province":
        place = {"tinh": row.code}
    elif level == "commune":
        place = {"tinh": filters.province, "xa": row.code}
    school_url = reverse("fieldwork:school", args=[row.code]) if level == "school" else ""
    board_url = f"{reverse('fieldwork:board', args=[fieldwork.plan_id])}?{_query(place)}"

    def address(**more: str) -> str:
        if school_url:
            return school_url
        return f"{reverse('fieldwork:schools', args=[fieldwork.plan_id])}?{_query(place | more)}"

    return {
        "title": row.title,
        "url": school_url or board_url,
        "cells": [{"count": row.schools[name], "url": address(cot=name)} for name in words.COLUMNS],
        "people": [{"count": row.people[name], "url": address(nguoi=name)} for name in words.PEOPLE],
        "share": row.done_share,
    }


def _query(values: dict[str, str]) -> str:
    """Write the filled values as a query."""
    return urlencode({name: value for name, value in values.items() if value})


def _finding(whole: BoardRow) -> str:
    """Say first what stands: how many schools are missing to 100 per cent."""
    asked = whole.schools["sampled"] + whole.schools["called"] - whole.schools["declined"]
    left = asked - whole.schools["tested"]
    if not asked:
        return _("No school of the sample is in the field")
    if left:
        return ngettext("%(n)s school is not tested yet", "%(n)s schools are not tested yet", left) % {
            "n": number_text(left)
        }
    share = percent_text(whole.done_share, 2)
    return _("All schools are tested; %(share)s of the people took part") % {"share": share}


def _cards(fieldwork: Fieldwork, whole: BoardRow, calls: list[board.Call]) -> list[dict[str, Any]]:
    """Give what is to do today: at most four cards, each with a number and a button."""
    plan_id = fieldwork.plan_id
    late = [call for call in calls if call.days_late > 0]
    listed = reverse("fieldwork:schools", args=[plan_id])
    found = [
        (
            len(late),
            _("Schools are late with something"),
            None,
            reverse("fieldwork:calls", args=[plan_id]),
            _("Call"),
        ),
        (
            whole.schools["sampled"]
            + whole.schools["called"]
            - whole.schools["confirmed"]
            - whole.schools["declined"],
            _("Schools have not answered"),
            fieldwork.answer_due,
            f"{listed}?cot=waiting",
            _("Show"),
        ),
        (
            whole.schools["attention"],
            _("Schools closed or merged"),
            None,
            f"{listed}?cot=attention",
            _("Decide"),
        ),
        (
            whole.schools["confirmed"] - whole.schools["listed"],
            _("Schools have not sent their list in"),
            fieldwork.list_due,
            f"{listed}?cot=no_list",
            _("Show"),
        ),
    ]
    return [
        {"number": number_text(number), "title": title, "deadline": due, "url": url, "button": button}
        for number, title, due, url, button in found
        if number > 0
    ]


def _rates(rates: Any) -> list[dict[str, Any]]:
    """Give the rates with their words."""
    if rates is None:
        return []
    return [{"title": words.RATES.get(name, name), **dict(values)} for name, values in rates.values.items()]


def _forecast(collected: Collected) -> dict[str, Any] | None:
    """Give the forecast with its words."""
    found = outcomes.forecast_of(collected)
    if found is None:
        return None
    return {
        "rows": [{"title": words.RATES.get(row["rate"], row["rate"]), **row} for row in found.rows],
        "zone": words.ZONES.get(found.zone_expected, found.zone_expected),
    }


def _crumbs(fieldwork: Fieldwork, filters: Filters, collected: Collected) -> list[dict[str, str]]:
    """Name the units above the one that is shown."""
    url = reverse("fieldwork:board", args=[fieldwork.plan_id])
    found = [{"title": str(fieldwork.plan), "url": url}]
    first = collected.schools[0] if collected.schools else None
    if filters.province and first:
        found.append(
            {"title": first["school__province__name"], "url": f"{url}?{_query({'tinh': filters.province})}"}
        )
    if filters.commune and first:
        found.append({"title": first["school__commune__full_name"], "url": ""})
    return found


@require_GET
@requires("view_fieldwork")
def calls(request: HttpRequest, plan_id: int) -> HttpResponse:
    """List whom to call today."""
    fieldwork = parts.fieldwork_of(request, plan_id)
    found = board.calls_today(access.schools_of(request.user, fieldwork), fieldwork, clock.today())
    page = Paginator(found, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    n_late = sum(call.days_late > 0 for call in found)
    context = {
        "fieldwork": fieldwork,
        "tabs": parts.tabs(request, fieldwork),
        "page": page,
        "rows": [
            {"call": call, "word": words.OWES[call.kind], "is_late": call.days_late > 0}
            for call in board.with_last_call(list(page.object_list))
        ],
        "lead": ngettext("%(n)s school is late", "%(n)s schools are late", n_late)
        % {"n": number_text(n_late)},
    }
    return render(request, "fieldwork/calls.html", context)


@require_POST
@requires("view_fieldwork")
def note_call(request: HttpRequest, school_id: int) -> HttpResponse:
    """Write down what was said on the telephone."""
    school = parts.school_of(request, school_id)
    form = CallForm(request.POST)
    operations.note_call(
        school=school, text=request.POST.get("text", "") if form.is_valid() else "", by=request.user
    )
    messages.success(request, _("Noted."))
    return redirect("fieldwork:calls", school.plan_id)


@require_GET
@requires("view_fieldwork")
def schools(request: HttpRequest, plan_id: int) -> HttpResponse:
    """List the schools behind a cell of the board."""
    fieldwork = parts.fieldwork_of(request, plan_id)
    filters = filters_of(request)
    mine = access.schools_of(request.user, fieldwork)
    found = board.narrowed(mine, filters, fieldwork.plan.rules).order_by("school__sort_key", "number")
    page = Paginator(found, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    chips = [
        {
            "title": title,
            "url": _chip(request, "cot", name),
            "is_current": filters.column == name,
            "count": None,
        }
        for name, title in (("", _("All schools")), *words.COLUMNS.items())
    ]
    context = {
        "fieldwork": fieldwork,
        "tabs": parts.tabs(request, fieldwork),
        "page": page,
        "rows": [{"school": one, "state": parts.state_of(one)} for one in page.object_list],
        "filters": filters,
        "chips": chips,
        "people_word": words.PEOPLE.get(filters.people, ""),
        "place": place_word(filters),
        "may_change": may(request.user, "change_fieldwork"),
    }
    return render(request, "fieldwork/schools.html", context)


def _chip(request: HttpRequest, name: str, value: str) -> str:
    """Give this address with one filter changed."""
    query = request.GET.copy()
    query.pop("page", None)
    query.pop(name, None)
    if value:
        query[name] = value
    return f"?{query.urlencode()}"


def place_word(filters: Filters) -> str:
    """Name the unit to which a list is narrowed."""
    for level, code in (("commune", filters.commune), ("province", filters.province)):
        if code:
            unit = unit_on(level, code, clock.today())
            return unit.full_name if unit else code
    return ""


@require_POST
@requires("change_fieldwork")
def notify(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Write down that the letters went out to the schools of the list."""
    fieldwork = parts.fieldwork_of(request, plan_id)
    filters = filters_of(request)
    found = board.narrowed(access.schools_of(request.user, fieldwork), filters, fieldwork.plan.rules)
    n = operations.mark_notified(schools=list(found), by=request.user)
    messages.success(
        request,
        ngettext("%(n)s school is marked as notified.", "%(n)s schools are marked as notified.", n)
        % {"n": number_text(n)},
    )
    return redirect(f"{reverse('fieldwork:schools', args=[plan_id])}?{request.GET.urlencode()}")
