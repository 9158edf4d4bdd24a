"""The steps that cannot be taken back: the frame is frozen, the commitment published."""

from __future__ import annotations

import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.formats import moment_text, number_text
from dienrong.core.text import clean_text
from dienrong.sampling import kept, queries
from dienrong.sampling.models import Draw, Frame, FrameExclusion, Plan
from dienrong.sampling.numeric import designs, draws, frames
from dienrong.sampling.operations.planning import hold_plan, population_of
from dienrong.sampling.operations.refusals import FrameChanged, PlanIncomplete, PlanRefused, TooEarly

STATE = Plan.State


@transaction.atomic
def freeze_frame(*, plan: Plan, by: Any | None, seen_at: datetime.datetime | None = None) -> Frame:
    """Write the frame of a plan under its hash, read-only; from now on its schools cannot be changed.

    Raises
    ------
    PlanIncomplete
        If there is no frame, or no number of schools yet.
    PlanRefused
        If the checks of the frame find an error; the refusal names the first schools.
    """
    found = hold_plan(plan, by=by, states=(STATE.DRAFT,), seen_at=seen_at)
    narrowed = frames.narrow(population_of(found), found.excludes)
    if not found.design.get("n_schools"):
        raise PlanIncomplete(
            _("This plan does not say yet how many schools are drawn."),
            hint=_("Fill in strata and numbers first."),
        )
    findings = _findings(found, narrowed.frame)
    made = frames.freeze(narrowed.frame, kept.frames_folder())
    frame = Frame.objects.create(
        plan=found,
        made_at=clock.now(),
        made_by=by,
        source=str(found.source.get("name") or found.source.get("kind") or ""),
        hash=made.hash,
        file_name=made.file_name,
        n_schools=made.n_schools,
        n_people=made.n_people,
        columns=list(made.columns),
        totals={
            "n_population": narrowed.n_schools,
            "n_population_people": narrowed.n_people,
            "ci1": narrowed.ci1,
        },
        findings=[
            {"check": one.check, "severity": one.severity, "n": one.n, "rows": list(one.rows)}
            for one in findings
        ],
    )
    FrameExclusion.objects.bulk_create(
        (
            FrameExclusion(
                frame=frame,
                school_id=one.school_id,
                name=one.name[:200],
                province_code=one.province_code if len(one.province_code) <= 2 else "",
                reason=one.reason,
                n_people=one.n_people,
            )
            for one in narrowed.excluded
        ),
        batch_size=2000,
    )
    found.state = STATE.FRAME_FROZEN
    found.save(update_fields=["state"])
    record(
        action="sampling.frame_frozen",
        actor=by,
        obj=found,
        after={"hash": made.hash, "n_schools": made.n_schools, "n_excluded": len(narrowed.excluded)},
    )
    return frame


def _findings(plan: Plan, frame: Any) -> tuple[designs.Finding, ...]:
    """Check a frame; refuse errors."""
    try:
        findings, _checked = designs.findings_of(frame, plan.design, totals=queries.official_totals(plan))
    except designs.PlanRefusedError as error:
        raise PlanRefused(str(error)) from error
    errors = [one for one in findings if one.severity == "error"]
    if errors:
        named = ", ".join(one for error in errors for one in error.rows[:5])
        raise PlanRefused(
            _("The checks find %(n)s errors in the frame: %(checks)s %(rows)s")
            % {
                "n": number_text(len(errors)),
                "checks": ", ".join(error.check for error in errors),
                "rows": f"({named})." if named else ".",
            },
            hint=_("Open the page of the checks; it says for each what to do."),
        )
    return findings


@transaction.atomic
def commit_plan(
    *,
    plan: Plan,
    source_name: str,
    source_due_at: datetime.datetime,
    by: Any | None,
    seen_at: datetime.datetime | None = None,
) -> Draw:
    """Publish the commitment to frame and plan, with the source of the number and the moment it is announced.

    Invariant: the commitment stands before the number; from now on neither frame nor plan can be changed.

    Raises
    ------
    TooEarly
        If the moment of the announcement is not in the future.
    FrameChanged
        If the frozen frame is no longer what was frozen.
    PlanRefused
        If the plan does not fit the frame; a trial draw is made.
    """
    found = hold_plan(plan, by=by, states=(STATE.FRAME_FROZEN,), seen_at=seen_at)
    name = clean_text(source_name)
    if not name:
        raise PlanIncomplete(
            _("The public source has no name."),
            hint=_("Name it so that anyone knows where to look: which lottery, which draw, which day."),
        )
    now = clock.now()
    if source_due_at <= now:
        raise TooEarly(
            _("The number must be announced after the commitment is published; %(moment)s is past.")
            % {"moment": moment_text(source_due_at)},
            hint=_("Choose an announcement that is still to come."),
        )
    demand_whole(found)
    try:
        commitment = draws.commit(kept.frame_path(found.frame), found.design)
    except designs.PlanRefusedError as error:
        raise PlanRefused(str(error)) from error
    draw = Draw.objects.create(
        plan=found,
        commitment=commitment,
        committed_at=now,
        committed_by=by,
        source_name=name[:200],
        source_due_at=source_due_at,
    )
    found.state = STATE.COMMITTED
    found.save(update_fields=["state"])
    record(
        action="sampling.commitment_published",
        actor=by,
        obj=found,
        after={"commitment": commitment, "source": name, "due": source_due_at, "design": found.design},
    )
    return draw


def demand_whole(plan: Plan) -> None:
    """Check a frozen frame against its hash, at every later use.

    Raises
    ------
    FrameChanged
        If it is no longer what was frozen; the refusal names school, column and what stands there now.
    """
    changed = frames.differences(kept.frame_path(plan.frame), plan.frame.hash, kept.cells_path(plan.frame))
    if not changed:
        return
    first = changed[0]
    facts = {"school": first.school_id, "column": first.column, "value": first.value}
    if first.school_id and first.column:
        what = _("school %(school)s, column %(column)s, now holds “%(value)s”") % facts
    elif first.school_id:
        what = _("school %(school)s was added or removed") % facts
    elif first.column:
        what = _("column %(column)s was added or removed") % facts
    else:
        what = _("the file cannot be read any more")
    raise FrameChanged(
        _("The frozen frame is not what was frozen: %(what)s.") % {"what": what},
        hint=_("Put the frame's file back from the backup; nothing is drawn from a changed frame."),
    )
