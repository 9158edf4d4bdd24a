"""One school: where it stands and why, review of its survey, decision of its mode, history."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from dienrong.accounts.permissions import requires
from dienrong.core import recording
from dienrong.readiness import judging, operations, words
from dienrong.readiness.forms import ReviewForm
from dienrong.readiness.models import Mode, Survey
from dienrong.readiness.queries import machines as reading_machines
from dienrong.readiness.queries import surveys as reading
from dienrong.readiness.queries.norms import norm_of, numbers_of, rules_of
from dienrong.readiness.views import parts
from dienrong.rosters import charge

WAITING = (Survey.State.SUBMITTED, Survey.State.CHECKED)


@require_safe
@requires("view_readiness")
def school(request: HttpRequest, school_id: str) -> HttpResponse:
    """Show where a school stands."""
    return _school(request, parts.survey_for(request, school_id), ReviewForm())


def _school(request: HttpRequest, survey: Survey, form: forms.Form, status: int = 200) -> HttpResponse:
    """Draw the page of a school."""
    norm = norm_of(survey.cycle)
    answers, groups = reading.answers_of(survey), list(survey.groups.all())
    may_review = charge.may_at(request.user, "review_readiness", survey.school)
    may_accept = operations.may_accept(request.user, survey)
    context: dict[str, Any] = {
        "survey": survey,
        "state": words.survey_state(survey),
        "mode": words.mode_state(survey.mode),
        "suggested": words.mode_state(survey.suggested),
        "tabs": parts.school_tabs(survey, "school"),
        "decisions": survey.decisions.select_related("decided_by").order_by("-decided_at", "-pk"),
        "form": form,
        "modes": [one for one in Mode.choices if one[0] != Mode.UNKNOWN],
        "may_answer": survey.is_open and charge.may_at(request.user, "answer_readiness", survey.school),
        "may_check": may_review and not may_accept and survey.state == Survey.State.SUBMITTED,
        "may_accept": may_accept and survey.state in WAITING,
        "may_return": may_review
        and (survey.state in WAITING or (may_accept and survey.state == Survey.State.ACCEPTED)),
        "may_decide": charge.may_at(request.user, "decide_readiness", survey.school),
        "n_missing": len(reading.form(survey).missing(answers, len(groups))),
        "history": [
            {"entry": one, "word": recording.action_word(one.action)}
            for one in recording.history_of(kind="readiness.survey", key=str(survey.pk), limit=12)
        ],
    }
    if norm is not None:
        counts = {name: getattr(survey, name) for name in ("n_machines", "n_meeting", "n_passed", "n_failed")}
        outcome = judging.judge(reading.facts_of(survey, answers, counts), numbers_of(norm))
        context |= {
            "outcome": outcome,
            "norm": norm,
            "reasons": [
                {"text": words.reason_text(one), "is_hindrance": one.is_hindrance} for one in outcome.reasons
            ],
            "groups": [_group(one, rules_of(norm)) for one in groups],
        }
    return render(request, "readiness/school.html", context, status=status)


def _group(group: Any, rules: list[judging.Rule]) -> dict[str, Any]:
    """Give a group of machines with what the rules say of it."""
    found = reading_machines.group_findings(group, rules)
    verdict = judging.verdict(found)
    broken = [one["measure"] for one in words.finding_rows([one for one in found if not one.holds])]
    return {"group": group, "verdict": words.verdict_state(verdict), "broken": ", ".join(broken)}


@require_POST
@requires("review_readiness")
def review(request: HttpRequest, school_id: str) -> HttpResponse:
    """Check, accept or return a survey."""
    survey = parts.survey_for(request, school_id, "review_readiness")
    form = ReviewForm(request.POST)
    step = request.POST.get("step", "")
    if step == "return" and not form.is_valid():
        return _school(request, survey, form, 422)
    reason = form.cleaned_data.get("reason", "") if form.is_bound and form.is_valid() else ""
    try:
        operations.review(survey=survey, step=step, reason=reason, by=request.user)
    except (operations.ReadinessRefusal, operations.NotNow) as refusal:
        messages.error(request, f"{refusal.sentence} {refusal.hint}".strip())
    else:
        messages.success(request, _("Saved."))
    return redirect(reverse("readiness:school", args=[school_id]))


@require_POST
@requires("decide_readiness")
def decide(request: HttpRequest, school_id: str) -> HttpResponse:
    """Decide the mode of a school."""
    survey = parts.survey_for(request, school_id, "decide_readiness")
    try:
        operations.decide_mode(
            survey=survey,
            mode=request.POST.get("mode", ""),
            reason=request.POST.get("reason", ""),
            by=request.user,
        )
    except (operations.ReadinessRefusal, operations.NotNow) as refusal:
        messages.error(request, f"{refusal.sentence} {refusal.hint}".strip())
    else:
        messages.success(request, _("The mode was decided."))
    return redirect(reverse("readiness:school", args=[school_id]))
