"""The register of risks of a plan."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.text import clean_text
from dienrong.followup.models import Plan, Risk
from dienrong.followup.operations.plans import held
from dienrong.followup.refusals import FollowupRefusal


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RiskFacts:
    """What a risk is; likelihood and impact from 1 to 5."""

    title: str
    likelihood: int
    impact: int
    prevention: str
    fallback: str
    owner: str
    review_on: datetime.date
    cause: str = ""


def _checked(facts: RiskFacts) -> dict[str, Any]:
    """Give the facts in their clean form; every field but the cause must stand."""
    values = dataclasses.asdict(facts)
    for name in ("title", "owner", "cause"):
        values[name] = clean_text(values[name])
    for name in ("prevention", "fallback"):
        values[name] = values[name].strip()
    if not all(values[name] for name in ("title", "prevention", "fallback", "owner")):
        raise FollowupRefusal(
            _(
                "A risk says what may happen, what prevents it, what is done if it happens, and who watches it."
            ),
            hint=_("Fill in each of the four."),
        )
    if not (1 <= facts.likelihood <= 5 and 1 <= facts.impact <= 5):
        raise FollowupRefusal(_("Likelihood and gravity go from 1 to 5."))
    return values


@transaction.atomic
def add_risk(*, plan: Plan, facts: RiskFacts, by: Any) -> Risk:
    """Add a risk to the register of a plan.

    Raises
    ------
    FollowupRefusal
        If something is missing.
    """
    plan = held(plan, by)
    risk = Risk.objects.create(plan=plan, **_checked(facts))
    record(action="followup.risk_added", actor=by, obj=risk, after=dataclasses.asdict(facts))
    return risk


@transaction.atomic
def change_risk(*, risk: Risk, facts: RiskFacts, by: Any) -> Risk:
    """Change a risk.

    Raises
    ------
    FollowupRefusal
        If something is missing.
    """
    held(risk.plan, by)
    risk = Risk.objects.select_for_update().get(pk=risk.pk)
    values = _checked(facts)
    before = {name: getattr(risk, name) for name in values}
    for name, value in values.items():
        setattr(risk, name, value)
    risk.save()
    changed = {name: value for name, value in values.items() if before[name] != value}
    if changed:
        old = {name: before[name] for name in changed}
        record(action="followup.risk_changed", actor=by, obj=risk, before=old, after=changed)
    return risk


@transaction.atomic
def set_risk_state(*, risk: Risk, state: str, note: str, by: Any) -> Risk:
    """Say that a risk happened, is over, or is watched again, with a note.

    Raises
    ------
    FollowupRefusal
        If the state is unknown or the note is missing.
    """
    held(risk.plan, by)
    risk = Risk.objects.select_for_update().get(pk=risk.pk)
    words = clean_text(note)
    if state not in Risk.State.values or not words:
        raise FollowupRefusal(_("Say in a few words what happened."), hint=_("Write what is done now."))
    before = {"state": risk.state, "note": risk.note}
    risk.state, risk.note = state, words[:500]
    if state == Risk.State.HAPPENED:
        risk.happened_on = clock.today()
    risk.save()
    record(
        action="followup.risk_state_set",
        actor=by,
        obj=risk,
        before=before,
        after={"state": state, "note": words},
    )
    return risk
