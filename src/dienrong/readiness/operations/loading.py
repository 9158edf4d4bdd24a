"""Rows of surveys and groups of machines written from a file, and taken back as one step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import Scope
from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.recording import ObjectName
from dienrong.core.row_changes import RowChange, Written
from dienrong.readiness.models import Answer, MachineGroup, Survey
from dienrong.readiness.operations.judging_again import judge_again
from dienrong.readiness.operations.refusals import NotNow
from dienrong.readiness.queries import access
from dienrong.readiness.queries.comparing import (
    GROUP_FIELDS,
    HAND_IN,
    QUESTIONS,
    SurveyRow,
    group_values,
    plan_groups,
    plan_surveys,
)
from dienrong.readiness.queries.norms import norm_of
from dienrong.readiness.queries.surveys import answers_of

EVERYWHERE = Scope(is_national=True)


def _scope(by: Any) -> Scope:
    """Give the units in which a person writes; the system everywhere."""
    return EVERYWHERE if by is None else access.scope_of(by, "answer_readiness")


def _demand_all(rows: Sequence[SurveyRow]) -> None:
    """Refuse the whole file if a row can no longer be taken."""
    if refused := [row.number for row in rows if row.problems]:
        raise NotNow(
            _("Rows can no longer be taken: %(rows)s.") % {"rows": ", ".join(map(str, refused[:5]))},
            hint=_("Look at the preview again."),
        )


def _finish(surveys: Sequence[Survey], by: Any, action: str, n: int) -> None:
    """Judge the schools of a file again, and write one entry for it."""
    if surveys:
        judge_again(surveys, norm_of(surveys[0].cycle))
    record(action=action, actor=by, obj=ObjectName("readiness.survey", "file"), after={"n": n})


@transaction.atomic
def write_surveys(changes: Sequence[RowChange], *, by: Any) -> list[Written]:
    """Write the answers of rows, and hand in those that say so; all or nothing.

    Raises
    ------
    NotNow
        If a row can no longer be taken; nothing is written.
    """
    rows = plan_surveys([(one.number, one.values) for one in changes], scope=_scope(by))
    _demand_all(rows)
    written, surveys = [], []
    for row in rows:
        survey = row.survey
        if survey is None or not row.changes:
            continue
        before = _survey_state(survey)
        for question in QUESTIONS:
            if question.code in row.changes:
                Answer.objects.update_or_create(
                    survey=survey, question=question.code, defaults={"value": row.values[question.code]}
                )
        now = clock.now()
        if survey.state == Survey.State.EMPTY:
            survey.state, survey.started_at = Survey.State.DRAFT, now
        if HAND_IN in row.changes:
            survey.state, survey.submitted_at, survey.submitted_by = Survey.State.SUBMITTED, now, by
            survey.return_reason = ""
        survey.save()
        surveys.append(survey)
        written.append(Written(number=row.number, key=row.key, before=before, after=_survey_state(survey)))
    _finish(surveys, by, "readiness.loaded", len(written))
    return written


def _survey_state(survey: Survey) -> dict[str, Any]:
    """Write down answers and state of a survey, as JSON."""
    return {
        "survey": survey.pk,
        "state": survey.state,
        "reason": survey.return_reason,
        "answers": answers_of(survey),
    }


@transaction.atomic
def undo_surveys(written: Sequence[Written], *, by: Any) -> None:
    """Take written rows back, the last first.

    Raises
    ------
    NotNow
        If a survey was changed since; nothing is taken back.
    """
    surveys = []
    for one in reversed(written):
        survey = (
            Survey.objects.select_for_update(of=("self",)).select_related("cycle").get(pk=one.after["survey"])
        )
        if _survey_state(survey) != dict(one.after) or one.before is None:
            raise NotNow(
                _("Row %(row)s was changed since it was taken.") % {"row": one.number},
                hint=_("Correct it on the page of the school instead."),
            )
        survey.answers.all().delete()
        Answer.objects.bulk_create(
            Answer(survey=survey, question=question, value=value)
            for question, value in one.before["answers"].items()
        )
        survey.state, survey.return_reason = one.before["state"], one.before["reason"]
        if survey.state != Survey.State.SUBMITTED:
            survey.submitted_at = survey.submitted_by = None
        survey.save()
        surveys.append(survey)
    _finish(surveys, by, "readiness.load_undone", len(written))


@transaction.atomic
def write_groups(changes: Sequence[RowChange], *, by: Any) -> list[Written]:
    """Write groups of machines; all or nothing.

    Raises
    ------
    NotNow
        If a row can no longer be taken; nothing is written.
    """
    rows = plan_groups([(one.number, one.values) for one in changes], scope=_scope(by))
    _demand_all(rows)
    written, surveys = [], {}
    for row in rows:
        survey = row.survey
        if survey is None or not row.changes:
            continue
        given = {name: row.values[name] for name in GROUP_FIELDS if row.values.get(name) not in (None, "")}
        group, _is_new = MachineGroup.objects.update_or_create(
            survey=survey, position=int(row.values["position"]), defaults=given
        )
        Answer.objects.filter(survey=survey, question="machines").delete()
        if survey.state == Survey.State.EMPTY:
            survey.state, survey.started_at = Survey.State.DRAFT, clock.now()
            survey.save(update_fields=["state", "started_at"])
        surveys[survey.pk] = survey
        written.append(Written(number=row.number, key=row.key, before=row.before, after=group_values(group)))
    _finish(list(surveys.values()), by, "readiness.loaded", len(written))
    return written


@transaction.atomic
def undo_groups(written: Sequence[Written], *, by: Any) -> None:
    """Take groups back, the last first.

    Raises
    ------
    NotNow
        If a group was changed since, or its survey handed in; nothing is taken back.
    """
    surveys = {}
    for one in reversed(written):
        place = {"survey": one.after["survey"], "position": one.after["position"]}
        group = MachineGroup.objects.select_related("survey__cycle").filter(**place).first()
        if group is None or group_values(group) != dict(one.after) or not group.survey.is_open:
            raise NotNow(
                _("Row %(row)s was changed since it was taken.") % {"row": one.number},
                hint=_("Correct it on the page of the school instead."),
            )
        surveys[group.survey_id] = group.survey
        if one.before is None:
            group.delete()
        else:
            MachineGroup.objects.filter(pk=group.pk).update(
                **{name: one.before[name] for name in GROUP_FIELDS}
            )
    _finish(list(surveys.values()), by, "readiness.load_undone", len(written))
