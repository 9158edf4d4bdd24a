"""Writes of studies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import demand
from dienrong.audit.operations import record
from dienrong.core.refusals import Conflict
from dienrong.core.text import clean_text
from dienrong.cycles.models import Cycle
from dienrong.scaling.models import ScalingRun, ScalingStudy


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStudy:
    """What a study is when it is made."""

    title: str
    subject: str
    grade: int | None = None
    previous: ScalingStudy | None = None


@transaction.atomic
def create_study(*, cycle: Cycle, new: NewStudy, by: Any | None) -> ScalingStudy:
    """Make a study; numbers of a cycle follow one another.

    Raises
    ------
    Conflict
        If a study of the cycle has this title already, or the previous study has no run to link to.
    """
    if by is not None:
        demand(by, "run_analysis")
    Cycle.objects.select_for_update().get(pk=cycle.pk)
    title = clean_text(new.title)
    if ScalingStudy.objects.filter(cycle=cycle, title=title).exists():
        raise Conflict(
            _("A study of this cycle is called “%(title)s” already.") % {"title": title},
            hint=_("Give this study another name."),
        )
    previous = new.previous
    if previous is not None and not previous.runs.filter(state=ScalingRun.State.DONE).exists():
        raise Conflict(
            _("The study “%(title)s” has no run that is done, so nothing can be linked to it.")
            % {"title": previous.title},
            hint=_("Run that study first, or choose none."),
        )
    last = ScalingStudy.objects.filter(cycle=cycle).aggregate(last=Max("number"))["last"] or 0
    study = ScalingStudy.objects.create(
        cycle=cycle,
        number=last + 1,
        title=title,
        subject=clean_text(new.subject),
        grade=new.grade,
        previous=previous,
        created_by=by,
    )
    record(
        action="scaling.study_created",
        actor=by,
        obj=study,
        after={
            "title": title,
            "subject": study.subject,
            "grade": study.grade,
            "previous": previous.pk if previous else None,
        },
    )
    return study
