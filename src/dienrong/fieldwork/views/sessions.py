"""Test sessions of a test administrator or coordinator, and the report in five short screens."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from dienrong.accounts.permissions import requires, requires_person
from dienrong.core import clock
from dienrong.fieldwork import operations, words
from dienrong.fieldwork.forms import IncidentForm, ReasonForm, TimesForm
from dienrong.fieldwork.models import TestSession
from dienrong.fieldwork.operations.reports import ABSENT, PARTLY, attendance_codes
from dienrong.fieldwork.queries import access
from dienrong.fieldwork.views import parts

N_SCREENS = 5


@require_GET
@requires("report_session")
def sessions(request: HttpRequest) -> HttpResponse:
    """List the sessions of the person: today's and open ones first."""
    found = list(access.sessions_of(request.user))
    today = clock.today()
    planned = [one for one in found if one.state == TestSession.State.PLANNED]
    context = {
        "due": [one for one in planned if one.on_date <= today],
        "later": [one for one in planned if one.on_date > today],
        "reported": [one for one in found if one.state == TestSession.State.REPORTED],
        "today": today,
    }
    return render(request, "fieldwork/sessions.html", context)


@require_GET
@requires_person
def session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Show a session: where, when, who; the way to its report."""
    found = parts.session_of(request, session_id)
    people = _people(found)
    context = {
        "session": found,
        "people": [
            {"person": one, "word": words.code_word(found.field_school.plan.rules, "student", one.status)}
            for one in people
        ],
        "n_present": sum(one.status in (10, 11) for one in people),
        "n_people": len(people),
        "is_open": found.state == TestSession.State.PLANNED,
    }
    return render(request, "fieldwork/session.html", context)


def _people(found: TestSession) -> list[Any]:
    """List the people of a session in the order of the attendance sheet."""
    return list(found.people.order_by("person_code"))


@require_http_methods(["GET", "HEAD", "POST"])
@requires_person
def report(request: HttpRequest, session_id: int, screen: int) -> HttpResponse:
    """Show one screen of the report and keep what it said."""
    found = parts.session_of(request, session_id)
    if not 1 <= screen <= N_SCREENS:
        raise Http404
    if found.state != TestSession.State.PLANNED:
        return redirect("fieldwork:session", found.pk)
    form = None
    if request.method == "POST":
        values, form = _read(request, found, screen)
        if values is not None:
            found = operations.save_report(session=found, values=values, by=request.user)
            if screen == N_SCREENS:
                n = operations.submit_report(session=found, by=request.user)
                messages.success(
                    request, _("The report is in: %(n)s people were there. Thank you.") % {"n": n}
                )
                return redirect("fieldwork:session", found.pk)
            return redirect("fieldwork:report", found.pk, _after(found, screen))
    context = {
        "session": found,
        "screen": screen,
        "n_screens": N_SCREENS,
        "form": form or _form(found, screen),
        "back": _before(found, screen),
    }
    return render(request, f"fieldwork/report_{screen}.html", context | _screen(found, screen))


def _after(found: TestSession, screen: int) -> int:
    """Give the next screen; codes are asked of nobody where nobody was absent."""
    return screen + 2 if screen == 2 and not found.answers.get("absent") else screen + 1


def _before(found: TestSession, screen: int) -> int:
    """Give the screen before."""
    return screen - 2 if screen == 4 and not found.answers.get("absent") else screen - 1


def _form(found: TestSession, screen: int) -> Any:
    """Give the form of a screen, filled with what was kept."""
    if screen == 1:
        planned = found.begins_at.strftime("%H:%M") if found.begins_at else ""
        return TimesForm(
            initial={
                "started": found.answers.get("started") or planned,
                "ended": found.answers.get("ended", ""),
            }
        )
    first = next(iter(found.answers.get("incidents", [])), {})
    return IncidentForm(initial=first) if screen == 4 else None


def _read(request: HttpRequest, found: TestSession, screen: int) -> tuple[dict[str, Any] | None, Any]:
    """Read what a screen said; None where its form must be corrected."""
    post = request.POST
    if screen == 1:
        form = TimesForm(post)
        if not form.is_valid():
            return None, form
        return {name: value.strftime("%H:%M") for name, value in form.cleaned_data.items()}, form
    if screen == 2:
        absent = post.getlist("absent")
        kept = {code: one for code, one in found.answers.get("codes", {}).items() if code in absent}
        return {"absent": absent, "nobody_absent": not absent, "codes": kept}, None
    if screen == 3:
        codes = {
            code: int(text)
            for code in found.answers.get("absent", [])
            if (text := post.get(f"code_{code}", "")).isdigit()
        }
        return {"codes": codes}, None
    if screen == 4:
        if post.get("nothing"):
            return {"incidents": []}, None
        incident = IncidentForm(post)
        if not incident.is_valid():
            return None, incident
        said = incident.cleaned_data | {"n_affected": incident.cleaned_data["n_affected"] or 0}
        return {"incidents": [said]}, None
    return {}, None


def _screen(found: TestSession, screen: int) -> dict[str, Any]:
    """Give what a screen shows beside its form."""
    people = _people(found)
    absent = set(found.answers.get("absent", []))
    if screen == 2:
        return {"people": [{"person": one, "is_absent": one.person_code in absent} for one in people]}
    rules = found.field_school.plan.rules
    codes = {code: int(one) for code, one in found.answers.get("codes", {}).items()}
    gone = [
        {
            "person": one,
            "code": codes.get(one.person_code, ABSENT),
            "word": words.code_word(rules, "student", codes.get(one.person_code, ABSENT)),
        }
        for one in people
        if one.person_code in absent
    ]
    found_codes = words.code_choices(rules, "student", attendance_codes(found))
    return {
        "gone": gone,
        "codes": found_codes,
        "n_people": len(people),
        "n_present": len(people) - sum(one["code"] != PARTLY for one in gone),
        "answers": found.answers,
    }


@require_http_methods(["GET", "HEAD", "POST"])
@requires("answer_fieldwork")
def cancel(request: HttpRequest, session_id: int) -> HttpResponse:
    """Cancel a session that was not held."""
    found = parts.session_of(request, session_id)
    form = ReasonForm(request.POST or None)
    back = f"{reverse('fieldwork:school', args=[found.field_school_id])}?tab=buoi"
    if request.method == "POST" and form.is_valid():
        operations.cancel_session(session=found, reason=form.cleaned_data["text"], by=request.user)
        messages.success(request, _("The session is cancelled."))
        return redirect(back)
    title = _("Cancel session %(number)s") % {"number": found.number}
    context = {
        "school": found.field_school,
        "form": form,
        "title": title,
        "button": _("Cancel the session"),
        "back": back,
    }
    return render(request, "fieldwork/form.html", context)
