"""Where a unit stands: its targets, one target in depth, the people and schools behind it; the nation."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from dienrong.accounts.permissions import Scope, may, requires
from dienrong.audit.operations import record
from dienrong.capacity.queries import access as capacity_access
from dienrong.core import clock
from dienrong.core.recording import ObjectName
from dienrong.plans import cards, drawing
from dienrong.plans.definitions import INDICATORS
from dienrong.plans.models import Phase, PlanReport, ReportCall
from dienrong.plans.queries import access, documents, history, standing, values
from dienrong.plans.queries.access import Unit
from dienrong.plans.queries.values import CannotCount, Counting
from dienrong.plans.views import parts
from dienrong.plans.words import SIDES, STAND_SHAPES, STAND_WORDS, TURN_WORDS
from dienrong.registry.queries import provinces_in

PAGE_SIZE = 50


@require_safe
@requires("view_plans")
def home(request: HttpRequest) -> HttpResponse:
    """Show where the widest unit of the person stands; the nation for the ministry."""
    units = access.units_of(request.user)
    phase = parts.phase_for(request)
    if phase is None or not units:
        return render(request, "plans/empty.html", {"tabs": parts.tabs(request)})
    if units[0].row is None:
        return _nation(request, phase)
    return _unit_page(request, units[0], phase, units)


@require_safe
@requires("view_plans")
def unit(request: HttpRequest, kind: str, code: str) -> HttpResponse:
    """Show where one unit stands."""
    found = parts.unit_for(request, kind, code)
    phase = parts.phase_for(request)
    if phase is None:
        return render(request, "plans/empty.html", {"tabs": parts.tabs(request)})
    return _unit_page(request, found, phase, [])


def _unit_page(request: HttpRequest, found: Unit, phase: Phase, units: list[Unit]) -> HttpResponse:
    """Draw the page of a unit."""
    day = parts.day_for(request)
    is_today = day == clock.today()
    stands = standing.stands_of(found, phase, day, user=request.user if is_today else None)
    rows = [
        {
            "stand": one,
            "word": STAND_WORDS[one.state],
            "shape": STAND_SHAPES[one.state],
            "url": reverse(
                "plans:target",
                kwargs={**found.address, "phase": phase.code, "indicator": one.aim.indicator.code},
            ),
        }
        for one in stands
    ]
    first = standing.most_urgent(stands)
    context = {
        "tabs": parts.tabs(request),
        "unit": found,
        "units": units[1:],
        "phase": phase,
        "phases": documents.phases(),
        "day": day,
        "is_today": is_today,
        "rows": rows,
        "first": first,
        "is_home": bool(units),
        "today_cards": cards.todays_cards(request.user) if units else [],
        "n_reached": sum(one.state == "reached" for one in stands),
        "n_assessed": sum(one.state != "unknown" for one in stands),
        "days_left": (phase.last_day - day).days,
        "ancestors": documents.ancestors_of(found.province) if found.kind == "province" else [],
        "documents": documents.documents_of(found.province),
        "may_change": may(request.user, "change_plans") and found.kind == "province",
    }
    return render(request, "plans/unit.html", context)


@require_safe
@requires("view_plans")
def target(request: HttpRequest, kind: str, code: str, phase: str, indicator: str = "") -> HttpResponse:
    """Show one target of a unit: definition, past, forecast, what is missing, other readings."""
    return _target_page(request, parts.unit_for(request, kind, code), phase, indicator)


def _target_page(request: HttpRequest, found: Unit, phase_code: str, code: str) -> HttpResponse:
    """Draw the page of one target."""
    phase, aim = _aim(found, phase_code, code)
    day = parts.day_for(request)
    province = found.province
    choices = values.choices_on(code, province, day)
    context: dict[str, Any] = {
        "tabs": parts.tabs(request),
        "unit": found,
        "phase": phase,
        "aim": aim,
        "day": day,
        "reading": values.reading_on(code, province, day),
        "readings": values.readings_of(code, province),
        "options": _options(code, choices),
        "may_change": may(request.user, "change_plans") and found.kind in ("province", "nation"),
        "sentences": INDICATORS[code].sentences(choices),
        "targets_shown": [one for one in (aim.own, *aim.others, aim.national) if one is not None],
    }
    try:
        value = Counting(code, choices, phase, day).of(found.row, with_hash=True)
    except CannotCount as refusal:
        return render(request, "plans/target.html", {**context, "refusal": refusal})
    seen = history.forecast(value, found.row, phase)
    share = aim.target.share
    ancestors = documents.ancestors_of(province) if found.kind == "province" else []
    days = history.quarter_ends(phase.first_day, day)
    points = history.series(code, choices, found.row, phase, days, ancestors)
    deadline = history.deadline_of(value, phase)
    state = standing.state_of(value, share, seen)
    context |= {
        "value": value,
        "forecast": seen,
        "deadline": deadline,
        "state_word": STAND_WORDS[state],
        "state_shape": STAND_SHAPES[state],
        "n_missing": value.n_to_reach(share) if share is not None else 0,
        "target_share": float(share) if share is not None else None,
        "sides": [(SIDES[name], n) for name, n in value.sides.items() if n],
        "figure": drawing.past_line(
            points,
            target=float(share) if share is not None else None,
            deadline=deadline,
            expected=seen.share_at_pace if seen is not None else None,
        ),
        "comparison": _comparison(code, choices, phase, day, found),
        "act": standing.next_act(value, found, request.user) if state in ("behind", "on_the_way") else None,
        "n_behind_list": len(value.missing),
    }
    return render(request, "plans/target.html", context)


def _aim(found: Unit, phase_code: str, code: str) -> tuple[Phase, documents.Aim]:
    """Give the phase and the target of an address."""
    phase = documents.phase_of(phase_code)
    if phase is None or code not in INDICATORS:
        raise Http404
    aim = next((one for one in documents.aims_of(found.province, phase) if one.indicator.code == code), None)
    if aim is None:
        raise Http404
    return phase, aim


def _options(code: str, choices: dict[str, str]) -> list[dict[str, Any]]:
    """Give each thing that the plans leave open with the answer that holds."""
    return [
        {"question": one.question, "answer": dict(one.choices)[choices[one.name]]}
        for one in INDICATORS[code].options
    ]


def _comparison(
    code: str, choices: dict[str, str], phase: Phase, day: Any, found: Unit
) -> list[dict[str, Any]]:
    """Give the value under each other reading that changes one answer."""
    rows = []
    for option in INDICATORS[code].options:
        for answer, word in option.choices:
            if answer == choices[option.name]:
                continue
            try:
                value = Counting(code, {**choices, option.name: answer}, phase, day).of(found.row)
            except CannotCount:
                continue
            rows.append({"question": option.question, "answer": word, "value": value})
    return rows


@require_safe
@requires("view_plans")
def behind(request: HttpRequest, kind: str, code: str, phase: str, indicator: str = "") -> HttpResponse:
    """List who stands behind a value, or is missing from it; looking at people is written into the log."""
    found = parts.unit_for(request, kind, code)
    phase_row, aim = _aim(found, phase, indicator)
    day = parts.day_for(request)
    choices = values.choices_on(indicator, found.province, day)
    counting = Counting(indicator, choices, phase_row, day)
    value = counting.of(found.row)
    which = "co" if request.GET.get("ai") == "co" else "con-thieu"
    keys = value.behind if which == "co" else value.missing
    context: dict[str, Any] = {
        "tabs": parts.tabs(request),
        "unit": found,
        "phase": phase_row,
        "aim": aim,
        "day": day,
        "value": value,
        "which": which,
        "n": len(keys),
    }
    if value.indicator.counts == "people":
        people = capacity_access.people_of(request.user).filter(pk__in=list(keys))
        rows = capacity_access.with_posts(people.order_by("sort_key", "staff_code"))
        context["page"] = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
        context["n_hidden"] = len(keys) - context["page"].paginator.count
        _note_look(request.user, found, aim, which, context["page"].paginator.count)
    else:
        turns = [one for one in counting.turns_of(found.row) if one.sampled in keys]
        turns.sort(key=lambda one: (one.plan, one.school_name, one.school_code))
        context["page"] = Paginator(turns, PAGE_SIZE).get_page(request.GET.get("page"))
        context["page"].object_list = [
            {"turn": one, "word": TURN_WORDS[one.state]} for one in context["page"].object_list
        ]
    return render(request, "plans/behind.html", context)


@transaction.atomic
def _note_look(user: Any, found: Unit, aim: documents.Aim, which: str, n: int) -> None:
    """Write into the log that somebody looked at people behind a value."""
    thing = ObjectName(
        kind="plans.value", key=f"{found.kind}/{found.code or '-'}/{aim.indicator.code}", title=found.name
    )
    after = {"indicator": aim.indicator.code, "who": "counted" if which == "co" else "missing", "n": n}
    record(action="plans.people_looked_at", actor=user, obj=thing, after=after)


def _nation(request: HttpRequest, phase: Phase) -> HttpResponse:
    """Draw the page of the nation: its targets, a table and a map of the provinces, reports that are due."""
    day = parts.day_for(request)
    found = access.NATION
    stands = standing.stands_of(found, phase, day)
    units = provinces_in(Scope(is_national=True), day)
    aims, rows, refused = standing.nation_rows(phase, day, units)
    call = ReportCall.objects.filter(unit__isnull=True, phase=phase).order_by("-due_on").first()
    sent = (
        {one.unit_id: one for one in PlanReport.objects.filter(call=call, unit__isnull=False).order_by("pk")}
        if call is not None
        else {}
    )
    chosen = request.GET.get("chi-tieu", "") or (aims[0].indicator.code if aims else "")
    table = [
        {
            "unit": row.unit,
            "url": reverse("plans:unit", kwargs={"kind": "tinh", "code": row.unit.code}),
            "cells": [
                {
                    "value": row.values.get(aim.indicator.code),
                    "shape": STAND_SHAPES[row.states.get(aim.indicator.code, "unknown")],
                    "word": STAND_WORDS[row.states.get(aim.indicator.code, "unknown")],
                }
                for aim in aims
            ],
            "report": parts.report_state(sent[row.unit.pk].state if row.unit.pk in sent else ""),
        }
        for row in rows
    ]
    context = {
        "tabs": parts.tabs(request),
        "phase": phase,
        "phases": documents.phases(),
        "day": day,
        "aims": aims,
        "table": table,
        "refused": list(refused.values()),
        "call": call,
        "n_sent": sum(one.state != PlanReport.State.DRAFT for one in sent.values()),
        "n_units": len(units),
        "rows": [
            {
                "stand": one,
                "word": STAND_WORDS[one.state],
                "shape": STAND_SHAPES[one.state],
                "url": reverse(
                    "plans:nation_target", kwargs={"phase": phase.code, "indicator": one.aim.indicator.code}
                ),
            }
            for one in stands
        ],
        "days_left": (phase.last_day - day).days,
        "chosen": chosen,
        "chosen_aim": next((aim for aim in aims if aim.indicator.code == chosen), None),
        "map": drawing.province_tiles(rows, chosen) if rows and chosen else None,
    }
    return render(request, "plans/nation.html", context)


@require_safe
@requires("view_plans")
def nation_target(request: HttpRequest, phase: str, indicator: str) -> HttpResponse:
    """Show one target of the nation."""
    access.demand_unit(request.user, access.NATION)
    return _target_page(request, access.NATION, phase, indicator)
