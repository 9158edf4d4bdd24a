"""The first page of the room, the list of schools, reminders."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from dienrong.accounts import permissions
from dienrong.accounts.permissions import requires
from dienrong.core.formats import day_text, number_text
from dienrong.readiness import operations, words
from dienrong.readiness.cards import todays_cards
from dienrong.readiness.forms import RoundForm
from dienrong.readiness.models import Mode, Survey
from dienrong.readiness.queries import access
from dienrong.readiness.queries.norms import norm_of
from dienrong.readiness.queries.surveys import LACKS, Narrowed, by_unit, listed, rounds_of, totals
from dienrong.readiness.views import parts

MOST_REMINDED = 300


@require_safe
@requires("view_readiness")
def home(request: HttpRequest) -> HttpResponse:
    """Show what to do today, how complete the survey is, which mode the schools have, what is missing."""
    return _home(request)


def _home(request: HttpRequest, form: RoundForm | None = None, status: int = 200) -> HttpResponse:
    """Draw the first page."""
    cycle = parts.cycle_now()
    found = access.surveys_of(request.user, cycle)
    scope = access.scope_of(request.user)
    sums = totals(found)
    level = "province" if scope.is_national else "commune"
    provinces = (
        parts.provinces_for(request.user, "review_readiness")
        if permissions.may(request.user, "decide_readiness")
        else []
    )
    context: dict[str, Any] = {
        "tabs": parts.tabs(request),
        "cycle": cycle,
        "cards": todays_cards(request.user, cycle),
        "sums": sums,
        "modes": [
            {"mode": words.mode_state(mode), "code": mode, "n": sums[f"mode_{mode}"]} for mode in Mode.values
        ],
        "states": [
            {"code": state, "word": str(label), "n": sums[f"state_{state}"]}
            for state, label in Survey.State.choices
        ],
        "gap": _gap(sums),
        "units": by_unit(found, level) if sums["n"] else [],
        "is_national": scope.is_national,
        "is_officer": permissions.may(request.user, "review_readiness"),
        "rounds": list(rounds_of(request.user, cycle)[:40]),
        "has_norm": norm_of(cycle) is not None,
        "form": form or (RoundForm(provinces=provinces) if provinces else None),
    }
    if scope.schools and not (scope.is_national or scope.provinces or scope.communes):
        context["own"] = [
            {"survey": one, "state": words.survey_state(one), "mode": words.mode_state(one.mode)}
            for one in found.select_related("school")[:20]
        ]
    return render(request, "readiness/home.html", context, status=status)


def _gap(sums: dict[str, int]) -> list[dict[str, Any]]:
    """Write down what is missing in all."""
    names = {
        "lack_machines": _("Computers"),
        "lack_headphones": _("Headphones"),
        "lack_power": _("Back-up power"),
        "lack_server": _("Machines for the school server"),
        "lack_network": _("Lines to the Internet"),
    }
    return [
        {"code": code, "word": names[code], "n": sums[f"sum_{code}"]} for code in LACKS if sums[f"sum_{code}"]
    ]


@require_POST
@requires("review_readiness")
def open_round(request: HttpRequest) -> HttpResponse:
    """Open the survey in a province."""
    form = RoundForm(request.POST, provinces=parts.provinces_for(request.user, "review_readiness"))
    if form.is_valid():
        values = form.cleaned_data
        try:
            operations.open_round(
                cycle=parts.cycle_now(),
                province=parts.province_for(request, values["province"], "review_readiness"),
                reach=values["reach"],
                due_on=values["due_on"],
                by=request.user,
            )
        except (operations.ReadinessRefusal, operations.NotNow) as refusal:
            parts.told(form, refusal)
        else:
            messages.success(request, _("The survey is open; schools see it on their first page."))
            return redirect(reverse("readiness:home"))
    return _home(request, form, 422)


def narrowed_by(request: HttpRequest) -> Narrowed:
    """Read the filters of the address."""
    get = request.GET.get
    return Narrowed(
        search=get("q", "")[:80],
        state=get("trang-thai", ""),
        mode=get("hinh-thuc", ""),
        lack=get("thieu", ""),
        commune=get("xa", ""),
        province=get("tinh", ""),
    )


@require_safe
@requires("view_readiness")
def schools(request: HttpRequest) -> HttpResponse:
    """List the schools with survey, machines and mode."""
    cycle, narrowed = parts.cycle_now(), narrowed_by(request)
    page = parts.page_of(request, listed(request.user, cycle, narrowed))
    rows = [
        {"survey": one, "state": words.survey_state(one), "mode": words.mode_state(one.mode)}
        for one in page.object_list
    ]
    context = {
        "tabs": parts.tabs(request),
        "cycle": cycle,
        "page": page,
        "rows": rows,
        "narrowed": narrowed,
        "query": request.GET.urlencode(),
        "states": [("waiting", _("Waiting for review")), ("open", _("Not handed in")), *Survey.State.choices],
        "modes": Mode.choices,
        "lacks": [
            ("lack_machines", _("Computers")), ("lack_headphones", _("Headphones")), ("lack_power", _("Back-up power")),
            ("lack_server", _("Machines for the school server")), ("lack_network", _("Lines to the Internet")),
        ],
    }  # fmt: skip
    return render(request, "readiness/schools.html", context)


@require_safe
@requires("review_readiness")
def reminders(request: HttpRequest) -> HttpResponse:
    """Give texts to copy into Zalo: one for each commune, the schools named that have not handed in."""
    cycle = parts.cycle_now()
    found = listed(request.user, cycle, Narrowed(state="open"))
    days = {one.province_id: one.due_on for one in rounds_of(request.user, cycle)}
    groups: dict[str, list[Survey]] = {}
    for survey in found.order_by("school__commune__code", "school__sort_key")[:MOST_REMINDED]:
        groups.setdefault(survey.school.commune.full_name, []).append(survey)
    texts = [
        {"unit": unit, "n": len(rows), "text": _reminder(cycle, unit, rows, days)}
        for unit, rows in groups.items()
    ]
    context = {"tabs": parts.tabs(request), "texts": texts, "n_all": found.count(), "most": MOST_REMINDED}
    return render(request, "readiness/reminders.html", context)


def _reminder(cycle: Any, unit: str, rows: list[Survey], days: dict[int, Any]) -> str:
    """Write a reminder to the schools of a commune."""
    until = day_text(days.get(rows[0].school.province_id))
    lines = [
        _("%(unit)s: %(n)s schools have not handed in the survey of facilities for “%(cycle)s” yet.")
        % {"unit": unit, "n": number_text(len(rows)), "cycle": cycle.name}
    ]
    lines += [
        f"{place}. {one.school.name} ({one.get_state_display()})" for place, one in enumerate(rows, start=1)
    ]
    if until:
        lines.append(
            _("Please sign in, open “Machines”, fill in the form (about ten minutes) before %(day)s.")
            % {"day": until}
        )
    else:
        lines.append(_("Please sign in, open “Machines”, fill in the form (about ten minutes)."))
    lines.append(_("Thank you."))
    return "\n".join(lines)
