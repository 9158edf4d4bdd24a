"""The mode of a school, decided by the officer, who may deviate with a reason."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.readiness.models import Mode, ModeDecision, Survey
from dienrong.readiness.operations.refusals import ReadinessRefusal, demand_text
from dienrong.readiness.queries import access


@transaction.atomic
def decide_mode(*, survey: Survey, mode: str, reason: str, by: Any) -> ModeDecision:
    """Decide how a school is tested; what differs from the suggestion needs a reason.

    Raises
    ------
    NotAllowed
        If the person does not decide for this school.
    ReadinessRefusal
        If the mode is none, or a deviation has no reason.
    """
    access.demand_survey(by, survey, "decide_readiness")
    held = Survey.objects.select_for_update(of=("self",)).get(pk=survey.pk)
    if mode not in (Mode.COMPUTER, Mode.MIXED, Mode.PAPER):
        raise ReadinessRefusal(_("Choose one of the three modes."))
    why = reason
    if mode != held.suggested:
        why = demand_text(reason, _("The decision differs from the suggestion; write why."))
    made = ModeDecision.objects.create(
        survey=held,
        mode=mode,
        suggested=held.suggested,
        reason=why.strip()[:300],
        decided_at=clock.now(),
        decided_by=by,
    )
    before, held.decided = held.decided, Mode(mode)
    held.save(update_fields=["decided"])
    after = {"mode": mode, "suggested": held.suggested, "reason": made.reason}
    record(action="readiness.mode_decided", actor=by, obj=held, before={"mode": before}, after=after)
    return made
