"""The draw itself, and the withdrawal of a plan."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.accounts.permissions import demand
from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.formats import moment_text
from dienrong.core.text import clean_text
from dienrong.sampling import kept, queries, signing
from dienrong.sampling.models import Draw, Plan, SampledSchool
from dienrong.sampling.numeric import designs, draws
from dienrong.sampling.operations.freezing import demand_whole
from dienrong.sampling.operations.planning import hold_plan
from dienrong.sampling.operations.refusals import PlanIncomplete, PlanRefused, TooEarly

STATE = Plan.State
MOST_WITNESSES = 9


@transaction.atomic
def draw_sample(
    *,
    plan: Plan,
    source_text: str,
    witnesses: Sequence[str],
    by: Any | None,
    seen_at: datetime.datetime | None = None,
) -> Draw:
    """Draw the schools with the seed that follows from commitment and announced number.

    Invariant: draw, sampled schools, record, signature and audit entry appear together or not at all.

    Raises
    ------
    TooEarly
        If the announced moment has not come.
    FrameChanged
        If the frozen frame is no longer what was frozen.
    PlanRefused
        If frame and plan no longer give the published commitment.
    """
    if by is not None:
        demand(by, "draw_samples")
    found = hold_plan(plan, by=by, states=(STATE.COMMITTED,), seen_at=seen_at)
    draw, now = found.draw, clock.now()
    text = clean_text(source_text)
    _demand_drawable(found, text, now)
    outcome = _outcome_of(found, text)
    content = outcome.record.encode("utf-8")
    draw.source_text, draw.seed, draw.result_hash = text[:200], outcome.seed, outcome.result_hash
    draw.record_name = f"draw-{found.pk}-{outcome.result_hash.removeprefix('sha256:')[:16]}.json"
    draw.signature, draw.public_key = signing.sign(content)
    draw.drawn_at, draw.drawn_by = now, by
    names = [clean_text(name)[:120] for name in witnesses]
    draw.witnesses = [name for name in names if name][:MOST_WITNESSES]
    draw.save()
    kept.keep_record(draw.record_name, content)
    _write_schools(draw, outcome.schools)
    found.state = STATE.DRAWN
    found.save(update_fields=["state"])
    record(
        action="sampling.sample_drawn",
        actor=by,
        obj=found,
        after={
            "source_text": draw.source_text,
            "seed": draw.seed,
            "result": draw.result_hash,
            "n_schools": sum(one.role == "original" for one in outcome.schools),
            "witnesses": draw.witnesses,
        },
    )
    return draw


def _demand_drawable(plan: Plan, text: str, now: datetime.datetime) -> None:
    """Refuse a draw before its moment, without its number, or from what is no longer the published frame and plan."""
    draw = plan.draw
    if now < draw.source_due_at:
        raise TooEarly(
            _("The number is announced at %(moment)s; before, nothing can be drawn.")
            % {"moment": moment_text(draw.source_due_at)},
            hint=_("Come back after the announcement."),
        )
    if not text:
        raise PlanIncomplete(_("No number was entered."), hint=_("Enter what was announced, digit by digit."))
    demand_whole(plan)
    if draws.commitment_now(plan.frame.hash, plan.design) != draw.commitment:
        raise PlanRefused(
            _("The plan no longer gives the published commitment %(hash)s; nothing was drawn.")
            % {"hash": draw.commitment},
            hint=_("The published commitment holds. Withdraw the plan with its reason if it cannot be kept."),
        )


def _outcome_of(plan: Plan, text: str) -> draws.Outcome:
    """Draw from the frozen frame with the announced number."""
    draw = plan.draw
    try:
        return draws.draw(
            kept.frame_path(plan.frame),
            plan.design,
            source_name=draw.source_name,
            source_text=text,
            commitment=draw.commitment,
        )
    except designs.PlanRefusedError as error:
        raise PlanRefused(
            _("Nothing was drawn: %(reason)s") % {"reason": str(error)},
            hint=_("The published commitment holds. Withdraw the plan with its reason if it cannot be kept."),
        ) from error


def _write_schools(draw: Draw, schools: Sequence[draws.Sampled]) -> None:
    """Write the sampled schools, then those that would replace them."""
    from_registry = draw.plan.source.get("kind") == "registry"
    keys = queries.schools_by_code([one.school_id for one in schools]) if from_registry else {}
    originals: dict[str, int] = {}
    for is_original in (True, False):
        rows = [
            SampledSchool(
                draw=draw,
                school_id=keys.get(one.school_id),
                school_code=one.school_id,
                name=one.name[:200],
                province_code=one.province_code if len(one.province_code) <= 2 else "",
                commune_code=one.commune_code if len(one.commune_code) <= 5 else "",
                stratum=one.stratum[:200],
                role=one.role,
                original_id=originals.get(one.original),
                selection_order=one.selection_order,
                n_people=one.n_people,
                probability=one.probability,
                base_weight=one.base_weight,
                is_certainty=one.is_certainty,
            )
            for one in schools
            if (one.role == "original") is is_original
        ]
        SampledSchool.objects.bulk_create(rows, batch_size=1000)
        if is_original:
            found = SampledSchool.objects.filter(draw=draw).values_list("school_code", "pk")
            originals = dict(found)


@transaction.atomic
def withdraw_plan(*, plan: Plan, reason: str, by: Any | None) -> Plan:
    """Withdraw a plan with its reason; nothing is deleted, and what was published stays published.

    Raises
    ------
    PlanIncomplete
        If no reason is given.
    """
    open_states = (STATE.DRAFT, STATE.FRAME_FROZEN, STATE.COMMITTED, STATE.DRAWN)
    found = hold_plan(plan, by=by, states=open_states)
    text = clean_text(reason)[:300]
    if not text:
        raise PlanIncomplete(
            _("A plan is withdrawn with a reason."), hint=_("Write in one sentence why it does not hold.")
        )
    before, found.state, found.withdrawn_reason = found.state, STATE.WITHDRAWN, text
    found.save(update_fields=["state", "withdrawn_reason"])
    record(
        action="sampling.plan_withdrawn",
        actor=by,
        obj=found,
        before={"state": before},
        after={"state": found.state, "reason": text},
    )
    return found
