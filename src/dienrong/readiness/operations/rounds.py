"""A survey round: a province's schools are asked for a cycle until a day."""

from __future__ import annotations

import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.readiness import ports
from dienrong.readiness.form_file import CURRENT
from dienrong.readiness.models import NormSet, Survey, SurveyRound
from dienrong.readiness.operations.judging_again import judge_again
from dienrong.readiness.operations.refusals import NotNow, ReadinessRefusal
from dienrong.readiness.queries import access
from dienrong.readiness.queries.norms import norm_of
from dienrong.registry.models import AdministrativeUnit, School


@transaction.atomic
def open_round(
    *, cycle: Any, province: AdministrativeUnit, reach: str, due_on: datetime.date, by: Any
) -> SurveyRound:
    """Ask the schools of a province for a cycle; asked again, it moves the day, adds schools that
    are missing and takes the students as they are selected by now.

    Raises
    ------
    NotAllowed
        If the province is not in the person's charge.
    NotNow
        If the cycle has no norm yet, or nobody knows which schools take part.
    ReadinessRefusal
        If the day is past, or no school is left to ask.
    """
    access.demand_province(by, "review_readiness", province)
    norm = norm_of(cycle)
    if norm is None:
        raise NotNow(
            _("This cycle has no norm of readiness yet."), hint=_("The Ministry sets it on the page “Norm”.")
        )
    if reach not in SurveyRound.Reach.values:
        raise ReadinessRefusal(_("Choose which schools are asked."))
    if due_on < clock.today():
        raise ReadinessRefusal(_("The last day lies in the past."), hint=_("Choose today or a later day."))
    schools = School.objects.filter(is_open=True, province=province)
    if reach == SurveyRound.Reach.SAMPLED:
        known = ports.participants_of(cycle)
        if known is None:
            raise NotNow(
                _("Nobody knows yet which schools take part in this cycle."),
                hint=_("Choose all open schools, or wait for the sample."),
            )
        schools = schools.filter(pk__in=list(known))
    asked = list(schools.order_by("school_id"))
    if not asked:
        raise ReadinessRefusal(_("No school of this province is to be asked."))
    existing = set(Survey.objects.filter(cycle=cycle, school__in=asked).values_list("school_id", flat=True))
    made = Survey.objects.bulk_create(
        [Survey(school=one, cycle=cycle, form_version=CURRENT) for one in asked if one.pk not in existing],
        batch_size=1000,
    )
    every = list(
        Survey.objects.filter(cycle=cycle, school__in=[one.pk for one in asked]).select_related("cycle")
    )
    set_students(every, norm)
    judge_again(every, norm)
    found, _is_new = SurveyRound.objects.update_or_create(
        cycle=cycle, province=province, defaults={"reach": reach, "due_on": due_on, "made_by": by}
    )
    after = {
        "province": province.code,
        "reach": reach,
        "until": due_on,
        "n_new": len(made),
        "n_schools": len(asked),
    }
    record(action="readiness.round_opened", actor=by, obj=found, after=after)
    return found


def set_students(surveys: list[Survey], norm: NormSet) -> None:
    """Give each survey the students of its school: those selected, else what the norm takes."""
    if not surveys:
        return
    known = ports.participants_of(surveys[0].cycle) or {}
    for one in surveys:
        one.n_students = known.get(one.school_id) or norm.n_students
    Survey.objects.bulk_update(surveys, ["n_students"], batch_size=500)
