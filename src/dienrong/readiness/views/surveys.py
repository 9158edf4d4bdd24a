"""Filling the survey in: one question a screen for schools, the whole form for officers; kept at every change."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dienrong.accounts.permissions import requires
from dienrong.core import clock
from dienrong.core.refusals import Refusal
from dienrong.readiness import operations
from dienrong.readiness.form_file import SECTIONS, Question
from dienrong.readiness.forms import GroupForm
from dienrong.readiness.models import Survey
from dienrong.readiness.queries import surveys as reading
from dienrong.readiness.views import parts
from dienrong.rosters import charge


def _may_answer(request: HttpRequest, survey: Survey) -> bool:
    """Tell whether answers may change now, by this person."""
    return survey.is_open and charge.may_at(request.user, "answer_readiness", survey.school)


def _row(question: Question, answers: dict[str, str], groups: list[Any]) -> dict[str, Any]:
    """Give a question with its answer for a page."""
    value = answers.get(question.code, "")
    return {
        "question": question,
        "value": value,
        "shown": question.shown(value),
        "groups": groups if question.kind == "groups" else [],
        "is_done": bool(value) or (question.kind == "groups" and bool(groups)) or question.is_optional,
        "options": question.options,
    }


@require_http_methods(["GET", "HEAD", "POST"])
@requires("answer_readiness")
def screen(request: HttpRequest, school_id: str, number: int) -> HttpResponse:
    """Show one question; keep its answer and go to the next."""
    survey = parts.survey_for(request, school_id, "answer_readiness")
    if not survey.is_open:
        return redirect(reverse("readiness:school", args=[school_id]))
    asked = reading.form(survey).asked(reading.answers_of(survey))
    if not 1 <= number <= len(asked) + 1:
        raise Http404
    if number == len(asked) + 1:
        return _summary(request, survey)
    question = asked[number - 1]
    context: dict[str, Any] = {"typed": None}
    if request.method == "POST":
        typed = request.POST.get("answer", "")
        try:
            if question.kind != "groups" or typed == "0":
                operations.answer(survey=survey, question_code=question.code, typed=typed, by=request.user)
        except operations.ReadinessRefusal as refusal:
            context |= {"problem": refusal.sentence, "typed": typed}
        else:
            return redirect(reverse("readiness:screen", args=[school_id, number + 1]))
    answers, groups = reading.answers_of(survey), list(survey.groups.all())
    context |= _row(question, answers, groups) | {
        "survey": survey,
        "section": SECTIONS[question.section],
        "number": number,
        "n_asked": len(asked),
        "back": reverse("readiness:screen", args=[school_id, number - 1]) if number > 1 else "",
        "next": reverse("readiness:screen", args=[school_id, number + 1]),
        "group_form": GroupForm(initial={"year_bought": clock.today().year - 5})
        if question.kind == "groups"
        else None,
    }
    return render(request, "readiness/screen.html", context, status=422 if "problem" in context else 200)


def _summary(request: HttpRequest, survey: Survey) -> HttpResponse:
    """Show all answers before the survey is handed in."""
    answers, groups = reading.answers_of(survey), list(survey.groups.all())
    form = reading.form(survey)
    asked = form.asked(answers)
    missing = {one.code for one in form.missing(answers, len(groups))}
    rows = [
        _row(one, answers, groups) | {"number": place, "is_missing": one.code in missing}
        for place, one in enumerate(asked, start=1)
    ]
    context = {
        "survey": survey,
        "rows": rows,
        "n_missing": len(missing),
        "back": reverse("readiness:screen", args=[survey.school.school_id, len(asked)]),
    }
    return render(request, "readiness/summary.html", context)


@require_safe
@requires("view_readiness")
def full_form(request: HttpRequest, school_id: str) -> HttpResponse:
    """Show the whole form: to fill in while it is open, to read afterwards."""
    survey = parts.survey_for(request, school_id)
    return _full(request, survey)


def _full(
    request: HttpRequest, survey: Survey, group_form: GroupForm | None = None, status: int = 200
) -> HttpResponse:
    """Draw the whole form."""
    answers, groups = reading.answers_of(survey), list(survey.groups.all())
    form = reading.form(survey)
    sections = [
        {
            "word": word,
            "rows": [_row(one, answers, groups) for one in form.asked(answers) if one.section == code],
        }
        for code, word in SECTIONS.items()
    ]
    context = {
        "survey": survey,
        "sections": sections,
        "n_missing": len(form.missing(answers, len(groups))),
        "may_answer": _may_answer(request, survey),
        "group_form": group_form or GroupForm(initial={"year_bought": clock.today().year - 5}),
        "tabs": parts.school_tabs(survey, "form"),
        "is_refused": status != 200,
    }
    return render(request, "readiness/form.html", context, status=status)


@require_POST
@requires("answer_readiness")
def save(request: HttpRequest, school_id: str) -> HttpResponse:
    """Keep one answer of the whole form at once, and say so beside it."""
    survey = parts.survey_for(request, school_id, "answer_readiness")
    code = request.POST.get("question", "")
    try:
        operations.answer(
            survey=survey, question_code=code, typed=request.POST.get(code, ""), by=request.user
        )
    except (operations.ReadinessRefusal, operations.NotNow) as refusal:
        context = {"problem": f"{refusal.sentence} {refusal.hint}".strip()}
        return render(request, "readiness/parts/saved.html", context)
    if not request.headers.get("HX-Request"):
        return redirect(reverse("readiness:form", args=[school_id]))
    return render(request, "readiness/parts/saved.html", {"at": clock.now()})


@require_POST
@requires("answer_readiness")
def submit(request: HttpRequest, school_id: str) -> HttpResponse:
    """Hand the survey in."""
    survey = parts.survey_for(request, school_id, "answer_readiness")
    try:
        operations.submit(survey=survey, by=request.user)
    except (operations.ReadinessRefusal, operations.NotNow) as refusal:
        messages.error(request, f"{refusal.sentence} {refusal.hint}".strip())
        return redirect(reverse("readiness:form", args=[school_id]))
    messages.success(request, _("The survey was handed in."))
    return redirect(reverse("readiness:school", args=[school_id]))


@require_POST
@requires("answer_readiness")
def add_group(request: HttpRequest, school_id: str) -> HttpResponse:
    """Add a group of machines."""
    survey = parts.survey_for(request, school_id, "answer_readiness")
    form = GroupForm(request.POST)
    if form.is_valid():
        try:
            operations.add_group(survey=survey, facts=form.facts(), by=request.user)
        except (operations.ReadinessRefusal, operations.NotNow) as refusal:
            parts.told(form, refusal)
        else:
            return redirect(_back(request, school_id))
    return _full(request, survey, form, 422)


@require_POST
@requires("answer_readiness")
def remove_group(request: HttpRequest, school_id: str, position: int) -> HttpResponse:
    """Take a group of machines away."""
    survey = parts.survey_for(request, school_id, "answer_readiness")
    try:
        operations.remove_group(survey=survey, position=position, by=request.user)
    except Refusal as refusal:
        messages.error(request, refusal.sentence)
    return redirect(_back(request, school_id))


def _back(request: HttpRequest, school_id: str) -> str:
    """Give the page from which a group was changed: a screen of the form, or the whole form."""
    number = request.POST.get("screen", "")
    if number.isdigit():
        return reverse("readiness:screen", args=[school_id, int(number)])
    return reverse("readiness:form", args=[school_id])
